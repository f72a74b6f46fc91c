import t from 'tap'
import type { SessionRecord } from '../../types/index.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import type { Ended } from '../../lib/storage/remove-before.ts'
import { removeBefore } from '../../lib/storage/remove-before.ts'
import { nextOf, recordAt } from '../../lib/testing/contract/check.ts'

const now = Date.now()

/** The sessions from before an instant, where no later cutoff is in force. */
function before(instant: number): Ended {
  return { asked: instant, inForce: instant }
}

t.test('all sessions before the cutoff go in pages, with their places in the index, and the others stay', async (t) => {
  const store = memoryStore()
  const old = Array.from({ length: 1200 }, () => recordAt(now, { authenticatedAt: now - 10 }))
  const fresh = recordAt(now, { authenticatedAt: now, createdAt: now - 100 })
  const anonymous = recordAt(now, { userId: null, user: null, authHash: null, authenticatedAt: null, createdAt: now })
  for (const record of [...old, fresh, anonymous]) await store.create(record)
  const released: string[] = []
  const totals: number[] = []
  const release = async ({ handle }: SessionRecord): Promise<void> => void released.push(handle)
  t.equal(await removeBefore(store, before(now), release, (total) => totals.push(total)), 1200)
  t.strictSame(new Set(released), new Set(old.map(({ handle }) => handle)))
  t.equal(totals.at(-1), 1200)
  t.ok(totals.length > 1)
  t.equal(await store.count(), 2)
})

t.test('a session whose user logs in again while the removal runs stays, one that only wrote goes', async (t) => {
  const store = memoryStore()
  const [again, wrote] = [recordAt(now), recordAt(now)]
  for (const record of [again, wrote]) await store.create(record)
  const remove = store.delete.bind(store)
  let isFirst = true
  store.delete = async (handle, version) => {
    if (isFirst) {
      isFirst = false
      await store.update({ ...nextOf(again, {}), authenticatedAt: now + 5 }, again.version)
      await store.update(nextOf(wrote, {}), wrote.version)
    }
    return remove(handle, version)
  }
  t.equal(await removeBefore(store, before(now), async () => undefined), 1)
  t.ok(await store.get(again.handle))
  t.equal(await store.get(wrote.handle), undefined)
})

t.test('a session that another removal was faster with is not counted', async (t) => {
  const store = memoryStore()
  await store.create(recordAt(now))
  const remove = store.delete.bind(store)
  store.delete = async (handle) => {
    await remove(handle)
    return false
  }
  t.equal(await removeBefore(store, before(now), async () => undefined), 0)
})

t.test('a removal of many sessions pauses between batches for as long as a batch took', async (t) => {
  const store = memoryStore()
  for (let count = 0; count < 100; count += 1) await store.create(recordAt(now, { authenticatedAt: now - 10 }))
  const remove = store.delete.bind(store)
  const starts: number[] = []
  const ends: number[] = []
  store.delete = async (handle, version) => {
    const start = performance.now()
    let end = start
    while (end < start + 1) end = performance.now()
    starts.push(start)
    ends.push(end)
    return remove(handle, version)
  }
  t.equal(await removeBefore(store, before(now), async () => undefined), 100)
  const batch = Number(ends[49]) - Number(starts[0])
  // A timer may run a millisecond early.
  t.ok(Number(starts[50]) - Number(ends[49]) >= batch - 2)
})

t.test('a session that is written again and again is left after twenty attempts', async (t) => {
  const store = memoryStore()
  await store.create(recordAt(now, { authenticatedAt: now - 10 }))
  let attempts = 0
  store.delete = async () => {
    attempts += 1
    if (attempts > 100) throw new Error('no end')
    return false
  }
  t.equal(await removeBefore(store, before(now), async () => undefined), 0)
  t.equal(attempts, 20)
})

t.test('a session that began at the cutoff stays', async (t) => {
  const store = memoryStore()
  await store.create(recordAt(now, { authenticatedAt: now }))
  t.equal(await removeBefore(store, before(now), async () => undefined), 0)
  t.equal(await store.count(), 1)
})

t.test('the removal waits until the places of a session are given back', async (t) => {
  const store = memoryStore()
  await store.create(recordAt(now, { authenticatedAt: now - 1 }))
  let isReleased = false
  const release = async (): Promise<void> => {
    await new Promise(setImmediate)
    isReleased = true
  }
  t.equal(await removeBefore(store, before(now), release), 1)
  t.ok(isReleased)
})

t.test('a session that begins again at the cutoff while the removal runs stays', async (t) => {
  const store = memoryStore()
  const again = recordAt(now, { authenticatedAt: now - 1 })
  await store.create(again)
  const remove = store.delete.bind(store)
  store.delete = async (handle, version) => {
    await store.update({ ...nextOf(again, {}), authenticatedAt: now }, again.version)
    return remove(handle, version)
  }
  t.equal(await removeBefore(store, before(now), async () => undefined), 0)
  t.ok(await store.get(again.handle))
})

t.test('where a later cutoff is in force, what it spared goes if the login came before the instant', async (t) => {
  const store = memoryStore()
  const spared = recordAt(now, { authenticatedAt: now - 10, sparedAt: now + 30 })
  const late = recordAt(now, { authenticatedAt: now, sparedAt: now + 30 })
  const cutOff = recordAt(now, { authenticatedAt: now })
  for (const record of [spared, late, cutOff]) await store.create(record)
  t.equal(await removeBefore(store, before(now + 30), async () => undefined), 1, 'the cutoff itself spares them')
  t.equal(await store.get(cutOff.handle), undefined)
  t.equal(await removeBefore(store, { asked: now, inForce: now + 30 }, async () => undefined), 1)
  t.equal(await store.get(spared.handle), undefined)
  t.ok(await store.get(late.handle))
})

t.test('sessions go that say they began later than any clock can be ahead, where all are to go', async (t) => {
  const store = memoryStore()
  const latest = now + 10
  const [ahead, later] = [recordAt(now, { authenticatedAt: latest }), recordAt(now, { authenticatedAt: latest + 1 })]
  for (const record of [ahead, later]) await store.create(record)
  t.equal(await removeBefore(store, before(now), async () => undefined), 0)
  t.equal(await removeBefore(store, { ...before(now), latest }, async () => undefined), 1)
  t.ok(await store.get(ahead.handle))
  t.equal(await store.get(later.handle), undefined)
})
