import { corsAnswerOf, strangeOrigins } from '../guard/probe/cors.ts'
import { isHsts } from '../guard/probe/hsts.ts'
import { checkScan } from '../guard/phases.ts'
import { staysHere } from '../guard/read/store-facts.ts'
import { Browser, Budget, ScanError } from './browser.ts'
import { cookieFindings } from './cookie-findings.ts'
import { loginFormOf } from './form.ts'
import { weakIds } from './id-strength.ts'
import { isSessionIn, tryLogin } from './login.ts'
import { cacheablePaths, embeddableCookies, hstsOf, placesOfIds, setTwice } from './observe.ts'
import { isIdByName, isSelfContained } from './session-cookies.ts'
import type { Finding } from '../../types/index.ts'
import type { DeploymentFacts } from '../guard/read/deployment-facts.ts'
import type { CorsAnswer, ScanFacts } from '../guard/read/phase-facts.ts'
import type { Answer } from './browser.ts'
import type { LoginOutcome, LoginPlan } from './login.ts'
import type { SetCookie } from './set-cookie.ts'

/** The deployment to examine, and the limits of the scan. */
export interface ScanPlan {
  readonly url: URL
  /** Further pages of the same host. */
  readonly pages: readonly URL[]
  /** The address at which the deployment listens for plain http. Default: port 80 of the host. */
  readonly httpUrl: URL | undefined
  readonly login: LoginPlan | undefined
  /** The environment whose rules apply; production unless a relaxed environment is named. */
  readonly environment: string | undefined
  /** The time limit of the whole scan, in milliseconds. */
  readonly timeout: number
  /** Certificates to trust, PEM. */
  readonly ca: string | undefined
  readonly clock: () => number
}

/** The result of a scan. */
export interface ScanResult {
  readonly findings: Finding[]
  /** The parts that could not be examined, and why. */
  readonly notes: string[]
  /** Tells whether everything that was asked for could be looked at: pages, login, logout. */
  readonly isComplete: boolean
}

const MAX_REQUESTS = 100

const MAX_COOKIES = 16

const NO_COOKIE = 'no session cookie was seen: name a page that sets one with --path, or a login with --login'

/**
 * Looks at a running deployment from outside, and judges what it sees by the same rules as options.
 * Visits only the host it was given; bounded in time, in requests, in size and in redirects.
 *
 * @throws ScanError when the first page cannot be fetched
 */
export async function scanDeployment(plan: ScanPlan): Promise<ScanResult> {
  const { hostname } = plan.url
  const budget = new Budget({ timeout: plan.timeout, requests: MAX_REQUESTS, clock: plan.clock })
  const open = (): Browser => new Browser(hostname, budget, plan.ca)
  const first = await open().visit(plan.url)
  const answers = [first]
  const notes: string[] = []
  if (first.leftFor !== undefined) notes.push(`the address ${first.leftFor.what}`)
  for (const page of plan.pages) {
    const answer = await attempt(notes, () => open().visit(page))
    if (answer !== undefined) answers.push(answer)
  }
  const isHttps = first.url.protocol === 'https:'
  const plain = isHttps && plan.url.protocol === 'https:' ? await lookAtPlainHttp(plan, open()) : undefined
  const cors = await attempt(notes, () => probeOrigins(first.url, open))
  const login = await loginOutcome(plan, open, notes)
  const visitors = [...answers, ...(plain === undefined ? [] : [plain])]
  const isSession = isSessionIn(login?.experiment)
  const seen = [...visitors, ...(login?.answers ?? [])].flatMap(({ cookies }) => cookies)
  const held = newest(seen.map(({ cookie }) => cookie).filter(isSession))
  const cookies = held.slice(0, MAX_COOKIES)
  const facts: ScanFacts = {
    cors: (cors ?? []).map(corsOf),
    sendsHsts: isHttps ? isHsts(String(first.headers['strict-transport-security'])) : null,
    plainHttp: plainHttpOf(plan, first, plain),
    isLoopback: staysHere(hostname),
    ...cookieFacts(seen.filter(({ cookie }) => isSession(cookie))),
    keptThroughLogin: login?.keptThroughLogin ?? [],
    survivesLogout: login?.survivesLogout ?? null,
    ...deploymentFacts({ plan, first, visitors, probes: cors ?? [], login, cookies }),
  }
  if (cookies.length === 0) notes.push(NO_COOKIE)
  if (held.length > MAX_COOKIES) notes.push(`${MAX_COOKIES} of ${held.length} session cookies were judged`)
  const findings = [
    ...checkScan(facts, plan.environment),
    ...cookies.flatMap((cookie) => cookieFindings(cookie, plan.environment)),
  ]
  const isComplete = answers.length > plan.pages.length && cors !== undefined && isLoginJudged(plan, login)
  return { findings, notes, isComplete }
}

/** Returns the facts by which the answers of a deployment are judged. */
interface Observed {
  readonly plan: ScanPlan
  readonly first: Answer
  /** The answers to visitors who are nobody, each with a browser of its own. */
  readonly visitors: readonly Answer[]
  /** The answers to the probes of CORS. */
  readonly probes: readonly Probe[]
  readonly login: LoginOutcome | undefined
  /** The session cookies, each as it was set last. */
  readonly cookies: readonly SetCookie[]
}

