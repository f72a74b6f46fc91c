import { SecureSessionError } from '../errors.ts'
import type { SessionEvents } from '../events.ts'
import type { Settings } from '../options.ts'
import type { SessionEvent, SessionInfo, SessionRecord, SessionUser } from '../../types/index.ts'
import type { TimedStore } from '../storage/timed-store.ts'
import { bothUsers, personOf } from './actor.ts'
import { inBatches, onEach } from './batches.ts'
import { endMany } from './end-many.ts'
import { isLoginBefore, limitOf } from './session-limit.ts'
import { besideOf, endsWith, handleIn, leavingOf, placesOf } from './places.ts'
import { readRecords } from './read-records.ts'
import { infoOf } from './session-info.ts'
import { ATTEMPTS, RESERVATION, UserPlaces } from './user-places.ts'
import type { UserRecords } from './user-records.ts'
import { byLastUse, readUser } from './user-records.ts'

/** The reason why a session is ended from outside. */
export type RevokeReason = Extract<SessionEvent, { type: 'revoke' }>['reason']

const NO_HANDLES: ReadonlySet<string> = new Set()

/** The sessions of a user: found, limited and revoked. Without an index in the store only what needs none works. */
export class UserSessions {
  /** The places of the sessions in the index. */
  readonly places: UserPlaces
  /** Runs before all sessions of a user are revoked, and notes it for those that may still move in. */
  beforeRevocation: ((userId: string) => Promise<void>) | undefined
  readonly #settings: Settings
  readonly #store: TimedStore
  readonly #events: SessionEvents

  constructor(settings: Settings, store: TimedStore, events: SessionEvents) {
    this.#settings = settings
    this.#store = store
    this.places = new UserPlaces(settings, store)
    this.#events = events
  }

