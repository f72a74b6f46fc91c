import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { encodeRecord, keyOf } from '../../lib/stores/codec.ts'
import { sqliteSchema, sqliteStore } from '../../lib/stores/sqlite.ts'
import type { SqliteDatabase } from '../../lib/stores/sqlite.ts'
import { nextOf, recordAt } from '../../lib/testing/contract/check.ts'
import { storeContract } from '../../lib/testing/index.ts'
import { nodeSqlite, sqliteDrivers, temporaryFolder } from '../support/sqlite.ts'

const folder = temporaryFolder(t)
const timeoutOf = (database: SqliteDatabase): unknown =>
  Object.values(database.prepare('PRAGMA busy_timeout').get() ?? {})
const newFile = (): string => join(folder, `${randomUUID()}.db`)

t.test('Node brings a driver of its own from 22 on', async (t) => {
  t.equal(nodeSqlite() !== undefined, Number(process.versions.node.split('.')[0]) >= 22)
})

for (const driver of sqliteDrivers()) {
  t.test(`the store contract on ${driver.name}`, async (t) => {
    const contract = storeContract((clock) => {
      const database = driver.open(newFile())
      const store = sqliteStore({ database, clock })
      return {
        store,
        damage: async (handle) => {
          const { changes } = database
            .prepare(`UPDATE sessions SET record = substr(record, 1, 40) WHERE record LIKE ?`)
            .run(`%${handle}%`)
          t.equal(Number(changes), 1)
        },
        close: async () => void database.close(),
      }
    })
    // Its clock is the clock of the process.
    for (const check of contract) if (check.part !== 'clock') t.test(check.name, () => check.run())
  })

  t.test(`a record that one process stored is read by the next process on ${driver.name}`, async (t) => {
    const file = newFile()
    const record = recordAt(Date.now())
    const first = driver.open(file)
    await sqliteStore({ database: first }).create(record)
    await sqliteStore({ database: first }).addToIndex('u', 'h', Date.now() + 1000)
    first.close()
    const second = driver.open(file)
    t.teardown(() => second.close())
    const store = sqliteStore({ database: second })
    t.strictSame(await store.get(record.handle), record)
    t.equal((await store.listIndex('u')).length, 1)
  })

  t.test(`two connections to one file see one truth on ${driver.name}`, async (t) => {
    const file = newFile()
    const connections = [driver.open(file), driver.open(file)] as const
    t.teardown(() => connections.forEach((connection) => connection.close()))
    const [one, two] = [sqliteStore({ database: connections[0] }), sqliteStore({ database: connections[1] })]
    const record = recordAt(Date.now())
    t.equal(await one.create(record), true)
    t.equal(await two.create(record), false)
    t.equal(await two.update({ ...record, version: 8 }, 7), true)
    t.equal(await one.update({ ...record, version: 8 }, 7), false)
    t.equal(await one.delete(record.handle), true)
    t.equal(await two.get(record.handle), undefined)
  })

  t.test(`a write waits for another process's, and lets this one go on meanwhile, on ${driver.name}`, async (t) => {
    const file = newFile()
    const [database, other] = [driver.open(file), driver.open(file)]
    t.teardown(() => [database, other].forEach((connection) => connection.close()))
    database.exec('PRAGMA busy_timeout = 4321')
    const store = sqliteStore({ database, timeout: '60s' })
    const record = recordAt(Date.now())
    await store.create(record)
    t.strictSame(Object.values(database.prepare('PRAGMA journal_mode').get() ?? {}), ['wal'])
    other.exec('BEGIN IMMEDIATE')
    const turns = { count: 0 }
    const counter = setInterval(() => (turns.count += 1), 1)
    const waiting = [store.update(nextOf(record, {}), 7), store.addToIndex('u', 'h', Date.now() + 1000)]
    t.strictSame(await store.get(record.handle), record, 'a read waits for nothing')
    while (turns.count < 20) await new Promise((resolve) => setImmediate(resolve))
    other.exec('COMMIT')
    t.strictSame(await Promise.all(waiting), [true, true])
    const impatient = sqliteStore({ database, timeout: '300ms' })
    other.exec('BEGIN IMMEDIATE')
    turns.count = 0
    await t.rejects(impatient.delete(record.handle), /locked/)
    t.ok(turns.count > 0, 'timers go off meanwhile')
    clearInterval(counter)
    other.exec('COMMIT')
    t.strictSame(await store.get(record.handle), nextOf(record, {}))
    t.strictSame(timeoutOf(database), [4321], 'the connection keeps its own way of waiting')
  })

  t.test(`a damaged record is left out of a listing, and the others are in it, on ${driver.name}`, async (t) => {
    const database = driver.open(newFile())
    t.teardown(() => database.close())
    const store = sqliteStore({ database })
    const damages = ["record = '{'", 'version = version + 1', "handle = 'another'"]
    const records = [...damages, ''].map(() => recordAt(Date.now()))
    for (const [at, record] of records.entries()) {
      await store.create(record)
      const damage = damages[at]
      if (damage === undefined) continue
      database.prepare(`UPDATE sessions SET ${damage} WHERE handle = ?`).run(keyOf(record.handle))
    }
    t.strictSame((await store.listAll({ limit: 10 })).records, records.slice(-1))
  })

  t.test(`a database in memory says so on ${driver.name}`, async (t) => {
    for (const [file, volatile] of [
      [':memory:', true],
      [newFile(), false],
    ] as const) {
      const database = driver.open(file)
      t.equal(sqliteStore({ database }).volatile, volatile)
      database.close()
    }
  })
}

