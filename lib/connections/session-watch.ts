import { checkUser, isCheckDue } from '../session/credentials.ts'
import type { Engine } from '../session/engine.ts'
import { expiredBy } from '../session/lifetime.ts'
import { readLiveRecord } from '../session/live-record.ts'
import type { Guest, SessionEnd, Watch } from '../session/watch.ts'
import { Announcements } from '../storage/announcements.ts'
import { Recent } from '../storage/recent.ts'
import type { SessionRecord } from '../../types/index.ts'
import type { Member } from './member.ts'
import { isTheirs, memberOf, reasonOf } from './member.ts'
import { readMany } from './read-many.ts'

/** The time between two looks at the sessions of everything that is open, in milliseconds. */
const LOOK_INTERVAL = 10_000

/**
 * The number of ended sessions without guests in each of two generations. A guest may come from a request under way.
 */
const MAX_ENDED = 1_000

/** The guests of one session. */
interface Watched {
  readonly members: Set<Member>
  /** Runs out at the deadline of the session, if that comes before the next look. */
  timer: NodeJS.Timeout | undefined
  /** The instant until which the session lives, as far as is known. */
  deadline: number
  /** The instant at which the credentials of its user were last compared here. */
  checkedAt: number
}

/**
 * Ends what is open when its session ends.
 *
 * This process tells of each record that it changes by `settle`. Other processes tell through the announcements of the
 * store, after which the record is read. All records are also read every ten seconds, and each one at its deadline.
 */
export class SessionWatch implements Watch {
  readonly #engine: () => Engine
  readonly #sessions = new Map<string, Watched>()
  readonly #ended = new Recent<true>(MAX_ENDED)
  readonly #due = new Set<string>()
  #looked = Promise.resolve()
  #announcements: Announcements | undefined
  #lookTimer: NodeJS.Timeout | undefined
  #isClosed = false
  /** Called with a handle before its guests are judged: others may know of guests that are not yet here. */
  beforeJudging: ((handle: string) => void) | undefined

  constructor(engine: () => Engine) {
    this.#engine = engine
  }

