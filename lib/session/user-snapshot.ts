import { SecureSessionError } from '../errors.ts'
import type { SessionUser } from '../../types/index.ts'
import { refuseOversize, serializeValue } from './json-data.ts'
import { Recent } from '../storage/recent.ts'

/**
 * The JSON of a user as a record keeps it.
 * @throws `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`
 */
export function userSnapshot(user: SessionUser, maxSize: number): string {
  const isUser = typeof user === 'object' && user !== null && typeof user.id === 'string' && user.id !== ''
  if (!isUser) throw new SecureSessionError('SESSION_USER_INVALID')
  const json = jsonOf(user)
  // A `toJSON` may have made somebody else of it.
  const kept = JSON.parse(json) as Partial<SessionUser> | null
  if (kept?.id !== user.id) throw new SecureSessionError('SESSION_USER_INVALID')
  refuseOversize(json, maxSize)
  return json
}

function jsonOf(user: SessionUser): string {
  try {
    return serializeValue(user, 'user') ?? 'null'
  } catch (cause) {
    const { detail } = cause as SecureSessionError
    throw new SecureSessionError('SESSION_USER_INVALID', { cause, ...(detail !== undefined && { detail }) })
  }
}

/** How many snapshots are remembered, and as many again: ten megabytes or so when all are. */
const REMEMBERED = 10_000
const MAX_REMEMBERED_LENGTH = 512

/** Reads users out of records. Copying one that was read lately is several times faster than parsing it again. */
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

/** What a copy of an object need not copy in turn. */
function isPrimitive(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}