t.test('a closed database is a store that cannot answer', async (t) => {
  const database = new Database(newFile())
  const store = sqliteStore({ database })
  database.close()
  const asks: (() => Promise<unknown>)[] = [
    () => store.get('a'),
    () => store.create(recordAt(0)),
    () => store.touch('a', 1, { lastSeenAt: 1, idleDeadline: 1 }),
    () => store.delete('a'),
    () => store.listIndex('a'),
    () => store.removeFromIndex('a', 'b'),
    () => store.sweep(0, 1),
  ]
  for (const ask of asks) await t.rejects(ask)
})

t.test('a file without the tables is left as it was', async (t) => {
  const database = new Database(newFile())
  t.teardown(() => database.close())
  database.exec('CREATE TABLE other (x)')
  t.throws(() => sqliteStore({ database, createTable: false }), /no such table: sessions/)
  t.equal(database.pragma('journal_mode', { simple: true }), 'delete')
  database.exec(sqliteSchema())
  sqliteStore({ database, createTable: false })
  t.equal(database.pragma('journal_mode', { simple: true }), 'wal')
})

t.test('tables that the app manages itself are used as they are', async (t) => {
  const database = new Database(newFile())
  t.teardown(() => database.close())
  t.throws(() => sqliteStore({ database, createTable: false }), /no such table: sessions/)
  database.exec(sqliteSchema())
  database.exec(sqliteSchema())
  const store = sqliteStore({ database, createTable: false })
  t.equal(await store.create(recordAt(Date.now())), true)
})

t.test('several tables live in one file, under any plain name', async (t) => {
  const database = new Database(newFile())
  t.teardown(() => database.close())
  const record = recordAt(Date.now())
  for (const table of ['sessions', 'order', 'Select', '_', 'a'.repeat(50)]) {
    const store = sqliteStore({ database, table })
    t.equal(await store.create(record), true, table)
    t.equal(await store.addToIndex('u', 'h', Date.now() + 1000, 1), true, table)
    t.equal(await store.sweep(Number.MAX_SAFE_INTEGER, 10), 1, table)
  }
})

t.test('a table name that would need quoting is refused', async (t) => {
  const database = new Database(':memory:')
  for (const table of ['', 'a b', '1a', 'a"b', 'a;drop', 'main.a', 'ä', 'a'.repeat(51), 'a\n']) {
    t.throws(() => sqliteSchema(table), TypeError, table)
    t.throws(() => sqliteStore({ database, table }), TypeError, table)
  }
})

