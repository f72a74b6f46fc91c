import { Recent } from '../storage/recent.ts'
import type { SessionRecord } from '../../types/index.ts'
import { MAX_SKEW } from '../storage/clocks.ts'

/** A user as `loadUser` found them. */
export interface LoadedUser {
  /** The snapshot as JSON. */
  readonly user: string
  /** The hash of what `authHash` returned; `undefined` without the option, or if that was no text. */
  readonly fingerprint: string | undefined
  /** The instant of the question. The answer may be older than its arrival, but not older than the question. */
  readonly at: number
}

/** A user that was asked for, and that the record does not know yet. */
export interface Checked {
  /** The snapshot in the record for which the user was asked. Another snapshot there is newer than the answer. */
  readonly from: string | null
  /** The snapshot as it is now. */
  readonly user: string
  readonly at: number
  /** The fingerprint with which the credentials were compared. */
  readonly authHash: string | null
  /** The actor, in a session that acts as another user. */
  readonly actor?: Omit<Checked, 'actor'>
}

/** The ages of a session's user: when the snapshot was true, and when the credentials were last compared. */
interface Ages {
  readonly userAt: number
  readonly checkedAt: number
}

/** A question for a user that is on its way. */
interface Question {
  readonly from: string | null
  readonly answer: Promise<LoadedUser | undefined>
}

/** The number of sessions whose last answer is remembered, and as many again. Any other session is asked for again. */
const REMEMBERED = 10_000

/**
 * Remembers how old the users of sessions are, because a write for each question would cost more than the question.
 * Parallel requests of a session share one question.
 */
export class FreshUsers {
  readonly #answers = new Recent<Checked>(REMEMBERED)
  readonly #questions = new Map<string, Question>()

  /** Returns the ages of a session's user, as the record and this process know them. */
  agesOf({ handle, user, authHash, authCheckedAt, userAt = 0 }: SessionRecord): Ages {
    const answer = this.#answers.get(handle)
    const isSameUser = answer !== undefined && answer.from === user
    const isSameHash = answer !== undefined && answer.authHash === authHash
    return {
      userAt: Math.max(authCheckedAt, userAt, isSameUser ? answer.at : 0),
      checkedAt: Math.max(authCheckedAt, isSameHash ? answer.at : 0),
    }
  }

  /** Returns the remembered answer, if the record does not know it. */
  recall({ handle, user }: SessionRecord): Checked | undefined {
    const answer = this.#answers.get(handle)
    return answer === undefined || answer.from !== user || answer.user === user ? undefined : answer
  }

  /**
   * Remembers an answer. An older answer never takes the place of a newer one, unless a clock was set back in between.
   */
  note({ handle, user, authHash }: SessionRecord, loaded: LoadedUser): Checked {
    const checked: Checked = { from: user, user: loaded.user, at: loaded.at, authHash }
    const known = this.#answers.get(handle)
    const isNewer = known === undefined || known.from !== user || known.at <= loaded.at
    if (isNewer || known.at > loaded.at + MAX_SKEW) this.#answers.set(handle, checked)
    return checked
  }

  /** Asks, or waits for the answer to the same question. A snapshot that was replaced meanwhile is another question. */
  ask(
    { handle, user }: SessionRecord,
    question: () => Promise<LoadedUser | undefined>,
  ): Promise<LoadedUser | undefined> {
    const asked = this.#questions.get(handle)
    if (asked !== undefined && asked.from === user) return asked.answer
    const mine: Question = { from: user, answer: question() }
    this.#questions.set(handle, mine)
    const forget = (): void => {
      if (this.#questions.get(handle) === mine) this.#questions.delete(handle)
    }
    mine.answer.then(forget, forget)
    return mine.answer
  }
}
