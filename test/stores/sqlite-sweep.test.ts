import Database from 'better-sqlite3'
import t from 'tap'
import type { Test } from 'tap'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import type { SqliteStore } from '../../lib/stores/sqlite.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'

/** A store whose disk takes as long as a test says. */
interface Slow {
  readonly store: SqliteStore
  readonly disk: {
    /** Milliseconds that each step of a sweep takes. */
    delay: number
  }
  /** The limits of the steps so far, and the turns of the event loop in which they ran. */
  readonly steps: { readonly limit: number; readonly turn: number }[]
  /** The turns in which index entries were removed. */
  readonly indexTurns: number[]
}

/** Returns a store with so many records that have expired. */
function slowStore(t: Test, expired: number): Slow {
  let now = 1000
  t.intercept(performance, 'now', { value: () => now })
  let turn = 0
  const count = (): NodeJS.Immediate => setImmediate(() => ((turn += 1), (counter = count())))
  let counter = count()
  const disk = { delay: 0 }
  const steps: Slow['steps'] = []
  const indexTurns: number[] = []
  const verbose = (sql: unknown): void => {
    const [, table, limit] = /^DELETE FROM "(\w+)".* LIMIT ([\d.]+)\)$/s.exec(String(sql)) ?? []
    if (table === 'sessions_index') indexTurns.push(turn)
    if (table !== 'sessions') return
    steps.push({ limit: Number(limit), turn })
    now += disk.delay
  }
  const database = new Database(':memory:', { verbose })
  t.teardown(() => {
    clearImmediate(counter)
    database.close()
  })
  const store = sqliteStore({ database })
  database
    .prepare(
      `INSERT INTO sessions WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
       SELECT 'h' || n, 1, 0, 0, '' FROM numbers`,
    )
    .run(expired)
  return { store, disk, steps, indexTurns }
}

t.test('a sweep counts sessions, not their index entries beside them', async (t) => {
  const database = new Database(':memory:')
  t.teardown(() => database.close())
  const store = sqliteStore({ database })
  for (let one = 0; one < 70; one += 1) {
    const record = recordAt(Date.now())
    await store.create(record)
    await store.addToIndex('u', record.handle, record.absoluteDeadline)
  }
  t.equal(await store.sweep(Number.MAX_SAFE_INTEGER, 1000), 70)
  t.equal(await store.sweep(Number.MAX_SAFE_INTEGER, 1000), 0)
})

t.test('a sweep removes no more sessions than it may', async (t) => {
  const { store } = slowStore(t, 100)
  t.equal(await store.sweep(Date.now(), 50), 50)
  t.equal(await store.sweep(Date.now(), 1000), 50)
})

t.test('a sweep takes twice the rows at a time on a fast disk, and half the rows on a slow one', async (t) => {
  const { store, disk, steps } = slowStore(t, 1504 + 1025)
  const limits = (): number[] => steps.splice(0).map(({ limit }) => limit)
  disk.delay = 10
  t.equal(await store.sweep(Date.now(), 1504), 1504)
  t.strictSame(limits(), [32, 64, 128, 256, 512, 512])
  disk.delay = 11
  t.equal(await store.sweep(Date.now(), 10_000), 1025)
  t.strictSame(limits(), [512, 256, 128, 64, 32, 16, 8, 4, 2, 1, 1, 1, 1])
})

t.test('a sweep gives the event loop its turn after each step, and between records and index entries', async (t) => {
  const { store, steps, indexTurns } = slowStore(t, 300)
  t.equal(await store.sweep(Date.now(), 1000), 300)
  const turns = steps.flatMap(({ turn }, step) => [turn, indexTurns[step]])
  t.equal(turns.length, 8)
  t.equal(new Set(turns).size, turns.length, `turns: ${turns.join(' ')}`)
})

t.test('a sweep that cannot remove old ends fails', async (t) => {
  const database = new Database(':memory:')
  t.teardown(() => database.close())
  const store = sqliteStore({ database })
  database.exec('DROP TABLE sessions_ends')
  await t.rejects(store.sweep(Date.now(), 10), /There is no table .*sessions_ends in :memory:/)
})
