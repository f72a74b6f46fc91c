import type { SessionRecord } from '../../types/index.ts'
import { isSameHash } from './id.ts'
import { GRACE } from './lifetime.ts'

/**
 * The relation of a presented secret to a record:
 * - `current`: the secret in force;
 * - `successor`: handed out by a renewal, and presented for the first time;
 * - `previous`: replaced by a renewal moments ago, so a request in flight may still carry it;
 * - `replayed`: replaced by a renewal long ago, so somebody kept a copy;
 * - `stale`: unknown here. Secrets from before a login are, and those of renewals before the last.
 */
export type SecretMatch = 'current' | 'successor' | 'previous' | 'replayed' | 'stale'

/** Returns the relation of a presented secret to a record. Makes every comparison, whatever the earlier ones gave. */
export function matchSecret(record: SessionRecord, secretHash: string, now: number): SecretMatch {
  const isCurrent = isSameHash(record.secretHash, secretHash)
  const successor = record.successors.findLast((one) => isSameHash(one.secretHash, secretHash))
  const previous = record.previousSecretHashes.findLast((one) => isSameHash(one, secretHash))
  if (isCurrent) return 'current'
  if (successor !== undefined) return 'successor'
  if (previous === undefined) return 'stale'
  return now < record.previousDeadline ? 'previous' : 'replayed'
}

/**
 * The judgement on an id that names a live record:
 * - `enter`: the id opens the session;
 * - `check`: the id opens the session if its user's credentials are still those of the login;
 * - `copied`: a replaced secret came back after its grace, so two clients hold the session's ids;
 * - `outdated`: a secret from before the last renewal, which only a copy can be;
 * - `superseded`: a rotation replaced the secret moments ago, and a parallel response carries the new id;
 * - `unknown`: the secret opens nothing, as one from before a login.
 */
export type Verdict = 'enter' | 'check' | 'copied' | 'outdated' | 'superseded' | 'unknown'

/** The facts that decide on a presented id. */
export interface Presentation {
  readonly secretHash: string
  readonly now: number
  /** Whether the credentials of the record's user must be compared first. */
  readonly isCheckDue: boolean
  /** Whether the id was made in the record's epoch. Asked for unknown secrets only, because the answer costs an HMAC. */
  isOfEpoch(epoch: number): boolean
}

/** Judges an id that names a live record. */
export function judge(record: SessionRecord, presentation: Presentation): Verdict {
  const { secretHash, now, isCheckDue } = presentation
  switch (matchSecret(record, secretHash, now)) {
    case 'current':
    case 'successor':
    case 'previous':
      return isCheckDue ? 'check' : 'enter'
    case 'replayed':
      return 'copied'
    case 'stale':
      if (presentation.isOfEpoch(record.epoch)) return 'outdated'
      return now - record.rotatedAt < GRACE ? 'superseded' : 'unknown'
  }
}
