import assert from 'node:assert/strict'
import type { Sweeping } from '../../../types/index.ts'
import type { Bench, Check } from './check.ts'
import { created, freshName, holds, IDLE, nextOf, recordAt } from './check.ts'

function sweeping({ store }: Bench): Sweeping {
  assert.ok(store.sweep, 'it can sweep')
  return store as Sweeping
}

/** Sweeps, never more than `limit` at a time, until the store says that none is left. */
async function sweepAll(bench: Bench, limit: number): Promise<number> {
  const store = sweeping(bench)
  let total = 0
  for (;;) {
    const count = await store.sweep(bench.clock.now, limit)
    assert.ok(Number.isInteger(count) && count >= 0 && count <= limit, `${count} of at most ${limit}`)
    total += count
    if (count < limit) break
  }
  assert.equal(await store.sweep(bench.clock.now, limit), 0, 'fewer than the limit means that none is left')
  return total
}

export const sweepChecks: readonly Check[] = [
  [
    'a sweep removes what has expired, at most so many at a time',
    async (bench) => {
      const { store, clock } = bench
      for (let one = 0; one < 5; one += 1) await created(store, recordAt(clock.now, { idleDeadline: clock.now + one }))
      const kept = await created(store, recordAt(clock.now, { idleDeadline: clock.now + 6 }))
      clock.advance(5)
      assert.equal(await sweeping(bench).sweep(clock.now, 2), 2)
      assert.equal(await sweepAll(bench, 2), 3)
      await holds(store, kept.handle, kept)
      clock.advance(1)
      assert.equal(await sweepAll(bench, 100), 1)
    },
  ],
  [
    'a sweep leaves alone what was touched or updated in time',
    async (bench) => {
      const { store, clock } = bench
      const touched = await created(store, recordAt(clock.now))
      const updated = await created(store, recordAt(clock.now))
      const later = { lastSeenAt: clock.now, idleDeadline: clock.now + 2 * IDLE }
      await store.touch(touched.handle, touched.version, later)
      await store.update({ ...nextOf(updated, {}), ...later }, updated.version)
      clock.advance(IDLE)
      assert.equal(await sweepAll(bench, 100), 0)
      await holds(store, touched.handle, { ...touched, ...later })
      await holds(store, updated.handle, { ...nextOf(updated, {}), ...later })
    },
  ],
  [
    'a sweep removes expired index entries, and no others',
    async (bench) => {
      const { store, clock } = bench
      // A store may sweep and have no index.
      if (store.addToIndex === undefined || store.listIndex === undefined) return
      const [user, one, two] = [freshName(), freshName(), freshName()]
      await store.addToIndex(user, one, clock.now + IDLE)
      await store.addToIndex(user, two, clock.now + 2 * IDLE)
      clock.advance(IDLE)
      await sweepAll(bench, 100)
      const entries = await store.listIndex(user)
      assert.deepEqual(
        entries.map(({ handle }) => handle),
        [two],
      )
    },
  ],
]
