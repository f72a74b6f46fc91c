import type { SessionRecord } from '../../types/index.ts'
import type { Engine } from './engine.ts'
import { rotated } from './record.ts'

/** A committed rotation, and the record from before it. Nobody has seen the new secret yet. */
export interface WayBack {
  readonly written: SessionRecord
  /** `undefined` if the rotation made the record. */
  readonly before: SessionRecord | undefined
}

/** The hash that no secret has. */
const NO_SECRET = ''

/**
 * Takes a committed rotation back, because its response failed.
 * @throws `SESSION_STORE_UNAVAILABLE`
 */
export async function takeBack(engine: Engine, { written, before }: WayBack): Promise<void> {
  const { userId, handle, version } = written
  if (before === undefined) await engine.store.delete(handle, version)
  else await restore(engine, before, version)
  if (userId !== null && before?.userId !== userId) await engine.users.abandon(userId, handle)
}

/**
 * Puts a record back as it was.
 *
 * While the record belonged to another user, a revocation of its first user could not find it. So the record is first restored
 * without a valid secret. The old secret returns only if the user's index entry still exists; otherwise the session ends.
 */
async function restore({ store, users }: Engine, old: SessionRecord, version: number): Promise<void> {
  const { handle, userId, absoluteDeadline } = old
  if (userId === null) return void (await store.update({ ...old, version: version + 1 }, version))
  const locked = { ...rotated(old, NO_SECRET, old.rotatedAt), version: version + 1 }
  if (!(await store.update(locked, version))) return
  if (await users.confirm(userId, handle, absoluteDeadline)) {
    await store.update({ ...old, version: version + 2 }, version + 1)
  } else {
    await users.end(handle, (record) => record.userId === userId)
  }
}
