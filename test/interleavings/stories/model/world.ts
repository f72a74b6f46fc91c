import type { PresentedId } from '../../../../lib/session/id.ts'
import { IdTable } from '../../id-table.ts'
import type { Rules, User } from '../story.ts'
import type { Known, Session, Times } from './session.ts'
import { beganAt, endsWith, HURRIED, isOver, personOf, SKEW, USUAL } from './session.ts'

const MINUTE = 60_000

/** The time by which `revokeAll` looks ahead. */
const AHEAD = 30_000

/** The number of sessions of a user other than alice, where the limit is a function. */
export const OTHERS_LIMIT = 3

/** A session that is stored, and its ids. The ids are absent until the response that carries the first one. */
export interface Stored {
  session: Session
  ids: IdTable | undefined
  /** The number of changes of its id that were taken back. */
  undone: number
}

/** A user in the database of the app. */
export interface Account {
  called: string
  password: number
  isThere: boolean
}

/** An answer of the database about the user of a session, which the process remembers. */
export interface Answer {
  readonly from: string
  readonly called: string
  readonly at: number
  readonly password: string | undefined
}

/** The answers about the users of a session, and whether they say anything new. */
export interface Checked {
  readonly user?: Answer | undefined
  readonly actor?: Answer | undefined
  readonly isNew: boolean
}

/** Returns a session with what is known of its users. */
export function informed(session: Session, { user, actor }: Checked): Session {
  return { ...session, user: withAnswer(session.user, user), actor: withAnswer(session.actor, actor) }
}

function withAnswer<One extends Known>(one: One | undefined, answer: Answer | undefined): One | undefined {
  if (one === undefined || answer === undefined) return one
  return { ...one, called: answer.called, checkedAt: Math.max(one.checkedAt, answer.at) }
}

/** An error with its code. */
export class Refused extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** The sessions of an app, as the guides say that they are. */
export class World {
  readonly rules: Rules
  readonly now: () => number
  readonly accounts: Record<User, Account> = {
    alice: { called: 'Alice', password: 0, isThere: true },
    bob: { called: 'Bob', password: 0, isThere: true },
  }
  /** Everything that is stored. */
  readonly stored = new Set<Stored>()
  readonly answers = new Map<string, Answer>()
  /** Ids that a login replaced, so that late responses leave the cookie alone. */
  readonly replaced = new Set<string>()
  cutoff = 0
  readonly #expired = new Set<string>()

  constructor(rules: Rules, now: () => number) {
    this.rules = rules
    this.now = now
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
    this.answers.clear()
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
    if (!this.rules.isAliceHurried) return undefined
    return user === 'alice' ? HURRIED : USUAL
  }

  /** Returns a user as `loadUser` finds them, or as the app gives them to `login`. */
  credentials(user: User): string | undefined {
    const { password, isThere } = this.accounts[user]
    if (this.rules.asks === undefined) return undefined
    if (!isThere) throw new Refused('SESSION_AUTH_HASH_UNSET')
    return String(password)
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
    for (const one of this.#counted(user, own)) if (this.#isUnseen(one)) this.stored.delete(one)
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
    for (const one of others.slice(this.limitOf(user) - 1)) this.stored.delete(one)
  }

  /** Ends every session of a user but one. Returns their number. */
  endUser(user: User, except: Stored | undefined): number {
    const isOpen = ({ half }: Session): boolean => half === undefined || this.now() < half.until
    const ended = this.alive.filter((one) => one !== except && endsWith(one.session, user) && isOpen(one.session))
    for (const one of ended) this.stored.delete(one)
    return ended.length
  }

  /** Ends every session that began before an instant, or all. */
  revokeAll(before: number | undefined, except: Stored | undefined): void {
    const now = this.now()
    const asked = before ?? Math.max(now + AHEAD, this.cutoff + 1)
    if (except !== undefined) {
      const { session } = except
      except.session = { ...session, sparedAt: Math.max(asked, session.sparedAt) }
    }
    this.cutoff = Math.max(this.cutoff, asked)
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
      if (actor?.userId === userId) one.session = { ...one.session, actor: { ...actor, ...snapshot } }
      else if (user?.userId === userId) one.session = { ...one.session, user: { ...user, ...snapshot } }
      else continue
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
  }

  /**
   * Asks for the users of a session where they are due. Returns what is known of its users; `undefined` if one of them
   * is gone or has another password.
   */
  checked(session: Session, isStaleFine: boolean): Checked | undefined {
    const { user, actor, handle } = session
    const { asks } = this.rules
    if (asks === undefined || user === undefined) return { isNew: false }
    const both = [[handle, user] as const, ...(actor === undefined ? [] : [[`${handle} actor`, actor] as const])]
    const isDue = !isStaleFine && both.some(([key, one]) => this.#isDue(key, one))
    if (isDue) {
      for (const [key, one] of both) if (!this.#ask(key, one)) return undefined
    }
    const known = both.map(([key, one]) => this.#knownOf(key, one))
    const isNew = known.some((one, place) => one !== undefined && one.called !== both[place]?.[1].called)
    // A user who was not asked for, and who is as the session says, teaches it nothing.
    return isDue || isNew ? { user: known[0], actor: known[1], isNew } : { isNew }
  }

  #knownOf(key: string, { called }: Known): Answer | undefined {
    const answer = this.answers.get(key)
    return answer?.from === called ? answer : undefined
  }

  #isDue(key: string, { called, password, checkedAt, userAt }: Known): boolean {
    const limit = this.rules.asks === '0s' ? 0 : 10 * MINUTE
    const answer = this.answers.get(key)
    const shownAt = Math.max(checkedAt, userAt, answer?.from === called ? answer.at : 0)
    const askedAt = Math.max(checkedAt, answer !== undefined && answer.password === password ? answer.at : 0)
    return [shownAt, askedAt].some((at) => this.now() - at >= limit || this.now() - at < -SKEW)
  }

  #ask(key: string, { userId, called, password }: Known): boolean {
    const account = this.accounts[userId]
    if (!account.isThere || String(account.password) !== password) return false
    const at = this.now()
    const known = this.answers.get(key)
    const isNewer = known === undefined || known.from !== called || known.at <= at || known.at > at + SKEW
    if (isNewer) this.answers.set(key, { from: called, called: account.called, at, password })
    return true
  }
}
