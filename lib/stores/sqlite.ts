import { parseDuration } from '../session/duration.ts'
import type { Duration } from '../../types/index.ts'
import { refuseUnfit } from './refuse-driver.ts'
import { refuseUnread } from './refuse-options.ts'
import type { SqliteDatabase } from './sqlite-driver.ts'
import { busyTimeoutOf, DATABASE, explained, fileOf, isConnection, refuseCallbacks } from './sqlite-driver.ts'
import { sqliteSchema } from './sqlite-sql.ts'
import type { SqliteStore } from './sqlite-store.ts'
import { Sqlite } from './sqlite-store.ts'
import { SqliteWriter } from './sqlite-writer.ts'

export type { SqliteDatabase, SqliteStatement } from './sqlite-driver.ts'
export { sqliteSchema } from './sqlite-sql.ts'
export type { SqliteStore } from './sqlite-store.ts'

/** Options of `sqliteStore`. */
export interface SqliteStoreOptions {
  /** A better-sqlite3 `Database` or a node:sqlite `DatabaseSync`. The store never closes it. */
  database: SqliteDatabase
  /**
   * Letters, digits and underscores, at most 50. The user index is a second table, `<table>_index`. Default `sessions`.
   */
  table?: string
  /**
   * Creates what is missing of the tables at once. Default `true`; `sqliteSchema` has the SQL for those who migrate
   * themselves.
   */
  createTable?: boolean
  /**
   * The time that a write waits for another process's write. Keep it below `storeTimeout`: a longer wait may write
   * after the 503. Default `1s`.
   */
  timeout?: Duration
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  clock?: () => number
}

/**
 * Sessions in one SQLite file: what a single machine needs to keep its logins over a restart.
 *
 * Switches the database to write-ahead logging, so that reads and another process's write do not wait for each other.
 * Every method is one statement, which is atomic by itself. SQLite runs the statement on this thread, in microseconds.
 * `synchronous` stays as the connection has it, which is `FULL` unless the app relaxed it. With `NORMAL`, a power cut
 * can undo the last writes, a logout among them. Needs a sweep now and then (`sweepInterval`, or the command `sweep`).
 *
 * Give the store a connection of its own. Otherwise its writes would become part of a transaction that the app leaves
 * open over an `await`. A write that waits for another process's lets this process go on meanwhile, whatever
 * `busy_timeout` says.
 * @throws `TypeError` for an unfit table name, a `timeout` that is no duration, or a database that is no synchronous
 * SQLite.
 * @throws the driver's error when the tables are missing and `createTable` is `false`.
 */
export function sqliteStore(options: SqliteStoreOptions): SqliteStore {
  refuseUnfit(DATABASE, options, isConnection)
  refuseUnread('sqliteStore', options, ['database', 'table', 'createTable', 'timeout', 'clock'])
  const { database, table = 'sessions', createTable = true, clock = Date.now } = options
  const schema = sqliteSchema(table)
  const timeout = parseDuration(options.timeout ?? '1s')
  if (timeout === undefined) throw new TypeError("timeout: a duration such as '1s'")
  try {
    refuseCallbacks(database)
    return opened(database, { table, createTable, schema, timeout, clock })
  } catch (error) {
    if (error instanceof TypeError) throw error
    throw explained(error, fileOf(database), table)
  }
}

/** Options with their defaults. */
interface Settings {
  readonly table: string
  readonly createTable: boolean
  readonly schema: string
  readonly timeout: number
  readonly clock: () => number
}

function opened(database: SqliteDatabase, { table, createTable, schema, timeout, clock }: Settings): SqliteStore {
  const own = busyTimeoutOf(database)
  database.exec(`PRAGMA busy_timeout = ${Math.max(own, timeout)}`)
  try {
    if (createTable) database.exec(`PRAGMA journal_mode = WAL; ${schema}`)
    // A file without the tables belongs to another program: the statements fail before anything about the file is
    // changed.
    const store = new Sqlite(database, table, new SqliteWriter(database, timeout, own), clock)
    database.exec('PRAGMA journal_mode = WAL')
    return store
  } finally {
    database.exec(`PRAGMA busy_timeout = ${own}`)
  }
}
