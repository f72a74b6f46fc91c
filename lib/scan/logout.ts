import type { Answer, Browser, Question } from './browser.ts'
import { formsOf, targetOfForm, untypedFieldsOf } from './form.ts'
import type { Form } from './form.ts'

/** The result of a logout. */
export interface LogoutOutcome {
  /** Tells whether the browser itself is anonymous afterwards. */
  readonly isAccepted: boolean
  /** The status of the last answer to the logout. */
  readonly status: number
}

/**
 * Logs a browser out. Tries the form on the page, a plain POST, a GET, and the form of a page that asks again. Stops as
 * soon as `isAnonymous` says that the browser is logged out.
 */
export async function logOut(
  browser: Browser,
  page: Answer,
  logout: URL,
  isAnonymous: () => Promise<boolean>,
): Promise<LogoutOutcome> {
  const send = (form: Form | undefined, from: URL): Promise<Answer> => browser.visit(logout, questionOf(form, from))
  let answer = await send(formFor(logout, page), page.url)
  if (await isAnonymous()) return { isAccepted: true, status: answer.status }
  let asked = formFor(logout, answer)
  if (asked === undefined) {
    answer = await browser.visit(logout)
    asked = formFor(logout, answer)
    if (asked === undefined) return { isAccepted: await isAnonymous(), status: answer.status }
  }
  answer = await send(asked, answer.url)
  return { isAccepted: await isAnonymous(), status: answer.status }
}

function questionOf(form: Form | undefined, from: URL): Question {
  return { method: 'POST', form: form === undefined ? new URLSearchParams() : untypedFieldsOf(form), from }
}

/** Returns the form of a page that is sent to the logout. A page that asks again often has one without an address. */
function formFor(logout: URL, { body, url }: Answer): Form | undefined {
  return formsOf(body).find((form) => {
    const isPassword = form.inputs.some(({ type }) => type === 'password')
    return !isPassword && targetOfForm(form, url)?.pathname === logout.pathname
  })
}
