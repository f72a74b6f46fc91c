import t from 'tap'
import { closeMark, leaveMark, LONG_AGO, markOf, readMark } from '../../lib/session/move-mark.ts'
import type { Mark } from '../../lib/session/move-mark.ts'
import { askOld, readOld, useUp } from '../../lib/session/old-session.ts'
import { bootMoves, OldEntry, wayIn } from '../support/old-session.ts'

const HOUR = 3_600_000

t.test('an old store that fails is a 503 with its cause, and is told without its secrets', async (t) => {
  const { bench, visitOf } = await bootMoves(t)
  const old = new OldEntry('ann', { data: { userId: 'ann' } })
  old.failure = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED', command: 'GET secret' })
  for (const ask of [(): unknown => askOld(visitOf(old), (session) => session.remove()), () => readOld(visitOf(old))]) {
    const error = await t.rejects(Promise.resolve(ask()), { code: 'SESSION_STORE_UNAVAILABLE', statusCode: 503 })
    t.match(error, { cause: { message: 'connection refused', code: 'ECONNREFUSED' } })
    t.notMatch((error as Error).cause, { command: /./ })
    t.match(bench.takeEvents('store-failure'), [{ operation: 'migrate' }])
  }
  old.failure = undefined
  t.strictSame(await askOld(visitOf(old), async ({ key }) => key), 'ann', 'the answer is handed on')
  t.strictSame(bench.takeEvents('store-failure'), [])
})

t.test('an old session is read until it ends, or its way in closes', async (t) => {
  const now = Date.now() + HOUR
  const data = { userId: 'ann' }
  const cases: [endsAt: number | undefined, way: Parameters<typeof wayIn>[0], end: number | undefined][] = [
    [undefined, {}, now + 315_360_000_000],
    [now + 1, {}, now + 1],
    [now, {}, undefined],
    [now - 1, {}, undefined],
    [undefined, { endsAt: now + 1 }, now + 1],
    [undefined, { endsAt: now }, undefined],
    [now + 5, { endsAt: now + 1 }, now + 1],
    // With keepOld the mark outlives what the old app may still prolong. The session itself has its end.
    [now + 1, { keepOld: true, endsAt: now + 5 }, now + 5],
    [now, { keepOld: true, endsAt: now + 5 }, undefined],
    [now - 1, { keepOld: true }, undefined],
  ]
  for (const [endsAt, way, end] of cases) {
    const { bench, visitOf } = await bootMoves(t, [wayIn(way)])
    bench.clock.set(now)
    const content = { data, endsAt }
    const found = await readOld(visitOf(new OldEntry('ann', content)))
    t.strictSame(found, end === undefined ? undefined : { ...content, end }, { endsAt, way })
  }
  const { visitOf } = await bootMoves(t)
  for (const content of ['damaged', undefined] as const) {
    t.equal(await readOld(visitOf(new OldEntry('ann', content))), content)
  }
})

t.test('an old session that is used up gets a closed mark, and its record is removed', async (t) => {
  const TEN_MINUTES = 600_000
  const LATER = HOUR
  for (const [isInCookie, keepOld, isOver, until] of [
    [false, false, false, TEN_MINUTES],
    [false, false, true, TEN_MINUTES],
    // A cookie cannot be removed from a client, so its mark lasts as long as the session in it.
    [true, false, false, LATER],
    [true, false, true, LATER],
    [false, true, false, LATER],
    [false, true, true, LATER],
    [true, true, true, LATER],
  ] as const) {
    const { bench, engine, migration, visitOf } = await bootMoves(t, [
      wayIn({ keepOld, endsAt: Date.now() + 9 * HOUR }),
    ])
    const now = bench.clock()
    const old = new OldEntry('ann', { data: { userId: 'ann' }, endsAt: now + LATER }, isInCookie)
    const handle = markOf(engine, migration, old)
    const what = { isInCookie, keepOld, isOver }
    await useUp(visitOf(old), isOver)
    const mark = await readMark(engine, handle)
    t.match(mark?.move, { epoch: 0, closedAt: isOver ? LONG_AGO : now, to: /^[\w-]{22}$/ }, what)
    t.equal(mark?.record.absoluteDeadline, keepOld ? migration.endsAt : now + until, what)
    t.equal(await bench.record(mark?.move.to ?? ''), undefined, 'the mark leads to no session')
    t.strictSame(old.asked, keepOld ? ['load'] : ['load', 'remove'], what)
    bench.clock.advance(5)
    await useUp(visitOf(old), false)
    t.strictSame(await readMark(engine, handle), mark, 'a closed mark stays closed as it was')
    t.strictSame(old.asked.slice(1), keepOld ? [] : ['remove', 'remove'], 'a record that came back is removed again')
    await useUp(visitOf(old), true)
    t.match((await readMark(engine, handle))?.move, { closedAt: LONG_AGO }, 'a logout leaves no parallel request time')
  }
})

