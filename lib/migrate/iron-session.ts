import type { Migration, MigrationOptions } from '../../types/index.ts'
import { loadPackage } from './driver.ts'
import { checkSeconds, commonOf, decodeValue, migrationOf, secretsOf } from './migration.ts'
import { sessionInCookie } from './session-in-cookie.ts'
import { MIN_SEALING_BYTES, weaknessOf } from './weakness.ts'

/** The options of `ironSession`: those that iron-session had, and who an old session belongs to. */
export interface IronSessionMigration extends MigrationOptions {
  /** The option `password` of iron-session: a string, or passwords by their number. */
  readonly password: string | Readonly<Record<string, string>>
  /** The option `cookieName` of iron-session. */
  readonly cookieName: string
  /** The option `ttl` of iron-session, in seconds. Default 1,209,600, which is 14 days. */
  readonly ttl?: number | undefined
}

/** The function of iron-session that opens a cookie. */
interface Iron {
  unsealData(seal: string, options: { password: IronSessionMigration['password']; ttl?: number }): Promise<unknown>
}

/** A sealed cookie: six parts that the MAC covers, its salt and itself; then the version. */
const SEAL = /^(Fe26\.2\*\d+\*[^*~]+\*[^*~]+\*[^*~]+\*(\d*))\*[^*~]+\*[^*~]+(~\d)?$/

const OWN = { names: ['password', 'ttl'], renamed: { cookieOptions: 'cookie' } }

/**
 * Lets in the sessions of iron-session, for the option `migrateFrom`. Needs the package `iron-session` as before.
 *
 * @example
 * const user = (data) => (data.userId ? { id: String(data.userId) } : null)
 * migrateFrom: [ironSession({ password, cookieName, user })]
 *
 * @throws `TypeError` for an option that the function cannot use
 */
export function ironSession(options: IronSessionMigration): Migration {
  const common = commonOf('ironSession', options, OWN)
  const { password, cookieName, ttl } = options
  checkSeconds('ironSession', 'ttl', ttl)
  const isMap = typeof password === 'object' && password !== null
  const passwords = secretsOf('ironSession', 'password', isMap ? Object.values(password) : password)
  let iron: Iron
  return migrationOf('ironSession', common, {
    from: 'iron-session',
    cookieNames: [cookieName],
    weakness: weaknessOf(passwords, MIN_SEALING_BYTES),
    prepare: async () => {
      iron = loadPackage<Iron>('ironSession', 'iron-session')
    },
    read: async ([raw = '']) => {
      const seal = decodeValue(raw)
      const [, signed = '', expiresAt = ''] = SEAL.exec(seal) ?? []
      if (signed === '') return undefined
      const content = await iron.unsealData(seal, { password, ...(ttl !== undefined && { ttl }) })
      // An empty object is the library's answer to a seal that it refuses.
      if (Object.keys(content as object).length === 0) return undefined
      return sessionInCookie(signed, content, expiresAt === '' ? undefined : Number(expiresAt))
    },
  })
}
