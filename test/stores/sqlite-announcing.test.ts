import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import type { SqliteStore } from '../../lib/stores/sqlite.ts'
import { sqliteSchema, sqliteStore } from '../../lib/stores/sqlite.ts'
import { nextOf, recordAt } from '../../lib/testing/contract/check.ts'
import { storeContract } from '../../lib/testing/index.ts'
import type { Announcement } from '../../types/index.ts'
import type { Connection, SqliteDriver } from '../support/sqlite.ts'
import { betterSqlite, sqliteDrivers, temporaryFolder } from '../support/sqlite.ts'

interface Hearing {
  readonly heard: Announcement[]
  until(isHeard: () => boolean): Promise<void>
}

/** Returns a listener of a store, with everything that it has heard. */
async function hear(t: Test, store: SqliteStore): Promise<Hearing> {
  const heard: Announcement[] = []
  const emitter = new EventEmitter()
  const unsubscribe = await store.subscribe((what) => {
    heard.push(what)
    emitter.emit('heard')
  })
  // The looks do not keep a process alive, and nothing else runs here.
  const alive = setInterval(() => undefined, 1000)
  t.teardown(async () => {
    clearInterval(alive)
    await unsubscribe()
  })
  return {
    heard,
    async until(isHeard) {
      while (!isHeard()) await once(emitter, 'heard')
    },
  }
}

function open(t: Test, driver: SqliteDriver, file: string): Connection {
  const database = driver.open(file)
  t.teardown(() => database.close())
  return database
}

t.test('the contract of announcements asks a store without a cutoff for none', async (t) => {
  const database = open(t, betterSqlite, join(temporaryFolder(t), 'sessions.db'))
  const without = { raiseCutoff: undefined, readCutoff: undefined }
  const contract = storeContract((clock) => ({
    store: Object.assign(sqliteStore({ database, clock }), without),
  }))
  const [check] = contract.filter(({ name }) => name.includes('a raised cutoff is announced'))
  await check?.run()
  t.ok(check)
})

for (const driver of sqliteDrivers()) {
  t.test(
    `another connection hears of ends, changes of epoch and the cutoff, in their order, by ${driver.name}`,
    async (t) => {
      const file = join(temporaryFolder(t), 'sessions.db')
      const store = sqliteStore({ database: open(t, driver, file) })
      const earlier = recordAt(Date.now())
      await store.create(earlier)
      await store.delete(earlier.handle)
      const other = await hear(t, sqliteStore({ database: open(t, driver, file) }))
      const [one, two, kept] = [recordAt(Date.now()), recordAt(Date.now()), recordAt(Date.now())]
      for (const record of [one, two, kept]) await store.create(record)
      await store.update({ ...nextOf(one, {}), epoch: 3 }, one.version)
      await store.update(nextOf(kept, {}), kept.version)
      await store.delete(two.handle)
      await store.raiseCutoff(70)
      await other.until(() => other.heard.length >= 3)
      t.strictSame(other.heard, [{ handle: one.handle }, { handle: two.handle }, { cutoff: 70 }])
    },
  )
}

t.test('ends beyond those of one look are told by the following looks', async (t) => {
  const file = join(temporaryFolder(t), 'sessions.db')
  const store = sqliteStore({ database: open(t, betterSqlite, file) })
  const other = await hear(t, sqliteStore({ database: open(t, betterSqlite, file) }))
  const records = Array.from({ length: 2500 }, () => recordAt(Date.now()))
  for (const record of records) await store.create(record)
  await Promise.all(records.map(({ handle }) => store.delete(handle)))
  await other.until(() => other.heard.length >= records.length)
  t.strictSame(
    other.heard,
    records.map(({ handle }) => ({ handle })),
  )
})

t.test('no more than the last ends are kept, and a sweep removes older ones', async (t) => {
  const database = open(t, betterSqlite, ':memory:')
  const store = sqliteStore({ database })
  const insert = database.prepare('INSERT INTO sessions_ends (handle) VALUES (?)')
  const kept = (): unknown => database.prepare('SELECT count(*) AS count FROM sessions_ends').get()
  database.exec('BEGIN')
  for (let end = 0; end < 10_100; end += 1) insert.run('h')
  database.exec('COMMIT')
  await store.sweep(Date.now(), 10)
  t.strictSame({ ...(kept() as object) }, { count: 10_000 })
  const record = recordAt(Date.now())
  await store.create(record)
  await store.update({ ...nextOf(record, {}), epoch: 9 }, record.version)
  t.strictSame({ ...(kept() as object) }, { count: 10_001 }, 'an update removes none')
  await store.delete(record.handle)
  t.strictSame({ ...(kept() as object) }, { count: 10_000 })
})

t.test('a record that cannot be read counts as one of another epoch', async (t) => {
  const database = open(t, betterSqlite, ':memory:')
  const store = sqliteStore({ database })
  const hearing = await hear(t, store)
  const record = recordAt(Date.now())
  await store.create(record)
  database.exec("UPDATE sessions SET record = '{'")
  t.equal(await store.update(nextOf(record, {}), record.version), true)
  await hearing.until(() => hearing.heard.length === 1)
  t.strictSame(hearing.heard, [{ handle: record.handle }])
})

t.test(
  'a file without the table of ends keeps sessions as before, and says what is missing to whoever subscribes',
  async (t) => {
    const database = open(t, betterSqlite, ':memory:')
    database.exec(`${sqliteSchema()}; DROP TABLE sessions_ends`)
    const store = sqliteStore({ database, createTable: false })
    const record = recordAt(Date.now())
    t.equal(await store.create(record), true)
    t.equal(await store.update({ ...nextOf(record, {}), epoch: 9 }, record.version), true)
    t.equal(await store.sweep(Date.now(), 10), 0)
    t.equal(await store.delete(record.handle), true)
    await t.rejects(
      store.subscribe(() => undefined),
      /sqliteSchema/,
    )
    sqliteStore({ database })
    const unsubscribe = await sqliteStore({ database, createTable: false }).subscribe(() => undefined)
    await unsubscribe()
  },
)

t.test('a look at a file that was closed disturbs nobody', async (t) => {
  const file = join(temporaryFolder(t), 'sessions.db')
  const store = sqliteStore({ database: open(t, betterSqlite, file) })
  const closed = open(t, betterSqlite, file)
  await hear(t, sqliteStore({ database: closed }))
  const other = await hear(t, sqliteStore({ database: open(t, betterSqlite, file) }))
  closed.close()
  for (let end = 0; end < 2; end += 1) {
    const record = recordAt(Date.now())
    await store.create(record)
    await store.delete(record.handle)
    await other.until(() => other.heard.length > end)
  }
  t.equal(other.heard.length, 2)
})

t.test('a note that cannot be written takes the write back with it', async (t) => {
  const database = open(t, betterSqlite, ':memory:')
  const store = sqliteStore({ database })
  const record = recordAt(Date.now())
  await store.create(record)
  database.exec('DROP TABLE sessions_ends')
  await t.rejects(store.delete(record.handle), /There is no table .*sessions_ends in :memory:/)
  t.strictSame(await store.get(record.handle), record)
})
