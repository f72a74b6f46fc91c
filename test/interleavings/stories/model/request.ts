import type { PresentedId } from '../../../../lib/session/id.ts'
import type { Data, Session } from './session.ts'
import { blank, isOver } from './session.ts'
import type { Checked } from './database.ts'
import { informed } from './database.ts'
import { usersOf } from './news.ts'
import { Refused } from './refused.ts'
import type { Stored, World } from './world.ts'

const GRACE = 30_000

/** The client that sends a request, and the route that answers. */
export interface Sender {
  readonly look: string
  readonly isPassive: boolean
  /** Tells whether the response starts before the handler runs. */
  readonly isLate: boolean
  /** Tells whether the route never asks for users. */
  readonly isStaleFine: boolean
}

/** A change of the id that waits for the response. */
export interface Staged {
  readonly kind: 'login' | 'confirm' | 'half' | 'fingerprint' | 'regenerate' | 'act' | 'return'
  apply(session: Session): Session
}

/** A session that nobody is told of. */
const UNNAMED: Stored = { session: blank(0, ''), ids: undefined, latestId: 0, undone: 0 }

type Draft = Record<string, number>
type Sent = 'none' | 'clear' | 'new' | 'renewed'

/** The situation before a change of the id that a failed response takes back. */
interface WayBack {
  readonly before: Stored | undefined
  readonly written: Stored
  readonly cookie: Sent
  readonly state: ExpectedRequest['state']
  /** The data that the last of the changes wrote. */
  readonly data: Data
}

/**
 * One request, as the guides say that it goes. The calls of its handler are in `calls.ts`, what it writes is in
 * `write.ts`, and what its app sees is in `facts.ts`.
 */
export class ExpectedRequest {
  readonly world: World
  readonly sender: Sender
  state: 'none' | 'gone' | 'superseded' | 'outdated' | 'live' = 'none'
  own: Stored | undefined
  /** The session as this request has read or written it. */
  base: Session | undefined
  staged: Staged | undefined
  /** Another snapshot of the same user. */
  called: string | undefined
  isTouched = false
  isDestroyed = false
  data: Draft = {}
  /** The steps by which changes of the id took something away from the data. */
  cuts: ((data: Draft) => Draft)[] = []
  /** The data from before them. */
  uncut: Pick<ExpectedRequest, 'data' | 'isDestroyed'> | undefined
  cookie: Sent = 'none'
  /** The id that was shown. It teaches the session until the request has changed the id. */
  shown: PresentedId | undefined
  checked: Checked = { isNew: false }
  /** Tells whether the id shows a copy, and the app lets copied sessions go on. */
  isSteppedUp = false
  isTaught = false
  isRenewed = false
  wayBack: WayBack | undefined
  /** The handle that the id names. */
  named = ''
  #shownHash: string | undefined

  constructor(world: World, sender: Sender) {
    this.world = world
    this.sender = sender
  }

  get now(): number {
    return this.world.now()
  }

  /** Tells whether the client looks like the owner of the ids. */
  get isTied(): boolean {
    return this.own?.session.owner === this.sender.look
  }

  /** The session as the app sees it. */
  get draft(): Session {
    const base = this.base ?? blank(this.now, this.sender.look)
    const known = this.called === undefined ? base : renamed(base, this.called)
    return this.staged?.apply(known) ?? known
  }

  /** Follows an id to its session. */
  load(id: PresentedId | undefined): void {
    if (id === undefined) return
    this.#shownHash = id.secretHash
    this.named = id.handle
    const own = this.world.find(id.handle)
    if (own?.ids === undefined) return this.#goNowhere()
    const { session, ids } = own
    if (id.epoch !== session.epoch) {
      const isRecent = id.epoch < session.epoch && this.now - ids.issuedAt < GRACE
      this.state = isRecent ? 'superseded' : 'none'
      return
    }
    this.own = own
    const table = ids.copy()
    table.noteUse(session.lastSeenAt)
    const answer = table.show(id, this.isTied, this.now)
    this.isSteppedUp = answer === 'end' && this.world.rules.copied === 'step-up'
    const users = { userId: session.user?.userId ?? null, actorId: session.actor?.userId }
    if (answer === 'end') this.world.tell('replay', own, { ...users, detail: this.isSteppedUp ? 'goes on' : 'ended' })
    if (answer === 'end' && !this.isSteppedUp) {
      if (session.user !== undefined) this.world.revoke(own, 'replay')
      return this.#goNowhere()
    }
    if (table.isFork || answer === 'nothing') {
      this.world.tell('fork', own, { ...users, detail: answer === 'nothing' ? 'refused' : 'served' })
    }
    if (answer === 'nothing') {
      this.state = 'outdated'
      return
    }
    const checked = this.world.database.checked(session, this.sender.isStaleFine)
    if (typeof checked === 'string') {
      this.world.revoke(own, checked)
      return this.#goNowhere()
    }
    this.state = 'live'
    this.shown = id
    this.checked = checked
    // A limit that refuses has to know whether the id reached anybody.
    const isNoted = this.world.rules.limit?.onLimit === 'refuse' && !session.isShown
    this.isTaught = isNoted || (this.isSteppedUp ? !session.isForked : table.isTaught)
    const isFork = this.isSteppedUp || (table.isForked && !ids.isForked)
    this.base = { ...informed(session, checked), isForked: session.isForked || isFork }
    this.data = { ...this.base.data }
  }