function deploymentFacts({ plan, first, visitors, probes, login, cookies }: Observed): DeploymentFacts {
  const isSession = isSessionIn(login?.experiment)
  const answers = [...visitors, ...(login?.answers ?? [])]
  const userPages = login?.userPage === undefined ? [] : [login.userPage]
  const carriers = login?.experiment?.carriers ?? new Set()
  const isId = (cookie: SetCookie): boolean => carriers.has(cookie.name) || (isSession(cookie) && isIdByName(cookie))
  const given = [...visitors, ...probes.map(({ answer }) => answer)].map((answer) =>
    answer.cookies.map(({ cookie }) => cookie).filter((cookie) => !cookie.isRemoval && isId(cookie)),
  )
  const ownCookies = new Map([...(login?.held ?? [])].filter(([name]) => carriers.has(name)))
  return {
    cacheable: cacheablePaths(answers, login?.userPage, isSession),
    idsInUrls: placesOfIds(answers, [...cookies.map(({ value }) => value), ...ownCookies.values()]),
    weakIds: weakIds(given, plan.login === undefined ? undefined : { user: plan.login.user, cookies: ownCookies }),
    hsts: hstsOf(first),
    loginOverHttp: login?.plainForm === undefined ? plainForm(visitors) : addressOf(login.plainForm),
    setTwice: setTwice(answers, isSession),
    embeddable: embeddableCookies([first, ...userPages], cookies),
    selfContained: cookies.filter(({ value }) => isSelfContained(value)).map(({ name }) => name),
  }
}

/** Returns the address of a page that asks for a password over http. */
function plainForm(visitors: readonly Answer[]): string | null {
  const page = visitors.find(({ url, body }) => url.protocol === 'http:' && loginFormOf(body) !== undefined)
  return page === undefined ? null : addressOf(page.url)
}

function addressOf({ origin, pathname }: URL): string {
  return origin + pathname
}

function isLoginJudged({ login }: ScanPlan, outcome: LoginOutcome | undefined): boolean {
  if (login === undefined) return true
  return outcome !== undefined && (login.logout === undefined || outcome.survivesLogout !== null)
}

async function attempt<Result>(notes: string[], action: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof ScanError)) throw error
    notes.push(error.message)
    return undefined
  }
}

async function loginOutcome(
  { login }: ScanPlan,
  open: () => Browser,
  notes: string[],
): Promise<LoginOutcome | undefined> {
  if (login === undefined) return undefined
  const outcome = await attempt(notes, () => tryLogin(open(), open(), login))
  if (outcome?.note !== undefined) notes.push(outcome.note)
  return outcome
}

/** A closed port is the best answer. */
async function lookAtPlainHttp({ url, httpUrl }: ScanPlan, browser: Browser): Promise<Answer | undefined> {
  const plain = httpUrl ?? new URL(`http://${url.hostname}${url.pathname}`)
  return await attempt([], () => browser.visit(plain))
}

function plainHttpOf({ url }: ScanPlan, first: Answer, plain: Answer | undefined): ScanFacts['plainHttp'] {
  if (url.protocol === 'http:') return isOnHttps(first) ? 'redirects' : 'serves'
  if (plain === undefined) return 'closed'
  return isOnHttps(plain) ? 'redirects' : 'serves'
}

function isOnHttps({ url, leftFor }: Answer): boolean {
  return url.protocol === 'https:' || leftFor?.protocol === 'https:'
}

/** An answer to a page of another origin. */
interface Probe {
  readonly probeOrigin: string
  readonly answer: Answer
}

/** Asks as pages on origins that nobody can have would. */
async function probeOrigins(url: URL, open: () => Browser): Promise<Probe[]> {
  const probes: Probe[] = []
  for (const probeOrigin of strangeOrigins()) {
    probes.push({ probeOrigin, answer: await open().visit(url, { headers: { origin: probeOrigin } }) })
  }
  return probes
}

function corsOf({ probeOrigin, answer: { headers } }: Probe): CorsAnswer {
  return corsAnswerOf(probeOrigin, (name) => {
    const value = headers[name]
    return typeof value === 'string' ? value : null
  })
}

function cookieFacts(seen: Answer['cookies']): Pick<ScanFacts, 'cookiesOverHttp' | 'cookiesWithoutSameSite'> {
  const sessions = seen.filter(({ cookie }) => !cookie.isRemoval)
  return {
    cookiesOverHttp: names(sessions.filter(({ protocol }) => protocol === 'http:')),
    cookiesWithoutSameSite: names(sessions.filter(({ cookie }) => cookie.sameSite === undefined)),
  }
}

function names(found: Answer['cookies']): string[] {
  return [...new Set(found.map(({ cookie }) => cookie.name))]
}

/** One of each session cookie, as it was set last. */
function newest(sessions: readonly SetCookie[]): SetCookie[] {
  const set = sessions.filter((cookie) => !cookie.isRemoval)
  return [...new Map(set.map((cookie) => [cookie.name, cookie])).values()]
}
