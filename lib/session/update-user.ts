import { SecureSessionError } from '../errors.ts'
import type { SessionUser } from '../../types/index.ts'
import type { Engine } from './engine.ts'
import { readLiveRecord } from './live-record.ts'
import { userSnapshot } from './user-snapshot.ts'

/** The number of attempts at a record while other writes come between. */
const ATTEMPTS = 100

/** The number of sessions that are written at once. A larger number delays the requests of other users. */
const BATCH = 50

/**
 * Returns the JSON of a user who has to be this one.
 * @throws `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`
 */
export function sameUser({ maxRecordSize }: Engine['settings'], user: SessionUser, userId: string): string {
  const json = userSnapshot(user, maxRecordSize)
  if (user.id === userId) return json
  const detail = 'updateUser takes the same user again; another user logs in with req.login(user)'
  throw new SecureSessionError('SESSION_USER_INVALID', { detail })
}

/**
 * Replaces the snapshot in all sessions of a user. Resolves to their number.
 * @throws `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`, `SESSION_STORE_LACKS_INDEX`, `SESSION_SUPERSEDED`,
 * `SESSION_STORE_UNAVAILABLE`
 */
export async function updateUserEverywhere(engine: Engine, userId: string, user: SessionUser): Promise<number> {
  const json = sameUser(engine.settings, user, userId)
  const entries = await engine.store.listIndex(userId)
  let count = 0
  for (let start = 0; start < entries.length; start += BATCH) {
    const batch = entries.slice(start, start + BATCH).map(({ handle }) => updateOne(engine, handle, userId, json))
    for (const isDone of await Promise.all(batch)) if (isDone) count += 1
  }
  return count
}

/** Replaces the snapshot of one session, and nothing else. */
async function updateOne(engine: Engine, handle: string, userId: string, user: string): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const record = await readLiveRecord(engine, handle)
    if (record?.userId !== userId || record.heldBack !== null) return false
    const next = { ...record, user, userAt: engine.settings.clock(), version: record.version + 1 }
    if (await engine.store.update(next, record.version)) {
      engine.events.emit({ type: 'user-updated', handle, userId })
      return true
    }
  }
  throw new SecureSessionError('SESSION_SUPERSEDED')
}
