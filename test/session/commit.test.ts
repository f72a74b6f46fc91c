import t from 'tap'
import type { Test } from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { commit, planOf } from '../../lib/session/commit.ts'
import type { Outcome, Plan } from '../../lib/session/commit.ts'
import type { Engine } from '../../lib/session/engine.ts'
import { newHandle } from '../../lib/session/id.ts'
import type { Loaded } from '../../lib/session/load-session.ts'
import { goneSince, hashShown, NONE } from '../../lib/session/load-session.ts'
import type { Rotation } from '../../lib/session/next-record.ts'
import { besideOf } from '../../lib/session/places.ts'
import { rotated } from '../../lib/session/record.ts'
import { SERVE } from '../../lib/session/verdict.ts'
import { engineOf } from '../../lib/testing/app-engine.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import type { SessionEvent, SessionRecord } from '../../types/index.ts'
import type { Bench, BenchOptions } from '../support/app.ts'
import { boot, handleOf, loginAs, someone, write } from '../support/app.ts'

type Wish = Parameters<typeof planOf>[2]

interface Scene {
  readonly it: Bench
  readonly engine: Engine
  readonly now: number
  /** Returns the plan of a request that found this session and wants these changes. */
  readonly plan: (loaded: Loaded, wish?: Partial<Wish>, parts?: Partial<Plan>) => Plan
  readonly run: (loaded: Loaded, wish?: Partial<Wish>, parts?: Partial<Plan>) => Promise<Outcome>
  /** Stores a record as a request of its user finds it. */
  readonly live: (changes?: Partial<SessionRecord>) => Promise<Loaded & { state: 'live' }>
  /** Returns the events since the last call. */
  readonly told: () => SessionEvent[]
}

async function scene(t: Test, session: BenchOptions['session'] = {}): Promise<Scene> {
  const it = await boot(t, (_t, clock) => memoryStore({ clock }), { session })
  const engine = await engineOf(it.app)
  const now = it.clock()
  const plan: Scene['plan'] = (loaded, wish = {}, parts = {}) => {
    const client = { protocol: 'http', ip: '::1', userAgent: 'Browser/1.0' }
    const whole = {
      handle: newHandle(),
      isAllOwn: false,
      client,
      ids: engine.ids,
      replaces: hashShown(loaded),
      ...parts,
    }
    return planOf(loaded, whole, { ...QUIET, now: it.clock(), ...wish })
  }
  const live: Scene['live'] = async (changes = {}) => {
    const record = recordAt(it.clock(), { ...PLAIN, ...changes })
    await it.gate.store.create(record)
    const { userId, handle } = record
    if (userId !== null) await it.gate.store.addToIndex?.(userId, handle, record.absoluteDeadline)
    return { state: 'live', record, presented: undefined, verdict: SERVE, checked: undefined }
  }
  const run: Scene['run'] = (...given) => commit(engine, plan(...given))
  return { it, engine, now, plan, run, live, told: () => it.events.splice(0) }
}

const PLAIN = { isForked: false, deviceKey: null, device: null, tip: null, rivals: [], data: '{}' }
const NOBODY = { userId: null, user: null, authHash: null, authenticatedAt: null }
const UNCHANGED = { from: '{}', to: '{}', isWhole: false }
const DATA = { from: '{}', to: '{"cart":1}', isWhole: false }
const QUIET: Omit<Wish, 'now'> = {
  ...{ edit: UNCHANGED, rotation: undefined, user: undefined, isTouched: false, isPassive: false, carrier: 'reply' },
}

function loginOf(userId: string): Rotation {
  const user = JSON.stringify({ id: userId })
  const proof = { authHash: null, authCheckedAt: 5, remember: false, device: null }
  return { reason: 'login', identity: { userId, user, ...proof }, login: { user: { id: userId }, earlier: new Set() } }
}

function halfLoginOf(userId: string, until: number): Rotation {
  const user = JSON.stringify({ id: userId })
  return { reason: 'pending', pending: { userId, user, authHash: null, methods: [], until } }
}

