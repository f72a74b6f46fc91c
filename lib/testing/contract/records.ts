import assert from 'node:assert/strict'
import type { Check } from './check.ts'
import { created, freshName, holds, HOSTILE_NAMES, IDLE, nextOf, recordAt } from './check.ts'

/** Reading and creating. */
const creating: readonly Check[] = [
  ['an unknown handle is absent', ({ store }) => holds(store, freshName(), undefined)],
  [
    'a record comes back as it was created',
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      await holds(store, record.handle, record)
      const anonymous = recordAt(clock.now, { userId: null, user: null, authHash: null, authenticatedAt: null })
      const empty = { tip: null, rivals: [], device: null, remember: false, data: '{}' }
      await created(store, { ...anonymous, ...empty })
      await holds(store, anonymous.handle, { ...anonymous, ...empty })
    },
  ],
  [
    'data of 64 KiB in any script comes back as it was',
    async ({ store, clock }) => {
      const data = JSON.stringify({ text: '\u20ac\ud83c\udf6a\u0000"'.repeat(5_000) })
      const record = await created(store, recordAt(clock.now, { data }))
      await holds(store, record.handle, record)
    },
  ],
  [
    'a handle that is taken cannot be created again, and keeps its record',
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      assert.equal(await store.create(recordAt(clock.now, { handle: record.handle })), false)
      await holds(store, record.handle, record)
    },
  ],
  [
    'a hostile handle is a name like any other',
    async ({ store, clock }) => {
      for (const handle of HOSTILE_NAMES) {
        await holds(store, handle, undefined)
        assert.equal(await store.update(recordAt(clock.now, { handle }), 7), false)
        assert.equal(await store.touch(handle, 7, { lastSeenAt: clock.now, idleDeadline: clock.now }), false)
        assert.equal(await store.delete(handle), false)
      }
      const records = HOSTILE_NAMES.map((handle) => recordAt(clock.now, { handle }))
      for (const record of records) await created(store, record)
      for (const record of records) await holds(store, record.handle, record)
      for (const [at, record] of records.entries()) {
        assert.equal(await store.delete(record.handle), true)
        const next = records[at + 1]
        if (next !== undefined) await holds(store, next.handle, next)
      }
    },
  ],
]

/** Replacing. */
const updating: readonly Check[] = [
  [
    'an update replaces the whole record while its version is the one expected',
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      const next = recordAt(clock.now, { handle: record.handle, version: 8, idleDeadline: clock.now + 3 * IDLE })
      assert.equal(await store.update(next, 7), true)
      await holds(store, record.handle, next)
      assert.equal(await store.update(nextOf(next, {}), 8), true)
      await holds(store, record.handle, nextOf(next, {}))
    },
  ],
  [
    'an update that expects another version changes nothing',
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      for (const version of [6, 8, 0, -1, 70]) assert.equal(await store.update(nextOf(record, {}), version), false)
      await holds(store, record.handle, record)
    },
  ],
  [
    'an update of an absent record stores nothing',
    async ({ store, clock }) => {
      const record = recordAt(clock.now)
      assert.equal(await store.update(record, 7), false)
      await holds(store, record.handle, undefined)
      await created(store, record)
      await store.delete(record.handle)
      assert.equal(await store.update(nextOf(record, {}), 7), false)
      await holds(store, record.handle, undefined)
    },
  ],
  [
    'an update moves the deadline forward and back',
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      const later = { ...nextOf(record, {}), idleDeadline: clock.now + 10 * IDLE }
      assert.equal(await store.update(later, 7), true)
      clock.advance(9 * IDLE)
      await holds(store, record.handle, later)
      const sooner = { ...nextOf(later, {}), idleDeadline: clock.now + 10 }
      assert.equal(await store.update(sooner, 8), true)
      clock.advance(10)
      await holds(store, record.handle, undefined)
    },
  ],
]

