import { SecureSessionError } from '../errors.ts'
import type { SessionRecord } from '../../types/index.ts'
import type { Renewed, Written } from './commit.ts'
import type { CookieChange } from './cookie-change.ts'
import type { Client } from './engine.ts'
import type { Checked } from './fresh-users.ts'
import type { Lifetimes } from '../options.ts'
import type { LiveSession, Loaded } from './load-session.ts'
import { hashShown, NONE } from './load-session.ts'
import type { Rotation } from './next-record.ts'
import { isUpkeepDue } from './next-record.ts'
import type { WayBack } from './take-back.ts'
import { refuseUnproven } from './unproven.ts'
import { SERVE } from './verdict.ts'

/** The message of a response about the session: cookie and caching headers. */
export interface SessionResponse {
  readonly cookie: CookieChange | undefined
  /** The new id of a client that brings its id in a header; empty if its id opens nothing any more. */
  readonly renewedId: string | undefined
  /** Tells whether the app has read the new id, which is in its reply then. */
  readonly isTokenRead: boolean
  /** Tells whether the app looked at the session, so that the response depends on the cookie. */
  readonly isRead: boolean
  /** Tells whether this request logged the user out. */
  readonly isLoggedOut: boolean
}

/** The parts of the engine that decide on clearing a cookie. */
export interface CookieRules {
  readonly settings: { clock(): number }
  readonly replacedIds: { get(secretHash: string): true | undefined }
}

/** The state of one request's session. A change is a new state. */
export interface RequestState {
  /** The session that the cookie led to, or that this request wrote last. */
  readonly loaded: Loaded
  /** The hash of the id that the request came with. */
  readonly shown: string | undefined
  /** The change of the cookie that the response carries. */
  readonly cookie: CookieChange | undefined
  /** A change of id that waits for the response. */
  readonly rotation: Rotation | undefined
  /** A snapshot of the same user, as JSON, that waits for the response. */
  readonly user: string | undefined
  /** Tells whether the app asked for a new idle deadline. */
  readonly isTouched: boolean
  /** Tells whether the client brings its id in a header. */
  readonly isByHeader: boolean
  /** A committed rotation, and the state before it. */
  readonly committed: { readonly wayBack: WayBack; readonly before: RequestState } | undefined
}

/** Returns the state of a request that did nothing yet. */
export function initialState(loaded: Loaded, isByHeader: boolean): RequestState {
  const moved = loaded.state === 'live' ? loaded.cookie : undefined
  const cookie: CookieChange | undefined = loaded.state === 'gone' ? { kind: 'clear' } : moved
  const shown = hashShown(loaded)
  return {
    loaded,
    shown,
    cookie,
    rotation: undefined,
    user: undefined,
    isTouched: false,
    isByHeader,
    committed: undefined,
  }
}

/** The time after which a response no longer renews or clears the cookie, in milliseconds. */
const MAX_COOKIE_DELAY = 1_000

/**
 * Returns the change of the cookie for a response whose headers are written now. A renewed id is sent within one second
 * or not at all. A dead id is cleared within one second or not at all. Later, the response could overwrite the cookie
 * of a newer login. The next response then renews the id or clears the cookie. This process does not know the logins of
 * other processes. A response within that second may therefore overwrite their cookie.
 */
export function cookieOf(
  { cookie, loaded }: RequestState,
  { settings, replacedIds }: CookieRules,
): CookieChange | undefined {
  const since = cookie?.kind === 'set' ? cookie.renewedAt : sinceGone(loaded)
  if (since === undefined) return cookie
  if (settings.clock() - since >= MAX_COOKIE_DELAY) return undefined
  return loaded.state === 'gone' && replacedIds.get(loaded.secretHash) === true ? undefined : cookie
}

function sinceGone(loaded: Loaded): number | undefined {
  return loaded.state === 'gone' ? loaded.since : undefined
}

/** Returns the state with a newer version of its record. */
export function withRecord(state: RequestState, live: LiveSession, record: SessionRecord): RequestState {
  return { ...state, loaded: { ...live, record } }
}

/**
 * Returns the session whose record an update may write. `undefined`: the data waits for the response, because there is
 * no record yet, or because a change of id is staged.
 * @throws `SESSION_SUPERSEDED`, `SESSION_RESPONSE_STARTED`, `SESSION_PROOF_REQUIRED`
 */
export function updatable({ loaded, rotation }: RequestState, isLate: boolean): LiveSession | undefined {
  if (loaded.state === 'live') return rotation === undefined ? loaded : undefined
  if (rotation === undefined) refuseUnproven(loaded)
  if (isLate) throw new SecureSessionError('SESSION_RESPONSE_STARTED')
  if (rotation === undefined && loaded.state !== 'none' && loaded.state !== 'gone') {
    throw new SecureSessionError('SESSION_SUPERSEDED')
  }
  return undefined
}

/**
 * Refuses to end a session that a parallel request gave a new id, or whose device gave no proof.
 * @throws `SESSION_SUPERSEDED`, `SESSION_PROOF_REQUIRED`
 */
export function refuseEnd(loaded: Loaded): void {
  if (loaded.state === 'shadowed') throw new SecureSessionError('SESSION_SUPERSEDED')
  refuseUnproven(loaded)
}

/**
 * Refuses a second change of the user in the request that began or stopped to act as another one. The first change has
 * put the data of that user in place.
 * @throws `SESSION_OPTION_INVALID`
 */
export function refuseBesideRole({ rotation }: RequestState): void {
  if (rotation?.role === undefined) return
  const detail = 'after req.actAs or req.stopActing, await req.session.save() before another change of the user or id'
  throw new SecureSessionError('SESSION_OPTION_INVALID', { detail })
}