  open(record: SessionRecord, guest: Guest, isAsked = false): () => void {
    if (this.#isClosed) {
      guest.end('closed')
      return () => undefined
    }
    const { handle } = record
    const watched = this.#watchedOf(record)
    const member = memberOf(record, guest)
    watched.members.add(member)
    this.listen()
    this.#lookLater()
    this.#checkAtDeadline(handle, watched)
    if (isAsked) void this.#check(handle, watched)
    else if (this.#ended.get(handle) === true) this.#checkSoon(handle)
    return () => this.#forget(handle, watched, member)
  }

  /** Subscribes to what the store announces. */
  listen(): void {
    this.#announcements ??= new Announcements(this.#engine().store, {
      onHandle: (handle) => this.#checkSoon(handle),
      onCutoff: () => this.#engine().gate?.check(),
      onReady: () => this.lookSoon(),
    })
    this.#announcements.listen()
  }

  /** Ends guests for whom the record no longer stands, if there still is a record. */
  settle(handle: string, record: SessionRecord | undefined, why?: SessionEnd): void {
    this.beforeJudging?.(handle)
    const watched = this.#sessions.get(handle)
    if (watched === undefined) {
      this.#ended.set(handle, true)
      return
    }
    for (const member of watched.members) {
      if (isTheirs(member, record)) continue
      this.#end(handle, watched, member, why ?? reasonOf(this.#engine(), handle, member, record))
    }
  }

  /** Looks at all sessions as soon as possible. */
  lookSoon(): void {
    for (const handle of this.#sessions.keys()) this.#checkSoon(handle)
  }

  /** Resolves once the sessions that are to be looked at by now were looked at. */
  looked(): Promise<void> {
    return this.#looked
  }

  /** Ends everything, because the app closes. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#lookTimer)
    this.#engine().gate?.stop()
    for (const [handle, watched] of this.#sessions) {
      for (const member of watched.members) this.#end(handle, watched, member, 'closed')
    }
    await this.#announcements?.stop()
  }

  #watchedOf({ handle, idleDeadline, authCheckedAt }: SessionRecord): Watched {
    const known = this.#sessions.get(handle)
    if (known !== undefined) return known
    const watched: Watched = {
      members: new Set(),
      timer: undefined,
      deadline: idleDeadline,
      checkedAt: authCheckedAt,
    }
    this.#sessions.set(handle, watched)
    return watched
  }

  #end(handle: string, watched: Watched, member: Member, why: SessionEnd): void {
    this.#forget(handle, watched, member)
    member.guest.end(why)
  }

  #forget(handle: string, watched: Watched, member: Member): void {
    watched.members.delete(member)
    if (watched.members.size > 0) return
    clearTimeout(watched.timer)
    if (this.#sessions.get(handle) === watched) this.#sessions.delete(handle)
  }

  /** Checks a session in this turn of the event loop, together with others. */
  #checkSoon(handle: string): void {
    this.beforeJudging?.(handle)
    if (!this.#sessions.has(handle)) {
      this.#ended.set(handle, true)
      return
    }
    if (this.#due.size === 0) this.#looked = this.#checkLater()
    this.#due.add(handle)
  }

  async #checkLater(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    await this.#checkDue()
  }

  async #checkDue(): Promise<void> {
    const handles = [...this.#due]
    this.#due.clear()
    await this.#look(handles)
  }

  #lookLater(): void {
    if (this.#lookTimer !== undefined || this.#isClosed) return
    this.#lookTimer = setTimeout(() => {
      void this.#look(this.#handlesThere()).then(() => {
        this.#lookTimer = undefined
        if (this.#sessions.size > 0) this.#lookLater()
      })
    }, LOOK_INTERVAL).unref()
  }

  /** Returns the handles of sessions that still have guests. */
  #handlesThere(): string[] {
    this.#announcements?.listen()
    for (const [handle, watched] of this.#sessions) {
      for (const member of watched.members) {
        if (member.guest.isThere?.() === false) this.#forget(handle, watched, member)
      }
    }
    return [...this.#sessions.keys()]
  }

  /** Reads many records with few questions. Only a session that looks changed is then checked by itself. */
  async #look(handles: readonly string[]): Promise<void> {
    const { store } = this.#engine()
    await readMany(store, handles, (batch, records) => {
      const checks: Promise<void>[] = []
      for (const handle of batch) {
        const check = this.#lookAt(handle, typeof records === 'string' ? records : records.get(handle))
        if (check !== undefined) checks.push(check)
      }
      return Promise.all(checks)
    })
  }

  /** Judges a session at once, if its record tells enough. */
  #lookAt(handle: string, record: SessionRecord | 'no-answer' | 'one-by-one' | undefined): Promise<void> | undefined {
    const engine = this.#engine()
    const watched = this.#sessions.get(handle)
    if (watched === undefined) return undefined
    if (record === 'no-answer') {
      this.#endIfOver(handle, watched)
      return undefined
    }
    if (record === 'one-by-one') return this.#check(handle, watched)
    const isOver = record !== undefined && expiredBy(record, engine.settings.clock()) !== undefined
    if (isOver || (record !== undefined && isLookDue(engine, record, watched))) return this.#check(handle, watched)
    this.#judge(handle, watched, [...watched.members], record)
    return undefined
  }

  /** Ends the guests of a session whose deadline has passed, although the store does not answer. */
  #endIfOver(handle: string, watched: Watched): void {
    if (watched.deadline <= this.#engine().settings.clock()) this.settle(handle, undefined, 'expired')
    this.#checkAtDeadline(handle, watched)
  }

  async #check(handle: string, watched: Watched): Promise<void> {
    // A guest that comes while the store is being asked is not judged by an answer that is older than the guest.
    const members = [...watched.members]
    try {
      this.#judge(handle, watched, members, await this.#read(handle, watched))
    } catch {
      // An event told of the failure.
      this.#endIfOver(handle, watched)
    }
  }

  #judge(handle: string, watched: Watched, members: readonly Member[], record: SessionRecord | undefined): void {
    const isExpired = record === undefined && watched.deadline <= this.#engine().settings.clock()
    for (const member of members) {
      if (!watched.members.has(member) || isTheirs(member, record)) continue
      this.#end(handle, watched, member, isExpired ? 'expired' : reasonOf(this.#engine(), handle, member, record))
    }
    watched.deadline = record?.idleDeadline ?? watched.deadline
    this.#checkAtDeadline(handle, watched)
  }

  #checkAtDeadline(handle: string, watched: Watched): void {
    clearTimeout(watched.timer)
    const wait = Math.max(watched.deadline - this.#engine().settings.clock(), 1)
    if (watched.members.size === 0 || wait > LOOK_INTERVAL) return
    watched.timer = setTimeout(() => void this.#check(handle, watched), wait).unref()
  }

  /** Returns the record, if it lives and its user's credentials are still those of the login. */
  async #read(handle: string, watched: Watched): Promise<SessionRecord | undefined> {
    const engine = this.#engine()
    const record = await readLiveRecord(engine, handle)
    if (record === undefined) return undefined
    const looked = lookedAt(record, watched)
    if (!isCheckDue(engine, looked)) return record
    watched.checkedAt = engine.settings.clock()
    const checked = await checkUser(engine, looked)
    if (typeof checked === 'object') return record
    await engine.users.revoke(handle, looked.userId, checked)
    return undefined
  }
}

/** Tells whether the user of a session is to be asked for, although this process may have asked meanwhile. */
function isLookDue(engine: Engine, record: SessionRecord, watched: Watched): boolean {
  // The record alone tells it for most sessions, and needs no copy.
  return isCheckDue(engine, record) && isCheckDue(engine, lookedAt(record, watched))
}

/** Returns a record with the instant at which this process compared the credentials, if that is later. */
function lookedAt(record: SessionRecord, { checkedAt }: Watched): SessionRecord {
  const { acting, authCheckedAt } = record
  return {
    ...record,
    authCheckedAt: Math.max(authCheckedAt, checkedAt),
    ...(acting && { acting: { ...acting, authCheckedAt: Math.max(acting.authCheckedAt, checkedAt) } }),
  }
}
