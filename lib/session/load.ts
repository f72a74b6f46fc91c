import { SecureSessionError } from '../errors.ts'
import type { SessionRecord } from '../../types/index.ts'
import { findCookie } from './cookie-header.ts'
import { hashOf, isSameHash } from './id.ts'
import { expiredBy, GRACE } from './lifetime.ts'
import type { Parts } from './parts.ts'
import { isRecord, parseObject } from './record.ts'
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

/** Whether a `Cookie` header names a session at all. Costs no store and no hash. */
export function mentionsSession(parts: Parts, cookieHeader: string | undefined): cookieHeader is string {
  return cookieHeader !== undefined && cookieHeader.includes(parts.settings.cookie.name)
}

/**
 * Follows a `Cookie` header to a live record.
 * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_USER_UNAVAILABLE`
 */
export async function load(parts: Parts, cookieHeader: string): Promise<Loaded> {
  const { count, value } = findCookie(cookieHeader, parts.settings.cookie.name)
  if (count === 0) return NONE
  if (count > 1) {
    parts.events.emit({ type: 'duplicate', count })
    return NONE
  }
  const id = parts.ids.read(value)
  if (typeof id === 'string') {
    parts.events.emit({ type: 'forged', reason: id })
    return NONE
  }
  const record = await readRecord(parts, id.handle)
  return record === undefined ? GONE : judge(parts, record, id.secretHash)
}

/** The record behind a handle if it is whole and alive; what is damaged or expired is removed, and an event says so. */
export async function readRecord(parts: Parts, handle: string): Promise<SessionRecord | undefined> {
  const { clock } = parts.settings
  const record = await parts.store.get(handle)
  if (record === undefined) return undefined
  if (!known.has(record)) {
    if (!isRecord(record) || record.handle !== handle) {
      parts.events.emit({ type: 'damaged', handle })
      return undefined
    }
    known.add(record)
  }
  const reason = expiredBy(record, clock())
  if (reason === undefined) return record
  await parts.store.delete(handle, record.version)
  if (record.userId !== null) await parts.users.release(record.userId, handle)
  parts.events.emit({ type: 'expire', handle, userId: record.userId, reason })
  return undefined
}

async function judge(parts: Parts, record: SessionRecord, secretHash: string): Promise<Loaded> {
  const { clock } = parts.settings
  const { handle, userId } = record
  switch (matchSecret(record, secretHash, clock())) {
    case 'stale':
      return clock() - record.rotatedAt < GRACE ? { state: 'shadowed', handle } : NONE
    case 'replayed':
      parts.events.emit({ type: 'replay', handle, userId })
      await endCopied(parts, record)
      return GONE
    default: {
      const check = await checkUser(parts, record)
      return check === 'changed' ? GONE : { state: 'live', record, secretHash, isChecked: check === 'same' }
    }
  }
}

/** A copied cookie cannot be told from the original, so neither may live on. */
async function endCopied(parts: Parts, { handle, userId }: SessionRecord): Promise<void> {
  if (userId === null) await parts.users.end(handle, (record) => record.userId === null)
  else await parts.users.revoke(handle, userId, 'replay')
}

/** Whether the credentials behind a login are still those of the login. Not asked more often than `authCheckInterval`. */
async function checkUser(parts: Parts, record: SessionRecord): Promise<'unasked' | 'same' | 'changed'> {
  const { authHash, loadUser, authCheckInterval, clock } = parts.settings
  if (authHash === undefined || loadUser === undefined || record.userId === null) return 'unasked'
  if (clock() - record.authCheckedAt < authCheckInterval) return 'unasked'
  const fingerprint = await currentFingerprint(record.userId, loadUser, authHash)
  if (fingerprint !== undefined && isSameHash(fingerprint, record.authHash ?? '')) return 'same'
  await parts.users.revoke(record.handle, record.userId, 'auth-hash')
  return 'changed'
}

async function currentFingerprint(
  userId: string,
  loadUser: NonNullable<Parts['settings']['loadUser']>,
  authHash: NonNullable<Parts['settings']['authHash']>,
): Promise<string | undefined> {
  try {
    const user = await loadUser(userId)
    return user === null || user === undefined ? undefined : fingerprintOf(userId, authHash(user))
  } catch (cause) {
    throw new SecureSessionError('SESSION_USER_UNAVAILABLE', { cause })
  }
}

/** What a record keeps of an `authHash`: enough to compare, nothing to steal. `undefined` without one. */
export function fingerprintOf(userId: string, authHash: string | undefined): string | undefined {
  return typeof authHash === 'string' && authHash !== '' ? hashOf(`${userId}\0${authHash}`) : undefined
}

/** The user snapshot of a record, a fresh object each time. */
export function userOf(json: string | null): Record<string, unknown> | null {
  return json === null ? null : (parseObject(json) ?? null)
}
