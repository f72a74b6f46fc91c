import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import type { MemoryStore } from '../../lib/index.ts'
import { lifetimesOf } from '../../lib/options.ts'
import { authenticated, newRecord } from '../../lib/session/record.ts'
import type { SessionRecord } from '../../types/index.ts'
import { testClock } from '../support/clock.ts'
import type { TestClock } from '../support/clock.ts'

const LIFETIMES = lifetimesOf({})

function made(maxRecords?: number): {
  store: MemoryStore
  clock: TestClock
  put: (handle: string, userId?: string) => Promise<SessionRecord>
} {
  const clock = testClock()
  const store = memoryStore({ clock, ...(maxRecords !== undefined && { maxRecords }) })
  const put = async (handle: string, userId?: string): Promise<SessionRecord> => {
    const empty = newRecord(handle, 'hash', '{}', clock(), LIFETIMES)
    const identity = { authHash: null, authCheckedAt: clock(), remember: false, device: null }
    const record =
      userId === undefined
        ? empty
        : authenticated(empty, { ...identity, userId, user: JSON.stringify({ id: userId }) }, clock(), LIFETIMES)
    if (userId !== undefined) await store.addToIndex(userId, handle, record.absoluteDeadline)
    t.equal(await store.create(record), true)
    return record
  }
  return { store, clock, put }
}

async function held(store: MemoryStore, handles: readonly string[]): Promise<string> {
  const found = await Promise.all(handles.map((handle) => store.get(handle)))
  return handles.filter((_handle, index) => found[index] !== undefined).join('')
}

t.test('holds 100,000 records unless told otherwise', async (t) => {
  const clock = testClock()
  const store = memoryStore({ clock })
  for (let index = 0; index < 100_001; index += 1) {
    await store.create(newRecord(`h${index}`, 'hash', '{}', clock(), LIFETIMES))
  }
  t.equal(store.size, 99_001, 'a hundredth makes room at once')
})

t.test('a full store drops what has expired first, and nothing alive, however long unused', async (t) => {
  const { store, clock, put } = made(3)
  const day = { idleDeadline: clock() + 86_400_000, absoluteDeadline: clock() + 86_400_000 }
  await store.create({ ...newRecord('a', 'hash', '{}', clock(), LIFETIMES), ...day })
  await put('b')
  await put('c')
  clock.advance('30m')
  await put('d')
  t.equal(store.size, 2)
  t.equal(await held(store, ['a', 'b', 'c', 'd']), 'ad')
})

t.test(
  'a full store of live records drops the least recently used: the longest since a write or a touch',
  async (t) => {
    const { store, clock, put } = made(3)
    const a = await put('a')
    const b = await put('b')
    await put('c')
    clock.advance('1m')
    t.ok(await store.update({ ...a, version: 2 }, 1))
    t.ok(await store.touch('b', 1, { ...b, lastSeenAt: clock() }))
    await store.get('c')
    await put('d')
    t.equal(await held(store, ['a', 'b', 'c', 'd']), 'abd', 'a read alone is no use')
    await put('e')
    t.equal(await held(store, ['a', 'b', 'd', 'e']), 'bde')
  },
)

t.test('a full store still takes one more when nothing else helps', async (t) => {
  const { store, put } = made(1)
  await put('a')
  await put('b')
  t.equal(await held(store, ['a', 'b']), 'b')
  t.equal(store.size, 1)
})

t.test('a record that is dropped leaves the user index', async (t) => {
  const { store, clock, put } = made(2)
  await put('a', 'ann')
  await put('b', 'ann')
  await put('c', 'bob')
  t.same(
    (await store.listIndex('ann')).map(({ handle }) => handle),
    ['b'],
  )
  await put('d', 'bob')
  t.same(await store.listIndex('ann'), [])
  clock.advance('30m')
  await store.sweep(clock(), 10)
  t.same(await store.listIndex('bob'), [])
})

