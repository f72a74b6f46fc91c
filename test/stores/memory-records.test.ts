import t from 'tap'
import { offerOf } from '../../lib/storage/immediate.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import type { Announcement, SessionRecord } from '../../types/index.ts'
import { testClock } from '../support/clock.ts'
import { settle } from '../support/gate-store.ts'
import { hear } from '../support/hearing.ts'

/** Returns a record with this handle that expires after so many minutes. */
function lasting(minutes: number, now: number, handle: string): SessionRecord {
  return recordAt(now, { handle, idleDeadline: now + minutes * 60_000 })
}

function handlesOf(records: readonly { readonly handle: string }[]): string[] {
  return records.map(({ handle }) => handle)
}

t.test('a full store removes every expired record before a live one, also when records expire later', async (t) => {
  const clock = testClock()
  const store = memoryStore({ clock, maxRecords: 3 })
  for (const record of [lasting(90, clock(), 'a'), lasting(10, clock(), 'b'), lasting(20, clock(), 'c')]) {
    await store.create(record)
  }
  clock.advance('10m')
  await store.create(lasting(90, clock(), 'd'))
  clock.advance('10m')
  await store.create(lasting(90, clock(), 'e'))
  t.same(handlesOf(await store.getMany(['a', 'b', 'c', 'd', 'e'])), ['a', 'd', 'e'])
})

t.test('a record in the place of an expired one takes no room from live records', async (t) => {
  const clock = testClock()
  const store = memoryStore({ clock, maxRecords: 200 })
  await store.create(lasting(10, clock(), 'again'))
  const others = Array.from({ length: 199 }, (_, at) => lasting(90, clock(), `other-${at}`))
  for (const record of others) await store.create(record)
  clock.advance('10m')
  t.equal(await store.create(lasting(90, clock(), 'again')), true)
  t.equal(store.size, 200)
})

t.test('a record that a full store removes is announced', async (t) => {
  const clock = testClock()
  const store = memoryStore({ clock, maxRecords: 1 })
  const { heard } = await hear(t, store)
  await store.create(lasting(90, clock(), 'a'))
  await store.create(lasting(90, clock(), 'b'))
  await settle()
  t.strictSame(heard, [{ handle: 'a' }] satisfies Announcement[])
})

t.test('a new store has no cutoff, and the same cutoff is announced once', async (t) => {
  const store = memoryStore()
  t.equal(await store.readCutoff(), 0)
  const { heard } = await hear(t, store)
  t.equal(await store.raiseCutoff(1000), 1000)
  t.equal(await store.raiseCutoff(1000), 1000)
  await settle()
  t.strictSame(heard, [{ cutoff: 1000 }] satisfies Announcement[])
})

t.test('the end of an index entry moves alone', async (t) => {
  const clock = testClock()
  const store = memoryStore({ clock })
  await store.addToIndex('ann', 'a', clock() + 1000)
  await store.addToIndex('ann', 'b', clock() + 2000)
  await store.keepInIndex('ann', 'b', clock() + 3000)
  t.strictSame(await store.listIndex('ann'), [
    { handle: 'a', expiresAt: clock() + 1000 },
    { handle: 'b', expiresAt: clock() + 3000 },
  ])
})

t.test('a sweep goes by its own time, and comes to the index after the last expired record', async (t) => {
  const clock = testClock()
  const store = memoryStore({ clock })
  const now = clock() + 600_000
  await store.create(lasting(10, clock(), 'a'))
  await store.create(lasting(10, clock(), 'b'))
  await store.addToIndex('ann', 'gone', now)
  await store.addToIndex('bob', 'gone', now)
  await store.addToIndex('bob', 'later', now + 1)
  t.equal(await store.sweep(now, 2), 2)
  t.equal((await store.listIndex('ann')).length, 1)
  t.equal(await store.sweep(now, 2), 0)
  t.strictSame(await store.listIndex('ann'), [])
  t.equal((await store.listIndex('bob')).length, 2, 'entries of a user go together')
})

t.test('a page has the next records in the order of their handles, and the last page has no next', async (t) => {
  const clock = testClock()
  const store = memoryStore({ clock })
  for (const handle of ['d', 'b', 'a', 'c']) await store.create(lasting(10, clock(), handle))
  const first = await store.listAll({ limit: 2 })
  t.same(handlesOf(first.records), ['a', 'b'])
  t.equal(first.next, 'b')
  const last = await store.listAll({ after: first.next, limit: 2 })
  t.same(handlesOf(last.records), ['c', 'd'])
  t.notOk('next' in last)
})

t.test('a page has at most 1,000 records, and a limit that is no count says so', async (t) => {
  const clock = testClock()
  const store = memoryStore({ clock })
  for (let at = 0; at < 1001; at += 1) await store.create(lasting(10, clock(), `h${at}`))
  for (const limit of [1000, 5000]) {
    const { records, next } = await store.listAll({ limit })
    t.equal(records.length, 1000)
    t.equal(next, records.at(-1)?.handle)
  }
  await t.rejects(store.listAll({ limit: 0 }), { name: 'RangeError', message: /limit: a whole number from 1 to 1,000/ })
})

t.test('a record is not counted from the instant of its deadline on', async (t) => {
  const clock = testClock()
  const store = memoryStore({ clock })
  await store.create(lasting(10, clock(), 'a'))
  await store.create(lasting(11, clock(), 'b'))
  t.equal(await store.count(), 2)
  clock.advance('10m')
  t.equal(await store.count(), 1)
})

t.test('the engine may ask the store in memory without promises', async (t) => {
  t.ok(offerOf(memoryStore())?.having('get'))
})
