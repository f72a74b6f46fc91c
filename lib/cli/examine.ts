import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Finding } from '../../types/index.ts'
import type { ShownSettings } from '../guard/evidence/settings.ts'
import { formatDuration } from '../session/duration.ts'
import { failureOf } from './failure.ts'
import type { Ending, Failure } from './failure.ts'
import type { ExaminerMessage } from './watch-app.ts'

/** The result of running a module under the guard. */
export interface Examination {
  readonly findings: Finding[]
  /** The line that says which rules apply, and why. */
  readonly environment: string
  /** The options with every default filled in; null where nothing was judged. */
  readonly settings: ShownSettings | null
  /** The reason why the module could not be judged, or not to its end. */
  readonly failure?: Failure
  /** The output of the module. */
  readonly output: string
}

export interface ExamineOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** The time limit, in milliseconds. */
  readonly timeout: number
  /** Answers in place of every server that the module connects to. */
  readonly offline?: boolean
}

const MAX_OUTPUT = 16_384

/**
 * The time that the streams of an ended process may stay open, which a process of its own may hold, in milliseconds.
 */
const STREAM_GRACE = 500

/**
 * Runs a module in a process of its own, without letting it listen. An app sets globals, writes to standard output, and
 * may end its process. None of these acts may disturb the report.
 */
export async function examine(file: string, options: ExamineOptions): Promise<Examination> {
  const first = await runModule(file, options, options.env)
  // A primary process of node:cluster only forks: the app is what a worker runs.
  const ending = first.forks ? await runModule(file, options, { ...options.env, NODE_UNIQUE_ID: '1' }) : first
  const { reports, settings, output } = ending
  const findings = uniqueFindings(reports.flatMap((report) => report.findings)).filter(
    (finding) => options.offline !== true || !isAnswerOfStore(finding),
  )
  const failure = failureOf(ending, file, formatDuration(options.timeout))
  return {
    findings,
    environment: reports[0]?.environment ?? 'unknown',
    settings: settings[0] ?? null,
    output,
    ...(failure === undefined ? {} : { failure }),
  }
}

async function runModule(file: string, { cwd, timeout, offline }: ExamineOptions, env: object): Promise<Ending> {
  const examiner = new URL(import.meta.url.replace(/examine(\.\w+)$/, 'examiner$1'))
  const mode = offline === true ? ['offline'] : []
  const child = fork(examiner, [file, ...mode], { cwd, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const ending: Ending = {
    reports: [],
    settings: [],
    errors: [],
    output: '',
    forks: false,
    done: undefined,
    exitCode: null,
    isLate: false,
  }
  hear(child, ending)
  const late = setTimeout(() => {
    ending.isLate = true
    child.kill('SIGKILL')
  }, timeout)
  await ended(child, ending)
  clearTimeout(late)
  ending.output = ending.output.trimEnd()
  return ending
}

function hear(child: ChildProcess, ending: Ending): void {
  child.on('message', (message) => {
    const said = message as ExaminerMessage
    if ('report' in said) {
      ending.reports.push(said.report)
      if (said.settings !== null) ending.settings.push(said.settings)
    } else if ('error' in said) ending.errors.push(said.error)
    else if ('forks' in said) ending.forks = true
    else ending.done = { nothing: said.nothing }
  })
  // Both are pipes.
  for (const stream of [child.stdout, child.stderr] as Readable[]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      ending.output = (ending.output + chunk).slice(-MAX_OUTPUT)
    })
  }
}

/** Waits until a process has ended and everything that it said was heard. */
function ended(child: ChildProcess, ending: Ending): Promise<void> {
  return new Promise((resolve) => {
    let isClosed = false
    let timer: NodeJS.Timeout | undefined
    const settle = (): void => {
      if (!isClosed || child.connected) return
      clearTimeout(timer)
      resolve()
    }
    child.once('error', (error) => {
      ending.errors.push({ text: error.message, stack: '', code: '' })
      resolve()
    })
    child.once('exit', (code) => {
      ending.exitCode = code
      timer = setTimeout(resolve, STREAM_GRACE)
    })
    child.once('disconnect', settle)
    child.once('close', () => {
      isClosed = true
      settle()
    })
  })
}

/** The phases repeat what they know, and an app may register twice. */
function uniqueFindings(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify([finding.rule, finding.at]), finding])).values()]
}

/** Tells whether a finding rests on what the store answered. */
export function isAnswerOfStore({ phase, at }: Pick<Finding, 'phase' | 'at'>): boolean {
  return phase === 'ready' && at.every(({ path }) => path === 'store')
}
