import type { SessionRecord } from '../../types/index.ts'
import { beganAt } from '../storage/remove-before.ts'
import type { Lifetimes } from '../options.ts'

/**
 * The difference between two clocks that counts as none, in milliseconds. Servers may be two minutes apart, and must
 * not shorten the windows of each other's ids.
 */
export const MAX_SKEW = 150_000

/** Tells whether a record says that it was used later than now: its clock was ahead, or this one was set back. */
export function isAhead(record: SessionRecord, now: number): boolean {
  return record.lastSeenAt > now || beganAt(record) > now || latestOf(record) > now + MAX_SKEW
}

/**
 * Returns a record without instants that have not come yet. A session that began later than now began now at the
 * latest, so its absolute deadline moves with it. The instants of its ids move only if no honest clock can be that far
 * ahead.
 */
export function withoutFuture(record: SessionRecord, now: number, lifetimes: Lifetimes): SessionRecord {
  const { authenticatedAt, createdAt, remember, absoluteDeadline } = record
  if (!isAhead(record, now)) return record
  const { rememberTimeout, absoluteTimeout } = record.lifetimes ?? lifetimes
  const latest = now + (remember ? rememberTimeout : absoluteTimeout)
  return {
    ...record,
    createdAt: Math.min(createdAt, now),
    authenticatedAt: authenticatedAt === null ? null : Math.min(authenticatedAt, now),
    absoluteDeadline: beganAt(record) > now ? Math.min(absoluteDeadline, latest) : absoluteDeadline,
    ...(record.methods && { methods: record.methods.map(({ name, at }) => ({ name, at: Math.min(at, now) })) }),
    ...(latestOf(record) > now + MAX_SKEW && idsWithoutFuture(record, now)),
  }
}

type IdInstants = Pick<
  SessionRecord,
  'authCheckedAt' | 'userAt' | 'rotatedAt' | 'shownAt' | 'headAt' | 'tip' | 'rivals'
>

function latestOf({ authCheckedAt, userAt = 0, rotatedAt, shownAt, headAt, tip, rivals }: IdInstants): number {
  const latest = Math.max(authCheckedAt, userAt, rotatedAt, shownAt, headAt, tip?.shownAt ?? 0)
  return rivals.reduce((later, { since }) => Math.max(later, since), latest)
}

function idsWithoutFuture(record: IdInstants, now: number): IdInstants {
  const { authCheckedAt, userAt, rotatedAt, shownAt, headAt, tip, rivals } = record
  return {
    authCheckedAt: Math.min(authCheckedAt, now),
    ...(userAt !== undefined && { userAt: Math.min(userAt, now) }),
    rotatedAt: Math.min(rotatedAt, now),
    shownAt: Math.min(shownAt, now),
    headAt: Math.min(headAt, now),
    tip: tip && { ...tip, issuedAt: Math.min(tip.issuedAt, now), shownAt: Math.min(tip.shownAt, now) },
    rivals: rivals.map((rival) => ({ ...rival, since: Math.min(rival.since, now) })),
  }
}
