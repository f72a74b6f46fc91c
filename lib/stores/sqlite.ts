import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import { parseDuration } from '../session/duration.ts'
import type { Duration, IndexEntry, SessionRecord, SessionStore, Sweeping, UserIndex } from '../../types/index.ts'
import type { Moving } from './codec.ts'
import { decodeRecord, encodeRecord, keyOf } from './codec.ts'
import type { StatementName } from './sqlite-sql.ts'
import { sqliteSchema, statementsOf } from './sqlite-sql.ts'

export { sqliteSchema } from './sqlite-sql.ts'

/** What better-sqlite3 and node:sqlite have in common: a synchronous connection. */
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

/** Options of `sqliteStore`. */
export interface SqliteStoreOptions {
  /** A better-sqlite3 `Database` or a node:sqlite `DatabaseSync`. The store never closes it. */
  database: SqliteDatabase
  /** Letters, digits and underscores, at most 50. The user index is a second table, `<table>_index`. Default `sessions`. */
  table?: string
  /** Creates what is missing of the tables at once. Default `true`; `sqliteSchema` has the SQL for those who migrate themselves. */
  createTable?: boolean
  /** How long a write waits for another process's; less than the plugin's `storeTimeout`, or it may be made after its 503. Default `1s`. */
  timeout?: Duration
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  clock?: () => number
}

/** The store in one SQLite file. */
export interface SqliteStore extends SessionStore, UserIndex, Sweeping {
  /** Whether the database lives in memory, and ends with the process. */
  readonly volatile: boolean
  /** The path of the file; empty for a database in memory. */
  readonly location: string
}

/** Milliseconds between two looks whether another process's write is done. */
const BUSY_PAUSE = 5

/** Milliseconds that a sweep may hold the event loop at a time, and rows it removes in that time at the most. */
const PAUSE = 10
const MOST_AT_ONCE = 512

/**
 * Sessions in one SQLite file: what a single machine needs to keep its logins over a restart.
 *
 * Switches the database to write-ahead logging, so that reads and another process's write do not wait for each other. Every method
 * is one statement, atomic by itself; SQLite runs it on this thread, in microseconds. `synchronous` stays as the connection
 * has it: `FULL` unless the app relaxed it; with `NORMAL` a power cut can undo the last writes, a logout among them.
 * Needs a sweep now and then (`sweepInterval`, or the command `sweep`).
 *
 * Give it a connection of its own: its writes would become part of a transaction that the app leaves open over an `await`. A
 * write that waits for another process's lets this process go on meanwhile, whatever `busy_timeout` says.
 * @throws `TypeError` for an unfit table name, a `timeout` that is no duration, or something that is no synchronous SQLite; the
 * driver's error when the tables are missing and `createTable` is `false`.
 */
export function sqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { database, table = 'sessions', createTable = true, clock = Date.now } = options
  const schema = sqliteSchema(table)
  const timeout = parseDuration(options.timeout ?? '1s')
  if (timeout === undefined) throw new TypeError("timeout: a duration such as '1s'")
  refuseOthers(database)
  const own = busyTimeoutOf(database)
  database.exec(`PRAGMA busy_timeout = ${Math.max(own, timeout)}`)
  if (createTable) database.exec(`PRAGMA journal_mode = WAL; ${schema}`)
  // Without its tables it is somebody else's file: that is found out before anything about it is changed.
  const store = new Sqlite(database, table, timeout, own, clock)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec(`PRAGMA busy_timeout = ${own}`)
  return store
}

/** A driver that answers by callback would answer every question with itself. */
function refuseOthers(database: SqliteDatabase): void {
  const probe: unknown = typeof database?.prepare === 'function' && database.prepare('SELECT 1 AS one').all()
  if (!Array.isArray(probe)) throw new TypeError('database: a better-sqlite3 Database or a node:sqlite DatabaseSync')
}

function busyTimeoutOf(database: SqliteDatabase): number {
  const { timeout } = database.prepare('PRAGMA busy_timeout').get() as { timeout: number | bigint }
  return Number(timeout)
}

/** SQLITE_BUSY and its extensions, as better-sqlite3 and as node:sqlite say it. */
function isBusy(error: unknown): boolean {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  return (typeof code === 'string' && code.startsWith('SQLITE_BUSY')) || (Number(errcode) & 0xff) === 5
}

interface Row {
  readonly version: number | bigint
  readonly lastSeenAt: number
  readonly idleDeadline: number
  readonly record: string
}

class Sqlite implements SqliteStore {
  onDamaged: SessionStore['onDamaged']
  readonly volatile: boolean
  readonly location: string
  readonly #statements: Record<StatementName, SqliteStatement>
  readonly #database: SqliteDatabase
  /** How the connection waits of its own accord. */
  readonly #busyTimeout: number
  readonly #timeout: number
  readonly #clock: () => number
  /** How many rows a sweep removes in one go; follows what the disk can do. */
  #share = 32

