import assert from 'node:assert/strict'
import type { Bench, Check } from './check.ts'
import { created, holds, IDLE, nextOf, recordAt } from './check.ts'

/** Makes a record that was whole and is not any more. */
async function damaged({ store, clock, damage }: Bench): Promise<string> {
  assert.ok(damage, 'the check can damage a record')
  const { handle } = await created(store, recordAt(clock.now))
  await damage(handle)
  return handle
}

export const damageChecks: readonly Check[] = [
  [
    'a damaged record is absent, and the onDamaged of that read hears its handle',
    async (bench) => {
      const { store, clock } = bench
      const heard: string[] = []
      const handle = await damaged(bench)
      const whole = await created(store, recordAt(clock.now))
      const reports = { onDamaged: (found: string) => void heard.push(found) }
      assert.equal(await store.get(handle, reports), undefined)
      assert.deepEqual(heard, [handle])
      assert.deepEqual(await store.get(whole.handle, reports), whole)
      assert.deepEqual(heard, [handle])
    },
  ],
  [
    'without onDamaged a damaged record is just absent',
    async (bench) => {
      const handle = await damaged(bench)
      await holds(bench.store, handle, undefined)
      assert.equal(await bench.store.get(handle, {}), undefined)
    },
  ],
  [
    'no method fails on a damaged record, and a delete removes it',
    async (bench) => {
      const { store, clock } = bench
      const handle = await damaged(bench)
      const record = recordAt(clock.now, { handle })
      await store.touch(handle, record.version + 1, { lastSeenAt: clock.now, idleDeadline: clock.now + IDLE })
      await store.update(nextOf(record, {}), record.version + 1)
      await holds(store, handle, undefined)
      await store.delete(handle)
      await created(store, record)
      await holds(store, handle, record)
    },
  ],
]
