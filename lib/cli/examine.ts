import { fork } from 'node:child_process'
import { formatDuration } from '../session/duration.ts'
import type { ChildProcess } from 'node:child_process'
import type { Finding } from '../../types/index.ts'
import type { ModuleReport } from './examine-module.ts'

/** What came of loading a module. */
export interface Examination {
  readonly findings: Finding[]
  readonly environment: string
  /** Why the module could not be loaded, or not to its end. */
  readonly failure?: string
  /** What the app printed. */
  readonly output: string
}

const LONGEST_OUTPUT = 16_384

/**
 * Loads a module in a process of its own: an app sets globals, writes to standard output, and may end its process; none of
 * that may reach the report.
 */
export async function examine(
  file: string,
  { cwd, env, timeout }: { cwd: string; env: Readonly<Record<string, string | undefined>>; timeout: number },
): Promise<Examination> {
  const examiner = new URL(import.meta.url.replace(/examine(\.\w+)$/, 'examiner$1'))
  const child = fork(examiner, [file], { cwd, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const output = collect(child)
  const { reports, failure } = await answerOf(child, timeout)
  child.kill('SIGKILL')
  const findings = uniqueFindings(reports.flatMap((report) => report.findings))
  const environment = reports[0]?.environment ?? 'unknown'
  return { findings, environment, output: output(), ...(failure === undefined ? {} : { failure }) }
}

function answerOf(child: ChildProcess, timeout: number): Promise<ModuleReport> {
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      resolve({ reports: [], failure: `it was not ready after ${formatDuration(timeout)}` })
    }, timeout)
    const settle = (message: ModuleReport): void => {
      clearTimeout(late)
      resolve(message)
    }
    child.once('message', (message) => settle(message as ModuleReport))
    child.once('error', (error) => settle({ reports: [], failure: error.message }))
    child.once('exit', (code) =>
      settle({ reports: [], failure: `its process ended with code ${code} before it was ready` }),
    )
  })
}

function collect(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-LONGEST_OUTPUT)
    })
  }
  return () => text.trimEnd()
}

/** The phases repeat what they know, and an app may register twice. */
function uniqueFindings(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify([finding.rule, finding.at]), finding])).values()]
}
