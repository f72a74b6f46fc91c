import { SecureSessionError } from '../errors.ts'
import type { SessionEvents } from '../events.ts'
import type { Settings } from '../options.ts'
import type { SessionEvent, SessionInfo, SessionRecord, SessionUser } from '../../types/index.ts'
import type { SessionEnd, TimedStore } from '../storage/timed-store.ts'
import { inBatches, onEach } from './batches.ts'
import { endMany } from './end-many.ts'
import { expiredBy } from './lifetime.ts'
import { isLoginBefore, limitOf } from './login-limit.ts'
import { readRecords } from './read-records.ts'
import { infoOf } from './session-info.ts'
import { MAX_SKEW } from './set-back.ts'

/** Why a session is ended from outside. */
export type RevokeReason = Extract<SessionEvent, { type: 'revoke' }>['reason']

/** The time that a login may take from `req.login` to its response before its place is given away. */
const RESERVATION = 60_000

/** The number of attempts to end a session while other writes come between. */
const ATTEMPTS = 100

const NO_HANDLES: ReadonlySet<string> = new Set()

/** The sessions of a user: found, limited and revoked. Without an index in the store only what needs none works. */
export class UserSessions {
  /** Runs before all sessions of a user are revoked, and notes it for those that may still move in. */
  beforeRevocation: ((userId: string) => Promise<void>) | undefined
  readonly #settings: Settings
  readonly #store: TimedStore
  readonly #events: SessionEvents

