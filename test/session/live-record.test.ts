import t from 'tap'
import { expire, readLiveRecord } from '../../lib/session/live-record.ts'
import { acting, desk } from './desk.ts'

t.test('a record is read up to the instant of its end, at which its place and the record are removed', async (t) => {
  const { bench, engine, put, events, places, ends } = await desk(t)
  for (const [reason, more] of [
    ['idle', 5],
    ['absolute', 0],
  ] as const) {
    const end = bench.clock() + 1000
    const { record } = await put({ idleDeadline: end, absoluteDeadline: end + more })
    bench.clock.set(end - 1)
    t.strictSame(await readLiveRecord(engine, record.handle), record)
    t.strictSame(await places(record), [record.userId])
    t.strictSame(events(), [])
    bench.clock.set(end)
    t.equal(await readLiveRecord(engine, record.handle), undefined, reason)
    t.equal(await bench.record(record.handle), undefined)
    t.strictSame(await places(record), [])
    t.strictSame(events(), [{ type: 'expire', at: end, handle: record.handle, userId: record.userId, reason }])
    t.strictSame(ends.splice(0), ['expired'], 'open connections hear why')
  }
})

t.test('a handle without a record leads nowhere, and nothing is told', async (t) => {
  const { bench, engine, events } = await desk(t)
  t.equal(await readLiveRecord(engine, 'AAAAAAAAAAAAAAAAAAAAAA'), undefined)
  t.strictSame(events(), [])
  t.strictSame(
    bench.gate.operations.filter(({ name }) => name === 'delete'),
    [],
  )
})

t.test('the end of a session in which somebody acts names both users, and removes both places', async (t) => {
  const { bench, engine, put, events, places } = await desk(t)
  const now = bench.clock()
  const { record } = await put({ ...acting(now), idleDeadline: now, absoluteDeadline: now + 1 })
  t.equal((await places(record)).length, 2)
  t.equal(await readLiveRecord(engine, record.handle), undefined)
  t.strictSame(await places(record), [])
  t.match(events(), [{ type: 'expire', userId: record.userId, actorId: 'admin', reason: 'idle' }])
})

t.test('a session that another process prolonged meanwhile stays, with its place', async (t) => {
  const { bench, engine, put, events, places } = await desk(t)
  const { record: old } = await put()
  const prolonged = { ...old, version: old.version + 1 }
  await engine.store.update(prolonged, old.version)
  await expire(engine, old, 'idle')
  t.strictSame(await bench.record(old.handle), prolonged)
  t.strictSame(await places(old), [old.userId])
  t.strictSame(events(), [])
})
