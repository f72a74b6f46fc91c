import { advise, causeOf } from '../storage/cause.ts'
import type { DriverOption } from './refuse-driver.ts'

/** A synchronous connection: the methods that better-sqlite3 and node:sqlite share. */
export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement
  exec(sql: string): unknown
}

/** A prepared statement of such a connection. */
export interface SqliteStatement {
  run(...values: (string | number)[]): { changes: number | bigint }
  get(...values: (string | number)[]): unknown
  all(...values: (string | number)[]): unknown[]
}

/** The option of `sqliteStore` that takes the connection. */
export const DATABASE: DriverOption = {
  factory: 'sqliteStore',
  name: 'database',
  wanted: 'a better-sqlite3 Database or a node:sqlite DatabaseSync',
}

/** Tells whether a value has the methods of a connection. */
export function isConnection(value: object): boolean {
  const { prepare, exec } = value as Partial<SqliteDatabase>
  return typeof prepare === 'function' && typeof exec === 'function'
}

/**
 * Refuses a driver that answers by callback, because such a driver would answer every question with itself.
 * @throws `TypeError`
 */
export function refuseCallbacks(database: SqliteDatabase): void {
  if (Array.isArray(database.prepare('SELECT 1 AS one').all())) return
  throw new TypeError(
    `sqliteStore: database answers by callback. Write sqliteStore({ database }) with ${DATABASE.wanted}`,
  )
}

/** The time that the connection waits by itself for another one's write, in milliseconds. */
export function busyTimeoutOf(database: SqliteDatabase): number {
  const { timeout } = database.prepare('PRAGMA busy_timeout').get() as { timeout: number | bigint }
  return Number(timeout)
}

export function prepared<Name extends string>(
  database: SqliteDatabase,
  texts: Record<Name, string>,
): Record<Name, SqliteStatement> {
  const statements = Object.entries<string>(texts).map(([name, sql]) => [name, database.prepare(sql)])
  return Object.fromEntries(statements) as Record<Name, SqliteStatement>
}

/** Returns the file of a connection; empty for a database in memory. Every connection has a main database. */
export function fileOf(database: SqliteDatabase): string {
  const [main] = database.prepare('PRAGMA database_list').all() as [{ file: string }]
  return main.file
}

/** Primary result codes (sqlite.org/rescode.html) in words. `%` is the file. */
const WORDS: Readonly<Record<string, string>> = {
  CORRUPT: 'The file % is damaged: restore it, or move it away and let the app make a new one',
  NOTADB: 'The file % is no SQLite database, or is encrypted',
  READONLY: 'The file %, or its folder, may only be read: SQLite writes both',
  CANTOPEN: 'The file % cannot be opened: its folder must exist, and this user must be allowed to write there',
  FULL: 'There is no space left for the file %',
  IOERR: 'The disk of the file % fails',
}

/** The numbers by which node:sqlite gives the same codes. */
const NUMBERS: Readonly<Record<number, string>> = {
  8: 'READONLY',
  10: 'IOERR',
  11: 'CORRUPT',
  13: 'FULL',
  14: 'CANTOPEN',
  26: 'NOTADB',
}

/** An error of the driver in words that name the file and the table, SQLite's own message behind them. */
export function explained(thrown: unknown, location: string, table: string): Error {
  const file = location === '' ? ':memory:' : location
  const cause = causeOf(thrown)
  const { code, errcode } = thrown as { code?: unknown; errcode?: unknown }
  const name = NUMBERS[Number(errcode) & 0xff] ?? /^SQLITE_([A-Z]+)/.exec(String(code))?.[1] ?? ''
  const words = WORDS[name]?.replace('%', file) ?? aboutTable(cause.message, file, table)
  if (words !== undefined) advise(cause, words, 'SQLite')
  return cause
}

function aboutTable(message: string, file: string, table: string): string | undefined {
  const [, missing] = /^no such table: (\S+)/.exec(message) ?? []
  if (missing !== undefined) {
    return `There is no table ${missing} in ${file}: run the SQL of sqliteSchema, or leave createTable at true`
  }
  const isForeign = /^(no such column|table .* has no column|cannot .*view|there is already|views may not)/.test(
    message,
  )
  return isForeign
    ? `The table ${table} in ${file} is not one of this store: name another one with the option table`
    : undefined
}