  constructor(database: SqliteDatabase, table: string, timeout: number, busyTimeout: number, clock: () => number) {
    const prepared = Object.entries(statementsOf(table)).map(([name, sql]) => [name, database.prepare(sql)])
    this.#statements = Object.fromEntries(prepared)
    this.#database = database
    this.#busyTimeout = busyTimeout
    this.#timeout = timeout
    this.#clock = clock
    const [main] = database.prepare('PRAGMA database_list').all() as { file: string }[]
    this.location = main?.file ?? ''
    this.volatile = this.location === ''
  }

  async get(handle: string): Promise<SessionRecord | undefined> {
    const row = this.#statements.get.get(keyOf(handle), this.#clock()) as Row | undefined
    if (row === undefined) return undefined
    const { lastSeenAt, idleDeadline } = row
    const record = decodeRecord(row.record, { lastSeenAt, idleDeadline })
    if (record?.handle === handle && record.version === Number(row.version)) return record
    this.onDamaged?.(handle)
    return undefined
  }

  async create(record: SessionRecord): Promise<boolean> {
    const { handle, version, lastSeenAt, idleDeadline } = record
    const text = encodeRecord(record)
    return this.#did('create', keyOf(handle), version, lastSeenAt, idleDeadline, text, this.#clock())
  }

  async update(record: SessionRecord, version: number): Promise<boolean> {
    const { handle, lastSeenAt, idleDeadline } = record
    const text = encodeRecord(record)
    const now = this.#clock()
    return this.#did('update', record.version, lastSeenAt, idleDeadline, text, keyOf(handle), now, version)
  }

  async touch(handle: string, version: number, { lastSeenAt, idleDeadline }: Moving): Promise<boolean> {
    return this.#did('touch', lastSeenAt, idleDeadline, keyOf(handle), this.#clock(), version)
  }

  async delete(handle: string, version?: number): Promise<boolean> {
    return version === undefined
      ? this.#did('delete', keyOf(handle), this.#clock())
      : this.#did('deleteVersion', keyOf(handle), this.#clock(), version)
  }

  async addToIndex(userId: string, handle: string, expiresAt: number, limit = Infinity): Promise<boolean> {
    const user = keyOf(userId)
    return this.#did('add', user, handle, expiresAt, user, handle, this.#clock(), limit)
  }

  async keepInIndex(userId: string, handle: string, expiresAt: number): Promise<boolean> {
    return this.#did('keep', expiresAt, keyOf(userId), handle, this.#clock())
  }

  async removeFromIndex(userId: string, handle: string): Promise<void> {
    await this.#did('remove', keyOf(userId), handle)
  }

  async listIndex(userId: string): Promise<readonly IndexEntry[]> {
    return this.#statements.list.all(keyOf(userId), this.#clock()) as IndexEntry[]
  }

  /** The event loop gets its turn after a few milliseconds of it, however large `limit` and however slow the disk. */
  async sweep(now: number, limit: number): Promise<number> {
    let total = 0
    let isMore = true
    while (isMore && total < limit) {
      const asked = Math.min(this.#share, limit - total)
      const began = performance.now()
      const count = await this.#sweepSome(now, asked)
      const isSlow = performance.now() - began > PAUSE
      this.#share = isSlow ? Math.max(1, Math.floor(this.#share / 2)) : Math.min(MOST_AT_ONCE, this.#share * 2)
      total += count
      isMore = count === asked
      await nextTurn()
    }
    return total
  }

  async #sweepSome(now: number, limit: number): Promise<number> {
    const records = await this.#write('sweep', now, limit)
    await nextTurn()
    // A session has one of each: what is counted is sessions, and whether there may be more.
    return Math.max(records, await this.#write('sweepIndex', now, limit))
  }

  async #did(name: StatementName, ...values: Value[]): Promise<boolean> {
    return (await this.#write(name, ...values)) > 0
  }

  /** Waits for another process's write without holding up this one, which the driver's own way of waiting would. */
  async #write(name: StatementName, ...values: Value[]): Promise<number> {
    const until = performance.now() + this.#timeout
    let changes = this.#attempt(name, values, false)
    while (changes === undefined) {
      await wait(BUSY_PAUSE)
      changes = this.#attempt(name, values, performance.now() >= until)
    }
    return changes
  }

  /** `undefined` when another process is writing and this is not the last attempt. */
  #attempt(name: StatementName, values: Value[], isLast: boolean): number | undefined {
    this.#database.exec('PRAGMA busy_timeout = 0')
    const outcome = outcomeOf(() => this.#statements[name].run(...values))
    this.#database.exec(`PRAGMA busy_timeout = ${this.#busyTimeout}`)
    if ('changes' in outcome) return Number(outcome.changes)
    if (isLast || !isBusy(outcome.error)) throw outcome.error
    return undefined
  }
}

function outcomeOf<Result>(run: () => Result): Result | { error: unknown } {
  try {
    return run()
  } catch (error) {
    return { error }
  }
}

type Value = string | number
