import { loginFieldsOf, loginFormOf, targetOfForm, untypedFieldsOf } from './form.ts'
import { mayPass, ScanError } from './browser.ts'
import { findCarriers } from './experiment.ts'
import { logOut } from './logout.ts'
import { addressesIn } from './observe.ts'
import { isSessionCookie } from './session-cookies.ts'
import type { Answer, Browser } from './browser.ts'
import type { Experiment } from './experiment.ts'
import type { SetCookie } from './set-cookie.ts'

/** The way to log in and out. */
export interface LoginPlan {
  /** The page with the login form. */
  readonly page: URL
  readonly user: string
  readonly password: string
  /** The address of the logout. Without an address no logout is tried. */
  readonly logout: URL | undefined
  /** A page that looks different when one is logged in. */
  readonly check: URL
}

/** The result of a login and a logout. */
export interface LoginOutcome {
  readonly keptThroughLogin: string[]
  /** `null` when no logout was tried, or it could not be judged. */
  readonly survivesLogout: boolean | null
  /** The reason why the logout could not be judged. */
  readonly note?: string
  /** The login page, the answer to the login, and the check page. */
  readonly answers: readonly Answer[]
  /** The check page of the user; `undefined` when it looks the same for everybody. */
  readonly userPage?: Answer
  /** Cookies as they were after the login. */
  readonly held: ReadonlyMap<string, string>
  /** `undefined` where the check page does not tell who is logged in. */
  readonly experiment?: Experiment
  /** The page with the form, when its address is http. */
  readonly plainForm?: URL
}

/** Logs in, looks whether the id changed; logs out, looks whether the old id still works. */
export async function tryLogin(browser: Browser, stranger: Browser, plan: LoginPlan): Promise<LoginOutcome> {
  const page = await browser.visit(plan.page)
  const { fields, target } = filledForm(page, plan)
  const before = new Map(browser.cookies)
  const answer = await browser.visit(target, { method: 'POST', form: fields, from: page.url })
  const after = new Map(browser.cookies)
  const userPage = await browser.visit(plan.check)
  const anonymous = looksOf(await stranger.visit(plan.check), plan)
  const isTold = looksOf(userPage, plan) !== anonymous
  refuseFailed(answer, isTold)
  const answers = [page, answer, userPage]
  const experiment = isTold
    ? await findCarriers(browser, async (one) => looksOf(await one.visit(plan.check), plan) !== anonymous)
    : undefined
  return {
    answers,
    held: after,
    keptThroughLogin: keptIds(before, after, answers, experiment),
    ...(experiment === undefined ? {} : { experiment }),
    ...(isTold ? { userPage } : {}),
    // A form on an https page is sent to https, or not at all.
    ...(page.url.protocol === 'http:' ? { plainForm: page.url } : {}),
    ...(plan.logout === undefined
      ? { survivesLogout: null }
      : await tryLogout(browser, userPage, anonymous, { ...plan, logout: plan.logout })),
  }
}

function filledForm(page: Answer, plan: LoginPlan): { fields: URLSearchParams; target: URL } {
  const form = loginFormOf(page.body)
  if (form === undefined) {
    throw new ScanError(`there is no form with a password on ${plan.page.pathname} (status ${page.status})`)
  }
  const fields = untypedFieldsOf(form)
  const names = loginFieldsOf(form)
  fields.set(names.user || 'username', plan.user)
  fields.set(names.password || 'password', plan.password)
  const target = targetOfForm(form, page.url)
  if (target === undefined) throw new ScanError(`the form on ${plan.page.pathname} leads nowhere`)
  if (target.hostname === page.url.hostname && !mayPass(page.url, target)) {
    throw new ScanError(`the form on ${plan.page.pathname} leads to another origin, so no password was sent`)
  }
  return { fields, target }
}

/** A page that shows the user is a login, whatever forms it has. */
function refuseFailed({ status, body }: Answer, isTold: boolean): void {
  const isRefused = status >= 400 || loginFormOf(body) !== undefined
  if (!isRefused || (isTold && status < 400)) return
  const what = status >= 400 ? `was answered with status ${status}` : `shows its form again, with status ${status}`
  const doubt = status === 403 || status === 419 ? ' Or does the app check something that a browser would send?' : ''
  throw new ScanError(`the login was refused: it ${what}. Are SCAN_USER and SCAN_PASSWORD right?${doubt}`)
}

/** Names of session cookies whose value is what it was before the login. */
function keptIds(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  answers: readonly Answer[],
  experiment: Experiment | undefined,
): string[] {
  const seen = answers.flatMap(({ cookies }) => cookies.map(({ cookie }) => cookie))
  const names = [...new Set(seen.filter(isSessionIn(experiment)).map(({ name }) => name))]
  // One session cookie that changed is enough: the others are not what the login hangs on.
  const isChanged = names.some((name) => after.has(name) && after.get(name) !== before.get(name))
  return isChanged ? [] : names.filter((name) => before.has(name) && after.get(name) === before.get(name))
}

/**
 * Returns the test for session cookies: the experiment decides on the cookies that it tried, name and shape on others.
 */
export function isSessionIn(experiment: Experiment | undefined): (cookie: SetCookie) => boolean {
  const hasResult = experiment !== undefined && experiment.carriers.size > 0
  return (cookie) =>
    hasResult && experiment.tried.has(cookie.name) ? experiment.carriers.has(cookie.name) : isSessionCookie(cookie)
}

/**
 * A logout counts only if the browser itself is anonymous afterwards. Only then a copy of its cookies says something.
 */
async function tryLogout(
  browser: Browser,
  userPage: Answer,
  anonymous: string,
  plan: LoginPlan & { logout: URL },
): Promise<Pick<LoginOutcome, 'survivesLogout' | 'note'>> {
  const isAnonymous = async (one: Browser): Promise<boolean> => looksOf(await one.visit(plan.check), plan) === anonymous
  if (looksOf(userPage, plan) === anonymous) {
    const note = 'the page given by --check looks the same logged in and not, so the logout could not be judged'
    return { survivesLogout: null, note }
  }
  const thief = browser.copy()
  const { isAccepted, status } = await logOut(browser, userPage, plan.logout, () => isAnonymous(browser))
  if (!isAccepted) {
    const note = `the logout at ${plan.logout.pathname} was not accepted (status ${status}): the page given by --check still shows the user`
    return { survivesLogout: null, note }
  }
  return { survivesLogout: looksOf(await thief.visit(plan.check), plan) === looksOf(userPage, plan) }
}

/** Returns the part of a page that differs between a logged-in visitor and a stranger. */
function looksOf({ status, url, body }: Answer, { user }: LoginPlan): string {
  return [status, url.pathname, loginFormOf(body) !== undefined, body.includes(user), hasLogout(body)].join(' ')
}

/** Tells whether a page offers a logout by a form or a link, which only pages of users do. */
function hasLogout(body: string): boolean {
  return addressesIn(body).some((address) => /(log|sign)[-_]?(out|off)/i.test(address))
}
