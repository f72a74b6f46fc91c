import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { encodeRecord, keyOf } from '../../lib/stores/codec.ts'
import { sqliteSchema, sqliteStore } from '../../lib/stores/sqlite.ts'
import type { SqliteDatabase, SqliteStatement } from '../../lib/stores/sqlite.ts'
import { SqliteWriter } from '../../lib/stores/sqlite-writer.ts'
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

  t.test(`a step of several statements that fails half-way leaves nothing of it on ${driver.name}`, async (t) => {
    const database = driver.open(newFile())
    t.teardown(() => database.close())
    const writer = new SqliteWriter(database, 1000, 0)
    database.exec('CREATE TABLE numbers (number INTEGER NOT NULL)')
    const statement = database.prepare('INSERT INTO numbers VALUES (?)')
    const refused = database.prepare('INSERT INTO numbers SELECT NULL WHERE ?')
    const write = (one: SqliteStatement, value: number) => ({ statement: one, values: [value] })
    await t.rejects(writer.write(write(statement, 1), write(refused, 1)), /NOT NULL/)
    t.strictSame(database.prepare('SELECT number FROM numbers').all(), [])
    t.strictSame(await writer.write(write(statement, 2), write(statement, 3)), [1, 1])
    t.equal(database.prepare('SELECT number FROM numbers').all().length, 2)
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

t.test('a sweep counts sessions, not their index entries beside them', async (t) => {
  const database = new Database(newFile())
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

t.test('a write is tried again when the file is busy, as either driver says it, and for nothing else', async (t) => {
  const real = new Database(':memory:')
  t.teardown(() => real.close())
  const errors: unknown[] = []
  const database: SqliteDatabase = {
    exec: (sql) => real.exec(sql),
    prepare: (sql) => {
      const statement = real.prepare(sql)
      if (!sql.startsWith('DELETE')) return statement
      const run = (...values: (string | number)[]): { changes: number } => {
        if (errors.length > 0) throw errors.shift()
        return statement.run(...values)
      }
      return { run, get: () => undefined, all: () => [] }
    },
  }
  const store = sqliteStore({ database })
  const failure = (fields: object): Error => Object.assign(new Error('failed'), fields)
  const busy = [
    { code: 'SQLITE_BUSY' },
    { code: 'SQLITE_BUSY_SNAPSHOT' },
    { code: 'ERR_SQLITE_ERROR', errcode: 5 },
    { code: 'ERR_SQLITE_ERROR', errcode: 517 },
  ]
  errors.push(...busy.map(failure))
  const record = recordAt(Date.now())
  await store.create(record)
  t.equal(await store.delete(record.handle), true)
  t.equal(errors.length, 0)
  for (const fields of [{}, { code: 'SQLITE_FULL' }, { code: 'ERR_SQLITE_ERROR', errcode: 13 }]) {
    errors.push(failure(fields))
    await t.rejects(store.delete(record.handle), /failed$/)
    t.equal(errors.length, 0)
  }
})

t.test('a timeout that is no duration is refused', async (t) => {
  const database = new Database(':memory:')
  for (const timeout of ['', '1', 'soon', 1000]) {
    t.throws(() => sqliteStore({ database, timeout: timeout as never }), TypeError)
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

t.test('a sweep gives the event loop its turn, the sooner the slower the disk', async (t) => {
  const real = new Database(':memory:')
  t.teardown(() => real.close())
  const shares: number[] = []
  let delay = 0
  const database: SqliteDatabase = {
    exec: (sql) => real.exec(sql),
    prepare: (sql) => {
      const statement = real.prepare(sql)
      if (!/^DELETE.*rowid/s.test(sql)) return statement
      return {
        get: () => undefined,
        all: () => [],
        run: (now, limit) => {
          shares.push(Number(limit))
          const until = performance.now() + delay
          while (performance.now() < until);
          return statement.run(now, limit)
        },
      }
    },
  }
  const store = sqliteStore({ database })
  for (let one = 0; one < 600; one += 1) await store.create(recordAt(0))
  let turns = 0
  const count = (): NodeJS.Immediate => setImmediate(() => ((turns += 1), (counter = count())))
  let counter = count()
  delay = 11
  t.equal(await store.sweep(Date.now(), 100), 100)
  t.ok(shares.length > 3 && (shares[0] ?? 0) > (shares.at(-2) ?? 0), `rows at a time: ${shares.join(' ')}`)
  t.ok(turns >= shares.length - 1, `${turns} turns`)
  shares.length = delay = 0
  t.equal(await store.sweep(Date.now(), 10_000), 500)
  t.ok((shares.at(-1) ?? 0) > (shares[0] ?? 0), `rows at a time: ${shares.join(' ')}`)
  for (let one = 0; one < 40; one += 1) await store.create(recordAt(0))
  delay = 11
  for (let one = 0; one < 20; one += 1) await store.sweep(Date.now(), 2)
  t.equal(shares.at(-1), 1, 'never less than one')
  clearImmediate(counter)
})
