import type { PresentedId } from '../../../../lib/session/id.ts'
import { IdTable } from '../../id-table.ts'
import type { Rules, Times, User } from '../story.ts'
import { Database } from './database.ts'
import type { News } from './news.ts'
import { usersOf } from './news.ts'
import { Refused } from './refused.ts'
import type { Session } from './session.ts'
import { beganAt, endsWith, isOver, personOf, SKEW } from './session.ts'

const MINUTE = 60_000

/** The time by which `revokeAll` looks ahead. */
const AHEAD = 30_000

/** The number of sessions of a user other than alice, where the limit is a function. */
export const OTHERS_LIMIT = 3

/** A session that is stored, and its ids. The ids are absent until the response that carries the first one. */
export interface Stored {
  session: Session
  ids: IdTable | undefined
  /** The latest instant at which an id was shown or issued, as it is stored. */
  latestId: number
  /** The number of changes of its id that were taken back. */
  undone: number
}

/** The sessions of an app, as the guides say that they are. */
export class World {
  readonly rules: Rules
  readonly now: () => number
  readonly database: Database
  /** The events since somebody asked. */
  news: News[] = []
  /** Everything that is stored. */
  readonly stored = new Set<Stored>()
  /** The sessions in the order in which they began. */
  readonly handles: string[] = []
  /** The kinds of clients that have logged a user in. */
  readonly devices = new Set<string>()
  /** Ids that a login replaced, so that late responses leave the cookie alone. */
  readonly replaced = new Set<string>()
  cutoff = 0
  readonly #expired = new Set<string>()

  constructor(rules: Rules, now: () => number) {
    this.rules = rules
    this.now = now
    this.database = new Database(rules, now)
  }

  /** Returns the sessions that live. */
  get alive(): Stored[] {
    return [...this.stored].filter(({ session }) => !isOver(session, this.now()))
  }

  /** Removes what is over by now, because somebody looked. Returns the handles of everything that ever was over. */
  sweep(): ReadonlySet<string> {
    for (const one of this.stored) {
      const { session } = one
      if (!isOver(session, this.now()) && beganAt(session) >= this.cutoff) continue
      this.stored.delete(one)
      this.#expired.add(session.handle)
    }
    return this.#expired
  }

  /** Forgets what the process remembered. */
  restart(): void {
    this.database.answers.clear()
    this.replaced.clear()
  }

  find(handle: string): Stored | undefined {
    return this.alive.find(({ session }) => session.handle === handle)
  }

  /** Returns the number of sessions that a user may have. */
  limitOf(user: User): number {
    const { limit } = this.rules
    if (limit === undefined) return Infinity
    return limit.isByUser && user !== 'alice' ? OTHERS_LIMIT : limit.count
  }

  /** Returns what the options say about the times of a user; `undefined` if no function is asked. */
  timesOf(user: User): Times | undefined {
    return this.rules.times?.[user]
  }

