import { SecureSessionError } from '../errors.ts'
import type { SessionRecord, SessionUser } from '../../types/index.ts'
import { bothUsers } from './actor.ts'
import { inBatches, onEach } from './batches.ts'
import type { Engine } from './engine.ts'
import { besideOf } from './places.ts'
import { updateRecord } from './update-record.ts'
import { userSnapshot } from './user-snapshot.ts'

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
  const entries = [...(await engine.store.listIndex(userId)), ...(await engine.store.listIndex(besideOf(userId)))]
  let count = 0
  await inBatches([...new Set(entries.map(({ handle }) => handle))], (batch) =>
    onEach(batch, async (handle) => {
      let both = {}
      const isUpdated = await updateRecord(engine, handle, (record) => {
        both = bothUsers(record)
        return newUser(record, userId, json, engine)
      })
      if (!isUpdated) return
      engine.events.emit({ type: 'user-updated', handle, userId, ...both })
      count += 1
    }),
  )
  return count
}

function newUser(
  { userId: shown, acting }: SessionRecord,
  userId: string,
  user: string,
  { settings }: Engine,
): Partial<SessionRecord> | undefined {
  const snapshot = { user, userAt: settings.clock() }
  if (acting?.userId === userId) return { acting: { ...acting, ...snapshot } }
  return shown === userId ? snapshot : undefined
}
