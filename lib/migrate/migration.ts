import type { Migration, MigrationOptions } from '../../types/index.ts'

/** The longest cookie value that is looked at. Browsers keep 4,096 bytes of name, value and attributes. */
const MAX_VALUE = 8192

const DAY = 86_400_000

const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/

/** The parts of a migration that differ from library to library. */
type Format = Pick<Migration, 'from' | 'cookieNames' | 'weakness' | 'read'> & Partial<Pick<Migration, 'prepare'>>

/** The checked options that every migration has. */
type Common = Pick<Migration, 'user' | 'cookie' | 'endsAt' | 'keepOld' | 'remember'>

/**
 * Checks the options that every way in has.
 * @throws `TypeError` that names the option and what it takes
 */
export function commonOf(name: string, options: MigrationOptions): Common {
  const { user, until, keepOld = false, remember = false, cookie = {} } = options
  if (typeof user !== 'function') throw new TypeError(`${name}: user is a function of the data of an old session`)
  const endsAt = until === undefined ? Infinity : endOf(until)
  if (endsAt === undefined) throw new TypeError(`${name}: until is a date such as '2027-03-31'`)
  for (const [option, value] of Object.entries({ keepOld, remember })) {
    if (typeof value !== 'boolean') throw new TypeError(`${name}: ${option} is true or false`)
  }
  return { user, endsAt, keepOld, remember, cookie }
}

/** Puts a migration together. Its `read` gets decoded values of a bounded length and never throws. */
export function migrationOf(common: Common, format: Format): Migration {
  return Object.freeze({
    ...common,
    prepare: async () => undefined,
    ...format,
    read: async (values: readonly (string | undefined)[]) => {
      try {
        return values.some((value = '') => value.length > MAX_VALUE) ? undefined : await format.read(values)
      } catch {
        // What no old library could have written is no session.
        return undefined
      }
    },
  })
}

/** Returns the instant at which a day is over, or the instant itself. */
function endOf(until: string): number | undefined {
  if (typeof until !== 'string' || !DATE.test(until)) return undefined
  const instant = Date.parse(until)
  if (Number.isNaN(instant)) return undefined
  return until.includes('T') ? instant : instant + DAY
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
export function secretsOf(name: string, option: string, secret: unknown): readonly string[] {
  const secrets: unknown[] = Array.isArray(secret) ? secret : [secret]
  if (secrets.length > 0 && secrets.every(isGiven)) return secrets
  throw new TypeError(`${name}: ${option} is the secret of the old library, a string or a list of strings`)
}

function isGiven(secret: unknown): secret is string {
  return typeof secret === 'string' && secret !== ''
}