t.test('a handle that is taken stays with its record', async (t) => {
  const { store, put } = made()
  const first = await put('a')
  t.equal(await store.create({ ...first, data: '{"other":1}' }), false)
  t.match(await store.get('a'), { data: '{}' })
})

t.test('an expired record is absent to every method, and its handle free', async (t) => {
  const { store, clock, put } = made()
  const a = await put('a')
  clock.advance('30m')
  // A read takes the record away, so it comes last.
  t.equal(await store.update({ ...a, version: 2 }, 1), false)
  t.equal(await store.touch('a', 1, { lastSeenAt: clock(), idleDeadline: clock() + 1000 }), false)
  t.equal(await store.delete('a'), false)
  await put('a')
  t.equal(store.size, 1)
  clock.advance('30m')
  t.equal(await store.get('a'), undefined)
})

t.test('an expired record is reported once, when a read meets it, and goes with its entry', async (t) => {
  const { store, clock, put } = made()
  const a = await put('a', 'ann')
  const reported: unknown[] = []
  clock.advance('30m')
  const reports = { onExpired: (record: SessionRecord) => void reported.push(record) }
  t.equal(await store.get('a', reports), undefined)
  t.equal(await store.get('a', reports), undefined)
  t.same(reported, [a])
  t.equal(store.size, 0)
  t.same(await store.listIndex('ann'), [])
})

t.test('a touch moves no deadline back', async (t) => {
  const { store, put } = made()
  const { idleDeadline, lastSeenAt } = await put('a')
  t.ok(await store.touch('a', 1, { lastSeenAt: lastSeenAt - 1000, idleDeadline: idleDeadline - 1000 }))
  t.match(await store.get('a'), { lastSeenAt, idleDeadline })
  t.ok(await store.touch('a', 1, { lastSeenAt: lastSeenAt + 1, idleDeadline: idleDeadline + 1 }))
  t.match(await store.get('a'), { lastSeenAt: lastSeenAt + 1, idleDeadline: idleDeadline + 1, version: 1 })
  t.equal(await store.touch('a', 2, { lastSeenAt, idleDeadline }), false)
})

t.test('sweeps at most so many at once, and the index when the last record went', async (t) => {
  const { store, clock, put } = made()
  for (const handle of ['a', 'b', 'c']) await put(handle)
  await store.addToIndex('ann', 'gone', clock() + 1000)
  clock.advance('20m')
  await put('d', 'bob')
  clock.advance('10m')
  t.equal(await store.sweep(clock(), 2), 2)
  t.equal(await store.sweep(clock(), 2), 1)
  t.equal(await store.sweep(clock(), 2), 0)
  t.equal(await held(store, ['d']), 'd')
  t.same(await store.listIndex('ann'), [])
  t.equal((await store.listIndex('bob')).length, 1)
})

t.test('index entries count once, expire, and respect the limit', async (t) => {
  const { store, clock } = made()
  t.equal(await store.addToIndex('ann', 'a', clock() + 1000, 1), true)
  t.equal(await store.addToIndex('ann', 'a', clock() + 2000, 1), true, 'the same entry again')
  t.equal(await store.addToIndex('ann', 'b', clock() + 1000, 1), false)
  t.equal(await store.keepInIndex('ann', 'a', clock() + 3000), true)
  t.equal(await store.keepInIndex('ann', 'b', clock() + 3000), false)
  t.same(await store.listIndex('ann'), [{ handle: 'a', expiresAt: clock() + 3000 }])
  clock.advance(3000)
  t.same(await store.listIndex('ann'), [])
  t.equal(await store.addToIndex('ann', 'b', clock() + 1000, 1), true)
  await store.removeFromIndex('ann', 'b')
  await store.removeFromIndex('ann', 'b')
  t.same(await store.listIndex('ann'), [])
})

t.test('without a clock the time is the real one', async (t) => {
  const store = memoryStore()
  await store.create(newRecord('a', 'hash', '{}', Date.now(), LIFETIMES))
  t.equal(await held(store, ['a']), 'a')
})
