import type { Answer } from '../storage/immediate.ts'
import { afterwards } from '../storage/immediate.ts'
import { SecureSessionError } from '../errors.ts'
import type { SessionRecord } from '../../types/index.ts'
import { findCookie } from '../http/read-cookie.ts'
import type { PresentedId } from './id.ts'
import { hashOf, isSameHash } from './id.ts'
import { expiredBy, GRACE } from './lifetime.ts'
import type { Parts } from './parts.ts'
import { isRecord } from './record.ts'
import { matchSecret } from './secret-match.ts'

/**
 * What a request's cookie leads to:
 * - `none`: no session, and nothing to say about the cookie;
 * - `gone`: the id was ours, its record is no more: the cookie can be cleared;
 * - `shadowed`: the id lost a rotation moments ago, and a parallel response carries its successor: the cookie is not to be touched;
 * - `live`: the record, and the hash of the secret that opened it.
 */
export type Loaded =
  | { readonly state: 'none' | 'gone' }
  | { readonly state: 'shadowed'; readonly handle: string }
  | { readonly state: 'live'; readonly record: SessionRecord; readonly secretHash: string; readonly isChecked: boolean }

const NONE: Loaded = { state: 'none' }
const GONE: Loaded = { state: 'gone' }

/** Records that have passed `isRecord`: a store in memory hands out the same object again and again. */
const known = new WeakSet<SessionRecord>()

/** Notes that this app made a record, so that it need not be examined when a store in memory gives it back. */
export function trust(record: SessionRecord): void {
  known.add(record)
}

/** Whether a `Cookie` header names a session at all. Costs no store and no hash. */
export function mentionsSession(parts: Parts, cookieHeader: string | undefined): cookieHeader is string {
  return cookieHeader !== undefined && cookieHeader.includes(parts.settings.cookie.name)
}

/**
 * Follows a `Cookie` header to a live record. Answers at once where no store has to be asked.
 * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_USER_UNAVAILABLE`
 */
export function load(parts: Parts, cookieHeader: string, connection?: object): Answer<Loaded> {
  const { count, value } = findCookie(cookieHeader, parts.settings.cookie.name)
  if (count === 0) return NONE
  if (count > 1) {
    parts.events.emit({ type: 'duplicate', count })
    return NONE
  }
  const id = parts.ids.read(value, connection)
  if (typeof id === 'string') {
    parts.events.emit({ type: 'forged', reason: id })
    return NONE
  }
  return recall(parts, id) ?? afterwards(parts.store.get(id.handle), (found) => follow(parts, id, found))
}

/** A session that the store has at hand, if it lets this id in. All else is for the store itself to say: what is at hand may be old. */
function recall(parts: Parts, { handle, secretHash }: PresentedId): Loaded | undefined {
  const record = parts.store.recall(handle)
  if (record === undefined) return undefined
  const now = parts.settings.clock()
  const match = matchSecret(record, secretHash, now)
  const isIn = match !== 'stale' && match !== 'replayed' && expiredBy(record, now) === undefined
  return isIn && !isCheckDue(parts, record) ? { state: 'live', record, secretHash, isChecked: false } : undefined
}

function follow(parts: Parts, id: PresentedId, found: SessionRecord | undefined): Answer<Loaded> {
  const record = examine(parts, id.handle, found)
  if (record === undefined) return GONE
  return record instanceof Promise ? record.then(() => GONE) : judge(parts, record, id)
}

/** The record behind a handle if it is whole and alive; what is damaged or expired is removed, and an event says so. */
export async function readRecord(parts: Parts, handle: string): Promise<SessionRecord | undefined> {
  return examine(parts, handle, await parts.store.get(handle))
}

/** Judges what a store found. Without an `await` for the one case that matters, a record that is fine. */
function examine(
  parts: Parts,
  handle: string,
  record: SessionRecord | undefined,
): SessionRecord | undefined | Promise<undefined> {
  if (record === undefined) return undefined
  if (!known.has(record)) {
    if (!isRecord(record) || record.handle !== handle) {
      parts.events.emit({ type: 'damaged', handle })
      return undefined
    }
    known.add(record)
  }
  const reason = expiredBy(record, parts.settings.clock())
  return reason === undefined ? record : expire(parts, record, reason)
}

