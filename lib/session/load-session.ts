import type { Answer } from '../storage/immediate.ts'
import { afterwards } from '../storage/immediate.ts'
import type { SessionRecord } from '../../types/index.ts'
import { hasSameCredentials, isCheckDue } from './credentials.ts'
import type { OwnedRecord } from './credentials.ts'
import type { Engine } from './engine.ts'
import type { PresentedId } from './id.ts'
import { expiredBy } from './lifetime.ts'
import { expire } from './live-record.ts'
import type { Verdict } from './verdict.ts'
import { judge } from './verdict.ts'

/** A record that a request may use. */
export interface LiveSession {
  readonly state: 'live'
  readonly record: SessionRecord
  /** The hash of the secret that opened the record; empty if this request made the record. */
  readonly presented: string
  /** Whether the user's credentials were compared in this request, which the record does not know yet. */
  readonly isChecked: boolean
}

/**
 * The session that a request's cookie leads to:
 * - `none`: no session, and nothing to say about the cookie;
 * - `gone`: the id was ours and its record no longer exists, so the cookie can be cleared;
 * - `shadowed`: a rotation replaced the id moments ago. A parallel response carries the new id, so this one leaves the cookie alone;
 * - `live`: the record, and the hash of the secret that opened it.
 */
export type Loaded =
  | { readonly state: 'none' | 'gone' }
  | { readonly state: 'shadowed'; readonly handle: string }
  | LiveSession

/** No session, and nothing to say about the cookie. */
export const NONE: Loaded = { state: 'none' }

const GONE: Loaded = { state: 'gone' }

/**
 * Follows an id to a live record. Returns without a promise where no store has to be asked.
 * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_USER_UNAVAILABLE`
 */
export function loadSession(engine: Engine, id: PresentedId): Answer<Loaded> {
  return recall(engine, id) ?? afterwards(engine.store.get(id.handle), (record) => follow(engine, id, record))
}

/** Returns a cached session if it lets this id in. A cache may be old, so the store decides everything else. */
function recall(engine: Engine, id: PresentedId): Loaded | undefined {
  const record = engine.store.recall(id.handle)
  if (record === undefined || expiredBy(record, engine.settings.clock()) !== undefined) return undefined
  return judgeId(engine, record, id) === 'enter' ? enter(record, id) : undefined
}

function follow(engine: Engine, id: PresentedId, record: SessionRecord | undefined): Answer<Loaded> {
  if (record === undefined) return GONE
  const reason = expiredBy(record, engine.settings.clock())
  if (reason !== undefined) return expire(engine, record, reason).then(() => GONE)
  switch (judgeId(engine, record, id)) {
    case 'enter':
      return enter(record, id)
    case 'check':
      return checkUser(engine, record as OwnedRecord, id)
    case 'copied':
      return endCopied(engine, record)
    case 'outdated':
      return endOutdated(engine, record, id)
    case 'superseded':
      return { state: 'shadowed', handle: record.handle }
    case 'unknown':
      return NONE
  }
}

function judgeId(engine: Engine, record: SessionRecord, id: PresentedId): Verdict {
  return judge(record, {
    secretHash: id.secretHash,
    now: engine.settings.clock(),
    isCheckDue: isCheckDue(engine, record),
    isOfEpoch: (epoch) => engine.ids.isOfEpoch(id, epoch),
  })
}

function enter(record: SessionRecord, { secretHash }: PresentedId, isChecked = false): LiveSession {
  return { state: 'live', record, presented: secretHash, isChecked }
}

/** Ends a session whose user's credentials are no longer those of the login. */
async function checkUser(engine: Engine, record: OwnedRecord, id: PresentedId): Promise<Loaded> {
  if (await hasSameCredentials(engine, record)) return enter(record, id, true)
  await engine.users.revoke(record.handle, record.userId, 'auth-hash')
  return GONE
}

/** Ends a session whose cookie was copied, because the copy cannot be told from the original. */
async function endCopied({ users, events }: Engine, { handle, userId }: SessionRecord): Promise<Loaded> {
  events.emit({ type: 'replay', handle, userId })
  if (userId === null) await users.end(handle, (record) => record.userId === null)
  else await users.revoke(handle, userId, 'replay')
  return GONE
}

/**
 * Ends a session for an id from before the last renewal, because only a copy can be that far behind.
 * A record out of a cache may be the one that is behind. Then the id is newer than the record, and the session stays.
 */
async function endOutdated(engine: Engine, record: SessionRecord, id: PresentedId): Promise<Loaded> {
  const { users, events } = engine
  const { handle, userId } = record
  const isOutdated = (latest: SessionRecord): boolean => judgeId(engine, latest, id) === 'outdated'
  if ((await users.end(handle, isOutdated, record)) === undefined) return { state: 'shadowed', handle }
  events.emit({ type: 'replay', handle, userId })
  if (userId === null) return GONE
  await users.release(userId, handle)
  events.emit({ type: 'revoke', handle, userId, reason: 'replay' })
  return GONE
}
