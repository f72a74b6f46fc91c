import { isAbsolute, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { renderFailure } from '../guard/report/text.ts'
import { parseDuration } from '../session/duration.ts'
import { fileToCheck, printable } from './entry-file.ts'
import { examine } from './examine.ts'
import type { Examination, ExamineOptions } from './examine.ts'
import { planFixes, renderPatches } from './fixes.ts'
import { CLEAN, FOUND, UNUSABLE, UsageError } from './io.ts'
import type { Io } from './io.ts'
import type { Silence } from '../../types/index.ts'
import { FAIL_LEVELS, FORMATS, choiceOf, report } from './output.ts'
import type { OutputOptions } from './output.ts'
import { codeFrame } from './source/code-frame.ts'
import { locateFindings } from './source/locate.ts'
import { optionsSites } from './source/options-literals.ts'
import { secretsInFiles } from './source/secrets.ts'
import { Project } from './source/project.ts'
import { writeFixes } from './write-fixes.ts'
import { fileNaming } from './source/file-naming.ts'

const HELP = `Usage: fastify-session-guard check [file] [options]

Judges the session options of an app, without letting it listen. Runs the file, which starts or exports a
Fastify app, a function or a class that makes one, a plugin that registers secureSession, or the options.
A folder, or no file, means what package.json names.

  --env <name>          what NODE_ENV is to be (default: as it is; production when unset)
  --format <format>     ${FORMATS.join(', ')} (default pretty)
  --fail-level <level>  the lowest severity that gives exit code 1: ${FAIL_LEVELS.join(', ')} (default fatal)
  --show-silenced       spells out what is silenced, too
  --no-silence          counts what is silenced as if it were not
  --timeout <duration>  how long the app may take to become ready (default 30s)
  --offline             answers in place of the servers that the app connects to
  --fix                 prints the fixes as a patch, each with how safe it is
  --write               writes the safe fixes, and leaves out each that makes the app worse

Exit codes: 0 clean, 1 findings at or above the level, 2 cannot load, or wrong usage.`

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  env: { type: 'string' },
  format: { type: 'string', default: 'pretty' },
  'fail-level': { type: 'string', default: 'fatal' },
  'show-silenced': { type: 'boolean', default: false },
  'no-silence': { type: 'boolean', default: false },
  timeout: { type: 'string', default: '30s' },
  offline: { type: 'boolean', default: false },
  fix: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
} as const

/** Judges the session options of an app module, or of a module that exports options. */
export async function check(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS })
  if (values.help === true) {
    io.out(HELP)
    return CLEAN
  }
  const format = choiceOf('--format', values.format, FORMATS)
  const failLevel = choiceOf('--fail-level', values['fail-level'], FAIL_LEVELS)
  const given = readGiven(positionals, values, io, format)
  if (given === undefined) return UNUSABLE
  const run = { ...given, offline: values.offline }
  const project = await Project.open()
  if (!project.canParse && (values.fix || values.write)) {
    throw new UsageError('--fix and --write need the package oxc-parser: npm install --save-dev oxc-parser.')
  }
  const first = await examineFrom(run, values.env)
  const examination = values.write
    ? await writeFixes(project, run, first, () => examineFrom(run, values.env), io)
    : first
  return judge(examination, run, project, io, {
    format,
    failLevel,
    showSilenced: values['show-silenced'],
    obeysSilence: !values['no-silence'],
    isFix: values.fix && !values.write,
  })
}

/** Reads what to run. Programs that read a report get one of a file that is not there, too. */
function readGiven(
  positionals: readonly string[],
  values: { env?: string | undefined; timeout: string },
  io: Io,
  format: OutputOptions['format'],
): Run | undefined {
  try {
    return readRun(positionals, values, io)
  } catch (error) {
    if (!(error instanceof UsageError) || format === 'pretty') throw error
    io.err(error.message)
    const [file = '.'] = positionals
    // A URL out of its place may hold a password.
    const target = file.includes(':') ? '.' : printable(file)
    const silence = { showSilenced: false, obeysSilence: true }
    report([], io, { format, failLevel: 'fatal', target, environment: 'unknown', failure: error, ...silence })
    return undefined
  }
}

