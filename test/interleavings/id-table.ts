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
  readonly issuedAt: number
  readonly shownAt: number
  readonly isTied: boolean
}

/** The part of a record that says which ids are in use. */
type Ids = Pick<
  SessionRecord,
  'secretHash' | 'parent' | 'generation' | 'rotatedAt' | 'shownAt' | 'isTied' | 'tip' | 'rivals' | 'headAt'
> &
  Pick<SessionRecord, 'lastSeenAt' | 'isForked'>

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
  /** Tells whether the session learned something from the last show. */
  isTaught = false
  /** Tells whether the last show was that of a replaced id, beside the newer one. */
  isFork = false
  /** Tells whether the id of the last show may be renewed. */
  isRenewable = false
  #confirmed: Known
  #tip: Known | undefined
  #rivals: readonly Rival[]
  #headAt: number
  /** The last use of the session, as far as it is known. */
  #usedAt: number
  #isOver = false
  /** Tells whether a replaced id came back, so that the login counts as recent no more. */
  isForked: boolean

  constructor({ secretHash, parent, generation, rotatedAt, shownAt, isTied, tip, rivals, ...rest }: Ids) {
    this.#confirmed = { hash: secretHash, parent, generation, issuedAt: rotatedAt, shownAt, isTied }
    const ofTip = { parent: parentOf(secretHash), generation: generation + 1 }
    this.#tip = tip === null ? undefined : { ...ofTip, ...tip, hash: tip.secretHash }
    this.#rivals = rivals.map((rival) => ({ ...rival, hash: rival.secretHash }))
    this.#headAt = rest.headAt
    this.#usedAt = Math.max(rest.headAt, rest.lastSeenAt)
    this.isForked = rest.isForked
  }

  /** Returns the table of a session that a login has just given this id. */
  static begun({ secretHash }: Pick<PresentedId, 'secretHash'>, now: number): IdTable {
    const id = { secretHash, parent: '', generation: 0, rotatedAt: now, shownAt: 0, isTied: true, tip: null }
    return new IdTable({ ...id, rivals: [], headAt: now, lastSeenAt: now, isForked: false })
  }

  /** The instant at which the id was issued that counts. */
  get issuedAt(): number {
    return this.#confirmed.issuedAt
  }

  /** The latest instant that the table knows. */
  get latest(): number {
    const { issuedAt, shownAt } = this.#confirmed
    return Math.max(issuedAt, shownAt, this.#headAt, this.#tip?.shownAt ?? 0, ...this.#rivals.map(({ since }) => since))
  }

  /** Returns a table that knows the same. */
  copy(): IdTable {
    const { hash: secretHash, issuedAt: rotatedAt, ...confirmed } = this.#confirmed
    const tip = this.#tip === undefined ? null : { ...this.#tip, secretHash: this.#tip.hash }
    const rivals = this.#rivals.map((rival) => ({ ...rival, secretHash: rival.hash }))
    const rest = { tip, rivals, headAt: this.#headAt, lastSeenAt: this.#usedAt, isForked: this.isForked }
    return new IdTable({ ...confirmed, ...rest, secretHash, rotatedAt })
  }

  /** Takes over the last use that the session has written. The show of the id in use counts as one. */
  noteUse(at: number): void {
    this.#usedAt = Math.max(this.#headAt, at)
  }

  /** Forgets instants that have not come yet, because the clock was set back. */
  setBack(now: number): void {
    const known = ({ issuedAt, shownAt, ...id }: Known): Known => ({
      ...id,
      issuedAt: Math.min(issuedAt, now),
      shownAt: Math.min(shownAt, now),
    })
    this.#confirmed = known(this.#confirmed)
    this.#tip = this.#tip && known(this.#tip)
    this.#rivals = this.#rivals.map((rival) => ({ ...rival, since: Math.min(rival.since, now) }))
    this.#headAt = Math.min(this.#headAt, now)
  }

  /** Answers an id of the present login. */
  show(id: PresentedId, isTied: boolean, now: number): Answer {
    this.isTaught = false
    this.isFork = false
    this.isRenewable = false
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
    this.isTaught = true
    this.#rivals = rivals.slice(-4)
  }

  /** Notes a show of the id in use, which counts where a window has closed since the show before. */
  #showHead(now: number): void {
    const ends = this.#rivals.flatMap(({ since, isTied }) => [since + windowOf(isTied), since + windowOf(false)])
    this.isTaught ||= ends.some((end) => this.#headAt < end && now >= end)
    this.#headAt = now
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
    this.isRenewable = !isRenewal
    if (isRenewal) this.#tip = knownBy(id, isTied, now)
    else if (id.secretHash === hash) this.#tip = undefined
    else this.#confirm(id, isTied, now)
    this.#headAt = now
    return 'open'
  }

  #judgeConfirmed(id: PresentedId, isTied: boolean, now: number): Answer {
    if (this.#tip === undefined) {
      this.#showHead(now)
      this.isRenewable = true
      return 'open'
    }
    if (isTied) return this.#fork(id, now)
    return now < this.#tip.shownAt + 30 * SECOND ? 'open' : 'end'
  }

  #judgeTip(now: number): Answer {
    this.#showHead(now)
    if (this.#tip !== undefined && now >= this.#tip.shownAt + MINUTE) {
      this.isTaught = true
      this.isRenewable = true
      this.#confirmed = this.#tip
      this.#tip = undefined
    }
    return 'open'
  }

  #judgeRenewal(id: PresentedId, isTied: boolean, now: number): Answer {
    if (this.#tip === undefined) {
      this.isTaught = true
      this.#tip = knownBy(id, isTied, now)
      this.#headAt = now
      return 'open'
    }
    return isTied || now - id.issuedAt <= 5 * MINUTE ? this.#addRival(id, isTied, now) : 'end'
  }

  #confirm(id: PresentedId, isTied: boolean, now: number): Answer {
    this.isTaught = true
    this.#confirmed = knownBy(id, isTied, now)
    this.#tip = undefined
    this.#headAt = now
    return 'open'
  }

  #fork(id: PresentedId, now: number): Answer {
    this.isForked = true
    this.isFork = true
    this.isTaught = true
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

function knownBy({ secretHash, parent, generation, issuedAt }: PresentedId, isTied: boolean, now: number): Known {
  return { hash: secretHash, parent, generation, issuedAt, shownAt: now, isTied }
}
