import { SecureSessionError } from '../errors.ts'
import { causeOf } from '../storage/cause.ts'
import type { SessionRecord, SessionUser } from '../../types/index.ts'
import { carriedData, harmlessData } from './carried-data.ts'
import { loadUser } from './credentials.ts'
import { deviceOf, familyOf } from './device.ts'
import { withFields } from './copy-record.ts'
import type { Engine } from './engine.ts'
import { newHandle, parentOf } from './id.ts'
import { readLiveRecord } from './live-record.ts'
import type { LiveSession } from './load-session.ts'
import type { Mark, Move } from './move-mark.ts'
import { areOldRevoked, closeMark, isCutOff, leaveMark, markOf, NO_SECRET, PARALLEL, readMark } from './move-mark.ts'
import type { Visit } from './old-session.ts'
import { askOld, readOld } from './old-session.ts'
import type { Identity } from './record.ts'
import { authenticated, newRecord, trust } from './record.ts'
import { lifetimesAtLogin } from './user-lifetimes.ts'
import { userSnapshot } from './user-snapshot.ts'
import { SERVE } from './verdict.ts'

/**
 * Moves an old session in, or follows one that moved a moment ago. `undefined` if the old session leads nowhere;
 * `damaged` if its record cannot be read, which may be the fault of this app.
 *
 * The steps, each of which a repeated request can take up:
 * 1. The *candidate* is written: the new record with everything in it, and no secret, so that no id opens it.
 * 2. The mark is created under a handle that only this old session has. One of several parallel requests creates the
 *    mark. The candidates of the others are removed.
 * 3. The user's place in the index is taken, and the candidate becomes the session, by one compare-and-set.
 * 4. The old record is removed, and the mark is closed. From here on the old cookie is good for 30 seconds.
 *
 * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_USER_UNAVAILABLE`, `SESSION_USER_INVALID`
 */
export async function moveIn(visit: Visit): Promise<LiveSession | 'damaged' | undefined> {
  const { engine, migration, old } = visit
  const handle = markOf(engine, migration, old)
  const mark = (await readMark(engine, handle)) ?? (await begin(visit, handle))
  return typeof mark === 'object' ? enterByMark(visit, mark) : mark
}

/** Takes the first two steps. */
async function begin(visit: Visit, handle: string): Promise<Mark | 'damaged' | undefined> {
  const { engine, migration } = visit
  const { store } = engine
  const found = await readOld(visit)
  if (typeof found !== 'object') return found
  const { end } = found
  const isEnded = await isCutOff(engine, migration)
  const candidate = isEnded ? undefined : await candidateOf(visit, found.data)
  if (candidate === undefined) {
    if (!migration.keepOld) await askOld(visit, (old) => old.remove())
    return undefined
  }
  if (!(await store.create(candidate))) throw new SecureSessionError('SESSION_SUPERSEDED')
  const move = { to: candidate.handle, epoch: candidate.epoch, closedAt: 0 }
  const mark = await leaveMark(engine, handle, move, end)
  if (mark?.move.to !== candidate.handle) await store.delete(candidate.handle)
  return mark
}

/** Makes the new record, locked. `undefined` if nothing of the old session may or can move. */
async function candidateOf(visit: Visit, old: Record<string, unknown>): Promise<SessionRecord | undefined> {
  const { engine, client } = visit
  const { settings } = engine
  const now = settings.clock()
  const content = harmlessData(old)
  const identity = await identityOf(visit, content)
  const data = carriedData(content)
  if (identity === 'gone' || (identity === 'nobody' && data === '{}')) return undefined
  const family = familyOf(client.userAgent)
  // A limit on sessions must not take the session for one whose id was never shown.
  const empty = { ...newRecord(newHandle(), NO_SECRET, data, now, settings, family), shownAt: now }
  const session = identity === 'nobody' ? empty : ownedBy(empty, identity, now, engine)
  const heldBack = JSON.stringify(session)
  return { ...session, userId: null, user: null, authenticatedAt: null, data: '{}', heldBack }
}

/**
 * Returns the record of a moved user. The instant of the old login is unknown, so the login never counts as recent. The
 * session itself begins now.
 */
function ownedBy(record: SessionRecord, identity: Identity, now: number, { settings }: Engine): SessionRecord {
  const session = authenticated(withFields(record, { epoch: 1 }), identity, now, settings)
  return withFields(session, { authenticatedAt: 0, sparedAt: now, isForked: true })
}

