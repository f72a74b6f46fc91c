import { SecureSessionError } from '../errors.ts'
import { causeOf } from '../storage/cause.ts'
import type { SessionRecord } from '../../types/index.ts'
import type { Engine } from './engine.ts'
import { hashOf, isSameHash } from './id.ts'
import { MAX_SKEW } from './set-back.ts'

/** A record that somebody is logged in with. */
export type OwnedRecord = SessionRecord & { readonly userId: string }

/** Tells whether the credentials behind a login were last compared more than `authCheckInterval` ago. */
export function isCheckDue({ settings }: Engine, record: SessionRecord): record is OwnedRecord {
  const { authHash, loadUser, authCheckInterval, clock } = settings
  if (authHash === undefined || loadUser === undefined || record.userId === null) return false
  const age = clock() - record.authCheckedAt
  return age >= authCheckInterval || age < -MAX_SKEW
}

/**
 * Tells whether the user's credentials are still those of the login.
 * @throws `SESSION_USER_UNAVAILABLE`
 */
export async function hasSameCredentials(engine: Engine, { userId, authHash }: OwnedRecord): Promise<boolean> {
  const fingerprint = await currentFingerprint(engine, userId)
  return fingerprint !== undefined && isSameHash(fingerprint, authHash ?? '')
}

/**
 * Returns the fingerprint of a user's credentials as they are now; `undefined` without credentials, or without such a user.
 * @throws `SESSION_USER_UNAVAILABLE`
 */
export async function currentFingerprint({ settings }: Engine, userId: string): Promise<string | undefined> {
  const { loadUser, authHash } = settings
  try {
    const user = await loadUser?.(userId)
    return user === null || user === undefined ? undefined : fingerprintOf(userId, authHash?.(user))
  } catch (cause) {
    throw new SecureSessionError('SESSION_USER_UNAVAILABLE', { cause: causeOf(cause) })
  }
}

/** Returns what a record keeps of an `authHash`: a hash that can be compared, and that is of no use to a thief. */
export function fingerprintOf(userId: string, authHash: string | undefined): string | undefined {
  return typeof authHash === 'string' && authHash !== '' ? hashOf(`${userId}\0${authHash}`) : undefined
}