/** Writes a newer version of a record than the one that a request has. */
async function overtake({ it }: Scene, { record }: { record: SessionRecord }, isRotated: boolean): Promise<void> {
  const next = isRotated ? rotated(record, 'of another request', it.clock()) : record
  await it.gate.store.update({ ...next, version: record.version + 1, data: '{"other":1}' }, record.version)
}

function failureOf(outcome: Outcome): object {
  if (outcome.kind !== 'failed') return outcome
  return { code: (outcome.error as { code?: string }).code, isStaged: outcome.isStaged }
}

t.test(
  'a plan holds the live record, or the record that the id names, or the dead id, and never two of them',
  async (t) => {
    const { plan, live } = await scene(t)
    const presented = { id: 'shown' } as never
    const checked = { user: '{}' } as never
    const own = { ...(await live()), presented, checked }
    t.equal(plan(own).base, own.record)
    t.match(plan(own), { named: undefined, replaces: undefined, work: { presented, checked } })
    const empty = { base: undefined, named: undefined, replaces: undefined }
    t.match(plan(NONE), { ...empty, work: { presented: undefined, checked: undefined } })
    t.match(plan(goneSince(1, 'hash')), { ...empty, replaces: 'hash' })
    for (const named of [
      { state: 'shadowed', handle: 'h' },
      { state: 'outdated', handle: 'h' },
      { state: 'unproven', handle: 'h', userId: 'ann' },
    ] as const) {
      t.match(plan(named), { ...empty, named })
    }
    t.equal(plan(own).work.carrier, 'reply')
    t.equal(plan(own, { isPassive: true }).work.carrier, 'none', 'a passive request renews nothing')
  },
)

t.test('a request with nothing to keep asks nothing of the store', async (t) => {
  const { it, run, live } = await scene(t)
  const own = await live()
  it.gate.operations.length = 0
  for (const loaded of [NONE, goneSince(1, 'hash'), own, { state: 'shadowed', handle: 'h' } as const]) {
    t.strictSame(await run(loaded), { kind: 'unchanged' }, loaded.state)
  }
  t.strictSame(await run({ state: 'unproven', handle: 'h', userId: 'ann' }), { kind: 'unchanged' })
  t.strictSame(it.gate.operations, [])
})

t.test('a record begins with its first data, login or half login, and its id opens it', async (t) => {
  const { it, engine, run, now } = await scene(t)
  const until = now + 600_000
  const begins: [wish: Partial<Wish>, record: Partial<SessionRecord>][] = [
    [{ edit: DATA }, { ...NOBODY, epoch: 0, data: '{"cart":1}' }],
    [
      { edit: DATA, rotation: { reason: 'regenerate' } },
      { ...NOBODY, epoch: 0, data: '{"cart":1}' },
    ],
    [{ rotation: loginOf('ann') }, { userId: 'ann', epoch: 1, authenticatedAt: now, data: '{}' }],
    [{ rotation: halfLoginOf('ann', until) }, { ...NOBODY, epoch: 1, pending: { userId: 'ann', until } as never }],
  ]
  for (const [wish, expected] of begins) {
    const handle = newHandle()
    const place = wish.rotation?.pending === undefined ? 'ann' : besideOf('ann')
    if (wish.rotation !== undefined) await it.gate.store.addToIndex?.(place, handle, until)
    const outcome = await run(NONE, wish, { handle })
    if (outcome.kind !== 'written') throw new Error(outcome.kind)
    const { record, cookieValue, wayBack } = outcome
    t.match(record, { ...expected, handle, version: 1, createdAt: now })
    t.equal(Object.hasOwn(record, 'pending'), wish.rotation?.pending !== undefined)
    t.strictSame(await it.record(handle), record)
    t.match(engine.ids.read(String(cookieValue)), { handle, epoch: record.epoch, secretHash: record.secretHash })
    t.strictSame(wayBack, { written: record, before: undefined })
  }
})

