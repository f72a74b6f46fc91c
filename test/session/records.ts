import type { KeptActor, SessionRecord } from '../../types/index.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'

/** The instant at which the records of this folder lie in the middle of their lives. */
export const NOW = Date.UTC(2026, 0, 1)

/** The end of the half login of `pendingOf`. */
export const HALF_LOGIN_ENDS = NOW + 120_000

/** The end of the own session of somebody who acts. */
export const ACTOR_ENDS = NOW + 900_000

/** Returns the fields of a session in which nobody is logged in. */
export function nobody(): Partial<SessionRecord> {
  return { userId: null, user: null, authHash: null, authenticatedAt: null, device: null, deviceKey: null }
}

/** Returns the fields of a session in which a user has proved only the first of two factors. */
export function pendingOf(userId: string): Partial<SessionRecord> {
  const half = { userId, user: JSON.stringify({ id: userId }), authHash: null, methods: [], until: HALF_LOGIN_ENDS }
  return { ...nobody(), pending: half }
}

/** Returns the fields of a session in which somebody acts as a user. */
export function actingAs(userId: string, actorId: string, changes: Partial<KeptActor> = {}): Partial<SessionRecord> {
  const acting = {
    userId: actorId,
    user: JSON.stringify({ id: actorId }),
    authHash: null,
    authCheckedAt: NOW - 3_000,
    userAt: NOW - 3_000,
    absoluteDeadline: ACTOR_ENDS,
    remember: false,
    lifetimes: null,
    methods: [],
    data: '{"own":true}',
    reason: 'ticket 7',
    since: NOW - 2_000,
    ...changes,
  }
  return { ...ownedBy(userId), acting }
}

/** Returns the fields of a session of this user. */
export function ownedBy(userId: string): Partial<SessionRecord> {
  return { userId, user: JSON.stringify({ id: userId }) }
}

export { recordAt }
