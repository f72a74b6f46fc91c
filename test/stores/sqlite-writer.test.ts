import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import type { SqliteDatabase, SqliteStatement } from '../../lib/stores/sqlite.ts'
import { SqliteWriter } from '../../lib/stores/sqlite-writer.ts'
import { nextOf, recordAt } from '../../lib/testing/contract/check.ts'
import { betterSqlite, sqliteDrivers, temporaryFolder } from '../support/sqlite.ts'

const folder = temporaryFolder(t)
const newFile = (): string => join(folder, `${randomUUID()}.db`)

for (const driver of sqliteDrivers()) {
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

  t.test(
    `a step that cannot be committed leaves nothing of it, and no transaction open, on ${driver.name}`,
    async (t) => {
      const database = driver.open(newFile())
      t.teardown(() => database.close())
      const writer = new SqliteWriter(database, 1000, 0)
      database.exec(`PRAGMA foreign_keys = ON;
      CREATE TABLE parents (id INTEGER PRIMARY KEY);
      CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)`)
      const parent = database.prepare('INSERT INTO parents VALUES (?)')
      const child = database.prepare('INSERT INTO children VALUES (?)')
      const step = (id: number) => writer.write({ statement: parent, values: [1] }, { statement: child, values: [id] })
      await t.rejects(step(2), /FOREIGN KEY/)
      t.strictSame(database.prepare('SELECT id FROM parents').all(), [])
      // SQLite begins no transaction inside another one.
      database.exec('BEGIN; COMMIT')
      t.strictSame(await step(1), [1, 1])
    },
  )

  t.test(`a step for which there is no space says so, and leaves nothing of it on ${driver.name}`, async (t) => {
    const database = driver.open(newFile())
    t.teardown(() => database.close())
    const store = sqliteStore({ database })
    const record = recordAt(Date.now())
    await store.create(record)
    // SQLite takes the number of pages that there are instead.
    database.exec('PRAGMA max_page_count = 1')
    const large = { ...nextOf(record, {}), epoch: 9, data: JSON.stringify({ text: 'x'.repeat(100_000) }) }
    await t.rejects(
      store.update(large, record.version),
      /^There is no space left for the file .*database or disk is full$/,
    )
    t.strictSame(await store.get(record.handle), record)
    t.equal(await store.delete(record.handle), true)
  })
}

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

t.test('a step of one statement needs no savepoint', async (t) => {
  const said: unknown[] = []
  const database = new Database(':memory:', { verbose: (sql) => said.push(sql) })
  t.teardown(() => database.close())
  const store = sqliteStore({ database })
  const record = recordAt(Date.now())
  await store.create(record)
  t.notMatch(said.join('\n'), 'SAVEPOINT')
  await store.delete(record.handle)
  t.match(said.join('\n'), 'SAVEPOINT')
})

t.test('writes take three milliseconds of a turn, and those beyond wait for the next turns', async (t) => {
  let now = 1000
  t.intercept(performance, 'now', { value: () => now })
  const database = new Database(':memory:')
  t.teardown(() => database.close())
  database.function('a_millisecond', () => (now += 1))
  database.exec('CREATE TABLE numbers (number INTEGER NOT NULL)')
  const statement = database.prepare('INSERT INTO numbers SELECT a_millisecond()')
  const writer = new SqliteWriter(database, 1000, 0)
  let turn = 0
  const count = (): NodeJS.Immediate => setImmediate(() => ((turn += 1), (counter = count())))
  let counter = count()
  const write = async (): Promise<number> => {
    await writer.write({ statement, values: [] })
    return turn
  }
  const turns = await Promise.all(Array.from({ length: 8 }, write))
  clearImmediate(counter)
  t.strictSame(turns, [0, 0, 0, 1, 1, 1, 2, 2])
})

t.test('a write that waits for another connection is tried for the last time at its timeout', async (t) => {
  const file = newFile()
  let now = 1000
  let attempts = 0
  t.intercept(performance, 'now', { value: () => now })
  const verbose = (sql: unknown): void => {
    if (sql !== 'PRAGMA busy_timeout = 0') return
    attempts += 1
    now += 100
  }
  const [database, other] = [new Database(file, { verbose }), betterSqlite.open(file)]
  t.teardown(() => [database, other].forEach((connection) => connection.close()))
  const store = sqliteStore({ database, timeout: '200ms' })
  other.exec('BEGIN IMMEDIATE')
  await t.rejects(store.create(recordAt(0)), /locked/)
  t.equal(attempts, 3)
})
