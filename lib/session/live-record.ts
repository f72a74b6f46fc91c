import type { SessionRecord } from '../../types/index.ts'
import { bothUsers } from './actor.ts'
import type { Engine } from './engine.ts'
import { expiredBy } from './lifetime.ts'

/**
 * Returns the record behind a handle, if it is alive. An expired record is removed, and an event says so.
 * @throws `SESSION_STORE_UNAVAILABLE`
 */
export async function readLiveRecord(engine: Engine, handle: string): Promise<SessionRecord | undefined> {
  const record = await engine.store.get(handle)
  if (record === undefined) return undefined
  const reason = expiredBy(record, engine.settings.clock())
  if (reason === undefined) return record
  await expire(engine, record, reason)
  return undefined
}

/** Removes an expired record and its index entry. */
export async function expire(
  { store, users, events }: Engine,
  record: SessionRecord,
  reason: 'idle' | 'absolute',
): Promise<void> {
  const { handle, version, userId } = record
  // Another process may have moved the deadline a moment earlier. Then the index entry stays too.
  if (!(await store.delete(handle, version, 'expired'))) return
  await users.places.releaseAll(record)
  events.emit({ type: 'expire', handle, userId, ...bothUsers(record), reason })
}
