import type { SessionRecord } from '../../types/index.ts'
import { personOf } from './actor.ts'
import type { Engine } from './engine.ts'
import { rebase } from './json-data.ts'
import { hasPlace, placesOf } from './places.ts'
import { rotated } from './record.ts'
import { ATTEMPTS } from './user-places.ts'

/** A committed rotation, and the record from before it. Nobody has seen the new secret yet. */
export interface WayBack {
  readonly written: SessionRecord
  /** `undefined` if the rotation made the record. */
  readonly before: SessionRecord | undefined
  /** The versions of earlier rotations of the same response. */
  readonly between?: readonly SessionRecord[]
  /**
   * Tells whether the store did not confirm the write of the rotation. In this case another request may have written
   * its own rotation.
   */
  readonly isUnsure?: boolean
}

/** The hash that no secret has. */
const NO_SECRET = ''

/** The time that a record that no id opens may live, in milliseconds. */
const MAX_LOCK = 60_000

/** The pauses before a rotation that could not be taken back is tried again: a minute in all. */
const PAUSES = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000]

/**
 * Takes a committed rotation back, because its response failed. If the store does not answer, this is tried again in
 * the background for a minute, because the session's owner would be locked out otherwise.
 * @throws `SESSION_STORE_UNAVAILABLE`
 */
export async function takeBack(engine: Engine, wayBack: WayBack): Promise<void> {
  try {
    await attempt(engine, wayBack)
  } catch (error) {
    tryLater(engine, wayBack, 0)
    throw error
  }
}

function tryLater(engine: Engine, wayBack: WayBack, failures: number): void {
  const pause = PAUSES[failures]
  if (pause === undefined) return
  setTimeout(() => {
    attempt(engine, wayBack).catch(() => tryLater(engine, wayBack, failures + 1))
  }, pause).unref()
}

async function attempt(engine: Engine, wayBack: WayBack): Promise<void> {
  const { written, before, between = [] } = wayBack
  const isOurs = (record: SessionRecord): boolean => record.secretHash === written.secretHash
  if (before === undefined) await engine.users.places.end(written.handle, isOurs, written)
  else await restore(engine, { ...wayBack, before })
  for (const record of [written, ...between]) {
    for (const { name } of placesOf(record)) {
      if (!hasPlace(before, name)) await engine.users.places.abandon(name, record.handle)
    }
  }
}

/**
 * Puts a record back as it was. Somebody outside of the request may have changed the record since, as `rename` does.
 * Such a change stays.
 */
async function restore(
  engine: Engine,
  { before, written, isUnsure = false }: WayBack & { readonly before: SessionRecord },
): Promise<void> {
  // The version alone does not tell whose write it was.
  let latest = isUnsure ? await engine.store.get(written.handle) : written
  for (let left = ATTEMPTS; left > 0; left -= 1) {
    // Another secret is that of a later change of id, which stands.
    if (latest === undefined || latest.secretHash !== written.secretHash) return
    if (await putBack(engine, withOutsideChanges(before, written, latest), latest.version)) return
    latest = await engine.store.get(written.handle)
  }
}

/** The fields that `app.sessions` changes in a session of somebody else's request. */
const OUTSIDE = ['label', 'user', 'userAt', 'sparedAt', 'acting'] as const

/** The same, if the request began or stopped to act as another user. */
const OUTSIDE_OF_ROLE = ['label', 'sparedAt'] as const

/** The same, whoever the session belonged to: `revokeAll` spares a session and not a user. */
const OUTSIDE_OF_ANYBODY = ['sparedAt'] as const

function withOutsideChanges(before: SessionRecord, written: SessionRecord, latest: SessionRecord): SessionRecord {
  const isSameUser = before.userId === written.userId
  const isSamePerson = isSameUser || personOf(before) === personOf(written)
  // Changes in the session of one user do not belong into the session of another user.
  const fields = isSameUser ? OUTSIDE : isSamePerson ? OUTSIDE_OF_ROLE : OUTSIDE_OF_ANYBODY
  const changed = fields.filter((field) => latest[field] !== written[field])
  const kept = { ...before, ...Object.fromEntries(changed.map((field) => [field, latest[field]])) }
  // The data of the request that failed goes, and what others changed in the data stays.
  if (isSameUser) return { ...kept, data: rebase(before.data, written.data, latest.data) }
  return isSamePerson ? { ...kept, ...newSnapshot(before, written, latest) } : kept
}

/** Returns the snapshot of the user who really is there, if somebody replaced it since. */
function newSnapshot(before: SessionRecord, written: SessionRecord, latest: SessionRecord): Partial<SessionRecord> {
  const { user, userAt = 0 } = latest.acting ?? latest
  if (user === null || user === (written.acting ?? written).user) return {}
  return before.acting ? { acting: { ...before.acting, user, userAt } } : { user, userAt }
}

/**
 * Writes the record from before a rotation. Resolves to `false` if another write came first.
 *
 * While the record belonged to another user, a revocation of its first user could not find it. So the record is first
 * restored without a valid secret. The old secret returns only if the user's index entry still exists; otherwise the
 * session ends.
 */
async function putBack(engine: Engine, old: SessionRecord, version: number): Promise<boolean> {
  const { store, settings } = engine
  if (placesOf(old).length === 0) return store.update({ ...old, version: version + 1 }, version)
  const idleDeadline = Math.min(old.idleDeadline, settings.clock() + MAX_LOCK)
  const heldBack = JSON.stringify(old)
  const locked = { ...rotated(old, NO_SECRET, old.rotatedAt), idleDeadline, heldBack, version: version + 1 }
  if (!(await store.update(locked, version))) return false
  await unlock(engine, locked)
  return true
}

/**
 * Finishes what a process began that took a rotation back and did not get to the end. Resolves to the record as it was
 * before the rotation, or to `undefined` if its user was revoked meanwhile.
 * @throws `SESSION_STORE_UNAVAILABLE`
 */
export async function unlock(engine: Engine, locked: SessionRecord): Promise<SessionRecord | undefined> {
  const { store, users } = engine
  const { handle, version, heldBack } = locked
  // A session that is still moving in has no place.
  if (heldBack === null || placesOf(locked).length === 0) return undefined
  // Only this file writes the field, with a whole record.
  const old = JSON.parse(heldBack) as SessionRecord
  if (await users.places.confirm(old)) {
    const restored = { ...old, version: version + 1 }
    return (await store.update(restored, version)) ? restored : await store.get(handle)
  }
  await users.places.end(handle, (record) => placesOf(old).some(({ name }) => hasPlace(record, name)))
  await users.places.releaseAll(old)
  return undefined
}
