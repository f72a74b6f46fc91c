import { inBatches } from '../session/batches.ts'
import type { TimedStore } from '../storage/timed-store.ts'
import type { SessionRecord } from '../../types/index.ts'

/** The records of a batch by handle; `no-answer` of the store, or `one-by-one` when each is to be read by itself. */
export type Batch = ReadonlyMap<string, SessionRecord> | 'no-answer' | 'one-by-one'

/**
 * Reads records in batches, with a turn for requests after each. `use` gets the handles of a batch and the records that
 * are there.
 */
export async function readMany(
  store: TimedStore,
  handles: readonly string[],
  use: (batch: readonly string[], records: Batch) => Promise<unknown>,
): Promise<void> {
  await inBatches(handles, async (batch) => use(batch, await recordsOf(store, batch)))
}

async function recordsOf(store: TimedStore, handles: readonly string[]): Promise<Batch> {
  if (!store.readsMany || handles.length === 1) return 'one-by-one'
  try {
    const found = await store.getMany(handles)
    return new Map(found.map((record) => [record.handle, record]))
  } catch {
    // The store told of the failure in an event.
    return 'no-answer'
  }
}
