import t from 'tap'
import type { Test } from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { expire, readLiveRecord } from '../../lib/session/live-record.ts'
import { placesOf } from '../../lib/session/places.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import { engineOf } from '../../lib/testing/app-engine.ts'
import type { Engine } from '../../lib/session/engine.ts'
import type { SessionRecord } from '../../types/index.ts'
import type { Bench } from '../support/app.ts'
import { boot } from '../support/app.ts'

interface Records {
  readonly bench: Bench
  readonly engine: Engine
  /** Stores a record with its places in the index. */
  readonly put: (changes: Partial<SessionRecord>) => Promise<SessionRecord>
  /** Returns the events since the last call, without their instant. */
  readonly events: () => object[]
  /** Returns the names in the index under which a record is found. */
  readonly places: (record: SessionRecord) => Promise<string[]>
}

/** Boots an app whose store still has records after their end. */
async function records(t: Test): Promise<Records> {
  const bench = await boot(t, () => memoryStore({ clock: () => 0 }))
  const engine = await engineOf(bench.app)
  const put = async (changes: Partial<SessionRecord>): Promise<SessionRecord> => {
    const record = recordAt(bench.clock(), changes)
    await engine.store.create(record)
    for (const { name, until } of placesOf(record)) await engine.store.addToIndex(name, record.handle, until)
    return record
  }
  const events = (): object[] => bench.events.splice(0).map(({ at: _at, ...event }) => event)
  const places = async (record: SessionRecord): Promise<string[]> => {
    const names = placesOf(record).map(({ name }) => name)
    const found = await Promise.all(names.map(async (name) => engine.store.listIndex(name)))
    return names.filter((_name, nth) => found[nth]?.some(({ handle }) => handle === record.handle))
  }
  return { bench, engine, put, events, places }
}

t.test('a record is read up to the instant of its end, at which its place and the record are removed', async (t) => {
  const { bench, engine, put, events, places } = await records(t)
  const heard: unknown[] = []
  engine.store.onChange = (...change) => void heard.push(change)
  for (const [reason, more] of [
    ['idle', 5],
    ['absolute', 0],
  ] as const) {
    const end = bench.clock() + 1000
    const record = await put({ idleDeadline: end, absoluteDeadline: end + more })
    bench.clock.set(end - 1)
    t.strictSame(await readLiveRecord(engine, record.handle), record)
    t.strictSame(await places(record), [record.userId])
    t.strictSame(events(), [])
    bench.clock.set(end)
    t.equal(await readLiveRecord(engine, record.handle), undefined, reason)
    t.equal(await bench.record(record.handle), undefined)
    t.strictSame(await places(record), [])
    t.strictSame(events(), [{ type: 'expire', handle: record.handle, userId: record.userId, reason }])
    t.strictSame(heard.splice(0), [[record.handle, undefined, 'expired']], 'open connections hear why')
  }
})

t.test('a handle without a record leads nowhere, and nothing is told', async (t) => {
  const { bench, engine, events } = await records(t)
  t.equal(await readLiveRecord(engine, 'AAAAAAAAAAAAAAAAAAAAAA'), undefined)
  t.strictSame(events(), [])
  t.strictSame(
    bench.gate.operations.filter(({ name }) => name === 'delete'),
    [],
  )
})

t.test('the end of a session in which somebody acts names both users, and removes both places', async (t) => {
  const { bench, engine, put, events, places } = await records(t)
  const now = bench.clock()
  const instants = { authCheckedAt: now, userAt: 0, since: now, absoluteDeadline: now + 5000 }
  const person = { userId: 'admin', user: '{"id":"admin"}', authHash: null, methods: [], remember: false }
  const acting = { ...person, ...instants, lifetimes: null, data: '{}', reason: 'a ticket' }
  const record = await put({ acting, idleDeadline: now, absoluteDeadline: now + 1 })
  t.equal((await places(record)).length, 2)
  t.equal(await readLiveRecord(engine, record.handle), undefined)
  t.strictSame(await places(record), [])
  t.match(events(), [{ type: 'expire', userId: record.userId, actorId: 'admin', reason: 'idle' }])
})

t.test('a session that another process prolonged meanwhile stays, with its place', async (t) => {
  const { bench, engine, put, events, places } = await records(t)
  const old = await put({})
  const prolonged = { ...old, version: old.version + 1 }
  await engine.store.update(prolonged, old.version)
  await expire(engine, old, 'idle')
  t.strictSame(await bench.record(old.handle), prolonged)
  t.strictSame(await places(old), [old.userId])
  t.strictSame(events(), [])
})
