import type { SessionRecord } from '../../types/index.ts'
import { isSameHash } from './id.ts'

/**
 * What a presented secret is to a record:
 * - `current`: the one in force;
 * - `successor`: handed out by a renewal and seen for the first time;
 * - `previous`: replaced by a renewal moments ago, from a request that was in flight;
 * - `replayed`: replaced by a renewal long ago, so somebody kept a copy;
 * - `stale`: unknown here, as every secret from before a login is, and those of renewals before the last.
 */
export type SecretMatch = 'current' | 'successor' | 'previous' | 'replayed' | 'stale'

/** Judges a presented secret. Every comparison is made whatever the earlier ones said. */
export function matchSecret(record: SessionRecord, secretHash: string, now: number): SecretMatch {
  const isCurrent = isSameHash(record.secretHash, secretHash)
  const successor = record.successors.findLast((one) => isSameHash(one.secretHash, secretHash))
  const previous = record.previousSecretHashes.findLast((one) => isSameHash(one, secretHash))
  if (isCurrent) return 'current'
  if (successor !== undefined) return 'successor'
  if (previous === undefined) return 'stale'
  return now < record.previousDeadline ? 'previous' : 'replayed'
}
