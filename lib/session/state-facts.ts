import type { LoginMethod, SessionRecord } from '../../types/index.ts'
import type { Lifetimes } from '../options.ts'
import type { Client } from './engine.ts'
import type { SessionDeadlines } from './lifetime.ts'
import { beginAt, isTouchDue, seenAt } from './lifetime.ts'
import { missingMethods } from './methods.ts'
import type { Situation } from './staging.ts'
import type { RequestState } from './request-state.ts'
import { withRole } from './role.ts'

/** Returns the live record. */
export function recordOf({ loaded }: RequestState): SessionRecord | undefined {
  return loaded.state === 'live' ? loaded.record : undefined
}

/**
 * Tells whether the session is bound to a device, and the request came with the proof. A request that has written the
 * record itself had the proof before.
 */
export function isDeviceBound({ loaded }: RequestState): boolean {
  if (loaded.state !== 'live' || loaded.record.deviceKey === null) return false
  const { record, presented } = loaded
  return presented === undefined || presented.evidenceFor(record) === 'proven'
}

/** Returns the id of the user, as a staged login left it. */
export function userIdOf(state: RequestState): string | null {
  return (state.rotation?.identity ?? state.rotation?.role ?? recordOf(state))?.userId ?? null
}

/** Returns the snapshot of the user who acts as another one, as JSON. */
export function actorJsonOf({ rotation, loaded }: RequestState): string | null {
  if (rotation?.role !== undefined) return rotation.role.actor
  if (rotation?.identity !== undefined || loaded.state !== 'live') return null
  return loaded.checked?.actor?.user ?? loaded.record.acting?.user ?? null
}

/** Returns the data that this request starts from, as JSON. */
export function dataJsonOf(state: RequestState): string {
  return state.rotation?.role?.data ?? recordOf(state)?.data ?? '{}'
}

/** Returns the snapshot of the user as JSON, as a staged login or update left it. */
export function userJsonOf({ rotation, user, loaded }: RequestState): string | null {
  const staged = (rotation?.identity ?? rotation?.role)?.user ?? user
  if (staged !== undefined) return staged
  return loaded.state === 'live' ? (loaded.checked?.user ?? loaded.record.user) : null
}

/** Returns when `loadUser` was last asked. */
export function authCheckedAtOf({ loaded }: RequestState): number {
  return loaded.state === 'live' ? (loaded.checked?.at ?? loaded.record.authCheckedAt) : 0
}

/** Returns the instant of the last proof of who the user is; `null` where somebody else acts as the user. */
export function authenticatedAtOf(state: RequestState, now: number): number | null {
  if (state.rotation?.identity !== undefined) return now
  return actorJsonOf(state) === null ? (recordOf(state)?.authenticatedAt ?? null) : null
}

/** Tells whether a replaced id came back, with this request or before it. */
function isForked({ loaded }: RequestState): boolean {
  if (loaded.state !== 'live') return false
  return loaded.record.isForked || (loaded.verdict.kind === 'enter' && loaded.verdict.isFork)
}

/**
 * Returns the instant since which a login counts as recent; `null` if it never does. A replaced id that came back may
 * be a copy, so the user has to prove again who they are.
 */
export function freshSinceOf(state: RequestState, now: number): number | null {
  const { rotation, loaded } = state
  if (rotation?.identity !== undefined) return now
  if (loaded.state !== 'live' || isForked(state)) return null
  // A person who acts as the user has not proved to be the user. The proofs of the actor end with the acting.
  return rotation?.role !== undefined || loaded.record.acting ? null : loaded.record.authenticatedAt
}

/** Returns the wanted ways to log in that were not used since an instant. */
export function missingMethodsOf(
  state: RequestState,
  wanted: readonly LoginMethod[],
  within: number,
  now: number,
): readonly LoginMethod[] {
  const { rotation } = state
  const used = (rotation?.identity ?? rotation?.role ?? recordOf(state))?.methods
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
  if (rotation?.role !== undefined) return asDates(withRole(loaded.record, rotation.role, now, settings))
  const { record } = loaded
  const isMoved = (isTouched || isTouchDue(record, now, settings)) && client.isPassive !== true
  return asDates(isMoved ? { ...record, ...seenAt(now, record, settings) } : record)
}

function asDates({ idleDeadline, absoluteDeadline }: Pick<SessionRecord, 'idleDeadline' | 'absoluteDeadline'>) {
  return { idle: new Date(idleDeadline), absolute: new Date(absoluteDeadline) }
}

/** Returns the session as a change of id finds it. */
export function situationOf(
  state: RequestState,
  {
    engine,
    client,
    handle,
    abandonLogin,
    edit,
  }: Pick<Situation, 'engine' | 'client' | 'handle' | 'abandonLogin' | 'edit'>,
): Situation {
  // Members that are added after a spread cost ten times as much as members of a literal.
  return {
    engine,
    client,
    handle,
    record: recordOf(state),
    isForked: isForked(state),
    userId: userIdOf(state),
    user: userJsonOf(state),
    actor: actorJsonOf(state),
    authCheckedAt: authCheckedAtOf(state),
    rotation: state.rotation,
    abandonLogin,
    edit,
  }
}
