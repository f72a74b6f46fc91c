import type { TimedStore } from '../storage/timed-store.ts'
import type { SessionRecord } from '../../types/index.ts'
import { onEach } from './batches.ts'

/** Returns the records of these handles that the store has, by handle. Asks once where the store can read many. */
export async function readRecords(
  store: TimedStore,
  handles: readonly string[],
): Promise<ReadonlyMap<string, SessionRecord>> {
  const found = new Map<string, SessionRecord>()
  const add = (record: SessionRecord | undefined): void => {
    if (record !== undefined) found.set(record.handle, record)
  }
  if (handles.length === 0) return found
  if (store.readsMany) for (const record of await store.getMany(handles)) add(record)
  else await onEach(handles, async (handle) => add(await store.get(handle)))
  return found
}