  /** Ends the session, if there still is one: the id opens nothing any more. */
  #goNowhere(): void {
    if (this.own !== undefined) this.world.stored.delete(this.own)
    this.own = undefined
    this.state = 'gone'
    this.cookie = 'clear'
  }

  /** Notes that the request has changed the id, or begun a session. */
  replaceId(own: Stored, before: Stored | undefined): void {
    if (this.#shownHash !== undefined) this.world.replaced.add(this.#shownHash)
    // Several changes of one response are taken back together.
    const first = this.wayBack ?? { before, written: own, cookie: this.cookie, state: this.state }
    this.wayBack = { ...first, data: own.session.data }
    this.cookie = 'new'
    this.state = 'live'
    this.shown = undefined
    this.checked = { isNew: false }
  }

  /** Forgets what waited, because it is written. */
  noteWritten(session: Session): void {
    this.base = session
    this.staged = undefined
    this.called = undefined
    this.isTouched = false
    this.cuts = []
    this.uncut = undefined
  }

  /** Begins anew in the same request. */
  forget(state: 'none' | 'superseded'): void {
    Object.assign(this, { state, own: undefined, base: undefined, staged: undefined, called: undefined })
    Object.assign(this, { isTouched: false, data: {}, cuts: [], uncut: undefined, isDestroyed: false })
  }

  /** Takes back what waits, and what a response that failed would have reported. */
  undo(): void {
    this.staged = undefined
    const back = this.wayBack
    if (back === undefined) return
    if (back.before === undefined) this.world.stored.delete(back.written)
    else if (!isOver(back.before.session, this.now)) {
      const { session, ids, latestId } = back.before
      const latest = back.written.session
      const isSame = session.user?.userId === latest.user?.userId
      // What was written after the change of the id stays.
      const data = isSame ? rebased(session.data, back.data, latest.data) : session.data
      back.written.undone += 1
      Object.assign(back.written, { session: { ...session, data }, ids, latestId })
    }
    this.cookie = back.cookie
    this.state = back.state
    this.wayBack = undefined
  }

  /** The cookie of the response. A login that replaced the id keeps late responses from clearing it. */
  get sent(): Sent {
    const isLeft = this.state === 'gone' && this.world.replaced.has(this.#shownHash ?? '')
    return this.cookie === 'clear' && isLeft ? 'none' : this.cookie
  }

  /** Ends the session now. */
  end(): void {
    if (this.state === 'superseded') throw new Refused('SESSION_SUPERSEDED')
    const { draft, base, own } = this
    const userId = draft.user?.userId
    if (userId !== undefined) {
      const actorId = base === undefined ? undefined : usersOf(base).actorId
      this.world.tell('logout', own ?? UNNAMED, { userId, actorId })
    }
    if (own !== undefined) {
      if (this.state === 'outdated' && own.session.user !== undefined) this.world.revoke(own, 'replay')
      this.world.stored.delete(own)
      this.cookie = 'clear'
      this.wayBack = undefined
    }
    this.forget('none')
  }
}

/** Returns data with what differs between two later versions of it. */
function rebased(data: Data, from: Data, to: Data): Data {
  const next = { ...data }
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const value = to[key]
    if (value === from[key]) continue
    if (value === undefined) delete next[key]
    else next[key] = value
  }
  return next
}

/** Returns a session whose user has another name, which is known since now. */
export function renamed(session: Session, called: string, now?: number): Session {
  const { user } = session
  return user === undefined
    ? session
    : { ...session, user: { ...user, called, ...(now !== undefined && { userAt: now }) } }
}
