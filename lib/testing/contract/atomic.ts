import assert from 'node:assert/strict'
import type { Check } from './check.ts'
import { created, CROWD, holds, IDLE, nextOf, recordAt, wins } from './check.ts'

const crowd = Array.from({ length: CROWD }, (_, index) => index)

/** The methods again, called many at a time. */
export const atomicChecks: readonly Check[] = [
  [
    `of ${CROWD} records created at once under one handle exactly one is stored`,
    async ({ store, clock }) => {
      const { handle } = recordAt(clock.now)
      const records = crowd.map((index) => recordAt(clock.now, { handle, data: JSON.stringify({ index }) }))
      const answers = await Promise.all(records.map((record) => store.create(record)))
      assert.equal(wins(answers), 1)
      await holds(store, handle, records[answers.indexOf(true)])
    },
  ],
  [
    `of ${CROWD} updates at once that expect one version exactly one is stored`,
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      const updates = crowd.map((index) => nextOf(record, { index }))
      const answers = await Promise.all(updates.map((next) => store.update(next, record.version)))
      assert.equal(wins(answers), 1)
      await holds(store, record.handle, updates[answers.indexOf(true)])
    },
  ],
  [
    `of ${CROWD} deletes at once exactly one removes the record`,
    async ({ store, clock }) => {
      const record = await created(store, recordAt(clock.now))
      const answers = await Promise.all(
        crowd.map((index) => store.delete(record.handle, index % 2 === 0 ? record.version : undefined)),
      )
      assert.equal(wins(answers), 1)
      await holds(store, record.handle, undefined)
    },
  ],
  [
    'writes that run beside a delete never bring the record back',
    async ({ store, clock }) => {
      const records = await Promise.all(crowd.map(() => created(store, recordAt(clock.now))))
      const seen = { lastSeenAt: clock.now, idleDeadline: clock.now + 2 * IDLE }
      await Promise.all(
        records.flatMap((record, index) => {
          const update = (): Promise<boolean> => store.update(nextOf(record, { index }), record.version)
          const remove = (): Promise<boolean> => store.delete(record.handle)
          const touch = (): Promise<boolean> => store.touch(record.handle, record.version, seen)
          return index % 2 === 0 ? [update(), remove(), touch(), update()] : [touch(), remove(), update(), touch()]
        }),
      )
      for (const { handle } of records) await holds(store, handle, undefined)
    },
  ],
  [
    'a touch that runs beside an update takes nothing of it back',
    async ({ store, clock }) => {
      const records = await Promise.all(crowd.map(() => created(store, recordAt(clock.now))))
      const seen = { lastSeenAt: clock.now, idleDeadline: clock.now + 2 * IDLE }
      await Promise.all(
        records.flatMap((record, index) => {
          const touch = (): Promise<boolean> => store.touch(record.handle, record.version, seen)
          const update = (): Promise<boolean> => store.update({ ...nextOf(record, { index }), ...seen }, record.version)
          return index % 2 === 0 ? [touch(), update(), touch()] : [update(), touch(), touch()]
        }),
      )
      for (const [index, record] of records.entries()) {
        await holds(store, record.handle, { ...nextOf(record, { index }), ...seen })
      }
    },
  ],
]
