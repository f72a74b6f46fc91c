import type { Answer, Response } from './browser.ts'
import type { SetCookie } from './set-cookie.ts'

type IsSession = (cookie: SetCookie) => boolean

/** Returns the paths whose answers shared caches may keep although they set a session cookie, or show the user. */
export function cacheablePaths(
  answers: readonly Answer[],
  userPage: Answer | undefined,
  isSession: IsSession,
): string[] {
  const setting = responsesOf(answers).filter(
    (one) => isCacheable(one) && one.cookies.some((cookie) => isSet(cookie, isSession)),
  )
  const showing =
    userPage === undefined ? [] : [last(userPage)].filter((one) => isCacheable(one) && !variesByCookie(one))
  return unique([...setting, ...showing].map(({ url }) => url.pathname))
}

/**
 * Tells whether the header says that a shared cache may keep a response. Nothing is concluded from a header that is
 * missing.
 */
function isCacheable({ status, headers }: Response): boolean {
  const text = headerOf(headers, 'cache-control').toLowerCase()
  if (status >= 400 || /(^|[\s,])(no-store|private|no-cache)/.test(text)) return false
  // For shared caches s-maxage replaces max-age (RFC 9111 5.2.2.10).
  const seconds = /(?:^|[\s,])s-maxage="?(\d{1,12})/.exec(text) ?? /(?:^|[\s,])max-age="?(\d{1,12})/.exec(text)
  return seconds === null ? /(^|[\s,])public([\s,]|$)/.test(text) : Number(seconds[1]) > 0
}

function variesByCookie({ headers }: Response): boolean {
  return /(^|[\s,])(cookie|\*)([\s,]|$)/i.test(headerOf(headers, 'vary'))
}

/** Names of parameters that carry a session id in an address, and no other value. */
const ID_PARAMETER =
  /[;?&](jsessionid|phpsessid|aspsessionid\w{0,9}|sessionid|session_id|connect\.sid|sid)=[\w.%-]{16,}/i

/** An attribute of HTML with an address. */
const ADDRESS = /\s(?:href|action|src)\s?=\s?(?:"([^"]{1,4096})"|'([^']{1,4096})'|([^\s>"']{1,4096}))/gi

/** The addresses of one page that are looked at. */
const MAX_ADDRESSES = 512

/** The shortest session id that is looked for in addresses: a shorter one stands there by chance. */
const MIN_ID_LENGTH = 16

/**
 * Returns the places where a session id stands in an address. The address is that of a page, or of a link or form in
 * the page.
 */
export function placesOfIds(answers: readonly Answer[], ids: readonly string[]): string[] {
  const long = ids.filter((id) => id.length >= MIN_ID_LENGTH)
  const hasId = (address: string): boolean => ID_PARAMETER.test(address) || long.some((id) => address.includes(id))
  const pathOf = ({ pathname }: URL): string => {
    const [path = ''] = pathname.split(';', 1)
    return long.reduce((text, id) => text.replaceAll(id, '…'), path)
  }
  return unique(
    answers.flatMap((answer) => [
      ...answer.responses.filter(({ url }) => hasId(url.href)).map(({ url }) => `the address of ${pathOf(url)}`),
      ...(addressesIn(answer.body).some(hasId) ? [`a link or form on ${pathOf(answer.url)}`] : []),
    ]),
  )
}

/** Returns the addresses in the links, forms and sources of a page. */
export function addressesIn(body: string): string[] {
  const found: string[] = []
  for (const [, ...values] of body.matchAll(ADDRESS)) {
    if (found.length === MAX_ADDRESSES) break
    found.push(values.find((value) => value !== undefined) as string)
  }
  return found
}

/** Returns the names of session cookies that one response set more than once. */
export function setTwice(answers: readonly Answer[], isSession: IsSession): string[] {
  return unique(
    responsesOf(answers).flatMap(({ cookies }) => {
      const names = cookies.filter((cookie) => isSet(cookie, isSession)).map(({ name }) => name)
      return names.filter((name, index) => names.indexOf(name) < index)
    }),
  )
}

/** Returns the session cookies that browsers send into frames, if a page of the answers lets every site frame it. */
export function embeddableCookies(pages: readonly Answer[], sessions: readonly SetCookie[]): string[] {
  const isOpen = pages.some((page) => page.status < 400 && isHtml(page) && !refusesFrames(page))
  return isOpen ? sessions.filter(({ sameSite }) => sameSite?.toLowerCase() === 'none').map(({ name }) => name) : []
}

function isHtml({ headers }: Answer): boolean {
  return /^text\/html|^application\/xhtml/i.test(headerOf(headers, 'content-type'))
}

function refusesFrames({ headers }: Answer): boolean {
  const policy = headerOf(headers, 'content-security-policy')
  return /(^|[;,\s])frame-ancestors\s/i.test(policy) || headerOf(headers, 'x-frame-options') !== ''
}

/** Returns what Strict-Transport-Security asks for (RFC 6797 6.1); `null` for a header that asks for nothing. */
export function hstsOf({ headers }: Answer): { maxAge: number; hasSubdomains: boolean } | null {
  const header = headerOf(headers, 'strict-transport-security')
  const [, seconds] = /(?:^|;)\s{0,9}max-age\s{0,9}=\s{0,9}"?(\d{1,12})/i.exec(header) ?? []
  if (seconds === undefined) return null
  return { maxAge: Number(seconds), hasSubdomains: /(^|;)\s{0,9}includesubdomains\s{0,9}(;|$)/i.test(header) }
}

function headerOf(headers: Response['headers'], name: string): string {
  return [headers[name] ?? []].flat().join(', ')
}

function responsesOf(answers: readonly Answer[]): Response[] {
  return answers.flatMap(({ responses }) => responses)
}

function last({ responses }: Answer): Response {
  return responses.at(-1) as Response
}

function isSet(cookie: SetCookie, isSession: IsSession): boolean {
  return !cookie.isRemoval && isSession(cookie)
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}
