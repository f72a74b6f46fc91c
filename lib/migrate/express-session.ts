import type { Migration, MigrationOptions } from '../../types/index.ts'
import type { OldSecret } from './migration.ts'
import { commonOf, decodeValue, migrationOf, secretsOf } from './migration.ts'
import { unsign } from './signature.ts'
import type { OldStore } from './stored-session.ts'
import { checkStore, storedSession } from './stored-session.ts'
import { MIN_SIGNING_BYTES, weaknessOf } from './weakness.ts'

export type { OldStore }

/** The options of `expressSession`: those that express-session had, and who an old session belongs to. */
export interface ExpressSessionMigration extends MigrationOptions {
  /** The option `secret` of express-session. */
  readonly secret: OldSecret | readonly OldSecret[]
  /** The option `store` of express-session, the same store with the same prefix. */
  readonly store: OldStore
  /** The option `name` of express-session. Default `connect.sid`. */
  readonly cookieName?: string | undefined
}

const SIGNED = 's:'

const OWN = {
  names: ['secret', 'store'],
  renamed: { name: 'cookieName', key: 'cookieName' },
  unused: ['resave', 'saveUninitialized', 'rolling', 'genid', 'proxy', 'unset'],
}

/**
 * Lets in the sessions of express-session, for the option `migrateFrom`.
 *
 * @example
 * migrateFrom: [expressSession({ secret, store, user: (data) => (data.userId ? { id: String(data.userId) } : null) })]
 *
 * @throws `TypeError` for an option that the function cannot use
 */
export function expressSession(options: ExpressSessionMigration): Migration {
  const common = commonOf('expressSession', options, OWN)
  const { store, cookieName = 'connect.sid' } = options
  const secrets = secretsOf('expressSession', 'secret', options.secret)
  checkStore('expressSession', store)
  return migrationOf('expressSession', common, {
    from: 'express-session',
    cookieNames: [cookieName],
    weakness: weaknessOf(secrets, MIN_SIGNING_BYTES),
    read: ([raw = '']) => {
      const value = decodeValue(raw)
      const id = value.startsWith(SIGNED) ? unsign(value.slice(SIGNED.length), secrets) : undefined
      // A store's `touch` may move the end of the record alone, so what the record says of its end is not asked.
      return id === undefined ? undefined : storedSession(store, id, () => undefined)
    },
  })
}
