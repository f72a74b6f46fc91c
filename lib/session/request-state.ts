import { SecureSessionError } from '../errors.ts'
import type { LoginMethod, SessionRecord } from '../../types/index.ts'
import type { Renewed, Written } from './commit.ts'
import type { CookieChange } from './cookie-change.ts'
import type { Client } from './engine.ts'
import type { Lifetimes } from '../options.ts'
import type { SessionDeadlines } from './lifetime.ts'
import { beginAt, isTouchDue, seenAt } from './lifetime.ts'
import type { LiveSession, Loaded } from './load-session.ts'
import { NONE } from './load-session.ts'
import { missingMethods } from './methods.ts'
import type { Rotation } from './next-record.ts'
import { isUpkeepDue } from './next-record.ts'
import type { WayBack } from './take-back.ts'
import { SERVE } from './verdict.ts'

/** The message of a response about the session: cookie and caching headers. */
export interface SessionResponse {
  readonly cookie: CookieChange | undefined
  /** Tells whether the app looked at the session, so that the response depends on the cookie. */
  readonly isRead: boolean
  /** Tells whether this request logged the user out. */
  readonly isLoggedOut: boolean
}

/** The parts of the engine that decide on clearing a cookie. */
interface CookieRules {
  readonly settings: { clock(): number }
  readonly replacedIds: { get(secretHash: string): true | undefined }
}

/** The state of one request's session. A change is a new state. */
export interface RequestState {
  /** The session that the cookie led to, or that this request wrote last. */
  readonly loaded: Loaded
  /** The change of the cookie that the response carries. */
  readonly cookie: CookieChange | undefined
  /** A change of id that waits for the response. */
  readonly rotation: Rotation | undefined
  /** A snapshot of the same user, as JSON, that waits for the response. */
  readonly user: string | undefined
  /** Tells whether the app asked for a new idle deadline. */
  readonly isTouched: boolean
  /** A committed rotation, and the state before it. */
  readonly committed: { readonly wayBack: WayBack; readonly before: RequestState } | undefined
}

/** Returns the state of a request that did nothing yet. */
export function initialState(loaded: Loaded): RequestState {
  const moved = loaded.state === 'live' ? loaded.cookie : undefined
  const cookie: CookieChange | undefined = loaded.state === 'gone' ? { kind: 'clear' } : moved
  return { loaded, cookie, rotation: undefined, user: undefined, isTouched: false, committed: undefined }
}

/** The time after which a response no longer renews or clears the cookie, in milliseconds. */
const MAX_COOKIE_DELAY = 1_000

/**
 * Returns the change of the cookie for a response whose headers are written now. A renewed id leaves at once or not at
 * all, and a dead id is cleared at once or not at all, because a login may have set a new cookie since. The next
 * response makes up for it. Of logins of other processes nothing is known here, so within one second their cookie may
 * be lost.
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

/** Returns the live record. */
export function recordOf({ loaded }: RequestState): SessionRecord | undefined {
  return loaded.state === 'live' ? loaded.record : undefined
}

/** Returns the state with a newer version of its record. */
export function withRecord(state: RequestState, live: LiveSession, record: SessionRecord): RequestState {
  return { ...state, loaded: { ...live, record } }
}

/**
 * Returns the session whose record an update may write. `undefined`: the data waits for the response, because there is
 * no record yet, or because a change of id is staged.
 * @throws `SESSION_SUPERSEDED`, `SESSION_RESPONSE_STARTED`
 */
export function updatable({ loaded, rotation }: RequestState, isLate: boolean): LiveSession | undefined {
  if (loaded.state === 'live') return rotation === undefined ? loaded : undefined
  if (isLate) throw new SecureSessionError('SESSION_RESPONSE_STARTED')
  if (rotation === undefined && loaded.state !== 'none' && loaded.state !== 'gone') {
    throw new SecureSessionError('SESSION_SUPERSEDED')
  }
  return undefined
}

/** Returns the id of the user, as a staged login left it. */
export function userIdOf(state: RequestState): string | null {
  return state.rotation?.identity?.userId ?? recordOf(state)?.userId ?? null
}

/** Returns the snapshot of the user as JSON, as a staged login or update left it. */
export function userJsonOf({ rotation, user, loaded }: RequestState): string | null {
  const staged = rotation?.identity?.user ?? user
  if (staged !== undefined) return staged
  return loaded.state === 'live' ? (loaded.checked?.user ?? loaded.record.user) : null
}

/** Returns when `loadUser` was last asked. */
export function authCheckedAtOf({ loaded }: RequestState): number {
  return loaded.state === 'live' ? (loaded.checked?.at ?? loaded.record.authCheckedAt) : 0
}

/** Returns the instant of the last proof of who the user is. */
export function authenticatedAtOf(state: RequestState, now: number): number | null {
  return state.rotation?.identity === undefined ? (recordOf(state)?.authenticatedAt ?? null) : now
}

