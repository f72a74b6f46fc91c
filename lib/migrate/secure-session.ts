import type { Migration, MigrationOptions } from '../../types/index.ts'
import { loadPackage } from './driver.ts'
import { checkSeconds, commonOf, decodeValue, migrationOf } from './migration.ts'
import { sessionInCookie } from './session-in-cookie.ts'
import { MIN_SEALING_BYTES, weaknessOf } from './weakness.ts'

/** The options of `secureSession`: those that @fastify/secure-session had, and who an old session belongs to. */
export interface SecureSessionMigration extends MigrationOptions {
  /** The option `key` of @fastify/secure-session: 32 bytes, also as base64, or a list of them. */
  readonly key?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  /** The option `secret` of @fastify/secure-session, in the place of `key`. */
  readonly secret?: string | Uint8Array | undefined
  /** The option `salt` of @fastify/secure-session. Default: that of the library. */
  readonly salt?: string | Uint8Array | undefined
  /** The option `cookieName` or `sessionName` of @fastify/secure-session. Default `session`. */
  readonly cookieName?: string | undefined
  /** The option `expiry` of @fastify/secure-session, in seconds. Default 86,401. */
  readonly expiry?: number | undefined
}

/** The functions of sodium-native that @fastify/secure-session uses. */
interface Sodium {
  readonly crypto_pwhash_OPSLIMIT_MODERATE: number
  readonly crypto_pwhash_MEMLIMIT_MODERATE: number
  readonly crypto_pwhash_ALG_DEFAULT: number
  crypto_pwhash(out: Buffer, secret: Buffer, salt: Buffer, operations: number, memory: number, algorithm: number): void
  crypto_secretbox_open_easy(message: Buffer, cipher: Buffer, nonce: Buffer, key: Buffer): boolean
}

const KEY_BYTES = 32
const MAC_BYTES = 16
const NONCE_BYTES = 24
const SALT_BYTES = 16

/** The salt that @fastify/secure-session has for apps that give none. */
const LIBRARY_SALT = Buffer.from('mq9hDxBVDbspDR6nLfFT1g==', 'base64')

const OWN = { names: ['key', 'secret', 'salt', 'expiry'], renamed: { sessionName: 'cookieName' } }

/**
 * Lets in the sessions of @fastify/secure-session, for the option `migrateFrom`. Needs the package `sodium-native`,
 * which the old library brought along.
 *
 * @example
 * migrateFrom: [secureSession({ key, user: (data) => (data.userId ? { id: String(data.userId) } : null) })]
 *
 * @throws `TypeError` for an option that the function cannot use
 */
export function secureSession(options: SecureSessionMigration): Migration {
  const common = commonOf('secureSession', options, OWN)
  const { cookieName = 'session', expiry = 86_401 } = options
  checkSeconds('secureSession', 'expiry', expiry)
  const keysWith = keysOf(options)
  let sodium: Sodium
  let keys: readonly Buffer[] = []
  return migrationOf('secureSession', common, {
    from: '@fastify/secure-session',
    cookieNames: [cookieName],
    weakness: weaknessIn(options),
    prepare: async () => {
      sodium = loadPackage<Sodium>('secureSession', 'sodium-native')
      keys = keysWith(sodium)
    },
    read: ([raw = '']) => {
      // A signature that @fastify/cookie put behind the nonce proves nothing that the seal does not prove.
      const [cipher, nonce] = decodeValue(raw)
        .split(/[;.]/, 2)
        .map((part) => Buffer.from(part, 'base64'))
      if (cipher === undefined || cipher.length < MAC_BYTES || nonce?.length !== NONCE_BYTES) return undefined
      const message = Buffer.alloc(cipher.length - MAC_BYTES)
      if (!keys.some((key) => sodium.crypto_secretbox_open_easy(message, cipher, nonce, key))) return undefined
      const { __ts: changedAt, ...data } = JSON.parse(message.toString()) as Record<string, unknown>
      const endsAt = (Number(changedAt) + expiry) * 1000
      return sessionInCookie(Buffer.concat([nonce, cipher]).toString('base64url'), data, endsAt)
    },
  })
}

/**
 * Returns how to make the keys. A key made of a password takes half a second, so it is made when the app starts.
 * @throws `TypeError`
 */
function keysOf({ key, secret, salt = LIBRARY_SALT }: SecureSessionMigration): (sodium: Sodium) => Buffer[] {
  if (key !== undefined) {
    const keys = (Array.isArray(key) ? key : [key]).map((one) => Buffer.from(one, 'base64'))
    if (keys.length > 0 && keys.every(({ length }) => length === KEY_BYTES)) return () => keys
    throw new TypeError(`secureSession: key is the key of the old library, ${KEY_BYTES} bytes or their base64`)
  }
  const password = Buffer.from(secret ?? '')
  const bytes = typeof salt === 'string' ? Buffer.from(salt, 'ascii') : Buffer.from(salt)
  if (password.length < KEY_BYTES || bytes.length !== SALT_BYTES) {
    throw new TypeError(
      `secureSession: give the key of the old library, or its secret of at least ${KEY_BYTES} bytes and its salt of ${SALT_BYTES}`,
    )
  }
  return (sodium) => {
    const derived = Buffer.alloc(KEY_BYTES)
    const { crypto_pwhash_OPSLIMIT_MODERATE: operations, crypto_pwhash_MEMLIMIT_MODERATE: memory } = sodium
    sodium.crypto_pwhash(derived, password, bytes, operations, memory, sodium.crypto_pwhash_ALG_DEFAULT)
    return [derived]
  }
}

/** A key of bytes is judged by its length alone, which is right already. */
function weaknessIn({ key, secret }: SecureSessionMigration): string | undefined {
  if (key !== undefined || secret === undefined) return undefined
  return weaknessOf([secret], MIN_SEALING_BYTES)
}
