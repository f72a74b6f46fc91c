import type { Migration, MigrationOptions } from '../../types/index.ts'
import type { OldSecret } from './migration.ts'
import { commonOf, migrationOf, secretsOf } from './migration.ts'
import { sessionInCookie } from './session-in-cookie.ts'
import { hmacOf, isSame } from './signature.ts'
import { MIN_SEALING_BYTES, weaknessOf } from './weakness.ts'

/** The options of `cookieSession`: those that cookie-session had, and who an old session belongs to. */
export interface CookieSessionMigration extends MigrationOptions {
  /** The option `keys` of cookie-session, or its `secret` as a list of one. */
  readonly keys: readonly OldSecret[]
  /** The option `name` of cookie-session. Default `session`. */
  readonly cookieName?: string | undefined
}

const OWN = {
  names: ['keys'],
  renamed: { name: 'cookieName', secret: 'keys, a list of one,', domain: 'cookie.domain', path: 'cookie.path' },
  unused: ['maxAge', 'expires', 'secure', 'httpOnly', 'sameSite', 'priority', 'signed', 'overwrite'],
}

/**
 * Lets in the sessions of cookie-session, for the option `migrateFrom`. Only signed cookies are let in.
 *
 * Two cookies with the same content are one session, because nothing in them tells two devices apart.
 *
 * @example
 * migrateFrom: [cookieSession({ keys, user: (data) => (data.userId ? { id: String(data.userId) } : null) })]
 *
 * @throws `TypeError` for an option that the function cannot use
 */
export function cookieSession(options: CookieSessionMigration): Migration {
  const common = commonOf('cookieSession', options, OWN)
  const { cookieName = 'session' } = options
  const keys = secretsOf('cookieSession', 'keys', options.keys)
  return migrationOf('cookieSession', common, {
    from: 'cookie-session',
    cookieNames: [cookieName, `${cookieName}.sig`],
    weakness: weaknessOf(keys, MIN_SEALING_BYTES),
    read: ([value = '', signature = '']) => {
      const signed = `${cookieName}=${value}`
      if (!keys.some((key) => isSame(signature, signatureOf(key, signed)))) return undefined
      return sessionInCookie(signed, JSON.parse(Buffer.from(value, 'base64').toString()))
    },
  })
}

/** Keygrip's signature: HMAC-SHA-1 in base64url. */
function signatureOf(key: OldSecret, text: string): string {
  return hmacOf('sha1', key, text).replaceAll('+', '-').replaceAll('/', '_')
}
