import { SecureSessionError } from '../errors.ts'
import type { Answer } from '../storage/immediate.ts'
import { beganAt } from '../storage/remove-before.ts'
import type { SessionEvent, SessionRecord } from '../../types/index.ts'
import { bothUsers } from './actor.ts'
import { familyOf } from './device.ts'
import { withFields } from './copy-record.ts'
import type { Client, Engine } from './engine.ts'
import type { Lineage, MintedSecret, SessionIds } from './id.ts'
import { newHandle } from './id.ts'
import { edited, refuseOversize } from './json-data.ts'
import type { Loaded } from './load-session.ts'
import { readLiveRecord } from './live-record.ts'
import { announceRotation, settleRotation } from './login.ts'
import type { NextRecord, Rotation, Work } from './next-record.ts'
import { nextRecord, placeTaken } from './next-record.ts'
import { authenticated, newRecord, trust } from './record.ts'
import type { WayBack } from './take-back.ts'
import { takeBack } from './take-back.ts'
import { refuseUnproven } from './unproven.ts'

/** Everything that one request wants written. */
export interface Plan {
  /** The live record that the request came for; `undefined` without one. */
  readonly base: SessionRecord | undefined
  /** A record that the request's id names, and that the request may not write to. */
  readonly named: Extract<Loaded, { handle: string }> | undefined
  /** The handle for a record that begins now. */
  readonly handle: string
  readonly work: Work
  /** Tells whether nothing of the old data is left, so that the data needs nothing of the old record. */
  readonly isAllOwn: boolean
  /** The hash of the id that the client showed. It opens nothing after a login. */
  readonly replaces: string | undefined
  readonly client: Client
  /** Makes ids of the class that the client brings. */
  readonly ids: SessionIds
}

/** An id that was renewed. The record has nothing to learn before the new id is shown. */
export interface Renewed {
  readonly kind: 'renewed'
  readonly cookieValue: string
}

/** A record that was written. */
export interface Written {
  readonly kind: 'written'
  readonly record: SessionRecord
  readonly cookieValue: string | undefined
  readonly wayBack: WayBack | undefined
}

/**
 * The result of a commit:
 * - `unchanged`: there was nothing to write;
 * - `renewed`: the response gets a renewed id, and nothing was written;
 * - `written`: the record as it is now, the new id if one was minted, and the way back if the response fails after all;
 * - `lost`: the record belongs to somebody else by now, or is gone, so nothing was written;
 * - `failed`: the write was refused or taken back. With `isStaged`, what was staged can be tried again.
 */
export type Outcome =
  | { readonly kind: 'unchanged' }
  | Renewed
  | Written
  | { readonly kind: 'lost'; readonly handle: string; readonly error?: SecureSessionError }
  | { readonly kind: 'failed'; readonly error: unknown; readonly isStaged: boolean }

/** The work of a plan, apart from what the session that was loaded adds to it. */
type Wish = Omit<Work, 'presented' | 'checked'>

/** The reason why a change was not stored. */
export type DropReason = Extract<SessionEvent, { type: 'dropped-write' }>['reason']

/** The limit of attempts. A write meets at most as many conflicts as there are requests beside it. */
const MAX_ATTEMPTS = 100

const UNCHANGED: Outcome = { kind: 'unchanged' }

/** Makes the plan of a request out of the session that its cookie led to. */
export function planOf(
  loaded: Loaded,
  { handle, isAllOwn, client, ids, replaces }: Pick<Plan, 'handle' | 'isAllOwn' | 'client' | 'ids' | 'replaces'>,
  { edit, rotation, user, isTouched, isPassive, carrier, now }: Wish,
): Plan {
  const isLive = loaded.state === 'live'
  const presented = isLive ? loaded.presented : undefined
  const checked = isLive ? loaded.checked : undefined
  return {
    base: isLive ? loaded.record : undefined,
    named:
      loaded.state === 'shadowed' || loaded.state === 'outdated' || loaded.state === 'unproven' ? loaded : undefined,
    replaces,
    handle,
    isAllOwn,
    client,
    ids,
    // A passive request renews nothing.
    work: {
      edit,
      rotation,
      presented,
      checked,
      user,
      isTouched,
      isPassive,
      carrier: isPassive ? 'none' : carrier,
      now,
    },
  }
}

