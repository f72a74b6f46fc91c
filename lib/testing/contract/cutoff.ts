import assert from 'node:assert/strict'
import type { Cutoff } from '../../../types/index.ts'
import type { Bench, Check } from './check.ts'
import { created, CROWD, freshName, holds, IDLE, recordAt } from './check.ts'

function cutting({ store }: Bench): Cutoff {
  assert.ok(store.raiseCutoff && store.readCutoff, 'the store keeps a cutoff')
  return store as Cutoff
}

export const cutoffChecks: readonly Check[] = [
  [
    'a cutoff that is raised is in force, and never goes back',
    async (bench) => {
      const store = cutting(bench)
      const before = await store.readCutoff()
      assert.equal(typeof before, 'number')
      const instant = Math.max(before, bench.clock.now) + 1000
      assert.equal(await store.raiseCutoff(instant), instant)
      assert.equal(await store.readCutoff(), instant)
      for (const earlier of [instant - 1, instant, 0, 1]) assert.equal(await store.raiseCutoff(earlier), instant)
      assert.equal(await store.readCutoff(), instant)
      assert.equal(await store.raiseCutoff(instant + 1), instant + 1)
      assert.equal(await store.readCutoff(), instant + 1)
    },
  ],
  [
    `of ${CROWD} cutoffs raised at once the latest is in force`,
    async (bench) => {
      const store = cutting(bench)
      const first = Math.max(await store.readCutoff(), bench.clock.now) + 1
      const latest = first + CROWD - 1
      const instants = Array.from({ length: CROWD }, (_, at) => first + ((at * 7) % CROWD))
      const raise = async (instant: number): Promise<void> => {
        const answer = await store.raiseCutoff(instant)
        assert.ok(answer >= instant && answer <= latest)
      }
      await Promise.all(instants.map(raise))
      assert.equal(await store.readCutoff(), latest)
    },
  ],
  [
    'a cutoff removes no record, and outlives expiry and a sweep',
    async (bench) => {
      const { store, clock } = bench
      const record = await created(store, recordAt(clock.now))
      const inForce = await cutting(bench).raiseCutoff(clock.now)
      await holds(store, record.handle, record)
      clock.advance(1000 * IDLE)
      await store.sweep?.(clock.now, 1000)
      assert.equal(await cutting(bench).readCutoff(), inForce)
    },
  ],
  [
    'a cutoff is no record: no handle reads, replaces or removes it',
    async (bench) => {
      const { store, clock } = bench
      const inForce = await cutting(bench).raiseCutoff(clock.now)
      for (const handle of ['cutoff', '#cutoff', '', freshName()]) {
        await holds(store, handle, undefined)
        assert.equal(await store.delete(handle), false)
        await created(store, recordAt(clock.now, { handle }))
        assert.equal(await store.delete(handle), true)
      }
      assert.equal(await cutting(bench).readCutoff(), inForce)
    },
  ],
]