t.test('a name that is taken, and data that is too large, are refused, and can be tried again', async (t) => {
  const { run, live, engine, it } = await scene(t, { maxRecordSize: 1_000 })
  const taken = await live()
  const { handle } = taken.record
  for (const rotation of [undefined, loginOf('ann'), halfLoginOf('ann', it.clock() + 1)]) {
    const named = { state: 'unproven', handle, userId: 'ann' } as const
    for (const loaded of rotation === undefined ? [NONE] : [NONE, goneSince(1, 'kept'), named]) {
      const outcome = await run(loaded, { edit: DATA, rotation }, { handle })
      t.strictSame(failureOf(outcome), { code: 'SESSION_SUPERSEDED', isStaged: true })
    }
  }
  t.equal(engine.replacedIds.get('kept'), undefined)
  t.strictSame(await it.record(handle), taken.record)
  const large = (size: number, name: string): string => JSON.stringify({ [name]: 'x'.repeat(size) })
  const refused = { code: 'SESSION_RECORD_TOO_LARGE', isStaged: true }
  for (const loaded of [NONE, taken]) {
    const outcome = await run(loaded, { edit: { ...DATA, to: large(1_000, 'a') } })
    t.strictSame(failureOf(outcome), refused)
  }
  const stored = await live({ data: large(600, 'other') })
  const both = await run(stored, { edit: { ...DATA, to: large(600, 'own') } })
  t.strictSame(failureOf(both), refused, 'what two requests wrote is too large together')
  const old = await live({ data: large(2_000, 'old') })
  const edit = { from: old.record.data, to: old.record.data, isWhole: false }
  t.equal((await run(old, { edit, user: old.record.user ?? '' })).kind, 'written', 'data of a larger limit may stay')
})

t.test('data does not begin a record beside the one that the id names', async (t) => {
  const { it, run, told } = await scene(t)
  for (const state of ['shadowed', 'outdated'] as const) {
    t.strictSame(await run({ state, handle: 'named' }, { edit: DATA }), { kind: 'lost', handle: 'named' })
    t.match(told(), [{ type: 'dropped-write', handle: 'named', reason: 'stale' }])
  }
  const unproven = { state: 'unproven', handle: 'named', userId: 'ann' } as const
  t.strictSame(failureOf(await run(unproven, { edit: DATA })), { code: 'SESSION_PROOF_REQUIRED', isStaged: true })
  t.strictSame(it.gate.createdHandles(), [])
})

t.test('a login with a dead id notes that the id was replaced, so that no late answer clears the cookie', async (t) => {
  const { it, engine, run } = await scene(t)
  const handle = newHandle()
  await it.gate.store.addToIndex?.('ann', handle, it.clock() + 60_000)
  t.equal((await run(goneSince(1, 'dead'), { rotation: loginOf('ann') }, { handle })).kind, 'written')
  t.equal(engine.replacedIds.get('dead'), true)
  it.gate.hold('create').fail()
  await it.gate.store.addToIndex?.('ann', 'other', it.clock() + 60_000)
  t.equal((await run(goneSince(1, 'other'), { rotation: loginOf('ann') }, { handle: 'other' })).kind, 'failed')
  t.equal(engine.replacedIds.get('other'), undefined, 'a login that failed notes nothing')
  t.equal((await run(NONE, { edit: DATA })).kind, 'written')
  t.equal(engine.replacedIds.get(undefined as never), undefined)
})

t.test('a change of the id notes the id that it replaced, which may be gone a moment later', async (t) => {
  const { it, engine, run, live } = await scene(t)
  const shownAs = async (secretHash: string): Promise<Loaded> => {
    const found = await live()
    await it.gate.store.addToIndex?.('ann', found.record.handle, it.clock() + 60_000)
    return { ...found, presented: { id: { secretHash } } as never }
  }
  t.equal((await run(await shownAs('changed'), { rotation: loginOf('ann') })).kind, 'written')
  t.equal(engine.replacedIds.get('changed'), true)
  t.equal((await run(await shownAs('read'), { edit: DATA })).kind, 'written')
  t.equal(engine.replacedIds.get('read'), undefined, 'a write of data replaces no id')
})

