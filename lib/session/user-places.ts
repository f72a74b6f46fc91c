import { SecureSessionError } from '../errors.ts'
import type { Settings } from '../options.ts'
import type { SessionEnd, TimedStore } from '../storage/timed-store.ts'
import type { SessionRecord } from '../../types/index.ts'
import { besideOf, hasPlace, leavingOf, noteOn, placesOf } from './places.ts'
import { longestLife } from './user-lifetimes.ts'

/** The time that a login may take from `req.login` to its response before its place is given away. */
export const RESERVATION = 60_000

/** The number of attempts to end a session, or to put it back, while other writes come between. */
export const ATTEMPTS = 100

/**
 * The places of sessions in the index of a store. Without an index in the store there is nothing to take or to give
 * back.
 */
export class UserPlaces {
  readonly #settings: Settings
  readonly #store: TimedStore

  constructor(settings: Settings, store: TimedStore) {
    this.#settings = settings
    this.#store = store
  }

  /**
   * Takes a place beside the sessions of a user: the session is no login of the user, and ends with theirs. No limit
   * counts it.
   */
  async reserveBeside(userId: string, handle: string): Promise<void> {
    if (!this.#store.hasIndex) return
    await this.#store.addToIndex(besideOf(userId), handle, this.#settings.clock() + RESERVATION)
  }

  /** Tells whether the places of a session are still there, and if so keeps them as long as the session can live. */
  async confirm(record: SessionRecord): Promise<boolean> {
    if (!this.#store.hasIndex) return true
    const now = this.#settings.clock()
    for (const { name, until } of placesOf(record)) {
      // The place of a half login that is over is gone, and the session goes on as that of nobody.
      if (record.userId === null && until <= now) continue
      if (!(await this.#store.keepInIndex(name, record.handle, until))) return false
    }
    return true
  }

  /** Gives back a place; nothing without an index. */
  async release(name: string, handle: string): Promise<void> {
    if (this.#store.hasIndex) await this.#store.removeFromIndex(name, handle)
  }

  /** Gives back the places of a session that is gone. */
  async releaseAll(record: SessionRecord): Promise<void> {
    for (const { name } of placesOf(record)) await this.release(name, record.handle)
  }

  /**
   * Gives back the place of a login that will not be, unless a session of this user fills it. Resolves to whether the
   * place is free.
   */
  async abandon(name: string, handle: string): Promise<boolean> {
    if (!this.#store.hasIndex) return true
    if (hasPlace(await this.#store.get(handle), name)) return false
    await this.drop(name, handle)
    return true
  }

  /**
   * Removes an entry. A login that filled it a moment ago ends with it: nobody may live where no revocation finds them.
   */
  async drop(name: string, handle: string): Promise<void> {
    if (!this.#store.hasIndex) return
    await this.vacate(name, handle, async () => {
      const record = await this.#store.get(handle)
      if (record === undefined) await this.endElsewhere(handle, 'expired')
      if (!hasPlace(record, name) || (await this.holds(name, handle))) return
      await this.end(handle, (latest) => hasPlace(latest, name))
    })
  }

  /**
   * Removes an entry whose session this process did not end, and then looks for a session that a login began there
   * meanwhile. The entry is noted until the look is over: if the process dies before, a revocation still finds the
   * session.
   */
  async vacate<Found>(name: string, handle: string, look: () => Promise<Found>): Promise<Found> {
    const note = await this.note(name, handle)
    const found = await this.restoreOnFailure(name, new Set([handle]), async () => {
      await this.release(name, handle)
      return look()
    })
    await this.forget(name, note)
    return found
  }

  /** Notes an entry that is about to be removed. Resolves to the note. */
  async note(name: string, handle: string): Promise<string> {
    const note = noteOn(handle)
    await this.#store.addToIndex(leavingOf(name), note, this.#longest())
    return note
  }

  /** Removes a note, because no session lives there without an entry. */
  async forget(name: string, note: string): Promise<void> {
    await this.release(leavingOf(name), note)
  }

  /**
   * Removes a record that is absent here and whose entry was removed. The record may have expired only by the clock of
   * this process, and be alive by the clock of another.
   */
  async endElsewhere(handle: string, why: SessionEnd): Promise<void> {
    await this.#store.delete(handle, undefined, why)
  }

  /**
   * Removes entries, and looks for sessions that a login began meanwhile. If the store does not answer, the entries of
   * these `handles` come back, so that the sessions stay in the list of their user.
   */
  async restoreOnFailure<Found>(
    name: string,
    handles: ReadonlySet<string>,
    removal: () => Promise<Found>,
  ): Promise<Found> {
    try {
      return await removal()
    } catch (error) {
      const restored = [...handles].map(async (handle) => this.#store.addToIndex(name, handle, this.#longest()))
      await Promise.allSettled(restored)
      throw error
    }
  }

  /** Returns the instant up to which a session that begins now can live. */
  #longest(): number {
    return this.#settings.clock() + longestLife(this.#settings)
  }

  /** Tells whether a place is taken. */
  async holds(name: string, handle: string): Promise<boolean> {
    return (await this.#store.listIndex(name)).some((entry) => entry.handle === handle)
  }

  /**
   * Removes a record if it passes the test at the moment it goes. `undefined` when there was none to remove. A record
   * that was `loaded` before is read again only if it has changed since.
   */
  async end(
    handle: string,
    isToEnd: (record: SessionRecord) => boolean,
    loaded?: SessionRecord,
    why?: SessionEnd,
  ): Promise<SessionRecord | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const record = (attempt === 0 ? loaded : undefined) ?? (await this.#store.get(handle))
      if (record === undefined || !isToEnd(record)) return undefined
      if (await this.#store.delete(handle, record.version, why)) return record
    }
    throw new SecureSessionError('SESSION_SUPERSEDED')
  }
}
