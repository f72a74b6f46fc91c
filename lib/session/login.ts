import { SecureSessionError } from '../errors.ts'
import type { LoginOptions, SessionEvent, SessionRecord, SessionUser } from '../../types/index.ts'
import { checkLabel, checkOptions } from './call-options.ts'
import { fingerprintOf } from './credentials.ts'
import { deviceOf } from './device.ts'
import { isNewDevice } from './known-devices.ts'
import type { Engine } from './engine.ts'
import type { Rotation } from './next-record.ts'
import type { Identity } from './record.ts'
import type { Situation, Staged } from './staging.ts'
import { userSnapshot } from './user-snapshot.ts'

/**
 * The key under which @fastify/csrf-protection keeps the secret of its tokens. Whoever planted an anonymous session has tokens of
 * it. Those tokens must not be valid for the user who logs in there (token fixation).
 */
const CSRF_SECRET = '_csrf'

/**
 * Describes who logs in. Everything that can be refused is refused here, before a place is taken.
 * @throws `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`, `SESSION_OPTION_INVALID`
 */
export function identityOf(
  { engine, client }: Pick<Situation, 'engine' | 'client'>,
  user: SessionUser,
  options: LoginOptions,
): Identity {
  const { maxRecordSize, authHash, clock } = engine.settings
  checkOptions('login', options)
  checkLabel(options.label)
  const snapshot = userSnapshot(user, maxRecordSize)
  return {
    userId: user.id,
    user: snapshot,
    authHash: fingerprintOf(user.id, options.authHash ?? authHash?.(user)) ?? null,
    authCheckedAt: clock(),
    remember: options.remember ?? false,
    device: deviceOf(client),
    label: options.label ?? null,
  }
}

/**
 * Takes the user's place in the index and returns the rotation that the response will commit.
 * @throws `SESSION_LIMIT_REACHED`, `SESSION_STORE_UNAVAILABLE`
 */
export async function stageLogin(
  { engine, handle, record, userId }: Situation,
  user: SessionUser,
  given: Identity,
  keep: LoginOptions['keep'],
): Promise<Staged> {
  // The same user on the same device: the name that somebody gave to the device stays.
  const label = given.label ?? (userId === user.id ? record?.label : null) ?? null
  const identity: Identity = { ...given, label }
  const earlier = await engine.users.reserve(user, handle, record)
  const login = { user, earlier }
  const isOther = userId !== null && userId !== user.id
  // Data crosses from one user to another only by name.
  const kept = keep ?? !isOther
  if (kept !== true || isOther) {
    const keys = typeof kept === 'boolean' ? [] : kept
    return { rotation: { reason: 'login', login, identity }, kept: { keys } }
  }
  const without = userId === null ? CSRF_SECRET : undefined
  const rotation: Rotation = { reason: 'login', login, identity, ...(without !== undefined && { drops: without }) }
  return { rotation, kept: { without } }
}

/**
 * Finishes a login whose record was written: keeps the limit, and asks the index whether somebody revoked the user meanwhile.
 * The entry of a user who was here before stays. A login that is taken back could not tell otherwise that the user was revoked.
 * Resolves to whether the client is new for this user; see `isNewDevice`.
 * @throws `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`
 */
export async function settleLogin(
  engine: Engine,
  record: SessionRecord,
  userId: string,
  login: Rotation['login'],
): Promise<boolean | null> {
  const { users } = engine
  const isNew = login === undefined ? null : isNewDevice(engine, record)
  if (login !== undefined) await users.evict(login.user, record, login.earlier)
  const isStillAllowed = await users.confirm(userId, record.handle, record.absoluteDeadline)
  if (!isStillAllowed) throw new SecureSessionError('SESSION_SUPERSEDED')
  return isNew
}

/** Emits the events of a committed rotation. */
export function announceRotation(
  { events }: Engine,
  base: SessionRecord | undefined,
  { handle, userId, remember, device, label = null }: SessionRecord,
  reason: Extract<SessionEvent, { type: 'rotate' }>['reason'],
  isNew: boolean | null,
): void {
  if (reason === 'login' && userId !== null) {
    const previousHandle = base?.handle ?? null
    events.emit({ type: 'login', handle, previousHandle, userId, remember, device, label, isNewDevice: isNew })
  }
  if (base !== undefined) events.emit({ type: 'rotate', handle, reason })
}