t.test(
  'a store waits its timeout for other writes while it opens, and sets back the wait of the connection',
  async (t) => {
    const real = new Database(newFile())
    t.teardown(() => real.close())
    const waits: unknown[] = []
    const database: SqliteDatabase = {
      prepare: (sql) => real.prepare(sql),
      exec: (sql) => {
        if (sql.includes('CREATE TABLE')) waits.push(timeoutOf(real))
        return real.exec(sql)
      },
    }
    for (const [own, longest] of [
      [5, 1000],
      [4321, 4321],
    ]) {
      real.exec(`PRAGMA busy_timeout = ${own}`)
      sqliteStore({ database, timeout: '1s' })
      t.strictSame(waits.splice(0), [[longest]])
      t.strictSame(timeoutOf(real), [own])
    }
    real.exec('CREATE TABLE other (x)')
    t.throws(() => sqliteStore({ database, table: 'other', timeout: '10s' }))
    t.strictSame(waits, [[10_000]])
    t.strictSame(timeoutOf(real), [4321], 'after a failure, too')
  },
)

t.test('a cutoff that was never raised is 0', async (t) => {
  const database = new Database(':memory:')
  t.teardown(() => database.close())
  t.equal(await sqliteStore({ database }).readCutoff(), 0)
})

t.test('a page begins after the last record of the page before', async (t) => {
  const database = new Database(':memory:')
  t.teardown(() => database.close())
  const store = sqliteStore({ database })
  for (let one = 0; one < 5; one += 1) await store.create(recordAt(Date.now()))
  const { records } = await store.listAll({ limit: 10 })
  const first = await store.listAll({ limit: 2 })
  const second = await store.listAll({ limit: 2, after: first.next })
  const third = await store.listAll({ limit: 2, after: second.next })
  t.strictSame(
    [first, second, third].map((page) => page.records.length),
    [2, 2, 1],
  )
  t.strictSame(
    [first, second, third].flatMap((page) => page.records),
    records,
  )
  t.equal(third.next, undefined)
})

t.test('a timeout that is no duration is refused', async (t) => {
  const database = new Database(':memory:')
  for (const timeout of ['', '1', 'soon', 1000]) {
    t.throws(() => sqliteStore({ database, timeout: timeout as never }), {
      name: 'TypeError',
      message: /^timeout: a duration/,
    })
  }
})

t.test('a value that is no synchronous SQLite connection is refused', async (t) => {
  const byCallback = { exec: () => byCallback, prepare: () => byCallback, all: () => byCallback }
  for (const database of [{}, byCallback]) {
    t.throws(() => sqliteStore({ database: database as never }), { name: 'TypeError', message: /better-sqlite3/ })
  }
})

t.test('a connection that reads integers as BigInt gives the same records', async (t) => {
  const database = new Database(newFile())
  t.teardown(() => database.close())
  database.defaultSafeIntegers(true)
  const store = sqliteStore({ database })
  const record = recordAt(Date.now() + 0.25)
  t.equal(await store.create(record), true)
  t.strictSame(await store.get(record.handle), record)
  await store.addToIndex('u', 'h', record.idleDeadline)
  t.strictSame(await store.listIndex('u'), [{ handle: 'h', expiresAt: record.idleDeadline }])
  t.equal(await store.count(), 1)
  t.strictSame(await store.listAll({ limit: 1 }), { records: [record], next: record.handle })
  t.equal(await store.sweep(Number.MAX_SAFE_INTEGER, 10), 1)
})

t.test('a row that is not the whole of its record is damaged', async (t) => {
  const database = new Database(newFile())
  t.teardown(() => database.close())
  const store = sqliteStore({ database })
  const record = recordAt(Date.now())
  const damages: Record<string, string | number> = {
    'no text': '',
    'another text': '[]',
    null: 'null',
    'half of it': encodeRecord(record).slice(0, 200),
    "another session's": encodeRecord({ ...record, handle: 'other' }),
    'an older version of it': encodeRecord({ ...record, version: 6 }),
    'a field of another type': encodeRecord({ ...record, epoch: '2' as never }),
    'a user that is no JSON': encodeRecord({ ...record, user: '{' }),
    'data that reaches for a prototype': encodeRecord({ ...record, data: '{"__proto__":{"isAdmin":true}}' }),
  }
  const heard: string[] = []
  const reports = { onDamaged: (handle: string) => void heard.push(handle) }
  for (const [name, text] of Object.entries(damages)) {
    await store.create(record)
    database.prepare('UPDATE sessions SET record = ?').run(text)
    t.equal(await store.get(record.handle, reports), undefined, name)
    t.strictSame(heard.splice(0), [record.handle], name)
    await store.delete(record.handle)
  }
})
