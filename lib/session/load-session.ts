import type { Answer } from '../storage/immediate.ts'
import type { SessionRecord } from '../../types/index.ts'
import type { OwnedRecord } from './actor.ts'
import { bothUsers } from './actor.ts'
import { checkUser, isCheckDue, knownUsers } from './credentials.ts'
import { bindingIdOf, isBindingShown } from './device-bound/binding.ts'
import { familyOf } from './device.ts'
import type { Lack } from './device-bound/proofs.ts'
import type { Client, Engine } from './engine.ts'
import type { Checked } from './fresh-users.ts'
import type { PresentedId } from './id.ts'
import { newHandle } from './id.ts'
import { expiredBy } from './lifetime.ts'
import { expire } from './live-record.ts'
import type { CookieChange } from './cookie-change.ts'
import { unlock } from './take-back.ts'
import type { CopySign, Presentation, Verdict } from './verdict.ts'
import { judge } from './verdict.ts'
import type { Evidence } from './device-bound/judge-proof.ts'

/** A record that a request may use. */
export interface LiveSession {
  readonly state: 'live'
  readonly record: SessionRecord
  /** The id that opened the record; `undefined` once this request has written the record. */
  readonly presented: Presentation | undefined
  readonly verdict: Verdict
  /** The user as `loadUser` found them, which the record does not know yet. */
  readonly checked: Checked | undefined
  /** The cookie that the response carries whatever it becomes, because the old session of this client ended. */
  readonly cookie?: CookieChange
}

/**
 * The session that a request's cookie leads to:
 * - `none`: no session, and nothing to say about the cookie;
 * - `gone`: the id was ours and its record no longer exists, so the cookie can be cleared;
 * - `shadowed`: a rotation replaced the id moments ago. A parallel response carries the new id, so this one leaves the
 *   cookie alone;
 * - `outdated`: the id is far behind the one in use. It opens nothing, and a login ends the record;
 * - `unproven`: the session is bound to a device, and the request came without the proof. It opens nothing, and nothing
 *   about the cookie is said, because the browser may only be late;
 * - `live`: the record, and the id that opened it.
 */
export type Loaded = { readonly state: 'none'; readonly secretHash?: string } | Gone | Named | Unproven | LiveSession

/** A session that an id names and does not open. */
interface Named {
  readonly state: 'shadowed' | 'outdated'
  readonly handle: string
  /** The hash of the secret of the id; absent where the request itself has lost the session. */
  readonly secretHash?: string
}

/** A bound session whose proof a request did not bring. */
export interface Unproven {
  readonly state: 'unproven'
  readonly handle: string
  readonly userId: string | null
  readonly secretHash?: string
}

/** An id whose record no longer exists. */
export interface Gone {
  readonly state: 'gone'
  /**
   * The hash of its secret. A cookie that no key of this app signed has a random name in place of the hash. Otherwise a
   * login with one such cookie would keep the cookies of others from being cleared.
   */
  readonly secretHash: string
  /** The instant at which the request arrived. */
  readonly since: number
}

/** Returns the hash of the secret that a request showed; `undefined` if it named no session, or opened nothing. */
export function hashShown(loaded: Loaded): string | undefined {
  return loaded.state === 'live' ? loaded.presented?.id.secretHash : loaded.secretHash
}

/** The facts of a client that its session is compared with. */
type Visitor = Pick<Client, 'userAgent' | 'ip' | 'isStaleUserFine' | 'connection' | 'cookieNamed'>

/** The outcome for a request without a session, whose cookie stays as it is. */
export const NONE: Loaded = { state: 'none' }

/** Returns the outcome for an id whose record no longer exists. */
export function goneSince(since: number, secretHash: string = newHandle()): Gone {
  return { state: 'gone', secretHash, since }
}

/**
 * Follows an id to a live record. Returns without a promise where no store has to be asked.
 * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_USER_UNAVAILABLE`
 */