t.test('an old session that leads nowhere gets no mark', async (t) => {
  const { bench, engine, migration, visitOf } = await bootMoves(t)
  const before = await bench.living()
  for (const content of [undefined, 'damaged', { data: {}, endsAt: bench.clock() }] as const) {
    const old = new OldEntry('ann', content)
    await useUp(visitOf(old), true)
    t.strictSame(old.asked, ['load'])
    t.equal(await readMark(engine, markOf(engine, migration, old)), undefined)
  }
  t.strictSame(await bench.living(), before)
})

t.test('the mark of a session that has moved is closed, and keeps the session that it leads to', async (t) => {
  const { bench, engine, migration, visitOf } = await bootMoves(t)
  const old = new OldEntry('ann', { data: {} })
  const handle = markOf(engine, migration, old)
  const move = { to: 'AAAAAAAAAAAAAAAAAAAAAA', epoch: 3, closedAt: 0 }
  await leaveMark(engine, handle, move, bench.clock() + HOUR)
  await useUp(visitOf(old), false)
  t.strictSame(old.asked, ['remove'], 'the old session is not read again')
  t.strictSame((await readMark(engine, handle))?.move, { ...move, closedAt: bench.clock() })
})

t.test('a parallel request may close the mark, or leave it, first', async (t) => {
  const { bench, engine, migration, visitOf } = await bootMoves(t)
  const old = new OldEntry('ann', { data: {} })
  const handle = markOf(engine, migration, old)
  const move = { to: 'AAAAAAAAAAAAAAAAAAAAAA', epoch: 3, closedAt: 0 }
  const caught = bench.gate.as('slow', () => bench.gate.hold('create', { by: 'slow' }))
  const slow = bench.gate.as('slow', () => useUp(visitOf(old), false))
  await caught.arrived
  const mark = (await leaveMark(engine, handle, move, bench.clock() + HOUR)) as Mark
  bench.clock.advance(5)
  await closeMark(engine, mark, false)
  bench.clock.advance(5)
  caught.release()
  await slow
  t.strictSame((await readMark(engine, handle))?.move, { ...move, closedAt: bench.clock() - 5 })
})

t.test('an old store that cannot remove the record leaves the mark open for the next request', async (t) => {
  const { bench, engine, migration, visitOf } = await bootMoves(t)
  const old = new OldEntry('ann', { data: {} })
  const handle = markOf(engine, migration, old)
  await leaveMark(engine, handle, { to: 'AAAAAAAAAAAAAAAAAAAAAA', epoch: 3, closedAt: 0 }, bench.clock() + HOUR)
  old.failure = new Error('the old store is down')
  await t.rejects(useUp(visitOf(old), true), { code: 'SESSION_STORE_UNAVAILABLE' })
  t.match((await readMark(engine, handle))?.move, { closedAt: 0 })
  old.failure = undefined
  await useUp(visitOf(old), true)
  t.match((await readMark(engine, handle))?.move, { closedAt: LONG_AGO })
})

t.test('a mark that a parallel request left, and that has expired since, is not closed', async (t) => {
  const { bench, engine, migration, visitOf } = await bootMoves(t)
  const old = new OldEntry('ann', { data: {} })
  const caught = bench.gate.as('slow', () => bench.gate.hold('create', { by: 'slow' }))
  const slow = bench.gate.as('slow', () => useUp(visitOf(old), true))
  await caught.arrived
  const move = { to: 'AAAAAAAAAAAAAAAAAAAAAA', epoch: 3, closedAt: 0 }
  await leaveMark(engine, markOf(engine, migration, old), move, bench.clock() + HOUR)
  const looked = bench.gate.as('slow', () => bench.gate.hold('get', { by: 'slow' }))
  caught.release()
  await looked.arrived
  looked.answer(undefined)
  await t.resolves(slow)
  t.strictSame(old.asked, ['load', 'remove'])
  t.notOk(bench.gate.namesBy('slow').includes('update'))
})
