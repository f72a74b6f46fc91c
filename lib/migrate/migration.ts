import { endOfDate } from '../session/date.ts'
import type { Migration, MigrationOptions } from '../../types/index.ts'
import type { OwnOptions } from './option-names.ts'
import { refuseUnknown } from './option-names.ts'

/** The longest cookie value that is looked at. Browsers keep 4,096 bytes of name, value and attributes. */
const MAX_VALUE = 8192

/** The names, domains and paths that a `Set-Cookie` header can carry. */
const COOKIE_NAME = /^[\w!#$%&'*+.^`|~-]{1,256}$/
const DOMAIN = /^\.?[a-z\d-]+(\.[a-z\d-]+)*$/i
const PATH = /^\/[ -:=-~]*$/

/** The parts of a migration that differ from library to library. */
type Format = Pick<Migration, 'from' | 'cookieNames' | 'weakness' | 'read'> & Partial<Pick<Migration, 'prepare'>>

/** The checked options that every migration has. */
type Common = Pick<Migration, 'user' | 'cookie' | 'endsAt' | 'keepOld' | 'remember'>

/** A secret of an old library. */
export type OldSecret = string | Uint8Array

/**
 * Checks the options that every way in has, and that there is no other one.
 * @throws `TypeError` that names the option and what it takes
 */
export function commonOf(name: string, options: MigrationOptions, own: OwnOptions): Common {
  if (typeof options !== 'object' || options === null) throw new TypeError(`${name} takes its options as an object`)
  refuseUnknown(name, options, own)
  const { user, until, keepOld = false, remember = false, cookie = {} } = options
  if (typeof user !== 'function') throw new TypeError(`${name}: user is a function of the data of an old session`)
  const endsAt = until === undefined ? Infinity : typeof until === 'string' && endOfDate(until)
  if (typeof endsAt !== 'number') throw new TypeError(`${name}: until is a date such as '2027-03-31'`)
  for (const [option, value] of Object.entries({ keepOld, remember })) {
    if (typeof value !== 'boolean') throw new TypeError(`${name}: ${option} is true or false`)
  }
  if (!isCookie(cookie)) {
    throw new TypeError(`${name}: cookie is an object with domain, path and partitioned, as the old cookie had them`)
  }
  return { user, endsAt, keepOld, remember, cookie }
}

function isCookie(cookie: unknown): boolean {
  if (typeof cookie !== 'object' || cookie === null) return false
  const { domain, path, partitioned } = cookie as Record<string, unknown>
  const isDomain = domain === undefined || domain === null || (typeof domain === 'string' && DOMAIN.test(domain))
  const isPath = path === undefined || (typeof path === 'string' && PATH.test(path))
  return isDomain && isPath && (partitioned === undefined || typeof partitioned === 'boolean')
}

/**
 * Puts a migration together. Its `read` gets decoded values of a bounded length and never throws.
 * @throws `TypeError` for the name of a cookie that cannot be
 */
export function migrationOf(name: string, common: Common, format: Format): Migration {
  if (!format.cookieNames.every((cookie) => typeof cookie === 'string' && COOKIE_NAME.test(cookie))) {
    throw new TypeError(`${name}: cookieName is the name of the old cookie`)
  }
  return Object.freeze({
    ...common,
    prepare: async () => undefined,
    ...format,
    read: async (values: readonly (string | undefined)[]) => {
      try {
        return values.some((value = '') => value.length > MAX_VALUE) ? undefined : await format.read(values)
      } catch {
        // A value that no old library could have written is no session.
        return undefined
      }
    },
  })
}

/** Decodes a cookie value as the `cookie` package does: a value that is no percent-encoding stays as it is. */
export function decodeValue(value: string): string {
  try {
    return value.includes('%') ? decodeURIComponent(value) : value
  } catch {
    return value
  }
}

/**
 * Returns the secrets as a list.
 * @throws `TypeError` if there is none
 */
export function secretsOf(name: string, option: string, secret: unknown): readonly OldSecret[] {
  const secrets: unknown[] = Array.isArray(secret) ? secret : [secret]
  if (secrets.length > 0 && secrets.every(isGiven)) return secrets
  throw new TypeError(`${name}: ${option} is the secret of the old library, a string or bytes, or a list of them`)
}

function isGiven(secret: unknown): secret is OldSecret {
  return (typeof secret === 'string' || secret instanceof Uint8Array) && secret.length > 0
}

/** @throws `TypeError` for a number of seconds that is none */
export function checkSeconds(name: string, option: string, seconds: unknown): void {
  if (seconds === undefined || (typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0)) return
  throw new TypeError(`${name}: ${option} is a number of seconds, as the old library had it`)
}
