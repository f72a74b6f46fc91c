import { SecureSessionError } from '../errors.ts'
import type { LoginOptions, RotationReason, SessionRecord, SessionUser } from '../../types/index.ts'
import { bothUsers } from './actor.ts'
import { checkLabel } from './call-options.ts'
import { fingerprintOf, loadUser } from './credentials.ts'
import { deviceOf, familyOf } from './device.ts'
import { isNewDevice } from './known-devices.ts'
import type { Engine } from './engine.ts'
import type { Rotation } from './next-record.ts'
import type { Identity } from './record.ts'
import { withMethods } from './methods.ts'
import type { Situation, Staged } from './staging.ts'
import { lifetimesAtLogin } from './user-lifetimes.ts'
import { userSnapshot } from './user-snapshot.ts'

/**
 * The key under which @fastify/csrf-protection keeps the secret of its tokens. Whoever planted an anonymous session has
 * tokens of it. Those tokens must not be valid for the user who logs in there (token fixation).
 */
const CSRF_SECRET = '_csrf'

/**
 * Describes who logs in. Everything that can be refused is refused here, before a place is taken.
 * @throws `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`, `SESSION_OPTION_INVALID`, `SESSION_AUTH_HASH_UNSET`,
 * `SESSION_USER_UNAVAILABLE`
 */
export async function identityOf(
  { engine, client, record }: Pick<Situation, 'engine' | 'client' | 'record'>,
  user: SessionUser,
  options: LoginOptions,
): Promise<Identity> {
  checkLabel(options.label)
  const { clock } = engine.settings
  const lifetimes = lifetimesAtLogin(engine.settings, user)
  const { snapshot, authHash } = await snapshotAtLogin(engine, user, options.authHash)
  return {
    userId: user.id,
    user: snapshot,
    authHash,
    authCheckedAt: clock(),
    remember: options.remember ?? false,
    device: deviceOf(client),
    family: familyOf(client.userAgent),
    label: options.label ?? null,
    lifetimes,
    methods: methodsAtLogin(record?.pending, user.id, authHash, options.methods, clock()),
  }
}

/**
 * Returns the ways in which a user logged in: those named now, and those of a half login of the same user.
 * @throws `SESSION_LOGIN_REQUIRED` if the credentials changed since the half login
 */
function methodsAtLogin(
  pending: SessionRecord['pending'],
  userId: string,
  authHash: string | null,
  used: LoginOptions['methods'],
  now: number,
): Identity['methods'] {
  const isPending = pending?.userId === userId && now < pending.until
  if (!isPending) return used === undefined ? undefined : withMethods([], used, now)
  if (pending.authHash !== null && pending.authHash !== authHash) {
    const detail = 'the credentials changed since the first factor was given'
    throw new SecureSessionError('SESSION_LOGIN_REQUIRED', { detail })
  }
  return withMethods(pending.methods, used, now)
}

const NOT_YET = 'remember, keep and label belong to the login that completes it'
const LOGGED_IN = 'somebody is logged in: call req.logout() first, or req.confirmLogin() for the same user'

/** The time that a half login waits for its second factor, in milliseconds. */
const PENDING = 600_000

/**
 * Stages a half login. The id changes, because whoever planted the id before may not wait there for the second factor.
 * Takes a place in the index, so that a revocation of the user ends the half login too.
 * @throws `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`, `SESSION_OPTION_INVALID`, `SESSION_AUTH_HASH_UNSET`,
 * `SESSION_USER_UNAVAILABLE`
 */
export async function stagePending(situation: Situation, user: SessionUser, options: LoginOptions): Promise<Staged> {
  const { engine, userId } = situation
  const { clock } = engine.settings
  const { remember, keep, label } = options
  if ([remember, keep, label].some((option) => option !== undefined)) return refusePending(NOT_YET)
  if (userId !== null) return refusePending(LOGGED_IN)
  const { snapshot, authHash } = await snapshotAtLogin(engine, user, options.authHash)
  const methods = withMethods([], options.methods, clock())
  const pending = { userId: user.id, user: snapshot, authHash, methods, until: clock() + PENDING }
  await situation.abandonLogin()
  await engine.users.places.reserveBeside(user.id, situation.handle)
  return { rotation: { reason: 'pending', pending, drops: CSRF_SECRET }, kept: { without: CSRF_SECRET } }
}

