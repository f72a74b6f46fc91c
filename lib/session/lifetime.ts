import type { Lifetimes } from '../options.ts'
import type { KeptLifetimes, SessionRecord } from '../../types/index.ts'

type Deadlines = Pick<SessionRecord, 'lastSeenAt' | 'idleDeadline' | 'absoluteDeadline'>

/** The instants at which a session ends: without further use, and in any case. */
export interface SessionDeadlines {
  readonly idle: Date
  readonly absolute: Date
}

/** Touching once per this share of the idle timeout saves nearly every write and costs at most 5 % of it. */
const TOUCHES_PER_TIMEOUT = 20

/** Both deadlines of a session that begins, or begins again by a login, at `now`. */
export function beginAt(now: number, remember: boolean, lifetimes: KeptLifetimes): Deadlines {
  const absoluteDeadline = now + (remember ? lifetimes.rememberTimeout : lifetimes.absoluteTimeout)
  const { lastSeenAt, idleDeadline } = seenAt(now, { remember, absoluteDeadline, lifetimes }, lifetimes)
  return { absoluteDeadline, lastSeenAt, idleDeadline }
}

/** The idle deadline of a session that was used at `now`. A remembered one is meant to lie idle. */
export function seenAt(
  now: number,
  record: Pick<SessionRecord, 'remember' | 'absoluteDeadline' | 'lifetimes'>,
  settings: Pick<Lifetimes, 'idleTimeout'>,
): Pick<SessionRecord, 'lastSeenAt' | 'idleDeadline'> {
  const { remember, absoluteDeadline } = record
  const idleDeadline = remember
    ? absoluteDeadline
    : Math.min(now + (record.lifetimes ?? settings).idleTimeout, absoluteDeadline)
  return { lastSeenAt: now, idleDeadline }
}

/** Returns the deadline that has passed, if any. At the instant of its deadline a session has ended. */
export function expiredBy(record: Deadlines, now: number): 'absolute' | 'idle' | undefined {
  if (now >= record.absoluteDeadline) return 'absolute'
  return now >= record.idleDeadline ? 'idle' : undefined
}

/** Tells whether the last touch is old enough for another. */
export function isTouchDue(
  { lastSeenAt, lifetimes }: Pick<SessionRecord, 'lastSeenAt' | 'lifetimes'>,
  now: number,
  settings: Lifetimes,
): boolean {
  return now - lastSeenAt >= (lifetimes ?? settings).idleTimeout / TOUCHES_PER_TIMEOUT
}

/** Tells whether an id that was issued at `rotatedAt` is old enough to be renewed. */
export function isRenewalDue({ rotatedAt }: Pick<SessionRecord, 'rotatedAt'>, now: number, timeout: number): boolean {
  return timeout > 0 && now - rotatedAt >= timeout
}