/** Moving the idle deadline. */
const touching: readonly Check[] = [
  [
    'a touch moves the idle deadline and when the session was last seen, nothing else',
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      clock.advance(IDLE / 2)
      const seen = { lastSeenAt: clock.now, idleDeadline: clock.now + IDLE }
      assert.equal(await store.touch(record.handle, 7, seen), true)
      await holds(store, record.handle, { ...record, ...seen })
      clock.advance(IDLE - 1)
      await holds(store, record.handle, { ...record, ...seen })
      const next = { ...nextOf(record, {}), idleDeadline: clock.now + IDLE }
      assert.equal(await store.update(next, 7), true, 'the version is still the same')
      await holds(store, record.handle, next)
    },
  ],
  [
    'a touch never moves anything back',
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      const { handle, lastSeenAt, idleDeadline } = record
      assert.equal(await store.touch(handle, 7, { lastSeenAt: lastSeenAt - 1, idleDeadline: idleDeadline - 1 }), true)
      await holds(store, handle, record)
      assert.equal(await store.touch(handle, 7, { lastSeenAt: lastSeenAt - 1, idleDeadline: idleDeadline + 1 }), true)
      await holds(store, handle, { ...record, idleDeadline: idleDeadline + 1 })
      assert.equal(await store.touch(handle, 7, { lastSeenAt: lastSeenAt + 1, idleDeadline }), true)
      await holds(store, handle, { ...record, lastSeenAt: lastSeenAt + 1, idleDeadline: idleDeadline + 1 })
    },
  ],
  [
    'a touch that expects another version changes nothing',
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      const seen = { lastSeenAt: clock.now, idleDeadline: clock.now + 2 * IDLE }
      for (const version of [6, 8, 0, -1, 70]) assert.equal(await store.touch(record.handle, version, seen), false)
      await holds(store, record.handle, record)
    },
  ],
  [
    'a touch of an absent record stores nothing',
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      await store.delete(record.handle)
      const seen = { lastSeenAt: clock.now, idleDeadline: clock.now + 2 * IDLE }
      assert.equal(await store.touch(record.handle, 7, seen), false)
      await holds(store, record.handle, undefined)
    },
  ],
]

/** Ending: by hand and by time. */
const ending: readonly Check[] = [
  [
    'a deleted record is gone, once',
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      const other = await created(store, recordAt(clock.now))
      assert.equal(await store.delete(record.handle), true)
      await holds(store, record.handle, undefined)
      assert.equal(await store.delete(record.handle), false)
      await holds(store, other.handle, other)
    },
  ],
  [
    'a delete that expects another version removes nothing',
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      for (const version of [6, 8, 0, -1, 70]) assert.equal(await store.delete(record.handle, version), false)
      await holds(store, record.handle, record)
      assert.equal(await store.delete(record.handle, 7), true)
      await holds(store, record.handle, undefined)
    },
  ],
  [
    'at the very instant of its deadline a record is absent for every method',
    async ({ store, clock }) => {
      // One each: a store may remove what a method meets.
      const [read, touched, updated, deleted, expected] = await Promise.all(
        Array.from({ length: 5 }, () => created(store, recordAt(clock.now))),
      )
      assert.ok(read && touched && updated && deleted && expected)
      clock.advance(IDLE - 1)
      for (const record of [read, touched, updated, deleted, expected]) await holds(store, record.handle, record)
      clock.advance(1)
      const later = { lastSeenAt: clock.now, idleDeadline: clock.now + IDLE }
      await holds(store, read.handle, undefined)
      assert.equal(await store.touch(touched.handle, 7, later), false)
      assert.equal(await store.update({ ...nextOf(updated, {}), ...later }, 7), false)
      assert.equal(await store.delete(deleted.handle), false)
      assert.equal(await store.delete(expected.handle, 7), false)
      for (const record of [read, touched, updated, deleted, expected]) await holds(store, record.handle, undefined)
    },
  ],
  [
    'the handle of an expired record is free',
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      clock.advance(IDLE)
      const next = await created(store, recordAt(clock.now, { handle: record.handle }))
      await holds(store, record.handle, next)
    },
  ],
]

export const recordChecks: readonly Check[] = [...creating, ...updating, ...touching, ...ending]