function refusePending(detail: string): never {
  throw new SecureSessionError('SESSION_OPTION_INVALID', { detail: `login with pending: ${detail}` })
}

/**
 * Returns the user and the fingerprint as a login keeps them. A member of the user that is the fingerprint is left out.
 */
export async function snapshotAtLogin(
  engine: Engine,
  user: SessionUser,
  given: string | undefined,
): Promise<{ readonly snapshot: string; readonly authHash: string | null }> {
  const { maxRecordSize } = engine.settings
  // The shape is refused before anybody is asked.
  const whole = userSnapshot(user, maxRecordSize)
  const authHash = await fingerprintAtLogin(engine, user.id, given)
  if (authHash === null) return { snapshot: whole, authHash }
  const snapshot = userSnapshot(user, maxRecordSize, (value) => fingerprintOf(user.id, value) === authHash)
  return { snapshot, authHash }
}

/**
 * Returns the fingerprint that a login keeps; `null` without the option `authHash`. `authHash` gets the same kind of
 * object here as at each later check: that of `loadUser`.
 */
async function fingerprintAtLogin(engine: Engine, userId: string, given: string | undefined): Promise<string | null> {
  if (engine.settings.authHash === undefined && given === undefined) return null
  if (given !== undefined) return fingerprintOf(userId, given) ?? refuseLogin('the authHash of login is empty')
  const loaded = await loadUser(engine, userId)
  if (loaded === undefined) return refuseLogin('loadUser found no such user: store the user before the login')
  return loaded.fingerprint ?? refuseLogin('authHash returned no text, or an empty text, for the user of loadUser')
}

function refuseLogin(detail: string): never {
  throw new SecureSessionError('SESSION_AUTH_HASH_UNSET', { detail })
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
  const isNamed = given.label === null && userId === user.id
  const identity: Identity = isNamed ? { ...given, label: record?.label ?? null } : given
  const carries = isNamed ? (['label'] as const) : []
  const earlier = await engine.users.reserve(user, handle, record)
  const login = { user, earlier }
  const isOther = userId !== null && userId !== user.id
  // Data crosses from one user to another only by name.
  const kept = keep ?? !isOther
  if (kept !== true || isOther) {
    const keys = typeof kept === 'boolean' ? [] : kept
    return { rotation: { reason: 'login', login, identity, carries }, kept: { keys } }
  }
  const without = userId === null ? CSRF_SECRET : undefined
  return { rotation: { reason: 'login', login, identity, carries, drops: without }, kept: { without } }
}

/**
 * Finishes a change of user whose record was written: keeps the limit, and asks the index whether somebody revoked the
 * user meanwhile. The entry of a user who was here before stays. A change that is taken back could not tell otherwise
 * that the user was revoked. Resolves to whether the client is new for this user; see `isNewDevice`.
 * @throws `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`
 */
export async function settleRotation(
  engine: Engine,
  record: SessionRecord,
  { login }: Rotation,
): Promise<boolean | null> {
  const { users } = engine
  const isNew = login === undefined ? null : isNewDevice(engine, record)
  if (login !== undefined) await users.evict(login.user, record, login.earlier)
  if (!(await users.places.confirm(record))) throw new SecureSessionError('SESSION_SUPERSEDED')
  return isNew
}

/** Emits the events of a committed rotation. */
export function announceRotation(
  { events }: Engine,
  base: SessionRecord | undefined,
  record: SessionRecord,
  reason: RotationReason,
  isNew: boolean | null,
): void {
  const { handle, userId, remember, device, label = null } = record
  if (reason === 'login' && userId !== null) {
    const previousHandle = base?.handle ?? null
    events.emit({ type: 'login', handle, previousHandle, userId, remember, device, label, isNewDevice: isNew })
  }
  if (reason === 'act' && userId !== null && record.acting) {
    const { userId: actorId, reason: why } = record.acting
    events.emit({ type: 'act', handle, userId, actorId, reason: why, until: record.absoluteDeadline })
  }
  if (reason === 'stop-acting' && userId !== null && base?.acting) {
    events.emit({ type: 'stop-acting', handle, userId: String(base.userId), actorId: userId })
  }
  if (base !== undefined) events.emit({ type: 'rotate', handle, ...bothUsers(record), reason })
}
