import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import {
  areOldRevoked,
  closeMark,
  endOfMark,
  isCutOff,
  leaveMark,
  markOf,
  NO_SECRET,
  noteOpenings,
  readMark,
  revokeOld,
} from '../../lib/session/move-mark.ts'
import type { Mark, Move } from '../../lib/session/move-mark.ts'
import type { Migration } from '../../types/index.ts'
import { coreOnly } from '../plugin/stores.ts'
import { bootMoves, OldEntry, wayIn } from '../support/old-session.ts'

const MOVE: Move = { to: 'AAAAAAAAAAAAAAAAAAAAAA', epoch: 1, closedAt: 0 }
const KEY = new OldEntry('the key of an old session', undefined)
const HOUR = 3_600_000
const TEN_YEARS = 10 * 365 * 24 * HOUR

t.test('the names of marks stay as they are for ten years, because a mark keeps a used session out', async (t) => {
  const clock = Date.now()
  const session = { namespace: 'shop' }
  const { bench, engine, migration } = await bootMoves(t, [wayIn({ endsAt: clock + HOUR })], { session })
  const [opening = ''] = await bench.living()
  t.equal(markOf(engine, migration, KEY), 'PirVDReoV9iCM6jdBnAP6i')
  t.equal(opening, 'qBnJcC5hHEqYJKPYhX9hGe')
  await revokeOld(engine, 'ann')
  t.strictSame(await bench.living(), [opening, '2nKminA_5cVYuUXsd22rVw'])
})

t.test('each old session has a mark of its own, whatever the secret of the app is', async (t) => {
  const { engine, migration } = await bootMoves(t)
  const other = await bootMoves(t, [migration], { session: { secret: 'x2KfT9dGm4WvQzLp7RbYc8NjHs3EuA6o_VtXi5CqMwE' } })
  const mark = markOf(engine, migration, KEY)
  t.match(mark, /^[\w-]{22}$/)
  t.equal(markOf(other.engine, { ...migration, cookieNames: ['old', 'another signature'] }, KEY), mark)
  const others = [
    markOf({ ...engine, settings: { ...engine.settings, namespace: 'another' } }, migration, KEY),
    markOf(engine, wayIn({ from: 'another library' }), KEY),
    markOf(engine, wayIn({ cookieNames: ['another cookie'] }), KEY),
    markOf(engine, migration, new OldEntry('another key', undefined)),
    // The parts of a name stay apart.
    markOf(engine, wayIn({ from: 'old-libraryo', cookieNames: ['ld'] }), KEY),
  ]
  t.equal(new Set([mark, ...others]).size, others.length + 1)
})

t.test('a mark lives as long as its old session could be used', async (t) => {
  const now = Date.now()
  const end = now + HOUR
  const cases: [changes: Parameters<typeof wayIn>[0], oldEnd: number | undefined, until: number][] = [
    [{}, undefined, now + TEN_YEARS],
    [{}, end, end],
    [{ endsAt: end }, undefined, end],
    [{ endsAt: end }, end - 1, end - 1],
    [{ endsAt: end }, end + 1, end],
    // The old app may still move the end of its session.
    [{ keepOld: true }, end, now + TEN_YEARS],
    [{ keepOld: true, endsAt: end + 5 }, end, end + 5],
  ]
  for (const [changes, oldEnd, until] of cases) {
    t.equal(endOfMark(wayIn(changes), oldEnd, now), until, { changes, oldEnd })
  }
})

t.test('a mark is a record that no id opens, and that outlives the end of all sessions', async (t) => {
  const { bench, engine, migration } = await bootMoves(t)
  const handle = markOf(engine, migration, KEY)
  const now = bench.clock()
  t.equal(await readMark(engine, handle), undefined)
  const mark = await leaveMark(engine, handle, MOVE, now + HOUR)
  t.strictSame(mark?.move, MOVE)
  const stored = await bench.record(handle)
  t.match(stored, { secretHash: NO_SECRET, userId: null, data: JSON.stringify(MOVE), createdAt: now, version: 1 })
  t.match(stored, { idleDeadline: now + HOUR, absoluteDeadline: now + HOUR, sparedAt: now + HOUR })
  t.strictSame(await readMark(engine, handle), mark)
  bench.clock.advance(1)
  const again = await leaveMark(engine, handle, { ...MOVE, to: 'BBBBBBBBBBBBBBBBBBBBBB' }, now + 2 * HOUR)
  t.strictSame(again, mark, 'the first mark stands')
  await (
    await bench.app.sessions.revokeAll()
  ).ended
  t.strictSame(await readMark(engine, handle), mark)
  bench.clock.set(now + HOUR - 1)
  t.strictSame(await readMark(engine, handle), mark)
})

t.test('a mark ends at its deadline, also in a store that still has the record', async (t) => {
  const clock = { ahead: 0 }
  const { bench, engine, migration } = await bootMoves(t, [wayIn()], {}, (_t, now) =>
    memoryStore({ clock: () => now() - clock.ahead }),
  )
  const handle = markOf(engine, migration, KEY)
  await leaveMark(engine, handle, MOVE, bench.clock() + HOUR)
  clock.ahead = HOUR
  bench.clock.advance(HOUR - 1)
  t.match(await readMark(engine, handle), { move: MOVE })
  bench.clock.advance(1)
  t.equal(await readMark(engine, handle), undefined)
  t.ok(await bench.record(handle), 'the store has the record')
})