export function loadSession(engine: Engine, id: PresentedId, visitor: Visitor): Answer<Loaded> {
  const recalled = recall(engine, id, visitor)
  if (recalled !== undefined) return recalled
  const show: Show = { id, visitor, since: engine.settings.clock() }
  const answer = engine.store.get(id.handle)
  return answer instanceof Promise
    ? answer.then((record) => follow(engine, show, record))
    : follow(engine, show, answer)
}

/**
 * Returns a cached session if it lets this id in unchanged. A cache may be old, so the store decides everything else.
 */
function recall(engine: Engine, id: PresentedId, visitor: Visitor): Loaded | undefined {
  const record = engine.store.recall(id.handle)
  if (record === undefined || expiredBy(record, engine.settings.clock()) !== undefined) return undefined
  if (isAsked(engine, record, visitor)) return undefined
  const presented = presentationOf(engine, record, id, visitor)
  const verdict = judge(record, presented, engine.settings.clock())
  if (verdict.kind !== 'enter' || verdict.change !== undefined) return undefined
  return withKnownUser(engine, { state: 'live', record, presented, verdict, checked: undefined })
}

/** A request that shows an id. */
interface Show {
  readonly id: PresentedId
  readonly visitor: Visitor
  /** The instant at which the request arrived. */
  readonly since: number
}

/** Returns the outcome if there is no record. */
function goneFrom({ id, since }: Show): Gone {
  return goneSince(since, id.secretHash)
}

function follow(engine: Engine, show: Show, record: SessionRecord | undefined): Answer<Loaded> {
  const { id, visitor } = show
  if (record === undefined) return goneFrom(show)
  const now = engine.settings.clock()
  const reason = expiredBy(record, now)
  if (reason !== undefined) return expire(engine, record, reason).then(() => goneFrom(show))
  if (record.heldBack !== null) return unlock(engine, record).then((restored) => follow(engine, show, restored))
  const presented = presentationOf(engine, record, id, visitor)
  const verdict = judge(record, presented, now)
  switch (verdict.kind) {
    case 'enter':
      if (verdict.isFork) reportFork(engine, record, show, true)
      return enter(engine, { state: 'live', record, presented, verdict, checked: undefined }, show)
    case 'end':
      return endCopied(engine, record, presented, verdict.sign, show)
    case 'refuse':
      reportFork(engine, record, show, false)
      return { state: 'outdated', handle: record.handle, secretHash: id.secretHash }
    case 'superseded':
      return { state: 'shadowed', handle: record.handle, secretHash: id.secretHash }
    case 'unknown':
      return { state: 'none', secretHash: id.secretHash }
    case 'unproven':
      reportUnproven(engine, record, show, verdict.lack)
      return { state: 'unproven', handle: record.handle, userId: record.userId, secretHash: id.secretHash }
  }
}

/** An id as a request shows it. A closure in place of the method would be made anew for each request. */
class ShownId implements Presentation {
  readonly id: PresentedId
  readonly isShowNoted: boolean
  readonly #engine: Pick<Engine, 'device' | 'settings'>
  readonly #family: string
  readonly #visitor: Visitor

  constructor(id: PresentedId, engine: Pick<Engine, 'device' | 'settings'>, family: string, visitor: Visitor) {
    this.id = id
    this.isShowNoted = engine.settings.maxSessions?.onLimit === 'refuse'
    this.#engine = engine
    this.#family = family
    this.#visitor = visitor
  }

  isTied(): boolean {
    return this.#family !== '' && this.#family === familyOf(this.#visitor.userAgent)
  }

