import type { Migration, MigrationOptions } from '../../types/index.ts'
import type { OldSecret } from './migration.ts'
import { commonOf, decodeValue, migrationOf, secretsOf } from './migration.ts'
import { hmacOf, unsign } from './signature.ts'
import type { OldStore } from './stored-session.ts'
import { checkStore, storedSession } from './stored-session.ts'
import { MIN_SIGNING_BYTES, weaknessOf } from './weakness.ts'

export type { OldStore }

/** The options of `fastifySession`: those that @fastify/session had, and who an old session belongs to. */
export interface FastifySessionMigration extends MigrationOptions {
  /** The option `secret` of @fastify/session. */
  readonly secret: OldSecret | readonly OldSecret[]
  /** The option `store` of @fastify/session, the same store with the same prefix. */
  readonly store: OldStore
  /** The option `cookieName` of @fastify/session. Default `sessionId`. */
  readonly cookieName?: string | undefined
  /** The option `cookiePrefix` of @fastify/session. Default: none. */
  readonly cookiePrefix?: string | undefined
  /** The option `algorithm` of @fastify/session. Default `sha256`. */
  readonly algorithm?: string | undefined
}

const OWN = {
  names: ['secret', 'store', 'cookiePrefix', 'algorithm'],
  unused: ['saveUninitialized', 'rolling', 'idGenerator'],
}

/**
 * Lets in the sessions of @fastify/session, for the option `migrateFrom`.
 *
 * @example
 * migrateFrom: [fastifySession({ secret, store, user: (data) => (data.userId ? { id: String(data.userId) } : null) })]
 *
 * @throws `TypeError` for an option that the function cannot use
 */
export function fastifySession(options: FastifySessionMigration): Migration {
  const common = commonOf('fastifySession', options, OWN)
  const { store, cookieName = 'sessionId', cookiePrefix = '', algorithm } = options
  const secrets = secretsOf('fastifySession', 'secret', options.secret)
  checkStore('fastifySession', store)
  if (typeof cookiePrefix !== 'string') throw new TypeError('fastifySession: cookiePrefix is a text')
  checkAlgorithm(algorithm)
  return migrationOf('fastifySession', common, {
    from: '@fastify/session',
    cookieNames: [cookieName],
    weakness: weaknessOf(secrets, MIN_SIGNING_BYTES),
    read: ([raw = '']) => {
      const value = decodeValue(raw)
      const isOurs = value.startsWith(cookiePrefix)
      const id = isOurs ? unsign(value.slice(cookiePrefix.length), secrets, algorithm) : undefined
      return id === undefined ? undefined : storedSession(store, id, endOf)
    },
  })
}

/** @throws `TypeError` */
function checkAlgorithm(algorithm: string | undefined): void {
  try {
    hmacOf(algorithm ?? 'sha256', '', '')
  } catch (cause) {
    throw new TypeError('fastifySession: algorithm is the name of a hash that Node.js knows, such as sha256', { cause })
  }
}

/** @fastify/session itself ends a session at this instant, whatever its store does. */
function endOf(session: object): number | undefined {
  const { cookie } = session as { cookie?: { originalExpires?: unknown; expires?: unknown } }
  const end = new Date((cookie?.originalExpires ?? cookie?.expires ?? NaN) as string).getTime()
  return Number.isNaN(end) ? undefined : end
}
