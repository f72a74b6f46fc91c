import { SecureSessionError } from '../errors.ts'
import type { ConfirmLoginOptions, LoginMethod, SessionRecord, SessionUser } from '../../types/index.ts'
import { refuseWhileActing } from './actor.ts'
import { checkLabel, checkOptions } from './call-options.ts'
import { fingerprintOf, loadUser } from './credentials.ts'
import type { Client, Engine } from './engine.ts'
import type { Edit } from './json-data.ts'
import { trustedMethods, withMethods } from './methods.ts'
import type { Rotation } from './next-record.ts'
import type { Identity } from './record.ts'
import { sameUser } from './update-user.ts'

/** The session of a request as a change of id finds it. */
export interface Situation {
  readonly engine: Engine
  readonly client: Client
  /** The name of the record that the request reads or would create. */
  readonly handle: string
  readonly record: SessionRecord | undefined
  /** Tells whether a replaced id came back, with this request or before it. */
  readonly isForked: boolean
  readonly userId: string | null
  /** The snapshot of the user as JSON. */
  readonly user: string | null
  /** The snapshot of the user who acts as that user, as JSON. */
  readonly actor: string | null
  /** The instant at which `loadUser` was last asked. */
  readonly authCheckedAt: number
  /** A change that this request has staged already. */
  readonly rotation: Rotation | undefined
  /** Gives back the place of a login that this request has staged already. */
  abandonLogin(): Promise<void>
  /** Returns the change that this request made to the data. */
  edit(): Edit
}

/** A change that waits for the response. */
export interface Staged {
  readonly rotation: Rotation | undefined
  /** Another snapshot of the same user, as JSON. */
  readonly user?: string
  /**
   * The data that stays: everything, except one key perhaps, or some keys only. `role` is the data of the staged role.
   * Absent: the data is not touched.
   */
  readonly kept?: { readonly without: string | undefined } | { readonly keys: readonly string[] } | 'role'
}

/**
 * A session that runs work which stages a change. Only a change without a cookie may come after the response started.
 */
export interface StagingSession {
  stage(work: (situation: Situation) => Promise<Staged>, isWithoutCookie?: boolean): Promise<void>
}

/**
 * Stages a fresh proof of who the user is.
 * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_ACTING`, `SESSION_OPTION_INVALID`, `SESSION_LABEL_INVALID`
 */
export function stageConfirmation(situation: Situation, options: ConfirmLoginOptions): Staged {
  checkOptions('confirmLogin', options)
  checkLabel(options.label)
  const { engine, rotation, record, isForked, user, authCheckedAt } = situation
  const now = engine.settings.clock()
  // A login in this request is as fresh as a confirmation.
  if (rotation?.identity !== undefined) {
    const { identity } = rotation
    return {
      rotation: {
        ...rotation,
        carries: options.label === undefined ? rotation.carries : others(rotation, 'label'),
        identity: {
          ...identity,
          label: options.label ?? identity.label ?? null,
          ...confirmed(identity, options.methods, now),
        },
      },
    }
  }
  if (record === undefined || record.userId === null || user === null) {
    throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
  }
  refuseWhileActing(record)
  const { userId, remember, device, lifetimes } = record
  const label = options.label ?? record.label ?? null
  const known = { authHash: record.authHash, authCheckedAt }
  const checked = rotation?.authHash === undefined ? known : { authHash: rotation.authHash, authCheckedAt: now }
  const kept = {
    ...(lifetimes && { lifetimes }),
    ...confirmed({ methods: trustedMethods({ ...record, isForked }), usedNow: [] }, options.methods, now),
  }
  const identity = { userId, user, ...checked, remember, device, label, ...kept }
  const carries = options.label === undefined ? (['user', 'label'] as const) : (['user'] as const)
  return { rotation: { reason: 'confirm', identity, carries } }
}

/** Returns what else a change carries over, once the app has given a field. */
function others({ carries = [] }: Rotation, given: 'user' | 'label'): Rotation['carries'] {
  return carries.filter((field) => field !== given)
}

/** Returns the ways in which a user proved who they are, with those named now. */
function confirmed(
  { methods, usedNow }: Pick<Identity, 'methods' | 'usedNow'>,
  used: readonly LoginMethod[] | undefined,
  now: number,
): Pick<Identity, 'methods' | 'usedNow'> {
  if (methods === undefined && used === undefined) return {}
  return {
    methods: withMethods(methods, used, now),
    ...(usedNow && { usedNow: [...usedNow, ...(used ?? [])] }),
  }
}

/**
 * Stages a new fingerprint of the user's credentials.
 * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_ACTING`, `SESSION_AUTH_HASH_UNSET`, `SESSION_USER_UNAVAILABLE`
 */
export async function stageAuthHash(
  { engine, userId, rotation, record }: Situation,
  given: string | undefined,
): Promise<Staged> {
  if (userId === null) throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
  if (rotation?.identity === undefined) refuseWhileActing(record)
  const authHash = given === undefined ? (await loadUser(engine, userId))?.fingerprint : fingerprintOf(userId, given)
  if (authHash === undefined) throw new SecureSessionError('SESSION_AUTH_HASH_UNSET')
  if (rotation?.identity === undefined) return { rotation: { reason: 'auth-hash', authHash } }
  const identity = { ...rotation.identity, authHash, authCheckedAt: engine.settings.clock() }
  return { rotation: { ...rotation, identity } }
}

/**
 * Stages another snapshot of the same user.
 * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`
 */
export function stageUser({ engine, userId, rotation }: Situation, given: SessionUser): Staged {
  if (userId === null) throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
  const user = sameUser(engine.settings, given, userId)
  if (rotation?.identity === undefined) return { rotation, user }
  return { rotation: { ...rotation, identity: { ...rotation.identity, user }, carries: others(rotation, 'user') } }
}
