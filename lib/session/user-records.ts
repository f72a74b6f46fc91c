import type { SessionRecord } from '../../types/index.ts'
import type { TimedStore } from '../storage/timed-store.ts'
import { inBatches, onEach } from './batches.ts'
import { MAX_SKEW } from '../storage/clocks.ts'
import { expiredBy } from './lifetime.ts'
import { hasPlace } from './places.ts'
import { readRecords } from './read-records.ts'
import type { UserPlaces } from './user-places.ts'
import { RESERVATION } from './user-places.ts'

/** The time after which a login is over, also one of a process whose clock differs. */
const LOGIN_UNDER_WAY = RESERVATION + MAX_SKEW

/** The sessions under a name of the index. */
export interface UserRecords {
  /** The most recently used first. */
  readonly records: readonly SessionRecord[]
  /**
   * The handles of sessions that are lent: another user logged in there a moment ago, and gives the session back if
   * that login fails.
   */
  readonly lent: readonly string[]
}

/** Reads the records under a name of the index. Entries that outlived their record are removed on the way. */
export async function readUser(store: TimedStore, places: UserPlaces, name: string, now: number): Promise<UserRecords> {
  const records: SessionRecord[] = []
  const lent: string[] = []
  await inBatches(await store.listIndex(name), async (entries) => {
    const handles = entries.map(({ handle }) => handle)
    const found = await readRecords(store, handles)
    const stale: string[] = []
    for (const { handle, expiresAt } of entries) {
      const record = found.get(handle)
      const isTheirs = hasPlace(record, name)
      if (record !== undefined && isTheirs && expiredBy(record, now) === undefined) records.push(record)
      // Such an entry may belong to a login that is on its way, here or where the clock is ahead.
      else if (expiresAt <= now + LOGIN_UNDER_WAY) continue
      else if (record !== undefined && !isTheirs && record.rotatedAt >= now - LOGIN_UNDER_WAY) lent.push(handle)
      else stale.push(handle)
    }
    await onEach(stale, (handle) => places.drop(name, handle))
  })
  return { records: records.toSorted(byLastUse), lent }
}

/** Orders sessions by their last use, the most recent first. */
export function byLastUse(a: SessionRecord, b: SessionRecord): number {
  return b.lastSeenAt - a.lastSeenAt || Number(b.authenticatedAt) - Number(a.authenticatedAt)
}
