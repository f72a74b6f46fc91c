import { SecureSessionError } from '../errors.ts'
import { causeOf } from '../storage/cause.ts'
import { Recent } from '../storage/recent.ts'
import type { SessionUser } from '../../types/index.ts'
import { refuseOversize, serializeValue } from './json-data.ts'

/**
 * The JSON of a user as a record keeps it.
 * @throws `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`
 */
export function userSnapshot(user: SessionUser, maxSize: number): string {
  const fault = faultOf(user)
  if (fault !== undefined) throw new SecureSessionError('SESSION_USER_INVALID', { detail: fault })
  const json = jsonOf(user)
  const kept = JSON.parse(json) as Partial<SessionUser> | null
  // A `toJSON` may have made somebody else of the user.
  if (kept?.id !== user.id) {
    throw new SecureSessionError('SESSION_USER_INVALID', { detail: 'the toJSON of the user drops or changes id' })
  }
  refuseOversize(json, maxSize)
  return json
}

/** Says what is wrong with a user, or with the id. Numbers and the ids of databases are objects of their own, and not texts. */
function faultOf(user: unknown): string | undefined {
  if (typeof user !== 'object' || user === null) return `the user is ${user === null ? 'null' : `a ${typeof user}`}`
  const { id } = user as { id?: unknown }
  if (id === '') return 'id is empty'
  if (typeof id === 'string') return undefined
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

/** Reads users out of records. Copying a user that was read before is several times faster than parsing the JSON again. */
export class UserSnapshots {
  readonly #flat = new Recent<SessionUser>(REMEMBERED)

  /** An object of the caller's own. */
  read(json: string): SessionUser {
    const known = this.#flat.get(json)
    if (known !== undefined) return { ...known }
    // `isRecord` and `login` both saw to it that a snapshot is a user.
    const user = JSON.parse(json) as SessionUser
    if (json.length <= MAX_REMEMBERED_LENGTH && Object.values(user).every(isPrimitive)) {
      this.#flat.set(json, { ...user })
    }
    return user
  }
}

/** A value that a copy can share, because nobody can change it. */
function isPrimitive(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}
