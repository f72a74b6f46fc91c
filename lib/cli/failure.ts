import { fileURLToPath } from 'node:url'
import type { Finding, SourcePlace } from '../../types/index.ts'
import type { ShownSettings } from '../guard/evidence/settings.ts'
import type { ModuleError } from './watch-app.ts'

/** The reason why a module could not be judged, or not to its end. */
export interface Failure {
  /** Completes "Cannot check app.js: …". */
  readonly message: string
  /** The advice for the failure. */
  readonly hint?: string
  /** The line of the app that failed. */
  readonly place?: SourcePlace
  /** Tells whether the app failed because the guard had refused its registration. The findings say everything then. */
  readonly isConsequence: boolean
}

/** The course and the end of a module's process. */
export interface Ending {
  readonly reports: { readonly findings: readonly Finding[]; readonly environment: string }[]
  readonly settings: ShownSettings[]
  readonly errors: ModuleError[]
  output: string
  forks: boolean
  done: { readonly nothing: string | null } | undefined
  exitCode: number | null
  isLate: boolean
}

/** Node's exit code for a top-level `await` that nothing can settle any more. */
const UNSETTLED = 13

/** Returns the reason why an examination did not come to its end; `undefined` when it did. */
export function failureOf(ending: Ending, file: string, timeout: string): Failure | undefined {
  const message = messageOf(ending, timeout)
  const isConsequence = ending.reports.some(({ findings }) =>
    findings.some(({ severity, silenced }) => severity === 'fatal' && silenced === undefined),
  )
  // An app that was refused and ends its process does what it should.
  const isEnd = isConsequence && ending.errors.length === 0 && !ending.isLate
  if (message === undefined || isEnd) return undefined
  const hint = isConsequence ? undefined : hintFor(ending, message, file)
  const place = placeOf(ending)
  return { message, isConsequence, ...(hint === undefined ? {} : { hint }), ...(place === undefined ? {} : { place }) }
}

function messageOf({ errors, done, exitCode, isLate }: Ending, timeout: string): string | undefined {
  const [error] = errors
  if (error !== undefined) return error.text
  if (isLate) return `it was not ready after ${timeout}`
  if (done !== undefined) return done.nothing ?? undefined
  if (exitCode === UNSETTLED) return 'a top-level await never settled, and nothing was left that could settle it'
  return exitCode === null
    ? 'its process was killed before it was ready'
    : `its process ended with code ${exitCode} before it was ready`
}

const NO_CONNECTION =
  /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|Connection is closed/
const NOT_LOADED = /requireLogin is not a function|reading '(requireLogin|sessions|list|revoke\w*|sweep)'/
const TYPESCRIPT = /\.[cm]?ts\b/

function hintFor({ errors, output, isLate, reports }: Ending, message: string, file: string): string | undefined {
  const { text = '', stack = '', code = '', byCall } = errors[0] ?? {}
  if (NOT_LOADED.test(text)) {
    return (
      'secureSession is not loaded yet at this line. Write `await app.register(secureSession, …)`, ' +
      'or use app.requireLogin() in a plugin that is registered after it'
    )
  }
  if (code === 'FST_ERR_DEC_ALREADY_PRESENT' && /'session'/.test(text)) {
    return 'another session plugin is registered beside secureSession: remove one of the two'
  }
  if (NO_CONNECTION.test(`${text}${code}`) || (isLate && NO_CONNECTION.test(output))) {
    return 'a server that the app connects to does not answer. With --offline, check judges everything but the store’s answer'
  }
  if (isTypeScriptTrouble(text, code, `${stack}\n${output}`, file)) {
    return (
      'use Node >= 22.18, which runs TypeScript without enums and other syntax that needs a compiler; ' +
      'or set NODE_OPTIONS="--import tsx" (with tsx installed); or check the built JavaScript file'
    )
  }
  if (message.startsWith('it made no Fastify app')) {
    return 'export the app, a function without parameters that builds it, a plugin, or the options of secureSession'
  }
  if (/^(ERR_)?MODULE_NOT_FOUND$/.test(code)) {
    return /package/.test(text)
      ? 'install what the app needs where check runs, with npm ci or npm install'
      : 'build the app first, or check the file that is meant'
  }
  if (reports.length === 0 && output.includes('SESSION_GUARD_REFUSED')) {
    return 'secureSession was refused in a worker thread or in another process of the app: check the file that runs there'
  }
  if (byCall !== undefined) {
    const call = /^[\w$]{1,60}$/.test(byCall) ? `${byCall}()` : 'the exported function'
    return `check calls ${call} without the values that it needs: export the app, or a function without parameters`
  }
  if (isLate && reports.length === 0) return 'a larger --timeout gives the app more time'
  return undefined
}

function isTypeScriptTrouble(text: string, code: string, where: string, file: string): boolean {
  if (/^ERR_(UNSUPPORTED_TYPESCRIPT_SYNTAX|INVALID_TYPESCRIPT_SYNTAX)/.test(code)) return true
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' || code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
    return TYPESCRIPT.test(text)
  }
  const [head = ''] = where.split('\n').filter((line) => /:\d+$/.test(line))
  return text.startsWith('SyntaxError') && TYPESCRIPT.test(head === '' ? file : head)
}

/**
 * A place in a stack or in what Node prints above a syntax error: `at boot (file:///srv/app.js:3:7)`, `/srv/app.cjs:2`.
 */
const PLACE = /(?:^|[\s(])(file:\/\/\/[^\s()]+?|(?:\/|[A-Za-z]:[\\/])[^():\n]*?):(\d+)(?::(\d+))?\)?$/

/** This package's own files, which are no place in the app. */
const OWN = fileURLToPath(new URL('../', import.meta.url))

/** The line of the app that threw. A syntax error names its line in what Node prints above it. */
function placeOf({ errors, output }: Ending): SourcePlace | undefined {
  const [error] = errors
  if (error === undefined) return undefined
  const isSyntax = error.text.startsWith('SyntaxError')
  const lines = isSyntax ? [...output.split('\n'), ...error.stack.split('\n')] : error.stack.split('\n')
  for (const line of lines) {
    const match = PLACE.exec(line.trimEnd())
    if (match === null || line.includes('node_modules') || (isSyntax && line.startsWith('    at '))) continue
    const file = pathOf(match[1] as string)
    if (file === undefined || file.startsWith(OWN)) continue
    return { file, line: Number(match[2]), column: Number(match[3] ?? 1) }
  }
  return undefined
}

function pathOf(place: string): string | undefined {
  try {
    return place.startsWith('file:') ? fileURLToPath(place) : place
  } catch {
    return undefined
  }
}