  /**
   * Takes the place in the index that a login will fill. From here on a revocation of the user finds this login too.
   * Resolves to the handles of the sessions that stood before it, as far as a limit may end them. `spare` is how far a
   * refusing limit may be exceeded, by places that are about to be given back.
   * @throws `SESSION_LIMIT_REACHED`, `SESSION_OPTION_INVALID`
   */
  async reserve(
    user: SessionUser,
    handle: string,
    current: SessionRecord | undefined,
    spare = 0,
  ): Promise<ReadonlySet<string>> {
    if (!this.#store.hasIndex) return NO_HANDLES
    const limit = limitOf(user, this.#settings)
    const { maxSessions, clock } = this.#settings
    const expiresAt = Math.max(clock() + RESERVATION, current?.userId === user.id ? current.absoluteDeadline : 0)
    const refusing = maxSessions?.onLimit === 'refuse' ? limit + spare : undefined
    const earlier = maxSessions?.onLimit === 'evict' ? await this.#settled(user.id) : NO_HANDLES
    const take = async (): Promise<boolean> => this.#store.addToIndex(user.id, handle, expiresAt, refusing)
    if ((await take()) || (await this.#makeRoom(user.id, take))) return earlier
    throw new SecureSessionError('SESSION_LIMIT_REACHED')
  }

  /**
   * Moves the place of a login to another handle, if nobody revoked the user since it was taken. The new one is taken
   * before the old one is looked for, so that a revocation finds one or the other. `isFilled`: the old one is that of a
   * session by now.
   * @throws `SESSION_SUPERSEDED`, `SESSION_LIMIT_REACHED`
   */
  async move(user: SessionUser, from: string, to: string, isFilled: boolean): Promise<void> {
    if (!this.#store.hasIndex) return
    await this.reserve(user, to, undefined, isFilled ? 0 : 1)
    const isHeld = await this.places.holds(user.id, from)
    const isGivenBack = isFilled || (await this.places.abandon(user.id, from))
    if (isHeld && isGivenBack) return
    await this.places.release(user.id, to)
    if (!isHeld) throw new SecureSessionError('SESSION_SUPERSEDED')
    // Another login failed meanwhile and gave the old place its session back, so both places count.
    return this.move(user, from, to, true)
  }

  /**
   * Ends the least recently used sessions beyond the user's limit, after the login of `own`. When several logins run at
   * the same time, the later login stays. All of them see the same order of logins. Each login ends only sessions that
   * come earlier in this order. If too few sessions come earlier, the login ends its own session. Sessions that are
   * lent to a login of another user give their place away first.
   */
  async evict(user: SessionUser, own: SessionRecord, earlier: ReadonlySet<string>): Promise<void> {
    if (this.#settings.maxSessions?.onLimit !== 'evict') return
    const { records, lent } = await this.#read(user.id)
    const others = records.filter(({ handle }) => handle !== own.handle)
    // A revocation that fails puts back the entry that it removed.
    const excess = 1 + others.length + lent.length - limitOf(user, this.#settings)
    if (excess <= 0) return
    await onEach(lent.slice(0, excess), (handle) => this.places.drop(user.id, handle))
    if (excess <= lent.length) return
    const beaten = others.filter((one) => earlier.has(one.handle) || isLoginBefore(one, own))
    const ended = [own, ...beaten].slice(lent.length - excess)
    await onEach(ended, ({ handle }) => this.revoke(handle, user.id, 'evicted'))
  }

  async list(userId: string, current?: string): Promise<SessionInfo[]> {
    const infos: SessionInfo[] = []
    const beside = await this.#read(besideOf(userId))
    const own = await this.#read(userId)
    const records = [...own.records, ...beside.records.filter(({ acting }) => acting)]
    await inBatches(records.toSorted(byLastUse), async (batch) => {
      for (const record of batch) infos.push(infoOf(userId, record, current))
    })
    return infos
  }

  /**
   * Ends one session if the session ends with the sessions of this user. The record is deleted first, then its entries.
   * Without a record this method looks once more after it removed the entry, if there is one. A login that wrote the
   * record in between finds its entry gone, or this second look ends the login.
   */
  async revoke(handle: string, userId: string, reason: RevokeReason): Promise<boolean> {
    const isTheirs = (record: SessionRecord): boolean => endsWith(record, userId)
    let ended = await this.places.end(handle, isTheirs, undefined, reason)
    if (ended !== undefined) await this.places.release(userId, handle)
    else if (this.#store.hasIndex && (await this.places.holds(userId, handle))) {
      ended = await this.places.vacate(userId, handle, async () => {
        const latest = await this.#store.get(handle)
        if (latest !== undefined) return this.places.end(handle, isTheirs, latest, reason)
        await this.places.endElsewhere(handle, reason)
        return undefined
      })
    }
    if (ended === undefined) return false
    for (const { name } of placesOf(ended)) if (name !== userId) await this.places.release(name, handle)
    this.#reportRevoked(ended, userId, reason)
    return true
  }

  #reportRevoked(record: SessionRecord, userId: string, reason: RevokeReason): void {
    const { handle } = record
    this.#events.emit({ type: 'revoke', handle, ...bothUsers(record), userId: record.userId ?? userId, reason })
  }

  /**
   * Looks again after each round: a login that was overtaken by another moves to a new place. An entry that has expired
   * is revoked too, because it may be that of a login in a process whose clock is behind.
   */
  async revokeUser(userId: string, except: string | undefined, reason: RevokeReason): Promise<number> {
    await this.beforeRevocation?.(userId)
    const places = [userId, besideOf(userId)].map((name) => ({ name, seen: new Set([except]) }))
    let count = 0
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      let hasNew = false
      for (const { name, seen } of places) {
        const handles = (await this.#store.listIndex(name)).map(({ handle }) => handle)
        const others = handles.filter((handle) => !seen.has(handle))
        hasNew ||= others.length > 0
        await inBatches(others, async (batch) => {
          const ended = await endMany(this.#store, this.places, { userId, name, handles: batch }, reason)
          for (const record of ended) this.#reportRevoked(record, userId, reason)
          count += ended.length
        })
        for (const handle of others) seen.add(handle)
      }
      if (!hasNew) return count + (await this.#endLeaving(userId, except, reason))
    }
    throw new SecureSessionError('SESSION_SUPERSEDED')
  }

  /**
   * Ends sessions whose entry somebody is removing, or was removing when the process died. A record that is gone never
   * comes back, so its notes go too. Whoever removes another entry still needs the note.
   */
  async #endLeaving(userId: string, except: string | undefined, reason: RevokeReason): Promise<number> {
    const notes = (await this.#store.listIndex(leavingOf(userId))).map((entry) => entry.handle)
    const handles = [...new Set(notes.map(handleIn))].filter((handle) => handle !== except)
    const ended = new Set<string>()
    await inBatches(handles, async (batch) => {
      const found = await readRecords(this.#store, batch)
      await onEach(batch, async (handle) => {
        const record = found.get(handle)
        if (record === undefined) await this.places.endElsewhere(handle, reason)
        else if (endsWith(record, userId) && (await this.revoke(handle, userId, reason))) ended.add(handle)
      })
    })
    const needless = notes.filter((note) => ended.has(handleIn(note)))
    await onEach(needless, (note) => this.places.forget(userId, note))
    return ended.size
  }

  /**
   * Ends the session of a request. Resolves to `false`, and ends nothing, if the record now belongs to another person.
   * The same holds for a session without a user that has another epoch by now. A user who acts as another user is the
   * same person.
   */
  async endOwn(record: SessionRecord): Promise<boolean> {
    const { handle, epoch } = record
    const person = personOf(record)
    let isTheirs = false
    const isOwn = (latest: SessionRecord): boolean => {
      isTheirs = personOf(latest) !== person || (person === null && latest.epoch !== epoch)
      return !isTheirs
    }
    const ended = await this.places.end(handle, isOwn, record, 'logout')
    // A login of somebody else that fails gives the record back to this user, whose entry must not be missing then.
    for (const { name } of placesOf(record)) {
      await (isTheirs ? this.places.drop(name, handle) : this.places.release(name, handle))
    }
    if (ended !== undefined && ended !== record) await this.places.releaseAll(ended)
    return !isTheirs
  }

  /** Ends the session that an outdated id names, whoever has it now. */
  async endNamed(handle: string): Promise<void> {
    const userId = (await this.#store.get(handle))?.userId
    if (typeof userId === 'string') await this.revoke(handle, userId, 'replay')
    else await this.#store.delete(handle, undefined, 'replay')
  }

  /** Handles whose login is done: the entry of one that is on its way lives no longer than a reservation. */
  async #settled(userId: string): Promise<ReadonlySet<string>> {
    const now = this.#settings.clock()
    const entries = await this.#store.listIndex(userId)
    return new Set(entries.filter(({ expiresAt }) => expiresAt - now > RESERVATION).map(({ handle }) => handle))
  }

  /**
   * Makes room below a full limit, and takes it. Removes entries without a record, and those of sessions that are lent,
   * which end if they are given back later. If that is not enough, ends the sessions whose id no request has shown
   * within a minute after the login: the response of such a login was lost, so its session only takes a place. Resolves
   * to whether there was room.
   */
  async #makeRoom(userId: string, take: () => Promise<boolean>): Promise<boolean> {
    const before = this.#settings.clock() - RESERVATION
    const { records, lent } = await this.#read(userId)
    await onEach(lent, (handle) => this.places.drop(userId, handle))
    if (await take()) return true
    const isUnseen = ({ shownAt, lastSeenAt, rotatedAt }: SessionRecord): boolean =>
      shownAt === 0 && lastSeenAt <= rotatedAt && rotatedAt <= before
    await onEach(records.filter(isUnseen), ({ handle }) => this.revoke(handle, userId, 'evicted'))
    return take()
  }

  #read(name: string): Promise<UserRecords> {
    return readUser(this.#store, this.places, name, this.#settings.clock())
  }
}
