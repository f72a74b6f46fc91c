import { parentOf } from '../../lib/session/id.ts'
import type { PresentedId } from '../../lib/session/id.ts'
import type { SessionRecord } from '../../types/index.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** The answer to an id: it opens the session, it ends the session, or it does neither. */
export type Answer = 'open' | 'end' | 'nothing'

/** An id that the table knows, and how it was shown first. */
interface Known {
  readonly hash: string
  readonly parent: string
  readonly generation: number
  readonly shownAt: number
  readonly isTied: boolean
}

interface Rival {
  readonly hash: string
  readonly since: number
  readonly isTied: boolean
}

/**
 * The table of ids in `lib/session/README.md`, written once more from its rows, for sessions that are not bound. It
 * says what each show of an id does, and what the session learns from it.
 */
export class IdTable {
  #confirmed: Known
  #tip: Known | undefined
  #rivals: readonly Rival[]
  #headAt: number
  #usedAt: number
  #isOver = false
  /** Tells whether a replaced id came back, so that the login counts as recent no more. */
  isForked: boolean

  constructor({ secretHash, parent, generation, shownAt, isTied, tip, rivals, ...rest }: SessionRecord) {
    this.#confirmed = { hash: secretHash, parent, generation, shownAt, isTied }
    const ofTip = { parent: parentOf(secretHash), generation: generation + 1 }
    this.#tip = tip === null ? undefined : { ...ofTip, hash: tip.secretHash, shownAt: tip.shownAt, isTied: tip.isTied }
    this.#rivals = rivals.map((rival) => ({ ...rival, hash: rival.secretHash }))
    this.#headAt = rest.headAt
    this.#usedAt = Math.max(rest.headAt, rest.lastSeenAt)
    this.isForked = rest.isForked
  }

  /** Answers an id of the present login. */
  show(id: PresentedId, isTied: boolean, now: number): Answer {
    const answer = this.#isOver ? 'nothing' : this.#judge(id, isTied, now)
    if (answer === 'open') this.#usedAt = now
    if (answer === 'end') this.#isOver = true
    return answer
  }

  #judge(id: PresentedId, isTied: boolean, now: number): Answer {
    const name = parentOf(id.secretHash)
    const rival = this.#rivalOf(id, name)
    if (rival !== undefined) return this.#judgeRival(id, rival, isTied, now)
    const { hash, parent, generation, shownAt } = this.#confirmed
    if (id.secretHash === hash) return this.#judgeConfirmed(id, isTied, now)
    if (id.secretHash === this.#tip?.hash) return this.#judgeTip(now)
    if (id.parent === parentOf(hash)) return this.#judgeRenewal(id, isTied, now)
    if (id.generation > generation) return this.#confirm(id, isTied, now)
    if (name === parent) {
      if (now < shownAt + windowOf(isTied)) return 'open'
      return isTied ? this.#fork(id, now) : 'end'
    }
    if (id.generation === generation && id.parent === parent) return isTied ? this.#addRival(id, isTied, now) : 'end'
    return isTied && now >= this.#usedAt + 10 * MINUTE ? 'nothing' : 'end'
  }

  /** Keeps the newest rivals. */
  #remember(rivals: readonly Rival[]): void {
    this.#rivals = rivals.slice(-4)
  }

  /** Returns the rival that an id is, or is a renewal of. */
  #rivalOf(id: PresentedId, name: string): Rival | undefined {
    const itself = this.#rivals.find(({ hash }) => hash === id.secretHash)
    if (itself !== undefined) return itself
    // The ids next to the confirmed one are judged by their own rows.
    const near = [parentOf(this.#confirmed.hash), this.#confirmed.parent]
    if (near.includes(id.parent) || name === this.#confirmed.parent) return undefined
    return this.#rivals.find(({ hash }) => parentOf(hash) === id.parent)
  }

  #judgeRival(id: PresentedId, rival: Rival, isTied: boolean, now: number): Answer {
    const closesAt = rival.since + windowOf(rival.isTied && isTied)
    if (now < closesAt) return 'open'
    if (this.#headAt >= closesAt) return 'end'
    const { hash } = this.#confirmed
    const lost = (one: string): Rival => ({ ...rival, hash: one })
    const rest = this.#rivals.filter((one) => one.hash !== id.secretHash)
    const losers = [this.#tip?.hash, hash].filter((one) => one !== undefined && one !== id.secretHash) as string[]
    const isRenewal = id.parent === parentOf(hash)
    const gone = isRenewal ? losers.slice(0, 1) : losers
    this.#remember([...rest, ...gone.map(lost)])
    if (isRenewal) this.#tip = knownBy(id, isTied, now)
    else if (id.secretHash === hash) this.#tip = undefined
    else this.#confirm(id, isTied, now)
    this.#headAt = now
    return 'open'
  }

  #judgeConfirmed(id: PresentedId, isTied: boolean, now: number): Answer {
    if (this.#tip === undefined) {
      this.#headAt = now
      return 'open'
    }
    if (isTied) return this.#fork(id, now)
    return now < this.#tip.shownAt + 30 * SECOND ? 'open' : 'end'
  }

  #judgeTip(now: number): Answer {
    this.#headAt = now
    if (this.#tip !== undefined && now >= this.#tip.shownAt + MINUTE) {
      this.#confirmed = this.#tip
      this.#tip = undefined
    }
    return 'open'
  }

  #judgeRenewal(id: PresentedId, isTied: boolean, now: number): Answer {
    if (this.#tip === undefined) {
      this.#tip = knownBy(id, isTied, now)
      this.#headAt = now
      return 'open'
    }
    return isTied || now - id.issuedAt <= 5 * MINUTE ? this.#addRival(id, isTied, now) : 'end'
  }

  #confirm(id: PresentedId, isTied: boolean, now: number): Answer {
    this.#confirmed = knownBy(id, isTied, now)
    this.#tip = undefined
    this.#headAt = now
    return 'open'
  }

  #fork(id: PresentedId, now: number): Answer {
    this.isForked = true
    return this.#addRival(id, true, now)
  }

  #addRival({ secretHash: hash }: PresentedId, isTied: boolean, now: number): Answer {
    const isBothTied = isTied && (this.#tip ?? this.#confirmed).isTied
    this.#remember([...this.#rivals.filter((one) => one.hash !== hash), { hash, since: now, isTied: isBothTied }])
    return 'open'
  }
}

/** Returns how long two ids are served side by side. */
function windowOf(isTied: boolean): number {
  return isTied ? 150 * SECOND : 30 * SECOND
}

function knownBy({ secretHash, parent, generation }: PresentedId, isTied: boolean, now: number): Known {
  return { hash: secretHash, parent, generation, shownAt: now, isTied }
}
