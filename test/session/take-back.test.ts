import { mock } from 'node:test'
import t from 'tap'
import type { Test } from 'tap'
import { memoryStore } from '../../lib/index.ts'
import type { Engine } from '../../lib/session/engine.ts'
import { besideOf } from '../../lib/session/places.ts'
import { rotated } from '../../lib/session/record.ts'
import { takeBack, unlock } from '../../lib/session/take-back.ts'
import { engineOf } from '../../lib/testing/app-engine.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import type { KeptActor, SessionRecord } from '../../types/index.ts'
import type { Bench } from '../support/app.ts'
import { boot } from '../support/app.ts'
import { settle } from '../support/gate-store.ts'

interface Scene {
  readonly it: Bench
  readonly engine: Engine
  readonly now: number
  /** Stores a record, and its place in the index of its user. */
  readonly put: (record: SessionRecord) => Promise<void>
  readonly stored: (record: SessionRecord) => Promise<SessionRecord | undefined>
  /** Names of the operations on records and places since the last call. */
  readonly asked: () => string[]
}

async function scene(t: Test): Promise<Scene> {
  const it = await boot(t, (_t, clock) => memoryStore({ clock }))
  const { store } = it.gate
  const put = async (record: SessionRecord): Promise<void> => {
    await store.create(record)
    await place(it, record.userId, record)
  }
  const asked = (): string[] => it.gate.operations.splice(0).map(({ name }) => name)
  const stored = ({ handle }: SessionRecord): Promise<SessionRecord | undefined> => it.record(handle)
  return { it, engine: await engineOf(it.app), now: it.clock(), put, stored, asked }
}

async function place(it: Bench, name: string | null, { handle, absoluteDeadline }: SessionRecord): Promise<void> {
  if (name !== null) await it.gate.store.addToIndex?.(name, handle, absoluteDeadline)
}

const PLAIN = { isForked: false, deviceKey: null, device: null, data: '{"cart":1}' } as const

/** Returns a record of nobody. */
function anonymous(now: number): SessionRecord {
  return recordAt(now, { ...PLAIN, userId: null, user: null, authHash: null, authenticatedAt: null })
}

/** Returns the record after a change of id, one version later. */
function changed(record: SessionRecord, now: number, changes: Partial<SessionRecord> = {}): SessionRecord {
  return { ...rotated(record, `new secret of ${record.handle}`, now), version: record.version + 1, ...changes }
}

/** Logs Carl in in a stored session of another user. Returns the record from before, and the one of the login. */
async function takenByCarl(it: Bench): Promise<{ before: SessionRecord; written: SessionRecord }> {
  const now = it.clock()
  const before = recordAt(now, PLAIN)
  const written = changed(before, now, { userId: 'carl', user: '{"id":"carl"}' })
  await it.gate.store.create(before)
  await it.gate.store.update(written, before.version)
  for (const { userId } of [before, written]) await place(it, userId, written)
  return { before, written }
}

function actorOf({ userId, user, authHash, absoluteDeadline, data }: SessionRecord): KeptActor {
  return {
    ...{ userId: String(userId), user: String(user), authHash, authCheckedAt: 1, userAt: 2, absoluteDeadline, data },
    ...{ remember: false, lifetimes: null, methods: [], reason: 'ticket 7', since: 3 },
  }
}

t.test('a record that the change of id made is removed, with its place', async (t) => {
  const { it, engine, now, put, stored } = await scene(t)
  const written = recordAt(now, PLAIN)
  await put(written)
  await takeBack(engine, { written, before: undefined })
  t.equal(await stored(written), undefined)
  t.strictSame(await it.indexed({ id: String(written.userId) }), [])
  const later = recordAt(now, PLAIN)
  await put(later)
  await it.gate.store.update(changed(later, now), later.version)
  await takeBack(engine, { written: later, before: undefined })
  t.ok(await stored(later), 'a later change of id stands')
  t.strictSame(await it.indexed({ id: String(later.userId) }), [later.handle])
})

t.test('a record of nobody is put back in one write, and nothing is read before', async (t) => {
  const { engine, now, put, stored, asked } = await scene(t)
  const before = anonymous(now)
  await put(before)
  const written = changed(before, now, { data: '{}' })
  await engine.store.update(written, before.version)
  asked()
  await takeBack(engine, { written, before })
  t.strictSame(asked(), ['update'])
  t.strictSame(await stored(before), { ...before, version: before.version + 2 })
})

