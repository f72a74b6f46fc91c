/** The length up to which a path is taken. */
const MAX_PATH = 2048

/** Characters that browsers drop or turn into a slash while they read a URL: blanks, controls and the backslash. */
// oxlint-disable-next-line no-control-regex -- controls are what is looked for
const TREACHEROUS = /[\u0000-\u0020\u007f\\]/

/** An arbitrary origin. A path that leads away from this origin is not local. */
const ORIGIN = 'http://origin.invalid'

/**
 * Tells whether a text is a path that stays on the origin of the page. `//other.example` and `/\\other.example` do not,
 * because browsers read a host there.
 */
export function isLocalPath(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > MAX_PATH) return false
  if (!value.startsWith('/') || value.startsWith('//') || TREACHEROUS.test(value)) return false
  // No text that begins with a single slash fails to parse.
  const { origin, pathname } = new URL(value, ORIGIN)
  return origin === ORIGIN && !pathname.startsWith('//')
}

/**
 * Returns the path to go on to after a login: the value, if it is a path of this app, or the fallback. Use it for
 * everything that says in a query where to go next, because `next=https://evil.example` would send users away
 * otherwise.
 *
 * @example
 * ```ts
 * import { localPath } from 'fastify-session-guard'
 *
 * localPath('/account?tab=2') // '/account?tab=2'
 * localPath('//evil.example') // '/'
 * localPath(undefined, '/home') // '/home'
 * ```
 */
export function localPath(value: unknown, fallback: string = '/'): string {
  return isLocalPath(value) ? value : fallback
}
