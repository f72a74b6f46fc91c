import { formsOf, hiddenFieldsOf, loginFormOf, targetOfForm } from './form.ts'
import { mayPass, ScanError } from './browser.ts'
import { isSessionCookie } from './set-cookie.ts'
import type { Answer, Browser } from './browser.ts'
import type { Form } from './form.ts'
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
  readonly survivesLogout: boolean | null
  /** Cookies that were set on the way. */
  readonly cookies: Answer['cookies']
}

/** Logs in, looks whether the id changed; logs out, looks whether the old id still works. */
export async function tryLogin(browser: Browser, stranger: Browser, plan: LoginPlan): Promise<LoginOutcome> {
  const page = await browser.visit(plan.page)
  const form = loginFormOf(page.body)
  if (form === undefined) throw new ScanError(`there is no form with a password on ${plan.page.pathname}`)
  const before = new Map(browser.cookies)
  const fields = hiddenFieldsOf(form)
  fields.set(nameOf(form, ['text', 'email']) || 'username', plan.user)
  fields.set(nameOf(form, ['password']) || 'password', plan.password)
  const target = targetOfForm(form, page.url)
  if (target === undefined) throw new ScanError(`the form on ${plan.page.pathname} leads nowhere`)
  if (target.hostname === page.url.hostname && !mayPass(page.url, target)) {
    throw new ScanError(`the form on ${plan.page.pathname} leads to another origin, so no password was sent`)
  }
  const answer = await browser.visit(target, { method: 'POST', form: fields })
  if (answer.status >= 400 || loginFormOf(answer.body) !== undefined) {
    throw new ScanError('the login was refused: are SCAN_USER and SCAN_PASSWORD right?')
  }
  const cookies = [...page.cookies, ...answer.cookies]
  return {
    cookies,
    keptThroughLogin: keptIds(before, browser.cookies, cookies),
    survivesLogout:
      plan.logout === undefined ? null : await tryLogout(browser, stranger, { ...plan, logout: plan.logout }),
  }
}

/** The name of the first input of a type; empty when it has none. */
function nameOf({ inputs }: Form, types: readonly string[]): string {
  return inputs.find(({ type }) => types.includes(type))?.name ?? ''
}

/** Names of session cookies whose value is what it was before the login. */
function keptIds(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  seen: Answer['cookies'],
): string[] {
  const sessions = new Map<string, SetCookie>()
  for (const { cookie } of seen) {
    if (isSessionCookie(cookie)) sessions.set(cookie.name, cookie)
  }
  // One session cookie that changed is enough: the others are not what the login hangs on.
  const names = [...sessions.keys()]
  const isChanged = names.some((name) => after.has(name) && after.get(name) !== before.get(name))
  return isChanged ? [] : names.filter((name) => before.has(name) && after.get(name) === before.get(name))
}

/** `null` when the check page looks the same logged in and not. */
async function tryLogout(
  browser: Browser,
  stranger: Browser,
  plan: LoginPlan & { logout: URL },
): Promise<boolean | null> {
  const thief = browser.copy()
  const page = await browser.visit(plan.check)
  const loggedIn = looksOf(page, plan)
  const anonymous = looksOf(await stranger.visit(plan.check), plan)
  if (loggedIn === anonymous) return null
  await logOut(browser, page, plan.logout)
  return looksOf(await thief.visit(plan.check), plan) === loggedIn
}

async function logOut(browser: Browser, page: Answer, logout: URL): Promise<void> {
  const form = formsOf(page.body).find((candidate) => targetOfForm(candidate, page.url)?.pathname === logout.pathname)
  const fields = form === undefined ? new URLSearchParams() : hiddenFieldsOf(form)
  const answer = await browser.visit(logout, { method: 'POST', form: fields })
  if (answer.status === 404 || answer.status === 405) await browser.visit(logout)
}

/** Returns the part of a page that differs between a logged-in visitor and a stranger. */
function looksOf({ status, url, body }: Answer, { user }: LoginPlan): string {
  return [status, url.pathname, loginFormOf(body) !== undefined, body.includes(user)].join(' ')
}