  /** Returns the sessions that count for the limit of a user. */
  #counted(user: User, except: Stored | undefined): Stored[] {
    return this.alive.filter((one) => one !== except && personOf(one.session) === user)
  }

  /** Takes a place for a login. A refusing limit ends sessions whose id nobody has shown for a minute. */
  reserve(user: User, own: Stored | undefined): void {
    const { limit } = this.rules
    if (limit?.onLimit !== 'refuse') return
    if (own !== undefined && personOf(own.session) === user) return
    if (this.#counted(user, own).length < this.limitOf(user)) return
    for (const one of this.#counted(user, own)) if (this.#isUnseen(one)) this.revoke(one, 'evicted')
    if (this.#counted(user, own).length >= this.limitOf(user)) throw new Refused('SESSION_LIMIT_REACHED')
  }

  #isUnseen({ session, ids }: Stored): boolean {
    const since = ids?.issuedAt ?? this.now()
    return !session.isShown && session.lastSeenAt <= since && since <= this.now() - MINUTE
  }

  /** Ends the sessions that were used longest ago, beyond the limit. */
  evict(user: User, own: Stored): void {
    const { limit } = this.rules
    if (limit?.onLimit !== 'evict') return
    const others = this.#counted(user, own).toSorted((a, b) => b.session.lastSeenAt - a.session.lastSeenAt)
    for (const one of others.slice(this.limitOf(user) - 1)) this.revoke(one, 'evicted')
  }

  /** Ends a session, and tells why. */
  revoke(one: Stored, reason: string, userId: User | null = null): void {
    this.stored.delete(one)
    const { user, actor } = one.session
    this.tell('revoke', one, { userId: user?.userId ?? userId, actorId: actor?.userId, detail: reason })
  }

  /** Tells listeners of something. The users are those of the session, where no others are named. */
  tell(type: News['type'], own: Stored | undefined, more: Partial<Omit<News, 'type' | 'own'>> = {}): void {
    this.news.push({ type, own, userId: null, actorId: undefined, detail: '', ...more })
  }

  /** Ends every session of a user but one. Returns their number. */
  endUser(user: User, except: Stored | undefined): number {
    const isOpen = ({ half }: Session): boolean => half === undefined || this.now() < half.until
    const ended = this.alive.filter((one) => one !== except && endsWith(one.session, user) && isOpen(one.session))
    for (const one of ended) this.revoke(one, 'revoked', user)
    return ended.length
  }

  /** Ends every session that began before an instant, or all. */
  revokeAll(before: number | undefined, except: Stored | undefined, hasSpared: boolean): void {
    const now = this.now()
    const asked = before ?? Math.max(now + AHEAD, this.cutoff + 1)
    if (except !== undefined) {
      const { session } = except
      except.session = { ...session, sparedAt: Math.max(asked, session.sparedAt) }
    }
    this.cutoff = Math.max(this.cutoff, asked)
    this.tell('revoke-all', except, { detail: hasSpared ? 'but one' : '' })
    for (const one of this.stored) {
      const { authenticatedAt, createdAt } = one.session
      const login = authenticatedAt ?? createdAt
      const isFromBefore = login < asked || (before === undefined && login > now + SKEW)
      if (one !== except && isFromBefore) this.stored.delete(one)
    }
  }

  /** Spares a session whose beginning was moved back to now, if it began after everybody was out. */
  spared(session: Session, before: Session): Session {
    const { cutoff } = this
    const isIn = beganAt(session) >= cutoff || beganAt(before) < cutoff
    const isUnsure = beganAt(before) > this.now() + SKEW && cutoff <= this.now() + AHEAD
    return isIn || isUnsure ? session : { ...session, sparedAt: cutoff }
  }

  /** Replaces the snapshot of a user in all sessions. Returns the number of sessions. */
  updateEverywhere(userId: User, called: string): number {
    let count = 0
    for (const one of this.alive) {
      const { user, actor } = one.session
      const snapshot = { called, userAt: this.now() }
      const told = actor === undefined ? { userId } : usersOf(one.session)
      if (actor?.userId === userId) one.session = { ...one.session, actor: { ...actor, ...snapshot } }
      else if (user?.userId === userId) one.session = { ...one.session, user: { ...user, ...snapshot } }
      else continue
      this.tell('user-updated', one, told)
      count += 1
    }
    return count
  }

  /** Returns the sessions in the list of a user, the last used first. */
  list(userId: User): Session[] {
    return this.alive
      .map(({ session }) => session)
      .filter(({ user, actor }) => user?.userId === userId || actor?.userId === userId)
      .toSorted((a, b) => b.lastSeenAt - a.lastSeenAt)
  }

  /** Takes the id over that a response carried. */
  adopt(one: Stored, { handle, secretHash }: PresentedId): void {
    one.session = { ...one.session, handle }
    one.ids = IdTable.begun({ secretHash }, this.now())
    one.latestId = this.now()
  }
}
