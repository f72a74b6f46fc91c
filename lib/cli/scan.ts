import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { CLEAN, FOUND, UNUSABLE, UsageError } from './io.ts'
import { FAIL_LEVELS, FORMATS, choiceOf, report } from './output.ts'
import { parseDuration } from '../session/duration.ts'
import { ScanError } from '../scan/browser.ts'
import { scanDeployment } from '../scan/scan.ts'
import type { LoginPlan } from '../scan/login.ts'
import type { ScanPlan } from '../scan/scan.ts'
import type { Io } from './io.ts'

const HELP = `Usage: fastify-session-guard scan <url> [options]

Looks at a running deployment from outside: its session cookies (of any framework), its headers, what plain http leads
to, what CORS allows; with a login, whether the id changes, and whether a logout ends it. Visits only this host.

  --path <path>         a further page to fetch; may be given again
  --login <path>        a page with a login form; user and password come from SCAN_USER and SCAN_PASSWORD
  --logout <path>       where a logout goes
  --check <path>        a page that looks different when logged in (default: that of the url)
  --http <url>          where it listens for plain http (default: port 80 of the host)
  --ca <file>           certificates to trust, PEM
  --env <name>          whose rules apply (default production)
  --format <format>     ${FORMATS.join(', ')} (default pretty)
  --fail-level <level>  the lowest severity that gives exit code 1: ${FAIL_LEVELS.join(', ')} (default fatal)
  --timeout <duration>  of the whole scan (default 30s)

Exit codes: 0 clean, 1 findings at or above the level, 2 cannot be reached, not looked at
as asked (a page that does not answer, a login that fails), or wrong usage.`

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  path: { type: 'string', multiple: true },
  login: { type: 'string' },
  logout: { type: 'string' },
  check: { type: 'string' },
  http: { type: 'string' },
  ca: { type: 'string' },
  env: { type: 'string', default: 'production' },
  format: { type: 'string', default: 'pretty' },
  'fail-level': { type: 'string', default: 'fatal' },
  timeout: { type: 'string', default: '30s' },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>['values']

/** Judges a running deployment from outside. */
export async function scan(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS })
  if (values.help === true) {
    io.out(HELP)
    return CLEAN
  }
  const format = choiceOf('--format', values.format, FORMATS)
  const failLevel = choiceOf('--fail-level', values['fail-level'], FAIL_LEVELS)
  const plan = planOf(positionals, values, io)
  try {
    const { findings, notes, isComplete } = await scanDeployment(plan)
    for (const note of notes) io.err(`Note: ${note}${note.endsWith('?') ? '' : '.'}`)
    const target = plan.url.origin + plan.url.pathname
    const environment = `${values.env} (scan from outside)`
    const silence = { showSilenced: false, obeysSilence: true }
    const code = report(findings, io, { format, failLevel, target, environment, ...silence })
    return isComplete || code === FOUND ? code : UNUSABLE
  } catch (error) {
    if (!(error instanceof ScanError)) throw error
    io.err(`Cannot scan: ${error.message}.`)
    return UNUSABLE
  }
}

function planOf(positionals: readonly string[], values: Values, io: Io): ScanPlan {
  const [address = '', ...more] = positionals
  if (address === '' || more.length > 0) throw new UsageError('scan takes one address, like https://app.example.com/.')
  const url = webAddress(address)
  const timeout = parseDuration(values.timeout)
  if (!timeout) throw new UsageError(`--timeout takes a duration like 30s, not ${values.timeout}.`)
  return {
    url,
    timeout,
    pages: (values.path ?? []).map((path) => sameHost(path, url)),
    httpUrl: values.http === undefined ? undefined : sameHost(values.http, url),
    login: values.login === undefined ? undefined : loginOf(values.login, values, url, io),
    environment: values.env,
    ca: values.ca === undefined ? undefined : readCertificates(values.ca, io),
    clock: Date.now,
  }
}

function loginOf(page: string, { logout, check }: Values, url: URL, { env }: Io): LoginPlan {
  const { SCAN_USER: user, SCAN_PASSWORD: password } = env
  if (!user || !password) throw new UsageError('--login needs SCAN_USER and SCAN_PASSWORD in the environment.')
  return {
    user,
    password,
    page: sameHost(page, url),
    logout: logout === undefined ? undefined : sameHost(logout, url),
    check: check === undefined ? url : sameHost(check, url),
  }
}

function readCertificates(file: string, { cwd }: Io): string {
  try {
    return readFileSync(resolve(cwd, file), 'utf8')
  } catch {
    throw new UsageError(`--ca: ${file} cannot be read.`)
  }
}

function webAddress(address: string): URL {
  if (/^https?:\/\//i.test(address) && URL.canParse(address)) return new URL(address)
  throw new UsageError(`${withoutUser(address)} is no http or https address.`)
}

function sameHost(path: string, base: URL): URL {
  if (!URL.canParse(path, base.href)) throw new UsageError(`${withoutUser(path)} is no path.`)
  const url = new URL(path, base)
  if (url.hostname === base.hostname) return url
  throw new UsageError(`${withoutUser(path)} is on another host than ${base.hostname}.`)
}

/** An address without what stands before its @: a name and a password. */
function withoutUser(address: string): string {
  return address.replace(/^.*@/s, '<redacted>@')
}
