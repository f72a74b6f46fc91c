import { SecureSessionError } from '../errors.ts'
import type { ActAsOptions, ConfirmLoginOptions, LoginOptions, SessionUser } from '../../types/index.ts'
import { stageActing, stageReturn } from './acting.ts'
import { checkAuthHash, checkKeys, checkOptions } from './call-options.ts'
import { identityOf, stageLogin, stagePending } from './login.ts'
import type { Situation, Staged, StagingSession } from './staging.ts'
import { stageAuthHash, stageConfirmation, stageUser } from './staging.ts'

/**
 * Logs a user in, with the response.
 * @throws `SESSION_USER_INVALID`, `SESSION_OPTION_INVALID`, `SESSION_LIMIT_REACHED`, `SESSION_RESPONSE_STARTED`
 */
export function login(session: StagingSession, user: SessionUser, options: LoginOptions = {}): Promise<void> {
  return session.stage(async (situation) => {
    checkOptions('login', options)
    const isByHeader = options.transport === 'header'
    if (isByHeader && situation.engine.headerIds === undefined) refuseHeader()
    const staged = await stageAnyLogin(situation, user, options)
    return isByHeader && staged.rotation !== undefined
      ? { ...staged, rotation: { ...staged.rotation, isByHeader } }
      : staged
  })
}

function refuseHeader(): never {
  const detail = "transport: 'header' of login needs the option headerTransport of register"
  throw new SecureSessionError('SESSION_OPTION_INVALID', { detail })
}

async function stageAnyLogin(situation: Situation, user: SessionUser, options: LoginOptions): Promise<Staged> {
  if (options.pending === true) return stagePending(situation, user, options)
  const identity = await identityOf(situation, user, options)
  // A login that this request staged before gives its place back. Its user is still the one to compare with.
  await situation.abandonLogin()
  return stageLogin(situation, user, identity, options.keep)
}

/**
 * Lets the session act as another user, with the response.
 * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_ACTING`, `SESSION_USER_INVALID`, `SESSION_OPTION_INVALID`,
 * `SESSION_RESPONSE_STARTED`
 */
export function actAs(session: StagingSession, user: SessionUser, options: ActAsOptions): Promise<void> {
  return session.stage((situation) => stageActing(situation, user, options))
}

/**
 * Returns to the actor's own session, with the response.
 * @throws `SESSION_OPTION_INVALID`, `SESSION_RESPONSE_STARTED`
 */
export function stopActing(session: StagingSession): Promise<void> {
  return session.stage(async (situation) => stageReturn(situation))
}

/**
 * Stages a fresh proof of who the user is.
 * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_RESPONSE_STARTED`
 */
export function confirmLogin(session: StagingSession, options: ConfirmLoginOptions = {}): Promise<void> {
  return session.stage(async (situation) => stageConfirmation(situation, options))
}

/**
 * Stages a new fingerprint of the user's credentials.
 * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_AUTH_HASH_UNSET`, `SESSION_USER_UNAVAILABLE`, `SESSION_RESPONSE_STARTED`
 */
export function updateAuthHash(session: StagingSession, given?: string): Promise<void> {
  return session.stage(async (situation) => {
    checkAuthHash(given)
    return stageAuthHash(situation, given)
  })
}

/**
 * Stages another snapshot of the same user.
 * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`
 */
export function updateUser(session: StagingSession, user: SessionUser): Promise<void> {
  return session.stage(async (situation) => stageUser(situation, user), true)
}

/**
 * Stages a new id, and keeps only these keys of the data.
 * @throws `SESSION_RESPONSE_STARTED`
 */
export function regenerate(session: StagingSession, keys: readonly string[] = []): Promise<void> {
  return session.stage(async ({ rotation }) => {
    checkKeys(keys)
    return { rotation: rotation ?? { reason: 'regenerate' }, kept: { keys } }
  })
}