/**
 * Returns the instant since which a login counts as recent; `null` if it never does. A replaced id that came back may
 * be a copy, so the user has to prove again who they are.
 */
export function freshSinceOf(state: RequestState, now: number): number | null {
  const { rotation, loaded } = state
  if (rotation?.identity !== undefined) return now
  if (loaded.state !== 'live' || loaded.record.isForked) return null
  return loaded.verdict.kind === 'enter' && loaded.verdict.isFork ? null : loaded.record.authenticatedAt
}

/** Returns the wanted ways to log in that were not used since an instant. */
export function missingMethodsOf(
  state: RequestState,
  wanted: readonly LoginMethod[],
  within: number,
  now: number,
): readonly LoginMethod[] {
  const used = state.rotation?.identity === undefined ? recordOf(state)?.methods : state.rotation.identity.methods
  const isRecent = within === Infinity || freshSinceOf(state, now) !== null
  return missingMethods(isRecent ? used : undefined, wanted, now - within)
}

/** Returns the user of a half login as JSON. */
export function pendingJsonOf({ rotation, loaded }: RequestState, now: number): string | null {
  if (rotation?.identity !== undefined || loaded.state !== 'live') return rotation?.pending?.user ?? null
  const pending = rotation?.pending ?? loaded.record.pending
  return pending === undefined || pending === null || now >= pending.until ? null : pending.user
}

/** Returns the deadlines as they are after this request; `null` while nothing is stored. */
export function deadlinesOf(
  { rotation, isTouched, loaded }: RequestState,
  settings: Lifetimes & { clock(): number },
  client: Pick<Client, 'isPassive'>,
): SessionDeadlines | null {
  const now = settings.clock()
  const identity = rotation?.identity
  if (identity !== undefined) return asDates(beginAt(now, identity.remember, identity.lifetimes ?? settings))
  if (loaded.state !== 'live') return null
  const { record } = loaded
  const isMoved = (isTouched || isTouchDue(record, now, settings)) && client.isPassive !== true
  return asDates(isMoved ? { ...record, ...seenAt(now, record, settings) } : record)
}

function asDates({ idleDeadline, absoluteDeadline }: Pick<SessionRecord, 'idleDeadline' | 'absoluteDeadline'>) {
  return { idle: new Date(idleDeadline), absolute: new Date(absoluteDeadline) }
}

/** Tells whether the state asks for a write, apart from the data. */
export function isWriteDue(
  { rotation, user, isTouched, loaded }: RequestState,
  settings: Lifetimes & { clock(): number },
  client: Pick<Client, 'isPassive'>,
): boolean {
  if (rotation !== undefined || user !== undefined || isTouched) return true
  if (loaded.state !== 'live') return false
  if (loaded.checked !== undefined && loaded.checked.user !== loaded.record.user) return true
  return isUpkeepDue(loaded.record, loaded.verdict, settings, client)
}

/** Returns the state after a write. */
export function afterWrite(state: RequestState, { record, cookieValue, wayBack }: Written, now: number): RequestState {
  const isRotated = wayBack !== undefined
  // A login whose record went to somebody else made a record of its own. Without that record there is none to go back
  // to.
  const before = wayBack?.before === undefined && state.loaded.state === 'live' ? { ...state, loaded: NONE } : state
  return {
    loaded: isRotated || state.loaded.state !== 'live' ? liveAs(record) : learnedBy(state.loaded, record, cookieValue),
    cookie: cookieValue === undefined ? state.cookie : cookieFor(record, cookieValue, isRotated ? undefined : now),
    rotation: undefined,
    user: undefined,
    isTouched: false,
    committed: wayBack === undefined ? state.committed : { wayBack, before },
  }
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
  const { loaded } = state
  if (loaded.state !== 'live') return state
  return { ...state, loaded: { ...loaded, verdict: SERVE }, cookie: cookieFor(loaded.record, cookieValue, now) }
}

function cookieFor(
  { remember, absoluteDeadline }: SessionRecord,
  value: string,
  renewedAt: number | undefined,
): CookieChange {
  const expiresAt = remember ? absoluteDeadline : undefined
  return renewedAt === undefined ? { kind: 'set', value, expiresAt } : { kind: 'set', value, expiresAt, renewedAt }
}

/** Returns the state of a request whose record is gone or somebody else's. Only a login may begin another record. */
export function afterLoss(state: RequestState, handle: string): RequestState {
  return { ...initialState({ state: 'shadowed', handle }), committed: state.committed }
}

/** Returns the state after the session ended. */
export function afterEnd(state: RequestState, isCookieCleared: boolean): RequestState {
  const cookie: CookieChange | undefined = isCookieCleared ? { kind: 'clear' } : state.cookie
  return { ...initialState(NONE), cookie, committed: state.committed }
}

/** Returns the state from before a committed rotation, with what was staged since. */
export function beforeWrite(state: RequestState): RequestState {
  const { committed, rotation, user, isTouched } = state
  return committed === undefined ? state : { ...committed.before, rotation, user, isTouched, committed: undefined }
}
