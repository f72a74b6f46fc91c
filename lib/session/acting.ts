import { SecureSessionError } from '../errors.ts'
import type { ActAsOptions, SessionUser } from '../../types/index.ts'
import { refuseWhileActing } from './actor.ts'
import { checkOptions } from './call-options.ts'
import { parseDuration } from './duration.ts'
import { snapshotAtLogin } from './login.ts'
import type { Situation, Staged } from './staging.ts'
import { lifetimesAtLogin } from './user-lifetimes.ts'

const DEFAULT_LIMIT = '30m'

/**
 * Stages the change to another user. The id changes, so that no copy of it acts as that user, and a request under way
 * writes to neither user's data.
 * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_ACTING`, `SESSION_USER_INVALID`, `SESSION_OPTION_INVALID`,
 * `SESSION_RECORD_TOO_LARGE`, `SESSION_AUTH_HASH_UNSET`, `SESSION_USER_UNAVAILABLE`, `SESSION_STORE_UNAVAILABLE`
 */
export async function stageActing(situation: Situation, user: SessionUser, options: ActAsOptions): Promise<Staged> {
  checkOptions('actAs', options)
  if (options.reason === undefined) refuse('reason of actAs says why, in 1 to 200 characters')
  const { engine, record, userId, rotation } = situation
  const actor = situation.user
  if (rotation !== undefined) refuse('actAs needs a request without a login or another change of the id')
  if (record === undefined || userId === null || actor === null) throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
  refuseWhileActing(record)
  const { snapshot, authHash } = await snapshotAtLogin(engine, user, undefined)
  if (user.id === userId) {
    throw new SecureSessionError('SESSION_USER_INVALID', { detail: 'actAs takes another user than the one who calls' })
  }
  const { reason, for: limit = DEFAULT_LIMIT } = options
  const lifetimes = lifetimesAtLogin(engine.settings, user)
  const begin = { authHash, reason, limit: Number(parseDuration(limit)), lifetimes, edit: situation.edit() }
  await engine.users.places.reserveBeside(user.id, situation.handle)
  const role = { userId: user.id, user: snapshot, actor, methods: [], data: '{}', begin }
  return { rotation: { reason: 'act', role }, kept: 'role' }
}

/**
 * Stages the way back to the actor. Nothing where nobody acts.
 * @throws `SESSION_OPTION_INVALID`
 */
export function stageReturn({ record, rotation, actor }: Situation): Staged {
  const acting = record?.acting ?? null
  if (acting === null || actor === null) return { rotation }
  if (rotation !== undefined) refuse('stopActing needs a request without another change of the id')
  const { userId, methods, data } = acting
  return {
    rotation: { reason: 'stop-acting', role: { userId, user: actor, actor: null, methods, data } },
    kept: 'role',
  }
}

function refuse(detail: string): never {
  throw new SecureSessionError('SESSION_OPTION_INVALID', { detail })
}
