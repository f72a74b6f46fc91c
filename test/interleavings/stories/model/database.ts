import type { Rules, User } from '../story.ts'
import { Refused } from './refused.ts'
import type { Known, Session } from './session.ts'
import { SKEW } from './session.ts'

const MINUTE = 60_000

/** A user in the database of the app. */
export interface Account {
  called: string
  password: number
  isThere: boolean
}

/** An answer of the database about the user of a session, which the process remembers. */
export interface Answer {
  readonly userId: User
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

/** The database of the app, and what a process remembers of its answers. */
export class Database {
  readonly accounts: Record<User, Account> = {
    alice: { called: 'Alice', password: 0, isThere: true },
    bob: { called: 'Bob', password: 0, isThere: true },
  }
  readonly answers = new Map<string, Answer>()
  /** The number of times that somebody asked for a user. */
  questions = 0
  readonly #rules: Rules
  readonly #now: () => number

  constructor(rules: Rules, now: () => number) {
    this.#rules = rules
    this.#now = now
  }

  /**
   * Returns the password of a user for a login, or the fingerprint that the app gives; `undefined` if nobody asks for
   * passwords.
   * @throws `Refused` if there is no such user
   */
  credentials(user: User, given?: string): string | undefined {
    if (given !== undefined) return given
    const { password, isThere } = this.accounts[user]
    if (this.#rules.asks === undefined) return undefined
    this.questions += 1
    if (!isThere) throw new Refused('SESSION_AUTH_HASH_UNSET')
    return String(password)
  }

  /**
   * Asks for the users of a session where they are due. Returns what is known of its users; or why the session ends.
   */
  checked(session: Session, isStaleFine: boolean): Checked | 'user-gone' | 'auth-hash' {
    const { user, actor, handle } = session
    const { asks } = this.#rules
    if (asks === undefined || user === undefined) return { isNew: false }
    const both = [[handle, user] as const, ...(actor === undefined ? [] : [[`${handle} actor`, actor] as const])]
    const isDue = !isStaleFine && both.some(([key, one]) => this.#isDue(key, one))
    const answers = both.map(([key, one]) => (isDue ? this.#ask(key, one) : this.#knownOf(key, one)))
    const gone = answers.find((one) => typeof one === 'string')
    if (gone !== undefined) return gone
    const known = answers.filter((one) => typeof one !== 'string')
    const isNew = known.some((one, place) => one !== undefined && one.called !== both[place]?.[1].called)
    // A user who was not asked for, and who is as the session says, teaches it nothing.
    return isDue || isNew ? { user: known[0], actor: known[1], isNew } : { isNew }
  }

  /** Returns the answer about the user as the session knows them. */
  #knownOf(key: string, { userId, called }: Known): Answer | undefined {
    const answer = this.answers.get(key)
    return answer?.userId === userId && answer.from === called ? answer : undefined
  }

  #isDue(key: string, user: Known): boolean {
    const { userId, password, checkedAt, userAt } = user
    const limit = this.#rules.asks === '0s' ? 0 : 10 * MINUTE
    const answer = this.answers.get(key)
    const shownAt = Math.max(checkedAt, userAt, this.#knownOf(key, user)?.at ?? 0)
    const askedAt = Math.max(
      checkedAt,
      answer !== undefined && answer.userId === userId && answer.password === password ? answer.at : 0,
    )
    return [shownAt, askedAt].some((at) => this.#now() - at >= limit || this.#now() - at < -SKEW)
  }

  #ask(key: string, user: Known): Answer | 'user-gone' | 'auth-hash' {
    const { userId, called, password } = user
    const account = this.accounts[userId]
    this.questions += 1
    if (!account.isThere) return 'user-gone'
    if (String(account.password) !== password) return 'auth-hash'
    const at = this.#now()
    const answer = { userId, from: called, called: account.called, at, password }
    const known = this.#knownOf(key, user)
    const isNewer = known === undefined || known.at <= at || known.at > at + SKEW
    if (isNewer) this.answers.set(key, answer)
    return answer
  }
}