  constructor(settings: Settings, store: TimedStore, events: SessionEvents) {
    this.#settings = settings
    this.#store = store
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
    if (await this.#store.addToIndex(user.id, handle, expiresAt, refusing)) return earlier
    await this.#endUnseen(user.id)
    if (await this.#store.addToIndex(user.id, handle, expiresAt, refusing)) return earlier
    throw new SecureSessionError('SESSION_LIMIT_REACHED')
  }

  /** Tells whether the place is still there, and if so keeps it as long as the session can live. */
  async confirm(userId: string, handle: string, expiresAt: number): Promise<boolean> {
    return !this.#store.hasIndex || this.#store.keepInIndex(userId, handle, expiresAt)
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
    const isHeld = await this.#holds(user.id, from)
    if (!isFilled) await this.abandon(user.id, from)
    if (isHeld) return
    await this.release(user.id, to)
    throw new SecureSessionError('SESSION_SUPERSEDED')
  }

  /** Gives back a place; nothing without an index. */
  async release(userId: string, handle: string): Promise<void> {
    if (this.#store.hasIndex) await this.#store.removeFromIndex(userId, handle)
  }

  /** Gives back the place of a login that will not be, unless another login of this user has filled it. */
  async abandon(userId: string, handle: string): Promise<void> {
    if (!this.#store.hasIndex) return
    const record = await this.#store.get(handle)
    if (record?.userId !== userId) await this.#drop(userId, handle)
  }

  /**
   * Removes an entry. A login that filled it a moment ago ends with it: nobody may live where no revocation finds them.
   */
  async #drop(userId: string, handle: string): Promise<void> {
    await this.release(userId, handle)
    await this.lookAgain(userId, [handle], async () => {
      const record = await this.#store.get(handle)
      if (record?.userId !== userId || (await this.#holds(userId, handle))) return
      await this.end(handle, (latest) => latest.userId === userId)
    })
  }

  /**
   * Looks for sessions that a login began while their entries were removed. If the store does not answer, the entries
   * come back, so that a later revocation finds these sessions.
   */
  async lookAgain<Found>(userId: string, handles: readonly string[], look: () => Promise<Found>): Promise<Found> {
    try {
      return await look()
    } catch (error) {
      const { clock, absoluteTimeout, rememberTimeout } = this.#settings
      const expiresAt = clock() + Math.max(absoluteTimeout, rememberTimeout)
      const restored = handles.map(async (handle) => this.#store.addToIndex(userId, handle, expiresAt))
      await Promise.allSettled(restored)
      throw error
    }
  }

  async #holds(userId: string, handle: string): Promise<boolean> {
    return (await this.#store.listIndex(userId)).some((entry) => entry.handle === handle)
  }

  /**
   * Ends the least recently used sessions beyond the user's limit, after the login of `own`. Of logins at the same time
   * the later one stays, by an order that all of them see alike: each ends only what it wins against, and itself when
   * that is too few.
   */
  async evict(user: SessionUser, own: SessionRecord, earlier: ReadonlySet<string>): Promise<void> {
    if (this.#settings.maxSessions?.onLimit !== 'evict') return
    const records = await this.#live(user.id)
    const excess = records.length - limitOf(user, this.#settings)
    if (excess <= 0) return
    const others = records.filter(({ handle }) => handle !== own.handle)
    const beaten = others.filter((one) => earlier.has(one.handle) || isLoginBefore(one, own))
    const ended = [own, ...beaten].slice(-excess)
    await onEach(ended, ({ handle }) => this.revoke(handle, user.id, 'evicted'))
  }

  async list(userId: string, current?: string): Promise<SessionInfo[]> {
    const infos: SessionInfo[] = []
    await inBatches(await this.#live(userId), async (records) => {
      for (const record of records) infos.push(infoOf(userId, record, current))
    })
    return infos
  }

  /**
   * Ends one session if it is this user's. The record goes first, then its entry, then the record again: a login that
   * wrote it in between finds its entry gone, or is ended by the second look.
   */
  async revoke(handle: string, userId: string, reason: RevokeReason): Promise<boolean> {
    const isTheirs = (record: SessionRecord): boolean => record.userId === userId
    const first = await this.end(handle, isTheirs, undefined, reason)
    await this.release(userId, handle)
    const look = (): Promise<SessionRecord | undefined> => this.end(handle, isTheirs, undefined, reason)
    const ended = (this.#store.hasIndex ? await this.lookAgain(userId, [handle], look) : undefined) ?? first
    if (ended !== undefined) this.#events.emit({ type: 'revoke', handle, userId, reason })
    return ended !== undefined
  }

  /**
   * Looks again after each round: a login that was overtaken by another moves to a new place. An entry that has expired
   * is revoked too, because it may be that of a login in a process whose clock is behind.
   */
  async revokeUser(userId: string, except: string | undefined, reason: RevokeReason): Promise<number> {
    await this.beforeRevocation?.(userId)
    const seen = new Set([except])
    let count = 0
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const handles = (await this.#store.listIndex(userId)).map(({ handle }) => handle)
      const others = handles.filter((handle) => !seen.has(handle))
      if (others.length === 0) return count
      await inBatches(others, async (batch) => {
        const ended = await endMany(this.#store, this, batch, userId, reason)
        for (const handle of ended) this.#events.emit({ type: 'revoke', handle, userId, reason })
        count += ended.size
      })
      for (const handle of others) seen.add(handle)
    }
    throw new SecureSessionError('SESSION_SUPERSEDED')
  }

  /**
   * Removes a record if it passes the test at the moment it goes. `undefined` when there was none to remove. One that
   * was `loaded` before is read again only if it changed since.
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

  /**
   * Ends the session of a request. Resolves to `false` if the record belongs to another user by now, or to another
   * login of nobody: then the session is not this request's to end.
   */
  async endOwn(record: SessionRecord): Promise<boolean> {
    const { handle, userId, epoch } = record
    let isTheirs = false
    const isOwn = (latest: SessionRecord): boolean => {
      isTheirs = latest.userId !== userId || (userId === null && latest.epoch !== epoch)
      return !isTheirs
    }
    await this.end(handle, isOwn, record, 'logout')
    // A login of somebody else that fails gives the record back to this user, whose entry must not be missing then.
    if (userId !== null) await (isTheirs ? this.#drop(userId, handle) : this.release(userId, handle))
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
   * Ends the sessions of a user whose id nobody has shown a minute after the login: the response was lost, so the
   * session only takes a place. Entries that outlived their record go too.
   */
  async #endUnseen(userId: string): Promise<void> {
    const before = this.#settings.clock() - RESERVATION
    const records = await this.#live(userId)
    const isUnseen = ({ shownAt, lastSeenAt, rotatedAt }: SessionRecord): boolean =>
      shownAt === 0 && lastSeenAt <= rotatedAt && rotatedAt <= before
    await onEach(records.filter(isUnseen), ({ handle }) => this.revoke(handle, userId, 'evicted'))
  }

  /** The user's records, the most recently used first. Entries that outlived their record are removed on the way. */
  async #live(userId: string): Promise<SessionRecord[]> {
    const now = this.#settings.clock()
    const records: SessionRecord[] = []
    await inBatches(await this.#store.listIndex(userId), async (entries) => {
      const found = await readRecords(
        this.#store,
        entries.map(({ handle }) => handle),
      )
      const stale: string[] = []
      for (const { handle, expiresAt } of entries) {
        const record = found.get(handle)
        const isTheirs = record?.userId === userId && expiredBy(record, now) === undefined
        if (isTheirs) records.push(record)
        // A short-lived entry without a record may belong to a login that is on its way, here or where the clock is
        // ahead.
        else if (expiresAt - now > RESERVATION + MAX_SKEW) stale.push(handle)
      }
      await onEach(stale, (handle) => this.#drop(userId, handle))
    })
    return records.toSorted(
      (a, b) => b.lastSeenAt - a.lastSeenAt || Number(b.authenticatedAt) - Number(a.authenticatedAt),
    )
  }
}