/**
 * Returns the state with what waits for the response. A snapshot of a user whom the session no longer shows is
 * forgotten.
 */
export function afterStaging(
  state: RequestState,
  rotation: Rotation | undefined,
  user: string | undefined,
): RequestState {
  const isOther = rotation?.reason === 'login' || rotation?.reason === 'stop-acting'
  return { ...state, rotation, user: user ?? (isOther ? undefined : state.user) }
}

/** Tells whether a change of the id or of the user waits for a write. */
export function isStaged({ rotation, user }: RequestState): boolean {
  return rotation !== undefined || user !== undefined
}

/** Tells whether the state asks for a write, apart from the data. */
export function isWriteDue(
  state: RequestState,
  settings: Lifetimes & { clock(): number },
  client: Pick<Client, 'isPassive'>,
): boolean {
  const { isTouched, loaded } = state
  if (isStaged(state) || isTouched) return true
  if (loaded.state !== 'live') return false
  if (loaded.checked !== undefined && isUserNew(loaded.checked, loaded.record)) return true
  return isUpkeepDue(loaded.record, loaded.verdict, settings, client)
}

function isUserNew({ user, actor }: Checked, record: SessionRecord): boolean {
  return user !== record.user || (actor !== undefined && actor.user !== record.acting?.user)
}

/** Tells whether the next id is one that the client brings in a header. */
export function isNextByHeader(state: RequestState): boolean {
  return state.isByHeader || state.rotation?.isByHeader === true
}

/** Returns the state after a write. */
export function afterWrite(state: RequestState, { record, cookieValue, wayBack }: Written, now: number): RequestState {
  const isRotated = wayBack !== undefined
  return {
    loaded: isRotated || state.loaded.state !== 'live' ? liveAs(record) : learnedBy(state.loaded, record, cookieValue),
    shown: state.shown,
    cookie:
      cookieValue === undefined ? state.cookie : cookieAfter(state, record, cookieValue, isRotated ? undefined : now),
    rotation: undefined,
    user: undefined,
    isTouched: false,
    isByHeader: isNextByHeader(state),
    committed: wayBack === undefined ? state.committed : wayBackFrom(state, wayBack),
  }
}

/**
 * Returns the way back to the session before the response changed it, also if the response changed it several times.
 */
function wayBackFrom(state: RequestState, wayBack: WayBack): RequestState['committed'] {
  const { committed, loaded } = state
  if (committed === undefined) {
    // A login whose record went to somebody else made a record of its own. Without that record there is none to go back
    // to.
    const before = wayBack.before === undefined && loaded.state === 'live' ? { ...state, loaded: NONE } : state
    return { wayBack, before }
  }
  const between = [...(committed.wayBack.between ?? []), committed.wayBack.written]
  const before = wayBack.before === undefined ? undefined : committed.wayBack.before
  return { wayBack: { ...wayBack, before, between }, before: committed.before }
}

/** Returns the cookie of a record that was written. A login offers the browser to bind the session to its device. */
function cookieAfter(
  { rotation }: RequestState,
  record: SessionRecord,
  value: string,
  renewedAt: number | undefined,
): CookieChange {
  const { handle, epoch, deviceKey } = record
  const binds = rotation?.identity !== undefined && deviceKey === null ? { handle, epoch } : undefined
  return cookieFor(record, value, renewedAt, binds)
}

/** Returns a session that this request wrote, and whose new id nobody has shown yet. */
function liveAs(record: SessionRecord): LiveSession {
  return { state: 'live', record, presented: undefined, verdict: SERVE, checked: undefined }
}

/** Returns a session whose record has learned what the id had to teach. The id may still be renewed, once. */
function learnedBy(live: LiveSession, record: SessionRecord, cookieValue: string | undefined): LiveSession {
  const { verdict } = live
  const isOver = verdict.kind !== 'enter' || cookieValue !== undefined
  return { ...live, record, verdict: isOver ? SERVE : { ...verdict, change: undefined }, checked: undefined }
}

/** Returns the state after a renewal. */
export function afterRenewal(state: RequestState, { cookieValue }: Renewed, now: number): RequestState {
  // Only the id of a live session is renewed.
  const loaded = state.loaded as LiveSession
  return { ...state, loaded: { ...loaded, verdict: SERVE }, cookie: cookieFor(loaded.record, cookieValue, now) }
}

function cookieFor(
  { remember, absoluteDeadline }: SessionRecord,
  value: string,
  renewedAt: number | undefined,
  binds?: { readonly handle: string; readonly epoch: number },
): CookieChange {
  return { kind: 'set', value, expiresAt: remember ? absoluteDeadline : undefined, renewedAt, binds }
}

/** Returns the state of a request whose record is gone or somebody else's. Only a login may begin another record. */
export function afterLoss(state: RequestState, handle: string): RequestState {
  const { shown, committed } = state
  return { ...initialState({ state: 'shadowed', handle }, state.isByHeader), shown, committed }
}

/** Returns the state after the session ended. */
export function afterEnd(state: RequestState, isCookieCleared: boolean): RequestState {
  const cookie: CookieChange | undefined = isCookieCleared ? { kind: 'clear' } : state.cookie
  const { shown } = state
  // A session that has ended is not put back.
  const committed = isCookieCleared ? undefined : state.committed
  return { ...initialState(NONE, state.isByHeader), shown, cookie, committed }
}

/** Returns the state from before a committed rotation, with what was staged since. */
export function beforeWrite(state: RequestState): RequestState {
  const { committed, rotation, user, isTouched } = state
  return committed === undefined ? state : { ...committed.before, rotation, user, isTouched, committed: undefined }
}
