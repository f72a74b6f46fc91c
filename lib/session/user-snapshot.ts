import { SecureSessionError } from '../errors.ts'
import { causeOf } from '../storage/cause.ts'
import { Recent } from '../storage/recent.ts'
import type { SessionUser } from '../../types/index.ts'
import { refuseOversize, serializeValue } from './json-data.ts'
import { isReservedName } from './places.ts'

/**
 * Returns the JSON of a user as a record keeps it. A member that is the user's credential itself is left out.
 * @throws `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`
 */
export function userSnapshot(user: SessionUser, maxSize: number, isCredential?: (value: string) => boolean): string {
  const fault = faultOf(user)
  if (fault !== undefined) throw new SecureSessionError('SESSION_USER_INVALID', { detail: fault })
  const json = withoutCredentials(jsonOf(user), isCredential)
  const kept = JSON.parse(json) as Partial<SessionUser> | null
  // A `toJSON` may have made somebody else of the user.
  if (kept?.id !== user.id) {
    throw new SecureSessionError('SESSION_USER_INVALID', { detail: 'the toJSON of the user drops or changes id' })
  }
  refuseOversize(json, maxSize)
  return json
}

/** Returns a user's JSON without the members that are a credential. The id stays. */
function withoutCredentials(json: string, isCredential: ((value: string) => boolean) | undefined): string {
  if (isCredential === undefined) return json
  const members = Object.entries(JSON.parse(json) as object)
  const kept = members.filter(([name, value]) => name === 'id' || typeof value !== 'string' || !isCredential(value))
  return kept.length === members.length ? json : JSON.stringify(Object.fromEntries(kept))
}

/**
 * Says what is wrong with a user, or with the id. Numbers and the ids of databases are objects of their own, and not
 * texts.
 */
function faultOf(user: unknown): string | undefined {
  if (typeof user !== 'object' || user === null) return `the user is ${user === null ? 'null' : `a ${typeof user}`}`
  const { id } = user as { id?: unknown }
  if (id === '') return 'id is empty'
  if (typeof id === 'string') return isReservedName(id) ? 'id begins with the character U+0001' : undefined
  return id === undefined || id === null ? 'id is missing' : `id is ${kindOf(id)}: give String(id)`
}

function kindOf(value: unknown): string {
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function jsonOf(user: SessionUser): string {
  try {
    return serializeValue(user, 'user') ?? 'null'
  } catch (error) {
    const { detail } = error as SecureSessionError
    const cause = causeOf(error)
    throw new SecureSessionError('SESSION_USER_INVALID', { cause, ...(detail !== undefined && { detail }) })
  }
}

/** The number of snapshots in each of two generations: about ten megabytes in all. */
const REMEMBERED = 10_000
const MAX_REMEMBERED_LENGTH = 512

/** Reads users out of records. One object serves all requests, because nobody can change the object. */
export class UserSnapshots {
  readonly #known = new Recent<SessionUser>(REMEMBERED)

  /** Returns the user behind a record's JSON. */
  read(json: string): SessionUser {
    const known = this.#known.get(json)
    if (known !== undefined) return known
    // `isRecord` and `login` both saw to it that a snapshot is a user.
    const user = readOnly(JSON.parse(json) as SessionUser)
    if (json.length <= MAX_REMEMBERED_LENGTH) this.#known.set(json, user)
    return user
  }
}

const READ_ONLY: ProxyHandler<SessionUser> = {
  set: refuseChange,
  defineProperty: refuseChange,
  deleteProperty: refuseChange,
  setPrototypeOf: refuseChange,
}

/**
 * Returns a user of which no member can be changed. A frozen object alone would ignore an assignment in sloppy mode,
 * and its error in strict mode would not name the right call. `toJSON` hands out the plain object, which serializes
 * faster.
 */
function readOnly(user: SessionUser): SessionUser {
  freeze(user)
  const target = Object.defineProperty({ ...user }, 'toJSON', { value: () => user })
  return new Proxy(Object.freeze(target), READ_ONLY)
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) freeze(member)
  Object.freeze(value)
}

function refuseChange(): never {
  throw new SecureSessionError('SESSION_OPTION_INVALID', { detail: USER_IS_READ_ONLY })
}

/** The end of the message for an assignment to `req.user` or to one of its members. */
export const USER_IS_READ_ONLY =
  'req.user is a snapshot that nobody changes; replace it with req.updateUser(user), or log in anew with req.login(user)'
