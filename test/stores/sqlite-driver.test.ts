import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { explained } from '../../lib/stores/sqlite-driver.ts'
import { sqliteSchema, sqliteStore } from '../../lib/stores/sqlite.ts'
import { sqliteDrivers, temporaryFolder } from '../support/sqlite.ts'

/** Result codes of SQLite as each driver gives them, and the words about them. */
const CODES: [code: string, errcode: number, words: RegExp][] = [
  ['SQLITE_READONLY', 8, /^The file \/srv\/a\.db, or its folder, may only be read/],
  ['SQLITE_READONLY_DBMOVED', 1032, /^The file \/srv\/a\.db, or its folder, may only be read/],
  ['SQLITE_IOERR', 10, /^The disk of the file \/srv\/a\.db fails/],
  ['SQLITE_IOERR_WRITE', 778, /^The disk of the file \/srv\/a\.db fails/],
  ['SQLITE_CORRUPT', 11, /^The file \/srv\/a\.db is damaged: restore it/],
  ['SQLITE_CORRUPT_INDEX', 779, /^The file \/srv\/a\.db is damaged: restore it/],
  ['SQLITE_FULL', 13, /^There is no space left for the file \/srv\/a\.db\./],
  ['SQLITE_CANTOPEN', 14, /^The file \/srv\/a\.db cannot be opened: its folder must exist/],
  ['SQLITE_NOTADB', 26, /^The file \/srv\/a\.db is no SQLite database, or is encrypted/],
]

const errorOf = (fields: object): Error => Object.assign(new Error('the words of SQLite'), fields)

t.test(
  'a result code is said in words that name the file, before the words of SQLite, for either driver',
  async (t) => {
    for (const [code, errcode, words] of CODES) {
      for (const fields of [{ code }, { code: 'ERR_SQLITE_ERROR', errcode }]) {
        const { message } = explained(errorOf(fields), '/srv/a.db', 'sessions')
        t.match(message, words)
        t.match(message, /[^.]\. SQLite says: the words of SQLite$/)
      }
    }
  },
)

t.test('an error of which nothing is known keeps its words', async (t) => {
  for (const fields of [{}, { code: 'SQLITE_BUSY' }, { code: 'ERR_SQLITE_ERROR', errcode: 1 }, { code: '' }]) {
    t.equal(explained(errorOf(fields), '/srv/a.db', 'sessions').message, 'the words of SQLite')
  }
})

t.test('a file that is no database is named', async (t) => {
  const file = join(temporaryFolder(t), 'notes.txt')
  writeFileSync(file, 'no database '.repeat(1000))
  const database = new Database(file)
  t.teardown(() => database.close())
  t.throws(() => sqliteStore({ database }), {
    message: new RegExp(`^The file ${file} is no SQLite database.*SQLite says: file is not a database$`),
  })
})

for (const driver of sqliteDrivers()) {
  t.test(`a table that is not there, or is not one of the store, is named on ${driver.name}`, async (t) => {
    const file = join(temporaryFolder(t), 'app.db')
    const database = driver.open(file)
    t.teardown(() => database.close())
    database.exec(`CREATE TABLE orders (x); CREATE VIEW customers AS SELECT 1; CREATE INDEX bills ON orders (x);
      ${sqliteSchema('theirs')}; ALTER TABLE theirs RENAME COLUMN record TO note`)
    const opened = (table: string, createTable: boolean) => () => sqliteStore({ database, table, createTable })
    for (const table of ['orders', 'customers', 'bills', 'theirs']) {
      t.throws(opened(table, true), {
        message: new RegExp(`^The table ${table} in ${file} is not one of this store: .*the option table`),
      })
    }
    t.throws(opened('missing', false), {
      message: new RegExp(`^There is no table missing in ${file}: run the SQL of sqliteSchema`),
    })
  })
}
