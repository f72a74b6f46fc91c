import assert from 'node:assert/strict'
import type { Enumerating, SessionRecord } from '../../../types/index.ts'
import type { Bench, Check } from './check.ts'
import { created, freshName, IDLE, recordAt } from './check.ts'

/** More pages than any of these stores needs for its records. */
const ENOUGH_PAGES = 100_000

function listing({ store }: Bench): Enumerating {
  assert.ok(store.listAll && store.count, 'the store lists its records')
  return store as Enumerating
}

/** A server that lists in steps of its own may give more than it was asked for, but not all it has. */
const MAX_EXCESS = 1000

/** Returns every record by handle. `between` runs after each page. */
async function listed(
  bench: Bench,
  limit: number,
  between?: (seen: ReadonlyMap<string, SessionRecord>) => Promise<unknown>,
): Promise<Map<string, SessionRecord>> {
  const found = new Map<string, SessionRecord>()
  let after: string | undefined
  for (let page = 0; page < ENOUGH_PAGES; page += 1) {
    const { records, next } = await listing(bench).listAll(after === undefined ? { limit } : { after, limit })
    assert.ok(records.length <= limit + MAX_EXCESS, `${records.length} records on a page of ${limit}`)
    for (const record of records) found.set(record.handle, record)
    if (next === undefined) return found
    assert.equal(typeof next, 'string')
    after = next
    await between?.(found)
  }
  assert.fail('the listing comes to an end')
}

/** Records that no other check has made, some of them with nobody logged in. */
async function crowd({ store, clock }: Bench, count: number): Promise<SessionRecord[]> {
  const records = Array.from({ length: count }, (_, at) =>
    recordAt(clock.now, at % 3 === 0 ? { userId: null, user: null, authHash: null, authenticatedAt: null } : {}),
  )
  await Promise.all(records.map((record) => created(store, record)))
  return records
}

function holdsAll(found: ReadonlyMap<string, SessionRecord>, records: readonly SessionRecord[]): void {
  for (const record of records) assert.deepEqual(found.get(record.handle), record)
}

export const listingChecks: readonly Check[] = [
  [
    'all live records are listed, whatever the size of a page',
    async (bench) => {
      const records = await crowd(bench, 25)
      for (const limit of [1, 7, 25, 1000]) holdsAll(await listed(bench, limit), records)
    },
  ],
  [
    'records that have expired or ended are neither listed nor counted',
    async (bench) => {
      const { store, clock } = bench
      const before = await listing(bench).count()
      const expired = await created(store, recordAt(clock.now, { idleDeadline: clock.now + IDLE }))
      const deleted = await created(store, recordAt(clock.now))
      const kept = await created(store, recordAt(clock.now, { idleDeadline: clock.now + 2 * IDLE }))
      assert.equal(await listing(bench).count(), before + 3)
      await store.delete(deleted.handle)
      clock.advance(IDLE)
      const found = await listed(bench, 10)
      assert.deepEqual(found.get(kept.handle), kept)
      assert.equal(found.has(expired.handle), false)
      assert.equal(found.has(deleted.handle), false)
      const counted = await listing(bench).count()
      assert.ok([1, 2].includes(counted - before), 'the record that has just expired may be counted')
    },
  ],
  [
    'records that exist during the whole listing are listed, although others come, go and are touched meanwhile',
    async (bench) => {
      const { store, clock } = bench
      const records = await crowd(bench, 30)
      const found = await listed(bench, 4, async () => {
        const passing = await created(store, recordAt(clock.now))
        await store.delete(passing.handle)
        for (const { handle, version, lastSeenAt, idleDeadline } of records.slice(0, 3)) {
          await store.touch(handle, version, { lastSeenAt, idleDeadline })
        }
      })
      holdsAll(found, records)
    },
  ],
  [
    'a listing whose records are removed page by page comes to all of them',
    async (bench) => {
      const { store } = bench
      const handles = new Set((await crowd(bench, 30)).map(({ handle }) => handle))
      const removeSeen = async (seen: ReadonlyMap<string, SessionRecord>): Promise<void> => {
        for (const handle of seen.keys()) if (handles.has(handle)) await store.delete(handle)
      }
      const found = await listed(bench, 4, removeSeen)
      for (const handle of handles) assert.ok(found.has(handle))
    },
  ],
  [
    'index entries and the cutoff are neither listed nor counted',
    async (bench) => {
      const { store, clock } = bench
      const before = await listing(bench).count()
      await store.addToIndex?.(freshName(), freshName(), clock.now + IDLE)
      await store.raiseCutoff?.(clock.now)
      assert.equal(await listing(bench).count(), before)
      assert.ok((await listed(bench, 100)).size <= before)
    },
  ],
  [
    'a page of no records, of half a record or of no number is refused',
    async (bench) => {
      for (const limit of [0, -1, 0.5, Number.NaN, Infinity]) {
        await assert.rejects(async () => listing(bench).listAll({ limit }), RangeError)
      }
    },
  ],
]