t.test('a closed mark says when, and outlives the removal of an old record by ten minutes at most', async (t) => {
  const { bench, engine, migration } = await bootMoves(t)
  const now = bench.clock()
  const cases: [life: number, isOldGone: boolean, closedAt: number | undefined, expected: [at: number, end: number]][] =
    [
      [HOUR, true, undefined, [now + 5, now + 5 + 600_000]],
      [HOUR, true, 1, [1, now + 5 + 600_000]],
      [HOUR, false, undefined, [now + 5, now + HOUR]],
      [60_000, true, undefined, [now + 5, now + 60_000]],
    ]
  for (const [nth, [life, isOldGone, closedAt, [at, end]]] of cases.entries()) {
    bench.clock.set(now)
    const handle = markOf(engine, migration, new OldEntry(`old session ${nth}`, undefined))
    const mark = (await leaveMark(engine, handle, MOVE, now + life)) as Mark
    bench.clock.advance(5)
    await closeMark(engine, mark, isOldGone, closedAt)
    t.strictSame((await readMark(engine, handle))?.move, { ...MOVE, closedAt: at })
    const stored = await bench.record(handle)
    t.match(stored, { version: 2, idleDeadline: end, absoluteDeadline: end, sparedAt: end, secretHash: NO_SECRET })
    bench.clock.advance(5)
    await closeMark(engine, mark, false)
    t.strictSame(await bench.record(handle), stored, 'a parallel request that comes later changes nothing')
  }
})

t.test('old sessions are cut off by an end of all sessions after the opening of their way in', async (t) => {
  const { bench, engine, migration } = await bootMoves(t)
  const opened = bench.clock()
  const unopened = wayIn({ cookieNames: ['unopened'] })
  for (const way of [migration, unopened]) t.equal(await isCutOff(engine, way), false, 'no end of all sessions')
  await engine.gate?.raise(opened)
  t.equal(await isCutOff(engine, migration), false, 'at the same instant the way in opened')
  t.equal(await isCutOff(engine, unopened), true, 'a way in of which nothing is noted')
  await engine.gate?.raise(opened + 1)
  t.equal(await isCutOff(engine, migration), true)
  const { engine: plain } = await bootMoves(t, [wayIn()], {}, (_t, clock) => coreOnly(memoryStore({ clock })))
  t.equal(await isCutOff(plain, migration), false, 'a store that keeps no cutoff')
})

t.test('the opening of a way in is noted once, and lasts as long as the way in', async (t) => {
  const now = Date.now()
  const ways = [now + HOUR, now, Infinity].map((endsAt, nth) => wayIn({ endsAt, cookieNames: [`old ${nth}`] }))
  const { bench, engine } = await bootMoves(t, ways as [Migration])
  const noted = async (): Promise<object[]> =>
    Promise.all((await bench.living()).map(async (handle) => (await bench.record(handle)) ?? {}))
  const first = await noted()
  t.equal(first.length, 2, 'not for a way in that is closed')
  const begun = bench.clock()
  for (const [nth, until] of [now + HOUR, begun + TEN_YEARS].entries()) {
    t.match(first[nth], { secretHash: NO_SECRET, data: '{}', createdAt: begun, absoluteDeadline: until })
    t.match(first[nth], { idleDeadline: until, sparedAt: until })
  }
  bench.clock.advance(5)
  await noteOpenings(engine)
  t.strictSame(await noted(), first)
  const migrateFrom = [0, 1].map((left) => wayIn({ endsAt: bench.clock() + left, cookieNames: [`${left} ms left`] }))
  bench.gate.operations.length = 0
  await noteOpenings({ ...engine, settings: { ...engine.settings, migrateFrom } })
  t.match(bench.gate.operations, [{ name: 'create', args: [{ absoluteDeadline: bench.clock() + 1 }] }])
  t.equal(bench.gate.operations.length, 1, 'only for the one that is still open')
})

t.test('an opening that cannot be noted is a failure', async (t) => {
  const { bench, engine } = await bootMoves(t)
  const caught = bench.gate.hold('create')
  void caught.arrived.then(() => caught.fail())
  await t.rejects(noteOpenings(engine), { code: 'SESSION_STORE_UNAVAILABLE' })
})

t.test('a store that keeps no cutoff gets no note of an opening', async (t) => {
  const { bench } = await bootMoves(t, [wayIn()], {}, (_t, clock) => coreOnly(memoryStore({ clock })))
  t.strictSame(bench.gate.createdHandles(), [])
})

t.test('the revocation of old sessions is noted until the last way in closes', async (t) => {
  const end = Date.now() + 9 * HOUR
  const ways = [end - 1, end, end - 2].map((endsAt, nth) => wayIn({ endsAt, cookieNames: [`old ${nth}`] }))
  const { bench, engine } = await bootMoves(t, ways as [Migration])
  const before = await bench.living()
  await revokeOld(engine, 'ann')
  t.equal(await areOldRevoked(engine, 'ann'), true)
  t.equal(await areOldRevoked(engine, 'bob'), false)
  const [handle = ''] = (await bench.living()).filter((one) => !before.includes(one))
  const note = { secretHash: NO_SECRET, data: '{}', userId: null, idleDeadline: end, absoluteDeadline: end }
  t.match(await bench.record(handle), { ...note, sparedAt: end })
  bench.clock.set(end - 1)
  await revokeOld(engine, 'bob')
  t.equal(await areOldRevoked(engine, 'bob'), true)
  bench.clock.set(end)
  await revokeOld(engine, 'eve')
  t.equal(await areOldRevoked(engine, 'eve'), false)
  const [created] = bench.gate.operations.filter(({ name }) => name === 'create').slice(-1)
  t.match(created?.args, [{ absoluteDeadline: end, createdAt: end - 1 }], 'nothing is written for eve')
})