t.test('a login with an id that is far behind, or without the proof, ends what belongs to its user', async (t) => {
  const { it, run, live, told } = await scene(t)
  const login = async (loaded: Loaded, rotation = loginOf('ann')): Promise<Outcome> => {
    const handle = newHandle()
    const name = rotation.pending === undefined ? 'ann' : besideOf('ann')
    await it.gate.store.addToIndex?.(name, handle, it.clock() + 60_000)
    return run(loaded, { rotation }, { handle })
  }
  const ann = { userId: 'ann', user: '{"id":"ann"}' }
  const bob = { userId: 'bob', user: '{"id":"bob"}' }
  const half = halfLoginOf('ann', it.clock() + 600_000)
  const cases: [state: 'shadowed' | 'outdated' | 'unproven', owner: typeof ann, by: Rotation, reason?: string][] = [
    ['outdated', bob, loginOf('ann'), 'replay'],
    ['outdated', ann, half, 'replay'],
    ['unproven', ann, loginOf('ann'), 'revoked'],
    ['unproven', ann, half],
    ['unproven', bob, loginOf('ann')],
    ['shadowed', ann, loginOf('ann')],
  ]
  for (const [state, owner, rotation, reason] of cases) {
    const { handle } = (await live(owner)).record
    const loaded = { state, handle, userId: owner.userId }
    told()
    t.equal((await login(loaded, rotation)).kind, 'written', `${state} ${rotation.reason}`)
    t.equal((await it.record(handle)) === undefined, reason !== undefined, `${state} ${owner.userId}`)
    const revoked = told().filter(({ type }) => type === 'revoke')
    t.equal(revoked.length, reason === undefined ? 0 : 1)
    if (reason === undefined) continue
    t.match(revoked, [{ handle, userId: owner.userId, reason }])
    const again = (await live(owner)).record
    it.gate.hold('delete').fail()
    const failed = await login({ ...loaded, handle: again.handle }, rotation)
    t.strictSame(failureOf(failed), { code: 'SESSION_STORE_UNAVAILABLE', isStaged: false }, 'the end is waited for')
    const created = it.gate.createdHandles().at(-1) ?? ''
    t.equal(await it.record(created), undefined, 'a login that nobody is told of leaves no session')
    const entries = await it.gate.store.listIndex?.(rotation.pending === undefined ? 'ann' : besideOf('ann'))
    t.notOk(entries?.some((entry) => entry.handle === created))
    const third = (await live(owner)).record
    it.gate.hold('create').fail()
    t.equal((await login({ ...loaded, handle: third.handle }, rotation)).kind, 'failed')
    t.strictSame(await it.record(third.handle), third, 'a login that failed ends nothing')
  }
})

t.test('a write goes on top of what other requests wrote meanwhile, and an endless conflict is given up', async (t) => {
  const all = await scene(t)
  const { it, run, live } = all
  const own = await live(NOBODY)
  await overtake(all, own, false)
  const outcome = await run(own, { edit: DATA })
  t.match(outcome, { kind: 'written', wayBack: undefined, cookieValue: undefined })
  t.strictSame(JSON.parse((await it.record(own.record.handle))?.data ?? ''), { other: 1, cart: 1 })
  const other = await live(NOBODY)
  it.gate.store.update = async () => false
  t.strictSame(failureOf(await run(other, { edit: DATA })), { code: 'SESSION_SUPERSEDED', isStaged: true })
})

t.test('a write to a session that is gone, or another login’s, is dropped and told', async (t) => {
  const all = await scene(t)
  const { it, run, live, told } = all
  const regenerate: Rotation = { reason: 'regenerate' }
  const whole = { ...UNCHANGED, isWhole: true }
  for (const reason of ['gone', 'epoch'] as const) {
    const cases: [wish: Partial<Wish>, isTold: boolean, isError: boolean][] = [
      [{ isTouched: true }, false, false],
      [{ edit: DATA }, true, false],
      [{ edit: whole, isTouched: true }, true, false],
      [{ rotation: regenerate }, true, true],
      [{ edit: DATA, rotation: regenerate }, true, true],
    ]
    for (const [wish, isTold, isError] of cases) {
      const own = await live()
      const { handle } = own.record
      if (reason === 'gone') await it.gate.store.delete(handle)
      else await overtake(all, own, true)
      const before = await it.record(handle)
      told()
      const outcome = await run(own, wish, { isAllOwn: true })
      t.match(outcome, { kind: 'lost', handle, error: isError ? { code: 'SESSION_SUPERSEDED' } : undefined })
      const events = told()
      t.equal(events.length, isTold ? 1 : 0)
      if (isTold) t.match(events, [{ type: 'dropped-write', handle, reason }])
      t.strictSame(await it.record(handle), before)
    }
  }
})

