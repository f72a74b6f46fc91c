import { SecureSessionError } from '../errors.ts'
import type { Settings } from '../options.ts'
import type { SessionRecord, SessionUser } from '../../types/index.ts'

/** Tells which of two logins came first. Two logins in one instant are told apart by their handles. */
export function isLoginBefore(one: SessionRecord, other: SessionRecord): boolean {
  const apart = Number(one.authenticatedAt) - Number(other.authenticatedAt)
  return apart === 0 ? one.handle < other.handle : apart < 0
}

/**
 * Returns the number of sessions that a user may have.
 * @throws `SESSION_OPTION_INVALID`
 */
export function limitOf(user: SessionUser, { maxSessions }: Settings): number {
  const limit = maxSessions?.limit ?? Infinity
  const count = typeof limit === 'function' ? limit(user) : limit
  if (count === Infinity || (Number.isInteger(count) && count > 0)) return count
  throw new SecureSessionError('SESSION_OPTION_INVALID', { detail: 'maxSessions gives a whole number from 1' })
}
