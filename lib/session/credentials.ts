import { SecureSessionError } from '../errors.ts'
import { causeOf } from '../storage/cause.ts'
import type { SessionRecord, SessionUser } from '../../types/index.ts'
import type { OwnedRecord } from './actor.ts'
import { actorRecord } from './actor.ts'
import type { Engine } from './engine.ts'
import type { Checked, LoadedUser } from './fresh-users.ts'
import { hashOf, isSameHash } from './id.ts'
import { MAX_SKEW } from '../storage/clocks.ts'
import { userSnapshot } from './user-snapshot.ts'

/** Tells whether a user of a session has to be asked for before the session may be used. */
export function isCheckDue(engine: Engine, record: SessionRecord): record is OwnedRecord {
  if (engine.settings.loadUser === undefined || record.userId === null) return false
  if (isOneDue(engine, record)) return true
  const actor = actorRecord(record)
  return actor !== undefined && isOneDue(engine, actor)
}

function isOneDue({ settings, freshUsers }: Engine, record: SessionRecord): boolean {
  const { authHash, userMaxAge, authCheckInterval, clock } = settings
  const now = clock()
  const { userAt, checkedAt } = freshUsers.agesOf(record)
  return isOld(now - userAt, userMaxAge) || (authHash !== undefined && isOld(now - checkedAt, authCheckInterval))
}

/** Tells whether an age is beyond the limit, or is that of a clock that was set back since. */
function isOld(age: number, limit: number): boolean {
  return age >= limit || age < -MAX_SKEW
}

/**
 * Asks for the user of a session, and for the actor who acts as that user. Resolves to a reason to end the session if
 * one of the two is gone, or has other credentials than before.
 * @throws `SESSION_USER_UNAVAILABLE`, `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`
 */
export async function checkUser(engine: Engine, record: OwnedRecord): Promise<Checked | 'user-gone' | 'auth-hash'> {
  const actor = actorRecord(record)
  const [user, actors] = await Promise.all([checkOne(engine, record), actor && checkOne(engine, actor)])
  if (typeof user !== 'object' || actors === undefined) return user
  return typeof actors === 'object' ? { ...user, actor: actors } : actors
}

async function checkOne(engine: Engine, record: OwnedRecord): Promise<Checked | 'user-gone' | 'auth-hash'> {
  const { settings, freshUsers } = engine
  const loaded = await freshUsers.ask(record, () => loadUser(engine, record.userId))
  if (loaded === undefined) return 'user-gone'
  const isSame = loaded.fingerprint !== undefined && isSameHash(loaded.fingerprint, record.authHash ?? '')
  if (settings.authHash !== undefined && !isSame) return 'auth-hash'
  return freshUsers.note(record, loaded)
}

/** Returns the newer users of a session that this process knows, if any. */
export function knownUsers({ freshUsers }: Engine, record: SessionRecord): Checked | undefined {
  const user = freshUsers.recall(record)
  const actorSide = actorRecord(record)
  const actor = actorSide && freshUsers.recall(actorSide)
  if (actor === undefined) return user
  // The user is as the record has them.
  const { user: from, authCheckedAt: at, authHash } = record
  return { ...(user ?? { from, user: String(from), at, authHash }), actor }
}

/**
 * Returns the user as `loadUser` finds them now; `undefined` without such a user, or without the option.
 * @throws `SESSION_USER_UNAVAILABLE`, `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`
 */
export async function loadUser({ settings, deadlines }: Engine, userId: string): Promise<LoadedUser | undefined> {
  const { loadUser: load, authHash, clock, maxRecordSize } = settings
  const at = clock()
  let user: SessionUser | null | undefined
  let credential: unknown
  try {
    user = (await deadlines.run(async () => load?.(userId))) as typeof user
    if (user === null || user === undefined) return undefined
    credential = authHash?.(user)
  } catch (cause) {
    throw new SecureSessionError('SESSION_USER_UNAVAILABLE', { cause: causeOf(cause) })
  }
  if (user.id !== userId) {
    throw new SecureSessionError('SESSION_USER_INVALID', {
      detail: 'loadUser returned a user without the id it was asked for',
    })
  }
  const hash = typeof credential === 'string' ? credential : undefined
  const snapshot = userSnapshot(user, maxRecordSize, (value) => value === hash)
  return { user: snapshot, fingerprint: fingerprintOf(userId, hash), at }
}

/** Returns the hash of an `authHash` that a record keeps. The hash can be compared, and is of no use to a thief. */
export function fingerprintOf(userId: string, authHash: string | undefined): string | undefined {
  return authHash === undefined || authHash === '' ? undefined : hashOf(`${userId}\0${authHash}`)
}