t.test('the place of a login that is taken back is given back, and that of the user before stays', async (t) => {
  const { it, engine, stored } = await scene(t)
  const { before, written } = await takenByCarl(it)
  await takeBack(engine, { written, before })
  t.strictSame(await stored(before), { ...before, version: before.version + 3 })
  t.strictSame(await it.indexed({ id: 'carl' }), [])
  t.strictSame(await it.indexed({ id: String(before.userId) }), [before.handle])
})

t.test('the places of all changes that one response made are given back', async (t) => {
  const { it, engine } = await scene(t)
  const { before, written: first } = await takenByCarl(it)
  const written = changed(first, it.clock(), { userId: 'dora', user: '{"id":"dora"}' })
  await it.gate.store.update(written, first.version)
  await place(it, 'dora', written)
  await takeBack(engine, { written, before, between: [first] })
  for (const id of ['carl', 'dora']) t.strictSame(await it.indexed({ id }), [], id)
  t.strictSame(await it.indexed({ id: String(before.userId) }), [before.handle])
})

t.test('no id opens the record until the index has confirmed its user, for a minute at most', async (t) => {
  const { it, engine, now, put, asked } = await scene(t)
  for (const idle of [59_999, 60_000, 60_001, 3_600_000]) {
    const before = recordAt(now, { ...PLAIN, idleDeadline: now + idle })
    await put(before)
    const written = changed(before, now)
    await engine.store.update(written, before.version)
    asked()
    await takeBack(engine, { written, before })
    const [lock, confirm, open, ...more] = it.gate.operations.splice(0)
    t.strictSame(more, [])
    t.match(lock, { name: 'update', args: [{ secretHash: '', version: written.version + 1 }, written.version] })
    const { heldBack, idleDeadline, tip, rivals, epoch } = (lock?.args[0] ?? {}) as SessionRecord
    t.strictSame(JSON.parse(String(heldBack)), before)
    t.strictSame({ tip, rivals }, { tip: null, rivals: [] })
    t.equal(epoch, before.epoch + 1)
    t.equal(idleDeadline, now + Math.min(idle, 60_000), `idle for ${idle} ms`)
    t.match(confirm, { name: 'keepInIndex', args: [before.userId, before.handle, before.absoluteDeadline] })
    t.match(open, { name: 'update', args: [{ ...before, version: before.version + 3 }, before.version + 2] })
  }
})

t.test('a user who was revoked meanwhile is not put back', async (t) => {
  const { it, engine, stored } = await scene(t)
  const { before, written } = await takenByCarl(it)
  await it.app.sessions.revokeUser(String(before.userId))
  await takeBack(engine, { written, before })
  t.equal(await stored(before), undefined)
  t.strictSame(await it.indexed({ id: 'carl' }), [])
})

t.test('a later change of id stands, and so does a record that is gone', async (t) => {
  const { it, engine, now, put, stored, asked } = await scene(t)
  const before = recordAt(now, PLAIN)
  await put(before)
  const written = changed(before, now)
  await engine.store.update(written, before.version)
  const later = changed(written, now, { secretHash: 'later', data: '{"later":1}' })
  await engine.store.update(later, written.version)
  asked()
  await takeBack(engine, { written, before })
  t.strictSame(asked(), ['update', 'get'], 'the write that came first is seen')
  t.match(await stored(before), { secretHash: 'later', data: '{"later":1}' })
  asked()
  await takeBack(engine, { written, before, isUnsure: true })
  t.strictSame(asked(), ['get'], 'where the write is not sure, it is read first')
  t.match(await stored(before), { secretHash: 'later', data: '{"later":1}' })
  await it.gate.store.delete(before.handle)
  for (const isUnsure of [false, true]) {
    await takeBack(engine, { written, before, isUnsure })
    t.equal(await stored(before), undefined)
  }
})

t.test('a write that the store did not confirm is taken back if it happened, and left alone if not', async (t) => {
  const { engine, now, put, stored } = await scene(t)
  for (const isWritten of [true, false]) {
    const before = recordAt(now, PLAIN)
    await put(before)
    const written = changed(before, now)
    if (isWritten) await engine.store.update(written, before.version)
    await takeBack(engine, { written, before, isUnsure: true })
    t.strictSame(await stored(before), isWritten ? { ...before, version: before.version + 3 } : before)
  }
})

/** Returns the changes that somebody else made to the record of a user after the change of id. */
function outsideOf(userId: string): Partial<SessionRecord> {
  const user = JSON.stringify({ id: userId, isNew: true })
  return { label: 'kitchen', user, userAt: 77, sparedAt: 88, data: '{"cart":1,"seen":1,"other":2}' }
}

const ANN = { userId: 'ann', user: '{"id":"ann"}' }

