import type { Migration, OldSession, SessionRecord } from '../../types/index.ts'
import { withFields } from './copy-record.ts'
import type { Engine } from './engine.ts'
import { HANDLE_LENGTH, hashOf } from './id.ts'
import { expiredBy } from './lifetime.ts'
import { newRecord } from './record.ts'
import { parseObject } from './record-shape.ts'

/** The hash that no secret has, so that no id opens the record. */
export const NO_SECRET = ''

/**
 * The time after the first use of an old cookie during which its other requests reach the new session, in milliseconds.
 */
export const PARALLEL = 30_000

/**
 * The time that the mark outlives the removal of an old record, in milliseconds. A request that the old app was still
 * serving may write the record again.
 */
const AFTER_REMOVAL = 600_000

/** The time that the mark of a session without an end of its own lives, in milliseconds: ten years. */
const FOR_EVER = 315_360_000_000

/** The instant at which an old session is closed whose client has logged out, so that no 30 seconds are left. */
export const LONG_AGO = 1

/** The content of a mark: which session an old one became. */
export interface Move {
  /** The handle of the new session. */
  readonly to: string
  /** The epoch in which the session moved. After a login the old cookie leads nowhere. */
  readonly epoch: number
  /** The instant from which the old session counts as used up; 0 until then. */
  readonly closedAt: number
}

/** A mark that an old session was used: a record that no id opens. */
export interface Mark {
  readonly record: SessionRecord
  readonly move: Move
}

/**
 * Returns the handle of a session's mark. The handle is a plain hash, so that a change of the app's secret does not let
 * used sessions in again. The key of an old session cannot be guessed.
 */
export function markOf({ settings }: Engine, { from, cookieNames }: Migration, { key }: OldSession): string {
  return handleFor('session', settings.namespace, from, cookieNames[0], key)
}

/** Returns the handle of the record which says that a user's old sessions were revoked. */
function revocationOf({ settings }: Engine, userId: string): string {
  return handleFor('user', settings.namespace, userId)
}

function handleFor(...parts: string[]): string {
  return hashOf(JSON.stringify(['fastify-session-guard/migrate', ...parts])).slice(0, HANDLE_LENGTH)
}

/** Returns the handle of the record which says since when a way in is open. */
function openingOf({ settings }: Engine, { from, cookieNames }: Migration): string {
  return handleFor('opening', settings.namespace, from, cookieNames[0])
}

/** Notes since when each way in is open. Nothing where the store keeps no cutoff. */
export async function noteOpenings(engine: Engine): Promise<void> {
  const { settings, store, gate } = engine
  if (gate === undefined) return
  const now = settings.clock()
  for (const migration of settings.migrateFrom) {
    const end = endOfMark(migration, undefined, now)
    const record = newRecord(openingOf(engine, migration), NO_SECRET, '{}', now, settings)
    if (end > now) await store.create(lasting(record, end))
  }
}

/**
 * Tells whether all sessions were ended since the way in is open. Nobody knows when an old session began, so all of
 * them count as older than its opening.
 */
export async function isCutOff(engine: Engine, migration: Migration): Promise<boolean> {
  const cutoff = (await engine.gate?.current()) ?? 0
  if (cutoff === 0) return false
  const opening = await engine.store.get(openingOf(engine, migration))
  return opening === undefined || cutoff > opening.createdAt
}

/** Reads a mark. An expired mark is gone. */
export async function readMark({ store, settings }: Engine, handle: string): Promise<Mark | undefined> {
  const record = await store.get(handle)
  if (record === undefined || expiredBy(record, settings.clock()) !== undefined) return undefined
  // Only this file writes records under such handles.
  return { record, move: parseObject(record.data) as unknown as Move }
}

/** Leaves a mark, unless there is one. Returns the one that stands. */
export async function leaveMark(engine: Engine, handle: string, move: Move, until: number): Promise<Mark | undefined> {
  const record = lasting(
    newRecord(handle, NO_SECRET, JSON.stringify(move), engine.settings.clock(), engine.settings),
    until,
  )
  return (await engine.store.create(record)) ? { record, move } : readMark(engine, handle)
}

/** Notes that the old session is used up. A parallel request may have done so. */
export async function closeMark(
  { store, settings }: Engine,
  { record, move }: Mark,
  isOldGone: boolean,
  closedAt?: number,
): Promise<void> {
  const now = settings.clock()
  const until = isOldGone ? Math.min(record.absoluteDeadline, now + AFTER_REMOVAL) : record.absoluteDeadline
  const data = JSON.stringify({ ...move, closedAt: closedAt ?? now })
  await store.update(withFields(lasting(record, until), { data, version: record.version + 1 }), record.version)
}

/** Returns how long the mark of an old session lives at most: as long as the session itself could be used. */
export function endOfMark({ endsAt, keepOld }: Migration, oldEnd: number | undefined, now: number): number {
  // The old app may move the end of a session that it still has.
  const end = Math.min(endsAt, keepOld ? Infinity : (oldEnd ?? Infinity))
  return Number.isFinite(end) ? end : now + FOR_EVER
}

/** Notes that the old sessions of a user may not be let in any more. */
export async function revokeOld(engine: Engine, userId: string): Promise<void> {
  const { settings, store } = engine
  const now = settings.clock()
  const until = Math.max(...settings.migrateFrom.map((migration) => endOfMark(migration, undefined, now)))
  if (until <= now) return
  await store.create(lasting(newRecord(revocationOf(engine, userId), NO_SECRET, '{}', now, settings), until))
}

/** Tells whether the old sessions of a user were revoked. */
export async function areOldRevoked(engine: Engine, userId: string): Promise<boolean> {
  return (await engine.store.get(revocationOf(engine, userId))) !== undefined
}

/** A record that lives until an instant, also when all sessions are ended before. */
function lasting(record: SessionRecord, until: number): SessionRecord {
  return withFields(record, { idleDeadline: until, absoluteDeadline: until, sparedAt: until })
}