async function expire(
  { store, users, events }: Parts,
  { handle, version, userId }: SessionRecord,
  reason: 'idle' | 'absolute',
): Promise<undefined> {
  // Another process may have kept it alive a moment earlier: then its entry stays too.
  if (!(await store.delete(handle, version))) return undefined
  if (userId !== null) await users.release(userId, handle)
  events.emit({ type: 'expire', handle, userId, reason })
  return undefined
}

/** What the presented secret makes of a live record. */
function judge(parts: Parts, record: SessionRecord, id: PresentedId): Answer<Loaded> {
  const { clock } = parts.settings
  const { secretHash } = id
  switch (matchSecret(record, secretHash, clock())) {
    case 'stale':
      if (parts.ids.isOfEpoch(id, record.epoch)) return endOutdated(parts, record, id)
      return clock() - record.rotatedAt < GRACE ? { state: 'shadowed', handle: record.handle } : NONE
    case 'replayed':
      return endCopied(parts, record)
    default:
      return isCheckDue(parts, record)
        ? checkUser(parts, record, secretHash)
        : { state: 'live', record, secretHash, isChecked: false }
  }
}

/** A copied cookie cannot be told from the original, so neither may live on. */
async function endCopied({ users, events }: Parts, { handle, userId }: SessionRecord): Promise<Loaded> {
  events.emit({ type: 'replay', handle, userId })
  if (userId === null) await users.end(handle, (record) => record.userId === null)
  else await users.revoke(handle, userId, 'replay')
  return GONE
}

/**
 * An id from before the last renewal, however long before: only a copy can be that far behind. Unless it is the record that is
 * behind, out of a cache: then the id is newer than it, and stays.
 */
async function endOutdated(parts: Parts, record: SessionRecord, id: PresentedId): Promise<Loaded> {
  const { ids, users, events, settings } = parts
  const { handle, userId } = record
  const isOutdated = (latest: SessionRecord): boolean =>
    matchSecret(latest, id.secretHash, settings.clock()) === 'stale' && ids.isOfEpoch(id, latest.epoch)
  if ((await users.end(handle, isOutdated, record)) === undefined) return { state: 'shadowed', handle }
  events.emit({ type: 'replay', handle, userId })
  if (userId === null) return GONE
  await users.release(userId, handle)
  events.emit({ type: 'revoke', handle, userId, reason: 'replay' })
  return GONE
}

/** A record that somebody is logged in with. */
type OwnedRecord = SessionRecord & { readonly userId: string }

/** Whether the credentials behind a login have not been looked at for `authCheckInterval`. */
export function isCheckDue({ settings }: Parts, record: SessionRecord): record is OwnedRecord {
  const { authHash, loadUser, authCheckInterval, clock } = settings
  if (authHash === undefined || loadUser === undefined || record.userId === null) return false
  return clock() - record.authCheckedAt >= authCheckInterval
}

/** Ends a session whose user's credentials are no longer those of the login. */
export async function checkUser(parts: Parts, record: OwnedRecord, secretHash: string): Promise<Loaded> {
  const { handle, userId, authHash } = record
  const fingerprint = await currentFingerprint(parts, userId)
  if (fingerprint !== undefined && isSameHash(fingerprint, authHash ?? '')) {
    return { state: 'live', record, secretHash, isChecked: true }
  }
  await parts.users.revoke(handle, userId, 'auth-hash')
  return GONE
}

/** The fingerprint of a user's credentials as they are now; `undefined` when there is none, or no such user. */
export async function currentFingerprint({ settings }: Parts, userId: string): Promise<string | undefined> {
  const { loadUser, authHash } = settings
  try {
    const user = await loadUser?.(userId)
    return user === null || user === undefined ? undefined : fingerprintOf(userId, authHash?.(user))
  } catch (cause) {
    throw new SecureSessionError('SESSION_USER_UNAVAILABLE', { cause })
  }
}

/** What a record keeps of an `authHash`: enough to compare, nothing to steal. `undefined` without one. */
export function fingerprintOf(userId: string, authHash: string | undefined): string | undefined {
  return typeof authHash === 'string' && authHash !== '' ? hashOf(`${userId}\0${authHash}`) : undefined
}