/** Returns what is left after a change from outside met a change of id that is taken back. */
async function afterOutside(
  t: Test,
  before: SessionRecord,
  written: SessionRecord,
  outside: Partial<SessionRecord>,
): Promise<Partial<SessionRecord>> {
  const { it, engine, put, stored } = await scene(t)
  await put(before)
  for (const { userId, acting } of [before, written]) {
    await place(it, acting ? besideOf(String(userId)) : userId, before)
    if (acting) await place(it, acting.userId, before)
  }
  await engine.store.update(written, before.version)
  await engine.store.update({ ...written, ...outside, version: written.version + 1 }, written.version)
  await takeBack(engine, { written, before })
  const { version, ...left } = (await stored(before)) ?? { version: 0 }
  t.ok(version > written.version + 1)
  const base: Record<string, unknown> = { ...before }
  return Object.fromEntries(Object.entries(left).filter(([name, value]) => !same(base[name], value)))
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

t.test('a change from outside stays where the user is the same', async (t) => {
  const { clock } = await boot(t, (_t, now) => memoryStore({ clock: now }))
  const before = recordAt(clock(), { ...PLAIN, ...ANN })
  const written = changed(before, clock(), { data: '{"cart":1,"seen":1}', label: 'from the request', remember: false })
  const { data, ...fields } = await afterOutside(t, before, written, outsideOf('ann'))
  t.strictSame(fields, { label: 'kitchen', user: '{"id":"ann","isNew":true}', userAt: 77, sparedAt: 88 })
  t.strictSame(JSON.parse(String(data)), { cart: 1, other: 2 }, 'without what the failed request wrote')
  t.strictSame(await afterOutside(t, before, written, {}), {}, 'and nothing of the failed request does')
})

t.test('nothing of one user gets into the session of another one, and a session that was spared stays', async (t) => {
  const { clock } = await boot(t, (_t, now) => memoryStore({ clock: now }))
  const before = recordAt(clock(), PLAIN)
  const written = changed(before, clock(), { userId: 'carl', user: '{"id":"carl"}' })
  t.strictSame(await afterOutside(t, before, written, outsideOf('carl')), { sparedAt: 88 })
})

t.test('a change of roles that is taken back keeps the names, and a new snapshot of the person', async (t) => {
  const { clock } = await boot(t, (_t, now) => memoryStore({ clock: now }))
  const fresh = (): SessionRecord => recordAt(clock(), { ...PLAIN, ...ANN, label: 'desk' })
  const act = (record: SessionRecord): SessionRecord =>
    changed(record, clock(), { userId: 'bob', user: '{"id":"bob"}', acting: actorOf(record), data: '{}' })
  const person = '{"id":"ann","name":"new"}'
  const own = fresh()
  const begun = act(own)
  const newActor = { ...actorOf(own), user: person, userAt: 99 }
  t.strictSame(
    await afterOutside(t, own, begun, { ...outsideOf('bob'), acting: newActor }),
    { label: 'kitchen', user: person, userAt: 99, sparedAt: 88 },
    'the customer’s snapshot and data stay outside',
  )
  const other = fresh()
  t.strictSame(await afterOutside(t, other, act(other), {}), {}, 'and nothing else of the role')
  const acting = { ...act(fresh()), version: 7 }
  const kept = acting.acting as KeptActor
  const newSide = { ...kept, user: person, userAt: 99 }
  const renewed = changed(acting, clock())
  t.strictSame(await afterOutside(t, acting, renewed, { acting: newSide }), { acting: newSide }, 'the same role')
  const back = changed(acting, clock(), { userId: kept.userId, user: kept.user, acting: null, data: kept.data })
  t.strictSame(await afterOutside(t, acting, back, { label: 'kitchen', user: person, userAt: 99 }), {
    label: 'kitchen',
    acting: { ...kept, user: person, userAt: 99 },
  })
})

t.test('a store that does not answer is asked again for a minute, in the background', async (t) => {
  const { it, engine, now, put, stored } = await scene(t)
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const before = anonymous(now)
  await put(before)
  const written = changed(before, now)
  await engine.store.update(written, before.version)
  it.gate.hold('update').fail()
  await t.rejects(takeBack(engine, { written, before }), { code: 'SESSION_STORE_UNAVAILABLE' })
  t.equal((await stored(before))?.secretHash, written.secretHash)
  it.gate.hold('update').fail()
  mock.timers.tick(1_000)
  await settle()
  t.equal((await stored(before))?.secretHash, written.secretHash, 'the second attempt failed too')
  mock.timers.tick(59_000)
  await settle()
  t.equal((await stored(before))?.secretHash, before.secretHash)
})

t.test('a store that never answers is asked no more after a while, and one that comes back is', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  for (const secondsDown of [50, Infinity]) {
    const { it, engine, now, put, stored } = await scene(t)
    const { store } = it.gate
    const before = anonymous(now)
    await put(before)
    const written = changed(before, now)
    await engine.store.update(written, before.version)
    let attempts = 0
    let second = 0
    const update = store.update.bind(store)
    store.update = async (...given) => {
      attempts += 1
      if (second < secondsDown) throw new Error('the store is down')
      return update(...given)
    }
    await t.rejects(takeBack(engine, { written, before }), { code: 'SESSION_STORE_UNAVAILABLE' })
    for (; second < 180; second += 1) {
      mock.timers.tick(1_000)
      await settle()
    }
    t.equal((await stored(before))?.secretHash, secondsDown === 50 ? before.secretHash : written.secretHash)
    const until = attempts
    t.ok(until > 3)
    mock.timers.tick(3_600_000)
    await settle()
    t.equal(attempts, until)
  }
})

