import { SecureSessionError } from '../errors.ts'
import type { ConfirmLoginOptions, SessionRecord } from '../../types/index.ts'
import { checkLabel, checkOptions } from './call-options.ts'
import { currentFingerprint, fingerprintOf } from './credentials.ts'
import type { Client, Engine } from './engine.ts'
import type { Rotation } from './next-record.ts'

/** The session of a request as a change of id finds it. */
export interface Situation {
  readonly engine: Engine
  readonly client: Client
  /** The name of the record that the request reads or would create. */
  readonly handle: string
  readonly record: SessionRecord | undefined
  readonly userId: string | null
  /** A change that this request has staged already. */
  readonly rotation: Rotation | undefined
  /** Gives back the place of a login that this request has staged already. */
  abandonLogin(): Promise<void>
}

/** A change of id that waits for the response. */
export interface Staged {
  readonly rotation: Rotation | undefined
  /** The data that stays: everything, except one key perhaps, or some keys only. Absent: the data is not touched. */
  readonly kept?: { readonly without: string | undefined } | { readonly keys: readonly string[] }
}

/** A session that runs work which stages a change of id. */
export interface StagingSession {
  stage(work: (situation: Situation) => Promise<Staged>): Promise<void>
}

/**
 * Stages a fresh proof of who the user is.
 * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_OPTION_INVALID`, `SESSION_LABEL_INVALID`
 */
export function stageConfirmation({ engine, rotation, record }: Situation, options: ConfirmLoginOptions): Staged {
  checkOptions('confirmLogin', options)
  checkLabel(options.label)
  // A login in this request is as fresh as a confirmation.
  if (rotation?.identity !== undefined) {
    const { identity } = rotation
    return { rotation: { ...rotation, identity: { ...identity, label: options.label ?? identity.label ?? null } } }
  }
  if (record === undefined || record.userId === null || record.user === null) {
    throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
  }
  const { userId, user, remember, device } = record
  const label = options.label ?? record.label ?? null
  const known = { authHash: record.authHash, authCheckedAt: record.authCheckedAt }
  const checked =
    rotation?.authHash === undefined ? known : { authHash: rotation.authHash, authCheckedAt: engine.settings.clock() }
  return { rotation: { reason: 'confirm', identity: { userId, user, ...checked, remember, device, label } } }
}

/**
 * Stages a new fingerprint of the user's credentials.
 * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_AUTH_HASH_UNSET`, `SESSION_USER_UNAVAILABLE`
 */
export async function stageAuthHash(
  { engine, userId, rotation }: Situation,
  given: string | undefined,
): Promise<Staged> {
  if (userId === null) throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
  const authHash = given === undefined ? await currentFingerprint(engine, userId) : fingerprintOf(userId, given)
  if (authHash === undefined) throw new SecureSessionError('SESSION_AUTH_HASH_UNSET')
  if (rotation?.identity === undefined) return { rotation: { reason: 'auth-hash', authHash } }
  const identity = { ...rotation.identity, authHash, authCheckedAt: engine.settings.clock() }
  return { rotation: { ...rotation, identity } }
}
