import type { SecureSessionOptions, SessionCookieOptions } from '../../types/index.ts'
import type { CookieFacts } from './pages/panel.ts'

/** The attributes of the session cookie. */
export type CookieAttributes = Readonly<SessionCookieOptions>

/** Returns the attributes that the plugin uses, its documented defaults included. */
export function cookieAttributes({ environment, cookie }: SecureSessionOptions): CookieAttributes {
  const isProduction = environment === 'production'
  return {
    name: isProduction ? '__Host-session' : 'session',
    path: '/',
    secure: isProduction ? true : 'auto',
    httpOnly: true,
    sameSite: 'lax',
    ...cookie,
  }
}

/** Returns the `Set-Cookie` line over this protocol, with the value left out. */
export function cookieFacts(
  { name, path, secure, httpOnly, sameSite }: CookieAttributes,
  protocol: string,
): CookieFacts {
  const isSecure = secure === 'auto' ? protocol === 'https' : secure === true
  const attributes = [
    `${name}=…`,
    `Path=${path}`,
    isSecure && 'Secure',
    httpOnly && 'HttpOnly',
    `SameSite=${String(sameSite).replace(/^\w/, (letter) => letter.toUpperCase())}`,
  ]
  return { line: attributes.filter(Boolean).join('; '), isSecure }
}