  evidenceFor({ handle, deviceKey }: SessionRecord): Evidence {
    const { device, settings } = this.#engine
    if (deviceKey === null || device === undefined) return 'unbound'
    const { connection, cookieNamed } = this.#visitor
    const value = cookieNamed?.call(this.#visitor, device.cookieName) ?? ''
    const found = device.judgeCookie(value, handle, bindingIdOf(deviceKey), settings.clock(), connection)
    if (found === 'valid') return 'proven'
    // A browser that never got the bound cookie keeps its session.
    return isBindingShown(deviceKey) ? found : 'unbound'
  }
}

/** Returns an id as a request shows it to a record. */
export function presentationOf(
  engine: Pick<Engine, 'device' | 'settings'>,
  record: SessionRecord,
  id: PresentedId,
  visitor: Visitor,
): Presentation {
  return new ShownId(id, engine, record.family, visitor)
}

/** Lets a session in, once its user is known to exist and to have the credentials of the login. */
function enter(engine: Engine, live: LiveSession, show: Show): Answer<Loaded> {
  const { record } = live
  return isAsked(engine, record, show.visitor)
    ? enterChecked(engine, live, record, goneFrom(show))
    : withKnownUser(engine, live)
}

/** Tells whether the user has to be asked for, which a route may do without. */
function isAsked(engine: Engine, record: SessionRecord, visitor: Visitor): record is OwnedRecord {
  return isCheckDue(engine, record) && visitor.isStaleUserFine !== true
}

async function enterChecked(engine: Engine, live: LiveSession, record: OwnedRecord, gone: Gone): Promise<Loaded> {
  const checked = await checkUser(engine, record)
  if (typeof checked === 'object') return { ...live, checked }
  await engine.users.revoke(record.handle, record.userId, checked)
  return gone
}

/** Adds the newer user that this process knows, if any. */
function withKnownUser(engine: Engine, live: LiveSession): LiveSession {
  const checked = engine.settings.loadUser === undefined ? undefined : knownUsers(engine, live.record)
  return checked === undefined ? live : { ...live, checked }
}

/**
 * Ends a session of which two clients hold ids, because the copy cannot be told from the original. The store is asked
 * again first. A record out of a cache may be behind the id, or another request may have changed the record.
 */
async function endCopied(
  engine: Engine,
  record: SessionRecord,
  presented: Presentation,
  sign: CopySign,
  show: Show,
): Promise<Loaded> {
  const gone = goneFrom(show)
  const { userAgent, ip } = show.visitor
  const { users, events, settings } = engine
  const { handle, userId, generation, device } = record
  const { secretHash } = show.id
  const isEnded = settings.onCopiedSession === 'end'
  const both = bothUsers(record)
  const facts = { behind: generation - presented.id.generation, sign, device, client: { userAgent, ip } }
  if (!isEnded) {
    events.emit({ type: 'replay', handle, userId, ...both, isEnded, ...facts })
    const verdict: Verdict = { kind: 'enter', change: { isForked: true }, isFork: true, isRenewable: false }
    return enter(engine, { state: 'live', record, presented, verdict, checked: undefined }, show)
  }
  const isCopied = (latest: SessionRecord): boolean => judge(latest, presented, settings.clock()).kind === 'end'
  if ((await users.places.end(handle, isCopied, record, 'replay')) === undefined) {
    return { state: 'shadowed', handle, secretHash }
  }
  events.emit({ type: 'replay', handle, userId, ...both, isEnded, ...facts })
  await users.places.releaseAll(record)
  if (userId !== null) events.emit({ type: 'revoke', handle, ...both, userId, reason: 'replay' })
  return gone
}

function reportFork(
  { events }: Engine,
  record: SessionRecord,
  { id, visitor: { userAgent, ip } }: Show,
  isServed: boolean,
): void {
  const { handle, userId, generation, device } = record
  const facts = { behind: generation - id.generation, device, client: { userAgent, ip } }
  events.emit({ type: 'fork', handle, userId, ...bothUsers(record), isServed, ...facts })
}

/** Tells of a request that showed an id of a bound session without its proof, once a minute for each session. */
function reportUnproven(
  { events, device, settings }: Engine,
  record: SessionRecord,
  { visitor: { userAgent, ip } }: Show,
  reason: Lack,
): void {
  const { handle, userId } = record
  if (device?.isNews(handle, reason, settings.clock()) !== true) return
  const facts = { reason, device: record.device, client: { userAgent, ip } }
  events.emit({ type: 'proof-failed', handle, userId, ...bothUsers(record), ...facts })
}
