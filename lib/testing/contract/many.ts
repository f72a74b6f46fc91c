import assert from 'node:assert/strict'
import type { ReadingMany, SessionRecord } from '../../../types/index.ts'
import type { Bench, Check } from './check.ts'
import { created, freshName, HOSTILE_NAMES, IDLE, nextOf, recordAt } from './check.ts'

/** Asserts which of these handles lead to a record; in any order. */
async function reads({ store }: Bench, handles: readonly string[], records: readonly SessionRecord[]): Promise<void> {
  assert.ok(store.getMany, 'the store reads many records')
  const found = await (store as ReadingMany).getMany(handles)
  assert.deepEqual(inOrder(found), inOrder(records))
}

function inOrder(records: readonly SessionRecord[]): SessionRecord[] {
  return records.toSorted((a, b) => (a.handle < b.handle ? -1 : 1))
}

export const manyChecks: readonly Check[] = [
  ['nothing is read for no handles', (bench) => reads(bench, [], [])],
  [
    'of many handles the records that are there are read, each as the last write left it',
    async (bench) => {
      const { store, clock } = bench
      const plain = await created(store, recordAt(clock.now))
      const updated = await created(store, recordAt(clock.now))
      const touched = await created(store, recordAt(clock.now))
      const deleted = await created(store, recordAt(clock.now))
      const expired = await created(store, recordAt(clock.now, { idleDeadline: clock.now + 10 }))
      const next = nextOf(updated, { many: true })
      await store.update(next, updated.version)
      clock.advance(10)
      const seen = { lastSeenAt: clock.now, idleDeadline: clock.now + 2 * IDLE }
      await store.touch(touched.handle, touched.version, seen)
      await store.delete(deleted.handle)
      const handles = [plain, updated, touched, deleted, expired].map(({ handle }) => handle)
      await reads(bench, [freshName(), ...handles], [plain, next, { ...touched, ...seen }])
    },
  ],
  [
    'a thousand handles are read in one call',
    async (bench) => {
      const { store, clock } = bench
      const records = Array.from({ length: 20 }, () => recordAt(clock.now))
      await Promise.all(records.map((record) => created(store, record)))
      const handles = [...records.map(({ handle }) => handle), ...Array.from({ length: 980 }, freshName)]
      await reads(bench, handles, records)
    },
  ],
  [
    'hostile handles are names like any other when many are read',
    async (bench) => {
      const { store, clock } = bench
      const records = HOSTILE_NAMES.map((handle) => recordAt(clock.now, { handle }))
      for (const record of records.filter((_, at) => at % 2 === 0)) await created(store, record)
      await reads(
        bench,
        HOSTILE_NAMES,
        records.filter((_, at) => at % 2 === 0),
      )
      for (const handle of HOSTILE_NAMES) await store.delete(handle)
    },
  ],
]
