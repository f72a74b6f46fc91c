import type { SessionEnd, TimedStore } from '../storage/timed-store.ts'
import type { SessionRecord } from '../../types/index.ts'
import { onEach } from './batches.ts'
import { readRecords } from './read-records.ts'

/** The ways in which one session of a user ends. */
interface Ending {
  /** Removes a record if it passes the test at the moment it goes. */
  end(
    handle: string,
    isToEnd: (record: SessionRecord) => boolean,
    loaded: SessionRecord,
    why: SessionEnd,
  ): Promise<SessionRecord | undefined>
  /** Gives back a place in the index. */
  release(userId: string, handle: string): Promise<void>
  /** Puts the entries back if the look fails. */
  lookAgain(userId: string, handles: readonly string[], look: () => Promise<void>): Promise<void>
}

/**
 * Ends many sessions of a user, with few round trips. Each record goes first, then its entry, then the record that a
 * login wrote in between. Resolves to the handles of the sessions that ended.
 */
export async function endMany(
  store: TimedStore,
  ending: Ending,
  handles: readonly string[],
  userId: string,
  why: SessionEnd,
): Promise<ReadonlySet<string>> {
  const ended = new Set<string>()
  const isTheirs = (record: SessionRecord): boolean => record.userId === userId
  const endOne = async (record: SessionRecord): Promise<void> => {
    if ((await ending.end(record.handle, isTheirs, record, why)) !== undefined) ended.add(record.handle)
  }
  const found = await readRecords(store, handles)
  await onEach(handles, async (handle) => {
    const record = found.get(handle)
    if (record !== undefined) await endOne(record)
    // A record that has expired here may be alive by the clock of another process.
    else await store.delete(handle, undefined, why)
    await ending.release(userId, handle)
  })
  await ending.lookAgain(userId, handles, async () => {
    await onEach([...(await readRecords(store, handles)).values()], endOne)
  })
  return ended
}