t.test('a store where another write always comes first is no endless loop', async (t) => {
  const { it, engine, now, put, stored } = await scene(t)
  const before = anonymous(now)
  await put(before)
  const written = changed(before, now)
  await engine.store.update(written, before.version)
  it.gate.store.update = async () => false
  await takeBack(engine, { written, before })
  t.equal((await stored(before))?.secretHash, written.secretHash)
})

t.test('a failure of the store reaches whoever takes back or unlocks', async (t) => {
  const { it, engine, now, put } = await scene(t)
  const made = recordAt(now, PLAIN)
  await put(made)
  it.gate.hold('delete').fail()
  await t.rejects(takeBack(engine, { written: made, before: undefined }), { code: 'SESSION_STORE_UNAVAILABLE' })
  const old = recordAt(now, PLAIN)
  const locked = changed(old, now, { secretHash: '', heldBack: JSON.stringify(old) })
  await it.gate.store.create(locked)
  it.gate.hold('delete').fail()
  await t.rejects(unlock(engine, locked), { code: 'SESSION_STORE_UNAVAILABLE' })
})

t.test('another process finishes what one began that took a change of id back', async (t) => {
  const { it, engine, now, put, stored } = await scene(t)
  const old = recordAt(now, PLAIN)
  const lockOf = (record: SessionRecord): SessionRecord => ({
    ...changed(record, now, { secretHash: '', heldBack: JSON.stringify(record) }),
  })
  const locked = lockOf(old)
  await put(locked)
  t.strictSame(await unlock(engine, locked), { ...old, version: locked.version + 1 })
  t.strictSame(await stored(old), { ...old, version: locked.version + 1 })
  t.strictSame(await unlock(engine, locked), { ...old, version: locked.version + 1 }, 'whoever comes second reads it')
  t.equal(await unlock(engine, { ...locked, heldBack: null }), undefined, 'nothing is held back')
  t.ok(await stored(old))
  const moving = { ...locked, userId: null, user: null, authenticatedAt: null }
  t.equal(await unlock(engine, moving), undefined, 'a session that moves in has no place yet')
  t.ok(await stored(old))
  const gone = recordAt(now, PLAIN)
  await put(lockOf(gone))
  await it.gate.store.removeFromIndex?.(String(gone.userId), gone.handle)
  t.equal(await unlock(engine, lockOf(gone)), undefined, 'the user was revoked')
  t.equal(await stored(gone), undefined)
  const taken = recordAt(now, PLAIN)
  const theirs = { ...taken, userId: 'carl', user: '{"id":"carl"}' }
  await it.gate.store.create(theirs)
  t.equal(await unlock(engine, lockOf(taken)), undefined)
  t.strictSame(await stored(taken), theirs, 'the record of another user stays')
})

t.test('all places of a session that is not put back are given back', async (t) => {
  const { it, engine, now, stored } = await scene(t)
  const actor = recordAt(now, PLAIN)
  const acting = { ...actor, userId: 'bob', user: '{"id":"bob"}', acting: actorOf(actor) }
  const locked = changed(acting, now, { secretHash: '', heldBack: JSON.stringify(acting) })
  await it.gate.store.create(locked)
  await place(it, besideOf('bob'), acting)
  t.equal(await unlock(engine, locked), undefined, 'the actor was revoked')
  t.equal(await stored(acting), undefined)
  t.strictSame(await it.indexed({ id: besideOf('bob') }), [])
  await it.gate.store.create({ ...actor, version: 9 })
  t.equal(await unlock(engine, locked), undefined)
  t.equal(await stored(acting), undefined, 'also where only one of the two users is left')
})