/** Writes a plan as one atomic write on one key, and returns what happened. */
export async function commit(engine: Engine, plan: Plan): Promise<Outcome> {
  const { edit } = plan.work
  try {
    if (edit.from !== edit.to) refuseOversize(edit.to, engine.settings.maxRecordSize)
    const outcome = plan.base === undefined ? await begin(engine, plan) : await advance(engine, plan, plan.base)
    const isReplaced = outcome.kind === 'written' && outcome.wayBack !== undefined
    if (isReplaced && plan.replaces !== undefined) engine.replacedIds.set(plan.replaces, true)
    return outcome
  } catch (error) {
    return { kind: 'failed', error, isStaged: true }
  }
}

/** Writes a first record, if there is anything to keep. */
async function begin(engine: Engine, { work, handle, named, client, ids }: Plan): Promise<Outcome> {
  const { settings, events } = engine
  const { rotation, now } = work
  const data = edited('{}', work.edit)
  const identity = rotation?.identity
  const pending = rotation?.pending
  if (identity === undefined && pending === undefined) {
    if (data === '{}') return UNCHANGED
    if (named !== undefined) refuseUnproven(named)
  }
  if (rotation === undefined && named !== undefined) {
    events.emit({ type: 'dropped-write', handle: named.handle, reason: 'stale' })
    return { kind: 'lost', handle: named.handle }
  }
  const epoch = identity === undefined && pending === undefined ? 0 : 1
  const minted = ids.mint(handle, epoch, undefined, client.connection)
  const family = familyOf(client.userAgent)
  const empty = newRecord(handle, minted.secretHash, data, now, settings, family, epoch)
  const anonymous = pending === undefined ? empty : withFields(empty, { pending })
  const record = identity === undefined ? anonymous : authenticated(empty, identity, now, settings)
  const next: NextRecord = { kind: 'update', record, minted }
  const outcome = await put(engine, undefined, next, work)
  if (outcome === undefined) return failed(new SecureSessionError('SESSION_SUPERSEDED'), true)
  if (outcome.kind !== 'written') return outcome
  return named === undefined ? outcome : endNamed(engine, named, outcome)
}

/**
 * Ends the session that the cookie of a login names, if the login shows that this session is over. If the end fails,
 * the login is taken back, because no response reports it.
 */
async function endNamed(engine: Engine, named: NonNullable<Plan['named']>, outcome: Written): Promise<Outcome> {
  const { record } = outcome
  try {
    // Whoever logs in with an id that is far behind has lost the session, so the other holder is a thief.
    if (named.state === 'outdated') await engine.users.endNamed(named.handle)
    // The user has logged in anew. The bound session of somebody else is not this client's to end.
    if (named.state === 'unproven' && record.userId !== null && record.userId === named.userId) {
      await engine.users.revoke(named.handle, record.userId, 'revoked')
    }
    return outcome
  } catch (error) {
    await takeBack(engine, { written: record, before: undefined }).catch(() => undefined)
    return failed(error, false)
  }
}

/** Writes the next version of a record, on top of the latest version, as often as other requests write in between. */
async function advance(engine: Engine, plan: Plan, loaded: SessionRecord): Promise<Outcome> {
  const { settings } = engine
  const { work, client, ids } = plan
  const mint = (epoch: number, lineage?: Lineage): MintedSecret =>
    ids.mint(loaded.handle, epoch, lineage, client.connection)
  let base: SessionRecord | undefined = loaded
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const next = nextRecord(base, work, settings, mint)
    if (next.kind === 'same') return next.minted === undefined ? UNCHANGED : renewed(engine, base, next.minted)
    if (next.record.data !== base.data) refuseOversize(next.record.data, settings.maxRecordSize)
    const outcome = await put(engine, base, next, work)
    if (outcome !== undefined) return outcome
    base = await readLiveRecord(engine, loaded.handle)
    if (base?.epoch !== loaded.epoch) return overtaken(engine, plan, loaded, base)
  }
  throw new SecureSessionError('SESSION_SUPERSEDED')
}

/**
 * Tries one write; `undefined` if another write came first. A store that failed may have written all the same. No
 * response will carry the new secret then, so the write is taken back, because it would lock the session's owner out.
 */
