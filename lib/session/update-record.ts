import { SecureSessionError } from '../errors.ts'
import type { SessionRecord } from '../../types/index.ts'
import { withFields } from './copy-record.ts'
import type { Engine } from './engine.ts'
import { readLiveRecord } from './live-record.ts'
import { unlock } from './take-back.ts'

/** The limit of attempts. A change meets at most as many conflicts as there are writes beside it. */
const MAX_ATTEMPTS = 100

/**
 * Changes a record by compare-and-set, again on the latest record when another write came between. `change` returns the
 * fields that are new, or `undefined` to leave the record alone. Resolves to `false` if the record is absent or left
 * alone.
 * @throws `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`, and what `change` throws
 */
export async function updateRecord(
  engine: Engine,
  handle: string,
  change: (record: SessionRecord) => Partial<SessionRecord> | undefined | Promise<Partial<SessionRecord> | undefined>,
): Promise<boolean> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const record = await readLiveRecord(engine, handle)
    if (record === undefined) return false
    if (record.heldBack !== null) {
      // The record that is held back would replace the change. A session that is still moving in has nothing to change
      // yet.
      if ((await unlock(engine, record)) === undefined) return false
      continue
    }
    const changed = await change(record)
    if (changed === undefined) return false
    const next = withFields(record, { ...changed, version: record.version + 1 })
    if (await engine.store.update(next, record.version)) return true
  }
  throw new SecureSessionError('SESSION_SUPERSEDED')
}
