import { defaultCookie, environmentOf } from '../options.ts'
import type { SecureSessionOptions, SessionCookieOptions } from '../../types/index.ts'
import type { CookieFacts } from './pages/panel.ts'

/** The session cookie's attributes under these options. */
export type CookieAttributes = Readonly<SessionCookieOptions>

export function cookieAttributes(options: SecureSessionOptions): CookieAttributes {
  const environment = environmentOf(options.environment)
  return { ...defaultCookie(environment, options.cookie?.domain), ...options.cookie }
}

/** How they are sent to this client. */
export function cookieFacts(cookie: CookieAttributes, protocol: string): CookieFacts {
  const isSecure = cookie.secure === 'auto' ? protocol === 'https' : cookie.secure === true
  const sameSite = cookie.sameSite ?? 'lax'
  const line = [
    `${cookie.name}=…`,
    `Path=${cookie.path}`,
    isSecure && 'Secure',
    cookie.httpOnly && 'HttpOnly',
    `SameSite=${sameSite.charAt(0).toUpperCase()}${sameSite.slice(1)}`,
  ]
  return { line: line.filter(Boolean).join('; '), isSecure }
}