t.test(
  'an overtaken regenerate that kept nothing begins a session of its own where nobody was logged in',
  async (t) => {
    const all = await scene(t)
    const { it, run, live } = all
    const rotation: Rotation = { reason: 'regenerate' }
    const cases: [
      changes: Partial<SessionRecord>,
      rotation: Rotation | undefined,
      isAllOwn: boolean,
      isAnew: boolean,
    ][] = [
      [NOBODY, rotation, true, true],
      [NOBODY, rotation, false, false],
      [{}, rotation, true, false],
      [NOBODY, undefined, true, false],
      [NOBODY, halfLoginOf('ann', it.clock() + 1), true, false],
    ]
    for (const [changes, given, isAllOwn, isAnew] of cases) {
      const own = await live(changes)
      await overtake(all, own, true)
      const edit = { ...DATA, isWhole: true }
      const outcome = await run(own, { edit, rotation: given }, { isAllOwn, handle: own.record.handle })
      t.equal(outcome.kind, isAnew ? 'written' : 'lost')
      if (outcome.kind !== 'written') continue
      t.not(outcome.record.handle, own.record.handle)
      t.match(await it.record(outcome.record.handle), { ...NOBODY, data: '{"cart":1}' })
      t.match(await it.record(own.record.handle), { data: '{"other":1}' })
    }
  },
)

t.test('the place of an overtaken change is given back, and the second step of a lost login is none', async (t) => {
  const all = await scene(t)
  const { it, run, live, told } = all
  const until = it.clock() + 600_000
  const pending = halfLoginOf('ann', until).pending ?? null
  const cases: [changes: Partial<SessionRecord>, rotation: Rotation, place: string][] = [
    [NOBODY, halfLoginOf('ann', until), besideOf('ann')],
    [{ ...NOBODY, pending }, loginOf('ann'), 'ann'],
  ]
  for (const [changes, rotation, place] of cases) {
    const own = await live(changes)
    const { handle } = own.record
    await it.gate.store.addToIndex?.(place, handle, until)
    await overtake(all, { record: own.record }, true)
    await it.gate.store.delete(handle)
    told()
    t.match(await run(own, { rotation }), { kind: 'lost', error: { code: 'SESSION_SUPERSEDED' } })
    t.strictSame(await it.indexed({ id: place }), [])
    t.match(told(), [{ type: 'dropped-write', handle, reason: 'gone' }])
    await it.gate.store.addToIndex?.(place, handle, until)
    it.gate.hold('removeFromIndex').fail()
    t.match(failureOf(await run(own, { rotation })), { code: 'SESSION_STORE_UNAVAILABLE' })
  }
})

t.test(
  'an overtaken login gets a record of its own, and leaves the place of the same user’s other login',
  async (t) => {
    const all = await scene(t)
    const { it, run, live } = all
    for (const latest of ['ann', 'bob']) {
      const own = await live(NOBODY)
      const { handle } = own.record
      await it.gate.store.addToIndex?.('ann', handle, it.clock() + 60_000)
      const theirs = { userId: latest, user: JSON.stringify({ id: latest }), authenticatedAt: it.clock() }
      const next = rotated({ ...own.record, ...theirs }, 'of another request', it.clock())
      await it.gate.store.update({ ...next, version: own.record.version + 1 }, own.record.version)
      const outcome = await run(own, { edit: { ...DATA, isWhole: true }, rotation: loginOf('ann') }, { handle })
      if (outcome.kind !== 'written') throw new Error(outcome.kind)
      t.not(outcome.record.handle, handle)
      t.match(await it.record(outcome.record.handle), { userId: 'ann', data: '{"cart":1}' })
      const places = await it.indexed({ id: 'ann' })
      t.ok(places.includes(outcome.record.handle))
      t.equal(places.includes(handle), latest === 'ann')
      it.gate.hold('addToIndex').fail()
      t.match(failureOf(await run(own, { rotation: loginOf('ann') })), { code: 'SESSION_STORE_UNAVAILABLE' })
    }
  },
)

