import type { SessionRecord } from '../../types/index.ts'
import type { Plan, Written } from './commit.ts'
import type { Lifetimes } from './lifetime.ts'
import type { Loaded } from './load-session.ts'
import { NONE } from './load-session.ts'
import type { Rotation } from './next-record.ts'
import { isUpkeepDue } from './next-record.ts'
import type { WayBack } from './take-back.ts'

/** The session cookie in a response. `expiresAt` is absent for a cookie that ends with the browser. */
export type CookieChange =
  | { readonly kind: 'clear' }
  | { readonly kind: 'set'; readonly value: string; readonly expiresAt: number | undefined }

/** What a response has to say about the session. */
export interface SessionResponse {
  readonly cookie: CookieChange | undefined
  /** Whether the app looked at the session, so that the response depends on the cookie. */
  readonly isRead: boolean
  /** Whether this request logged the user out. */
  readonly isLoggedOut: boolean
}

/** The state of one request's session. A change is a new state. */
export interface RequestState {
  /** The session that the cookie led to, or that this request wrote last. */
  readonly loaded: Loaded
  /** The change of the cookie that the response carries. */
  readonly cookie: CookieChange | undefined
  /** A change of id that waits for the response. */
  readonly rotation: Rotation | undefined
  /** Whether the app asked for a new idle deadline. */
  readonly isTouched: boolean
  /** A committed rotation, and the state before it. */
  readonly committed: { readonly wayBack: WayBack; readonly before: RequestState } | undefined
}

/** Returns the state of a request that did nothing yet. */
export function initialState(loaded: Loaded): RequestState {
  const cookie: CookieChange | undefined = loaded.state === 'gone' ? { kind: 'clear' } : undefined
  return { loaded, cookie, rotation: undefined, isTouched: false, committed: undefined }
}

/** Returns the live record. */
export function recordOf({ loaded }: RequestState): SessionRecord | undefined {
  return loaded.state === 'live' ? loaded.record : undefined
}

/** Returns the id of the user, as a staged login left it. */
export function userIdOf(state: RequestState): string | null {
  return state.rotation?.identity?.userId ?? recordOf(state)?.userId ?? null
}

/** Returns the snapshot of the user as JSON, as a staged login left it. */
export function userJsonOf(state: RequestState): string | null {
  return state.rotation?.identity?.user ?? recordOf(state)?.user ?? null
}

/** Returns the instant of the last proof of who the user is. */
export function authenticatedAtOf(state: RequestState, now: number): number | null {
  return state.rotation?.identity === undefined ? (recordOf(state)?.authenticatedAt ?? null) : now
}

/** Whether the state asks for a write, apart from the data. */
export function isWriteDue({ rotation, isTouched, loaded }: RequestState, settings: Lifetimes & { clock(): number }) {
  if (rotation !== undefined || isTouched) return true
  if (loaded.state !== 'live') return false
  return loaded.isChecked || isUpkeepDue(loaded.record, loaded.presented, settings)
}

/** Returns the state after a write. */
export function afterWrite(
  state: RequestState,
  { record, cookieValue, wayBack }: Written,
  { work }: Plan,
): RequestState {
  const { remember, absoluteDeadline } = record
  // A login whose record went to somebody else made a record of its own. Without that record there is none to go back to.
  const before = wayBack?.before === undefined && state.loaded.state === 'live' ? { ...state, loaded: NONE } : state
  return {
    loaded: { state: 'live', record, presented: work.presented, isChecked: false },
    cookie:
      cookieValue === undefined
        ? state.cookie
        : { kind: 'set', value: cookieValue, expiresAt: remember ? absoluteDeadline : undefined },
    rotation: undefined,
    isTouched: false,
    committed: wayBack === undefined ? state.committed : { wayBack, before },
  }
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
  const { committed, rotation, isTouched } = state
  return committed === undefined ? state : { ...committed.before, rotation, isTouched, committed: undefined }
}
