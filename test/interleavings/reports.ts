import type { SessionRecord } from '../../types/index.ts'
import type { Act } from './act.ts'
import type { Aftermath, View } from './view.ts'
import type { Report } from './world.ts'
import { handleOf } from './world.ts'

/** Tells whether an act was answered with success, and reached what it was meant for. */
export const isDone = ({ act, reply, isVain }: Report): boolean =>
  !isVain && (reply?.status === 200 || (act.isImmediate === true && isLateFailure(reply)))

/** Tells whether only what came after the session was written made the response a failure. */
const isLateFailure = (reply: Report['reply']): boolean => reply?.status === 500 && reply.code === undefined

/** Tells whether an act may have ended or moved sessions, as far as anybody can know. */
export const mayEnd = ({ act, reply, startedAt }: Report): boolean =>
  startedAt !== Infinity &&
  ((act.ends ?? act.waits) !== undefined || act.evicts === true) &&
  (reply?.status ?? 200) !== 401

/** Returns the user whom the sessions of a scene show. */
export const shownIn = ({ played }: Aftermath): string => (played.scene.kind === 'acting' ? 'bob' : 'alice')

/** Returns the user whose session the cookie of an act opened before the run. */
export const userBefore = ({ after }: View, { act, cookie }: Report): string | null =>
  act.isReplay === true ||
  act.isStranger === true ||
  act.isOutdated === true ||
  act.isBare === true ||
  act.hasOldPassword === true ||
  cookie === undefined ||
  isGuest(after, cookie)
    ? null
    : shownIn(after)

/** Tells whether nobody was logged in to a session before the run. */
export function isGuest({ played: { prepared } }: Aftermath, cookie: string): boolean {
  return ['guest', 'half'].includes(prepared.handles.get(handleOf(cookie)) ?? '')
}

/** Tells whether an act has a session of its own, in which it may leave anything. */
export function hasOwnSession({ isOutside, isApart }: Act): boolean {
  return isOutside === true && isApart === true
}

/** Names the act that was given a cookie. */
export function from(by: string | undefined): string {
  return by === undefined ? 'from before' : `of ${by}`
}

/** Tells whether a write puts a record back that a failed login had changed. */
export function isRestoring({ epoch, heldBack }: SessionRecord, before: SessionRecord | undefined): boolean {
  return heldBack !== null || before?.heldBack !== null || epoch < before.epoch
}

/** Tells whether an act leaves the ids of sessions to others. */
export function isIdle({ act }: Report): boolean {
  return (act.ends ?? act.evicts ?? act.changesId ?? act.logsIn ?? act.abandons ?? act.isReplaced) === undefined
}