t.test('a write whose answer is lost is taken back before the request hears of it', async (t) => {
  const { it, run, live } = await scene(t)
  const { gate } = it
  gate.hold('create').lose()
  t.match(failureOf(await run(NONE, { edit: DATA })), { code: 'SESSION_STORE_UNAVAILABLE', isStaged: false })
  t.strictSame(await it.living(), [], 'a record that no cookie names is gone')
  const own = await live(NOBODY)
  gate.hold('update').lose()
  const rotation: Rotation = { reason: 'regenerate' }
  t.match(failureOf(await run(own, { rotation })), { code: 'SESSION_STORE_UNAVAILABLE', isStaged: false })
  t.equal((await it.record(own.record.handle))?.secretHash, own.record.secretHash)
  const plain = await live(NOBODY)
  gate.hold('update').lose()
  t.match(failureOf(await run(plain, { edit: DATA })), { code: 'SESSION_STORE_UNAVAILABLE', isStaged: true })
  t.match(await it.record(plain.record.handle), { data: '{"cart":1}' }, 'data without a new id stays')
})

t.test(
  'a confirmed write is taken back without another look, and one that failed takes nothing of others back',
  async (t) => {
    const all = await scene(t)
    const { it, run, live } = all
    const { gate } = it
    const own = await live()
    const rotation = { ...loginOf(String(own.record.userId)), reason: 'confirm' as const, login: undefined as never }
    gate.hold('keepInIndex').fail()
    gate.operations.length = 0
    t.match(failureOf(await run(own, { rotation })), { isStaged: false })
    const names = gate.operations.map(({ name }) => name)
    t.strictSame(names, ['update', 'update', 'keepInIndex', 'update'])
    t.equal((await it.record(own.record.handle))?.secretHash, own.record.secretHash)
    const other = await live(NOBODY)
    const caught = gate.hold('update', { by: 'slow' })
    const slow = gate.as('slow', () => run(other, { rotation: { reason: 'regenerate' } }))
    await caught.arrived
    await overtake(all, other, true)
    caught.fail()
    t.match(failureOf(await slow), { code: 'SESSION_STORE_UNAVAILABLE' })
    t.match(await it.record(other.record.handle), { secretHash: 'of another request', data: '{"other":1}' })
  },
)

t.test('what begins in the instant in which all sessions end stays, and what was there before does not', async (t) => {
  const { it } = await scene(t)
  const ann = someone('ann')
  const old = await it.loggedIn(ann)
  const known = await it.withData({ cart: 1 })
  const caught = it.gate.hold('update', { by: 'old' })
  const late = it.gate.as('old', () => old.visit(write({ late: 1 })))
  await caught.arrived
  await it.app.sessions.revokeAll()
  caught.release()
  await late
  t.equal((await old.me()).userId, null)
  const data = await it.withData({ fresh: 1 })
  t.strictSame((await data.me()).data, { fresh: 1 })
  const login = await it.loggedIn(ann)
  t.equal((await login.me()).userId, ann.id)
  await data.visit(loginAs(ann))
  t.equal((await data.me()).userId, ann.id)
  t.not(handleOf(known.cookie), '')
  t.strictSame((await known.me()).data, {})
})

t.test('what begins while a cutoff lies ahead of this clock is spared by it, and what goes on is not', async (t) => {
  const { it, engine, now, run, live } = await scene(t)
  const cutoff = now + 5_000
  await engine.gate?.raise(cutoff)
  const sparedBy = async (loaded: Loaded, wish: Partial<Wish>): Promise<number | undefined> => {
    const handle = loaded.state === 'live' ? loaded.record.handle : newHandle()
    if (wish.rotation !== undefined) await it.gate.store.addToIndex?.('ann', handle, now + 60_000)
    const outcome = await run(loaded, wish, { handle })
    return outcome.kind === 'written' ? outcome.record.sparedAt : 0
  }
  t.equal(await sparedBy(NONE, { edit: DATA }), cutoff, 'a session of nobody')
  t.equal(await sparedBy(NONE, { rotation: loginOf('ann') }), cutoff, 'a login')
  t.equal(await sparedBy(await live(NOBODY), { rotation: loginOf('ann') }), cutoff, 'a login in a session')
  t.equal(await sparedBy(await live({ sparedAt: 5 }), { edit: DATA }), 5, 'a write')
})
