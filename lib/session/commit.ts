import { SecureSessionError } from '../errors.ts'
import type { SessionEvent, SessionRecord, SessionUser } from '../../types/index.ts'
import { refuseOversize } from './data.ts'
import { newHandle } from './id.ts'
import { readRecord, trust } from './load.ts'
import type { Parts } from './parts.ts'
import { authenticated, newRecord, rotated } from './record.ts'
import type { SessionState } from './session-state.ts'
import type { Edit, NextRecord, Rotation, Work } from './next-record.ts'
import { edited, nextRecord } from './next-record.ts'

type DropReason = Extract<SessionEvent, { type: 'dropped-write' }>['reason']

/** A write meets at most as many conflicts as there are requests beside it; this many are not met in good faith. */
const ATTEMPTS = 100

/** The hash of nothing. */
const NO_SECRET = ''

/**
 * Writes what a request staged, as one atomic write on one key, and settles what the response says about the cookie. Renews the id
 * by age only for a response that is about to carry it: handed to nobody, it would make others that were forgotten.
 * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_SUPERSEDED`, `SESSION_RECORD_TOO_LARGE`, `SESSION_VALUE_UNSERIALIZABLE`
 */
export async function commit(session: SessionState, isAnswering: boolean): Promise<void> {
  const edit = editOf(session)
  if (session.record === undefined) await begin(session, edit)
  else await advance(session, session.record, edit, isAnswering)
  session.settle(edit.to)
}

/** Takes a committed rotation back, for a response that failed after it. Nobody has seen the new secret yet. */
export async function undo(session: SessionState): Promise<void> {
  const { before, record, parts } = session
  if (before === undefined || record === undefined) return
  session.before = undefined
  session.record = before.record
  session.answer = before.answer
  const { userId, handle, version } = record
  if (before.record === undefined) await parts.store.delete(handle, version)
  else await restore(parts, before.record, version)
  if (userId !== null && before.record?.userId !== userId) await parts.users.abandon(userId, handle)
}

/**
 * Puts a record back as it was. Had its user been revoked while it was somebody else's, nobody would find it again: it ends, and
 * until that is known no id opens it.
 */
async function restore({ store, users }: Parts, old: SessionRecord, version: number): Promise<void> {
  const { handle, userId, absoluteDeadline } = old
  if (userId === null) return void (await store.update({ ...old, version: version + 1 }, version))
  const locked = { ...rotated(old, NO_SECRET, old.rotatedAt), version: version + 1 }
  if (!(await store.update(locked, version))) return
  if (await users.confirm(userId, handle, absoluteDeadline)) {
    await store.update({ ...old, version: version + 2 }, version + 1)
  } else {
    await users.end(handle, (record) => record.userId === userId)
  }
}

/** What the app did to the data, measured before anything is written, so that a refusal loses nothing. */
function editOf(session: SessionState): Edit {
  const { baseline: from, json: to, isNewData: isWhole } = session
  if (from !== to) refuseOversize(to, session.parts.settings.maxRecordSize)
  return { from, to, isWhole }
}

/** A first record, if there is anything to keep. */
async function begin(session: SessionState, edit: Edit): Promise<void> {
  const { parts, rotation, handle } = session
  const { settings, ids } = parts
  const data = edited('{}', edit)
  const identity = rotation?.identity
  if (identity === undefined && data === '{}') return
  if (rotation === undefined && session.lost !== undefined) {
    parts.events.emit({ type: 'dropped-write', handle: session.lost, reason: 'stale' })
    return
  }
  const now = settings.clock()
  const epoch = identity === undefined ? 0 : 1
  const minted = ids.mint(handle, epoch, session.client.connection)
  const empty = { ...newRecord(handle, minted.secretHash, data, now, settings), epoch }
  const record = identity === undefined ? empty : authenticated(empty, identity, now, settings)
  const next: NextRecord = { kind: 'update', record, minted }
  if (!(await put(session, undefined, next))) throw new SecureSessionError('SESSION_SUPERSEDED')
  await accept(session, undefined, next)
}

/** The next version of a record, made on top of the latest one as often as others get in between. */
async function advance(session: SessionState, loaded: SessionRecord, edit: Edit, isAnswering: boolean): Promise<void> {
  const { parts, client, rotation, presented, isChecked, isTouched } = session
  const { settings, ids } = parts
  const work: Work = { edit, rotation, presented, isChecked, isTouched, isAnswering, now: settings.clock() }
  let base: SessionRecord | undefined = loaded
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const next = nextRecord(base, work, settings, (epoch) => ids.mint(loaded.handle, epoch, client.connection))
    if (next.kind === 'same') return
    if (next.record.data !== base.data) refuseOversize(next.record.data, settings.maxRecordSize)
    if (await put(session, base, next)) return accept(session, base, next)
    base = await readRecord(parts, loaded.handle)
    if (base?.epoch !== loaded.epoch) return overtaken(session, work, base)
  }
  throw new SecureSessionError('SESSION_SUPERSEDED')
}