/** The file to run, and how. */
export interface Run extends ExamineOptions {
  readonly file: string
  /** The file as messages name it. */
  readonly target: string
}

/** Reads what the commands that run an app have in common. */
export function readRun(
  positionals: readonly string[],
  { env, timeout: text }: { env?: string | undefined; timeout: string },
  io: Io,
): Run {
  const timeout = parseDuration(text)
  if (!timeout) throw new UsageError(`--timeout takes a duration like 30s.`)
  if (positionals.length > 1) throw new UsageError('There is more than one file.')
  const file = fileToCheck(positionals[0], io.cwd)
  const short = relative(io.cwd, file)
  const target = printable(short.startsWith('..') || isAbsolute(short) ? file : short)
  return { file, target, cwd: io.cwd, env: env === undefined ? io.env : { ...io.env, NODE_ENV: env }, timeout }
}

/** Runs the app, and says that NODE_ENV came from the command line where it did. */
export async function examineFrom(run: Run, env: string | undefined): Promise<Examination> {
  const examination = await examine(run.file, run)
  if (env === undefined) return examination
  const environment = examination.environment
    .replace('(from NODE_ENV)', '(from --env)')
    .replace('(NODE_ENV is', '(--env is')
  return { ...examination, environment }
}

type JudgeOptions = Pick<OutputOptions, 'format' | 'failLevel' | 'showSilenced' | 'obeysSilence'> & { isFix: boolean }

function judge(
  examination: Examination,
  run: Run,
  project: Project,
  io: Io,
  { isFix, ...options }: JudgeOptions,
): number {
  const { findings, environment, failure, output } = examination
  const { target } = run
  const naming = fileNaming(io.cwd, options.format)
  const sites = optionsSites(project, run.file)
  const isEmpty = failure !== undefined && findings.length === 0
  const located = [
    ...locateFindings(project, sites, findings),
    ...(isEmpty ? [] : secretsInFiles(project, run.file, sites, ...sourceRules(examination, run))),
  ]
  const shown = failure === undefined ? undefined : naming.inFailure(failure)
  const plan = isFix ? planFixes(project, run.file, located, { isSafeOnly: false, nameOf: naming.name }) : undefined

  // The output of the app is not part of the report, but helps where the app failed.
  if (failure?.isConsequence === false && output !== '') io.err(printableLines(output))
  if (shown !== undefined) io.err(failureText(target, shown, io))
  if (run.offline === true) io.err('Offline: what the store would answer was not judged.')
  if (isEmpty && options.format === 'pretty') return UNUSABLE
  const code = report(located.map(naming.inFinding), io, {
    ...options,
    target: isEmpty || options.format === 'pretty' ? target : naming.name(run.file),
    environment,
    failure: shown?.isConsequence === true ? undefined : shown,
    patches: plan?.patches,
    frameOf: (finding, width) => codeFrame(project, sites, finding, width),
  })
  if (plan !== undefined && options.format === 'pretty') io.out(`\n${renderPatches(plan)}`)
  return failure === undefined || (failure.isConsequence && code === FOUND) ? code : UNUSABLE
}

/** The environment and the silences under which source text is judged. */
function sourceRules({ settings }: Examination, { env }: Run): [string | undefined, Silence[]] {
  const silences = (settings?.silenced ?? []).map(({ expires, ...entry }) =>
    expires === null ? entry : { ...entry, expires },
  )
  return [settings?.environment ?? env['NODE_ENV'], silences]
}

function failureText(target: string, shown: NonNullable<Examination['failure']>, io: Io): string {
  if (!shown.isConsequence) return renderFailure(target, shown, io.columns)
  return `Note: the guard refused the registration, and the app went on to fail: ${shown.message}`
}

/** Cleans the output of an app, because it may hold anything. Line breaks remain. */
function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join('\n')
}
