import type { SessionEnd, TimedStore } from '../storage/timed-store.ts'
import type { SessionRecord } from '../../types/index.ts'
import { onEach } from './batches.ts'
import { endsWith, placesOf } from './places.ts'
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
  release(name: string, handle: string): Promise<void>
  /** Notes an entry that is about to be removed. Resolves to the note. */
  note(name: string, handle: string): Promise<string>
  /** Removes a note. */
  forget(name: string, note: string): Promise<void>
  /** Removes a record that is absent here, and may be alive by the clock of another process. */
  endElsewhere(handle: string, why: SessionEnd): Promise<void>
  /** Puts entries back if their removal, or the look that follows it, fails. */
  restoreOnFailure(name: string, handles: ReadonlySet<string>, removal: () => Promise<void>): Promise<void>
}

/** Sessions that end with those of a user, as one name of the index lists them. */
export interface Listed {
  readonly userId: string
  readonly name: string
  readonly handles: readonly string[]
}

/**
 * Ends many sessions of a user, with few round trips. Each record goes first, then its entries, then the record that a
 * login wrote in between. Resolves to the sessions that ended.
 */
export async function endMany(
  store: TimedStore,
  ending: Ending,
  { userId, name, handles }: Listed,
  why: SessionEnd,
): Promise<readonly SessionRecord[]> {
  const ended = new Map<string, SessionRecord>()
  const isTheirs = (record: SessionRecord): boolean => endsWith(record, userId)
  const endOne = async (record: SessionRecord): Promise<void> => {
    const last = await ending.end(record.handle, isTheirs, record, why)
    if (last !== undefined) ended.set(record.handle, last)
  }
  const found = await readRecords(store, handles)
  // A record that is gone never comes back. Any other may be that of a login by the time its entry is removed.
  const unsure = new Set<string>()
  const notes: string[] = []
  await ending.restoreOnFailure(name, unsure, async () => {
    await onEach(handles, async (handle) => {
      const record = found.get(handle)
      if (record !== undefined) await endOne(record)
      if (!ended.has(handle)) {
        notes.push(await ending.note(name, handle))
        unsure.add(handle)
      }
      await ending.release(name, handle)
    })
    const latest = await readRecords(store, [...unsure])
    await onEach([...unsure], async (handle) => {
      const record = latest.get(handle)
      await (record === undefined ? ending.endElsewhere(handle, why) : endOne(record))
    })
  })
  await onEach(notes, (note) => ending.forget(name, note))
  for (const record of ended.values()) {
    for (const place of placesOf(record)) if (place.name !== name) await ending.release(place.name, record.handle)
  }
  return [...ended.values()]
}