/** Says whose session it is. A user whom `loadUser` does not find is `gone`. */
async function identityOf(
  { engine, migration, client }: Visit,
  old: Record<string, unknown>,
): Promise<Identity | 'nobody' | 'gone'> {
  const { settings } = engine
  let user: SessionUser | null | undefined
  try {
    user = await engine.deadlines.run(async () => migration.user(old))
  } catch (cause) {
    throw new SecureSessionError('SESSION_USER_UNAVAILABLE', { cause: causeOf(cause) })
  }
  if (user === null || user === undefined) return 'nobody'
  const snapshot = userSnapshot(user, settings.maxRecordSize)
  const lifetimes = lifetimesAtLogin(settings, user)
  const loaded = await loadUser(engine, user.id)
  if (settings.loadUser !== undefined && loaded === undefined) return 'gone'
  const authHash = loaded?.fingerprint ?? null
  if (settings.authHash !== undefined && authHash === null) return 'gone'
  return {
    userId: user.id,
    user: loaded?.user ?? snapshot,
    authHash,
    authCheckedAt: settings.clock(),
    remember: migration.remember,
    device: deviceOf(client),
    ...(lifetimes !== undefined && { lifetimes }),
  }
}

/** Takes the last two steps, as far as nobody has taken them yet, and gives this request an id of its own. */
async function enterByMark(visit: Visit, mark: Mark): Promise<LiveSession | undefined> {
  const { engine, migration, old, isCarrier } = visit
  const { closedAt } = mark.move
  const isOpen = closedAt === 0
  const isLate = !isOpen && engine.settings.clock() - closedAt >= PARALLEL
  const record = isLate ? undefined : await settle(visit, mark.move)
  // A request that the old app was still serving may have written the old record again.
  if (!migration.keepOld && (isLate || (isOpen && isCarrier))) await askOld(visit, (session) => session.remove())
  if (isOpen && isCarrier) await closeMark(engine, mark, !old.isInCookie && !migration.keepOld)
  return record === undefined ? undefined : enter(visit, record)
}

/** Returns the session that an old one became, opened if it is a candidate still. */
async function settle(visit: Visit, { to, epoch, closedAt }: Move): Promise<SessionRecord | undefined> {
  const { engine } = visit
  const found = await readLiveRecord(engine, to)
  // A login, and the way back from a login that failed, begin another epoch. Whoever planted the old cookie may not
  // follow the user there.
  if (found === undefined || found.epoch !== epoch) return undefined
  if (found.heldBack === null && closedAt !== 0) return found
  const session = found.heldBack === null ? found : (JSON.parse(found.heldBack) as SessionRecord)
  const { userId, user } = session
  if (userId === null || user === null) return open(visit, found, session)
  return settleUser(visit, found, session, { userId, user: engine.snapshots.read(user) })
}

/**
 * Settles the session of a user as a login does. A revocation of the user finds the place in the index. Otherwise this
 * method finds the note that the old sessions of the user were revoked. A limit that refuses logins does not refuse a
 * session that the user had before.
 */
async function settleUser(
  visit: Visit,
  found: SessionRecord,
  session: SessionRecord,
  { userId, user }: { readonly userId: string; readonly user: SessionUser },
): Promise<SessionRecord | undefined> {
  const { engine } = visit
  const { users, store } = engine
  const { handle } = session
  const earlier = await users.reserve(user, handle, undefined, Infinity)
  if (await areOldRevoked(engine, userId)) {
    await store.delete(handle, found.version)
    await users.places.abandon(userId, handle)
    return undefined
  }
  const opened = await open(visit, found, session)
  if (opened === undefined) return undefined
  if (found.heldBack !== null) await users.evict(user, opened, earlier)
  if (await users.places.confirm(opened)) return opened
  await users.places.end(handle, (record) => record.userId === userId)
  return undefined
}

/**
 * Turns a candidate into the session. One of several parallel requests does so, and the others get the record that it
 * wrote.
 */
async function open(
  { engine, migration: { from } }: Visit,
  found: SessionRecord,
  session: SessionRecord,
): Promise<SessionRecord | undefined> {
  if (found.heldBack === null) return found
  const { handle, epoch, userId } = session
  // Nobody gets this secret. Each request gets a renewal of it, so that no two of them hold the same id.
  const { secretHash } = engine.ids.mint(handle, epoch)
  const opened = { ...session, secretHash, version: found.version + 1 }
  if (!(await engine.store.update(opened, found.version))) {
    const latest = await readLiveRecord(engine, handle)
    // Somebody may have logged in there by now. Whoever planted the old cookie may not follow them.
    return latest?.epoch === epoch ? latest : undefined
  }
  trust(opened)
  engine.events.emit({ type: 'migrate', handle, userId, from })
  return opened
}

/** Lets this request in, with an id of its own. */
function enter({ engine, client }: Visit, record: SessionRecord): LiveSession {
  const { handle, epoch, generation, secretHash, remember, absoluteDeadline } = record
  const issuedAt = engine.settings.clock()
  const lineage = { generation: generation + 1, issuedAt, parent: parentOf(secretHash) }
  const { cookieValue } = engine.ids.mint(handle, epoch, lineage, client.connection)
  const expiresAt = remember ? absoluteDeadline : undefined
  const cookie = { kind: 'set', value: cookieValue, expiresAt, renewedAt: undefined, binds: undefined } as const
  return { state: 'live', record, presented: undefined, verdict: SERVE, checked: undefined, cookie }
}
