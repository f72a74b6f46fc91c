import type { KeptActor, SessionRecord, UsedMethod } from '../../types/index.ts'
import { MAX_SKEW } from '../storage/clocks.ts'
import { beganAt } from '../storage/remove-before.ts'
import type { Lifetimes } from '../options.ts'
import { withFields } from './copy-record.ts'

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
  const { authenticatedAt, createdAt } = record
  if (!isAhead(record, now)) return record
  return withFields(record, {
    createdAt: Math.min(createdAt, now),
    authenticatedAt: authenticatedAt === null ? null : Math.min(authenticatedAt, now),
    absoluteDeadline: deadlineUpTo(record, now, lifetimes),
    ...(record.methods && { methods: methodsUpTo(record.methods, now) }),
    ...(record.acting && { acting: actorUpTo(record.acting, record, now, lifetimes) }),
    ...(latestOf(record) > now + MAX_SKEW && idsWithoutFuture(record, now)),
  })
}

function methodsUpTo(methods: readonly UsedMethod[], now: number): readonly UsedMethod[] {
  return methods.map(({ name, at }) => ({ name, at: Math.min(at, now) }))
}

/** Returns the end of a session. Who acts as another user has no more time for it than before. */
function deadlineUpTo(record: SessionRecord, now: number, lifetimes: Lifetimes): number {
  const { acting, absoluteDeadline } = record
  if (acting && acting.since > now) return now + absoluteDeadline - acting.since
  return beganAt(record) > now ? Math.min(absoluteDeadline, latestEnd(record, now, lifetimes)) : absoluteDeadline
}

/** Returns the end of a session that begins now. */
function latestEnd(
  { remember, lifetimes }: Pick<SessionRecord, 'remember' | 'lifetimes'>,
  now: number,
  settings: Lifetimes,
): number {
  const { rememberTimeout, absoluteTimeout } = lifetimes ?? settings
  return now + (remember ? rememberTimeout : absoluteTimeout)
}

/** Returns the actor of a session without instants that have not come yet. */
function actorUpTo(acting: KeptActor, record: SessionRecord, now: number, lifetimes: Lifetimes): KeptActor {
  const { authCheckedAt, userAt, since, absoluteDeadline, methods } = acting
  const latest = beganAt(record) > now ? latestEnd(acting, now, lifetimes) : Infinity
  return {
    ...acting,
    authCheckedAt: Math.min(authCheckedAt, now),
    userAt: Math.min(userAt, now),
    since: Math.min(since, now),
    absoluteDeadline: Math.min(absoluteDeadline, latest),
    methods: methodsUpTo(methods, now),
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