async function put(
  engine: Engine,
  base: SessionRecord | undefined,
  planned: NextRecord,
  { rotation, user, now }: Pick<Work, 'rotation' | 'user' | 'now'>,
): Promise<Outcome | undefined> {
  const { kind, minted } = planned
  let { record } = planned
  if (base === undefined || rotation?.identity !== undefined) record = (await engine.gate?.admit(record)) ?? record
  else if (beganAt(record) < beganAt(base)) record = (await engine.gate?.moved(record, base, now)) ?? record
  const wayBack: WayBack | undefined =
    base === undefined || rotation !== undefined ? { written: record, before: base } : undefined
  let isNew: boolean | null = null
  let isUnsure = true
  try {
    if (!(await write(engine, base, kind, record))) return undefined
    isUnsure = false
    trust(record)
    if (rotation !== undefined && (rotation.identity !== undefined || placeTaken(rotation) !== undefined)) {
      isNew = await settleRotation(engine, record, rotation)
    }
  } catch (error) {
    if (wayBack !== undefined) await takeBack(engine, { ...wayBack, isUnsure }).catch(() => undefined)
    return failed(error, wayBack === undefined)
  }
  const { handle, userId } = record
  const both = bothUsers(record)
  // Nobody but a logged-in user is updated.
  if (user !== undefined) engine.events.emit({ type: 'user-updated', handle, ...both, userId: userId as string })
  if (rotation !== undefined) announceRotation(engine, base, record, rotation.reason, isNew)
  else if (minted !== undefined && base !== undefined) engine.events.emit({ type: 'renew', handle, ...both })
  return { kind: 'written', record, cookieValue: minted?.cookieValue, wayBack }
}

function renewed({ events }: Engine, record: SessionRecord, { cookieValue }: MintedSecret): Outcome {
  events.emit({ type: 'renew', handle: record.handle, ...bothUsers(record) })
  return { kind: 'renewed', cookieValue }
}

function write(
  { store }: Engine,
  base: SessionRecord | undefined,
  kind: NextRecord['kind'],
  record: SessionRecord,
): Answer<boolean> {
  if (base === undefined) return store.create(record)
  if (kind === 'touch') return store.touch(base.handle, base.version, record)
  return store.update(record, base.version)
}

function failed(error: unknown, isStaged: boolean): Outcome {
  return { kind: 'failed', error, isStaged }
}

/**
 * Decides about a request whose record went, or changed hands, while the request ran. Its writes may not reach the
 * record that is there now. A login gets a record of its own. A `regenerate` that kept nothing gets one too, because
 * @fastify/passport logs in by `regenerate`.
 */
async function overtaken(
  engine: Engine,
  plan: Plan,
  loaded: SessionRecord,
  latest: SessionRecord | undefined,
): Promise<Outcome> {
  const { rotation, edit } = plan.work
  const { handle, userId } = loaded
  // The second step of a login that lost its first one is no login.
  const isSecondStep = rotation?.login !== undefined && loaded.pending?.userId === rotation.login.user.id
  if (rotation?.login !== undefined && !isSecondStep) return loginAnew(engine, plan, rotation.login, latest)
  if (rotation?.reason === 'regenerate' && plan.isAllOwn && userId === null) {
    return begin(engine, { ...plan, handle: newHandle() })
  }
  const place = placeTaken(rotation)
  if (place !== undefined) await engine.users.places.abandon(place, handle)
  const reason: DropReason = latest === undefined ? 'gone' : 'epoch'
  const isWrite = edit.isWhole || edit.from !== edit.to
  if (isWrite || rotation !== undefined) {
    engine.events.emit({ type: 'dropped-write', handle, ...bothUsers(loaded), reason })
  }
  if (rotation === undefined) return { kind: 'lost', handle }
  return { kind: 'lost', handle, error: new SecureSessionError('SESSION_SUPERSEDED') }
}

/** Commits a login whose record was overtaken. The login stands only if nobody revoked the user since it began. */
async function loginAnew(
  engine: Engine,
  plan: Plan,
  { user }: NonNullable<Rotation['login']>,
  latest: SessionRecord | undefined,
): Promise<Outcome> {
  const fresh = newHandle()
  await engine.users.move(user, plan.handle, fresh, latest?.userId === user.id)
  // Only the data that this request wrote itself goes into the new record.
  const work: Work = { ...plan.work, edit: { ...plan.work.edit, isWhole: false } }
  return begin(engine, { ...plan, handle: fresh, work })
}
