import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { examine } from './examine.ts'
import { FAIL_LEVELS, FORMATS, choiceOf, report } from './output.ts'
import { CLEAN, UNUSABLE, UsageError } from './io.ts'
import { parseDuration } from '../session/duration.ts'
import type { Io } from './io.ts'

const HELP = `Usage: fastify-session-guard check [file] [options]

Judges the session options of an app, without letting it listen. The file exports a Fastify app, a function that builds
one, a plugin that registers secureSession, or the options themselves. Without a file, package.json says where to look.

  --env <name>          what NODE_ENV is to be (default: as it is; production when unset)
  --format <format>     ${FORMATS.join(', ')} (default pretty)
  --fail-level <level>  the lowest severity that gives exit code 1: ${FAIL_LEVELS.join(', ')} (default fatal)
  --show-silenced       spells out what is silenced, too
  --no-silence          counts what is silenced as if it were not
  --timeout <duration>  how long the app may take to become ready (default 30s)

Exit codes: 0 clean, 1 findings at or above the level, 2 cannot load, or wrong usage.`

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  env: { type: 'string' },
  format: { type: 'string', default: 'pretty' },
  'fail-level': { type: 'string', default: 'fatal' },
  'show-silenced': { type: 'boolean', default: false },
  'no-silence': { type: 'boolean', default: false },
  timeout: { type: 'string', default: '30s' },
} as const

const USUAL_FILES = [
  'dist/app.js',
  'dist/index.js',
  'dist/server.js',
  'app.js',
  'app.mjs',
  'app.cjs',
  'server.js',
  'index.js',
  'src/app.js',
]

/** Judges the session options of an app module, or of a module that exports options. */
export async function check(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS })
  if (values.help === true) {
    io.out(HELP)
    return CLEAN
  }
  const format = choiceOf('--format', values.format, FORMATS)
  const failLevel = choiceOf('--fail-level', values['fail-level'], FAIL_LEVELS)
  const timeout = parseDuration(values.timeout)
  if (!timeout) throw new UsageError(`--timeout takes a duration like 30s, not ${values.timeout}.`)
  if (positionals.length > 1) throw new UsageError('check takes one file.')

  const file = fileToCheck(positionals[0], io.cwd)
  const env = values.env === undefined ? io.env : { ...io.env, NODE_ENV: values.env }
  const { findings, environment, failure, output } = await examine(file, { cwd: io.cwd, env, timeout })
  if (failure !== undefined) {
    if (output !== '') io.err(output)
    io.err(`Cannot check ${shortName(file, io.cwd)}: ${failure}`)
  }
  if (failure !== undefined && findings.length === 0) return UNUSABLE
  const code = report(findings, io, {
    format,
    failLevel,
    showSilenced: values['show-silenced'],
    obeysSilence: !values['no-silence'],
    target: shortName(file, io.cwd),
    environment,
  })
  return failure === undefined ? code : UNUSABLE
}

function shortName(file: string, cwd: string): string {
  const short = relative(cwd, file)
  return short.startsWith('..') || isAbsolute(short) ? file : short
}

/**
 * The file that was named, or the one that package.json or custom names.
 * @throws UsageError when there is none
 */
export function fileToCheck(given: string | undefined, cwd: string): string {
  if (given !== undefined) {
    const file = resolve(cwd, given)
    // A URL out of its place may hold a password.
    const named = given.includes(':') ? 'such file' : `file ${given}`
    if (!existsSync(file)) throw new UsageError(`There is no ${named}.`)
    return file
  }
  const found = [...mainOf(cwd), ...USUAL_FILES].map((name) => resolve(cwd, name)).find((file) => existsSync(file))
  if (found === undefined) throw new UsageError('No file was given, and package.json names none that exists.')
  return found
}

function mainOf(cwd: string): string[] {
  try {
    const { main } = JSON.parse(readFileSync(resolve(cwd, 'package.json'), 'utf8')) as { main?: unknown }
    return typeof main === 'string' ? [main] : []
  } catch {
    return []
  }
}
