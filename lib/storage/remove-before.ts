import { setTimeout as wait } from 'node:timers/promises'
import type { Enumerating, SessionRecord, SessionStore } from '../../types/index.ts'

/** Records on one page, and how many are removed at once: a removal of many sessions must not hold up requests. */
const PAGE = 500
const AT_ONCE = 50

/**
 * Attempts to remove one record while other writes come between. A request of its own would end it too, at the cutoff.
 */
const ATTEMPTS = 20

/**
 * Returns the instant that is compared with the cutoff: the last login, or the beginning of a session without one. A
 * session that a cutoff spared counts as if it had begun at that cutoff.
 */
export function beganAt(record: SessionRecord): number {
  return Math.max(loginAt(record), record.sparedAt ?? 0)
}

function loginAt({ authenticatedAt, createdAt }: SessionRecord): number {
  return authenticatedAt ?? createdAt
}

/** Sessions that are to be ended: those from before `asked`, where the cutoff `inForce` is the same or a later one. */
export interface Ended {
  readonly asked: number
  readonly inForce: number
  /**
   * The latest instant at which a login can have happened by now, by any clock. A login that says it came later was
   * before the clock was set back, and its session ends too. Absent where only earlier sessions are to end.
   */
  readonly latest?: number | undefined
}

/**
 * Tells whether a session is to be ended. A session that a later cutoff spared is one of those that began before an
 * earlier instant.
 */
function isOver(record: SessionRecord, { asked, inForce, latest = Infinity }: Ended): boolean {
  if (loginAt(record) > latest) return true
  return beganAt(record) < inForce || (asked < inForce && loginAt(record) < asked)
}

/** A store as far as the removal needs it. */
type Removable = Pick<SessionStore, 'get' | 'delete'> & Pick<Enumerating, 'listAll'>

/** Gives back the places in the user index of a session that was removed. */
export type Release = (record: SessionRecord) => Promise<void>

/**
 * Removes every record whose session is to be ended, page by page. Resolves to how many were removed; `onPage`
 * hears the number so far. The cutoff is raised first, so that a session which the removal has not come to is let in no
 * more. Only a session that a later cutoff spared goes on until the removal comes to it.
 */
export async function removeBefore(
  store: Removable,
  which: Ended,
  release: Release,
  onPage?: (total: number) => void,
): Promise<number> {
  let total = 0
  let after: string | undefined
  do {
    const { records, next } = await store.listAll({ after, limit: PAGE })
    const due = records.filter((record) => isOver(record, which))
    for (let at = 0; at < due.length; at += AT_ONCE) {
      const start = performance.now()
      const batch = due.slice(at, at + AT_ONCE).map((record) => removeOne(store, record, which, release))
      total += (await Promise.all(batch)).filter(Boolean).length
      // Requests, and what now ends with its session, have half of the time.
      if (batch.length === AT_ONCE) await wait(performance.now() - start)
    }
    onPage?.(total)
    after = next
  } while (after !== undefined)
  return total
}

/**
 * Removes a listed record, unless a login has replaced the record meanwhile. Such a record begins after the cutoff, and
 * stays.
 */
async function removeOne(
  store: Pick<SessionStore, 'get' | 'delete'>,
  listed: SessionRecord,
  which: Ended,
  release: Release,
): Promise<boolean> {
  let record: SessionRecord | undefined = listed
  for (let attempt = 0; attempt < ATTEMPTS && record !== undefined && isOver(record, which); attempt += 1) {
    if (await store.delete(record.handle, record.version)) {
      await release(record)
      return true
    }
    record = await store.get(record.handle)
  }
  return false
}