/**
 * One try at a write. A store that failed may have written all the same: a new secret that no response will carry must not
 * lock the session's owner out, so it is taken back.
 */
async function put(session: SessionState, base: SessionRecord | undefined, next: NextRecord): Promise<boolean> {
  const { store } = session.parts
  const { record } = next
  try {
    if (base === undefined) return await store.create(record)
    if (next.kind === 'touch') return await store.touch(base.handle, base.version, record)
    return await store.update(record, base.version)
  } catch (error) {
    if (base === undefined || session.rotation !== undefined) {
      session.before = { record: base, answer: session.answer }
      session.record = record
      session.rotation = undefined
      await undo(session).catch(() => undefined)
    }
    throw error
  }
}

/** What follows a write: the cookie, the index, the events. A login that cannot finish them is taken back. */
async function accept(session: SessionState, base: SessionRecord | undefined, next: NextRecord): Promise<void> {
  const { parts, rotation, answer } = session
  const { record, minted } = next
  session.record = record
  trust(record)
  session.isNewData = false
  session.isTouched = false
  if (minted !== undefined) session.answer = { kind: 'set', value: minted.cookieValue }
  if (rotation === undefined) {
    if (minted !== undefined && base !== undefined) parts.events.emit({ type: 'renew', handle: record.handle })
    return
  }
  session.before = { record: base, answer }
  session.rotation = undefined
  if (rotation.identity !== undefined) await settleLogin(session, record, rotation.identity.userId, rotation.login)
  announce(session, base, record, rotation.reason)
}

/**
 * The second half of a login: the limit is kept, and the index confirms that nobody revoked the user meanwhile. The entry of a
 * user who was here before stays, or a login that is taken back could not tell whether they were revoked since.
 */
async function settleLogin(
  session: SessionState,
  record: SessionRecord,
  userId: string,
  login: Rotation['login'],
): Promise<void> {
  const { users } = session.parts
  try {
    if (login !== undefined) await users.evict(login.user, record, login.earlier)
    const isThere = await users.confirm(userId, record.handle, record.absoluteDeadline)
    if (!isThere) throw new SecureSessionError('SESSION_SUPERSEDED')
  } catch (error) {
    await undo(session).catch(() => undefined)
    throw error
  }
}

function announce(
  { parts }: SessionState,
  base: SessionRecord | undefined,
  { handle, userId, remember }: SessionRecord,
  reason: Extract<SessionEvent, { type: 'rotate' }>['reason'],
): void {
  if (reason === 'login' && userId !== null) {
    parts.events.emit({ type: 'login', handle, previousHandle: base?.handle ?? null, userId, remember })
  }
  if (base !== undefined) parts.events.emit({ type: 'rotate', handle, reason })
}

/**
 * The record went, or changed hands, while this request ran. Its writes may not reach what is there now. What needs nothing of
 * the old record gets one of its own: a login, and a `regenerate` that kept nothing, which is how @fastify/passport logs in.
 */
async function overtaken(session: SessionState, work: Work, latest: SessionRecord | undefined): Promise<void> {
  const { parts, rotation, handle } = session
  const reason: DropReason = latest === undefined ? 'gone' : 'epoch'
  const isWrite = work.edit.isWhole || work.edit.from !== work.edit.to
  if (rotation?.login !== undefined) return loginAnew(session, work, rotation.login.user, latest)
  if (rotation?.reason === 'regenerate' && session.isAllOwn && session.userId === null) {
    session.record = undefined
    session.moveTo(newHandle())
    return begin(session, work.edit)
  }
  session.loseRecord()
  if (isWrite || rotation !== undefined) parts.events.emit({ type: 'dropped-write', handle, reason })
  if (rotation !== undefined) throw new SecureSessionError('SESSION_SUPERSEDED')
}

/** A login whose record was overtaken. It stands only if nobody revoked the user since it began. */
async function loginAnew(
  session: SessionState,
  work: Work,
  user: SessionUser,
  latest: SessionRecord | undefined,
): Promise<void> {
  const { parts, handle } = session
  const fresh = newHandle()
  await parts.users.move(user, handle, fresh, latest?.userId === user.id)
  session.record = undefined
  session.answer = undefined
  session.moveTo(fresh)
  // Of the data, only what this request wrote itself.
  await begin(session, { ...work.edit, isWhole: false })
}
