import { setImmediate as nextTurn } from 'node:timers/promises'
import type { IndexEntry, SessionRecord, SessionStore, Sweeping, UserIndex } from '../../types/index.ts'
import type { Moving } from './codec.ts'
import { decodeRecord, encodeRecord, keyOf } from './codec.ts'

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
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  clock?: () => number
}

/** The store in one SQLite file. */
export interface SqliteStore extends SessionStore, UserIndex, Sweeping {
  /** Whether the database lives in memory, and ends with the process. */
  readonly volatile: boolean
}

/** Milliseconds that a write waits for another process's, on a connection that would not wait at all. */
const BUSY_TIMEOUT = 1_000

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
 * @throws `TypeError` for an unfit table name or something that is no synchronous SQLite; the driver's error when the tables
 * are missing and `createTable` is `false`.
 */
export function sqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { database, table = 'sessions', createTable = true, clock = Date.now } = options
  const schema = sqliteSchema(table)
  refuseOthers(database)
  const [{ timeout }] = database.prepare('PRAGMA busy_timeout').all() as [{ timeout: number | bigint }]
  if (Number(timeout) === 0) database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`)
  database.exec('PRAGMA journal_mode = WAL')
  if (createTable) database.exec(schema)
  return new Sqlite(database, table, clock)
}

/**
 * The tables and indexes of `sqliteStore`, to run as they are, any number of times.
 * @throws `TypeError` for an unfit table name.
 */
export function sqliteSchema(table = 'sessions'): string {
  if (!/^[A-Za-z_]\w{0,49}$/.test(table)) {
    throw new TypeError('table: letters, digits and underscores, at most 50, not beginning with a digit')
  }
  return `CREATE TABLE IF NOT EXISTS "${table}" (
  handle TEXT PRIMARY KEY NOT NULL,
  version INTEGER NOT NULL,
  last_seen_at REAL NOT NULL,
  idle_deadline REAL NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS "${table}_idle_deadline" ON "${table}" (idle_deadline);
CREATE TABLE IF NOT EXISTS "${table}_index" (
  user_key TEXT NOT NULL,
  handle TEXT NOT NULL,
  expires_at REAL NOT NULL,
  PRIMARY KEY (user_key, handle)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS "${table}_index_expires_at" ON "${table}_index" (expires_at);
`
}

/** A driver that answers by callback would answer every question with itself. */
function refuseOthers(database: SqliteDatabase): void {
  const probe: unknown = typeof database?.prepare === 'function' && database.prepare('SELECT 1 AS one').all()
  if (!Array.isArray(probe)) throw new TypeError('database: a better-sqlite3 Database or a node:sqlite DatabaseSync')
}

interface Row {
  readonly version: number | bigint
  readonly lastSeenAt: number
  readonly idleDeadline: number
  readonly record: string
}

/** Every question the store asks, each one atomic. What has expired is absent, whether or not a sweep has come by. */
function statementsOf(table: string) {
  const records = `"${table}"`
  const index = `"${table}_index"`
  const live = 'handle = ? AND idle_deadline > ?'
  const entry = 'user_key = ? AND handle = ?'
  const written = 'version = ?, last_seen_at = ?, idle_deadline = ?, record = ?'
  return {
    get: `SELECT version, last_seen_at AS lastSeenAt, idle_deadline AS idleDeadline, record FROM ${records} WHERE ${live}`,
    create: `INSERT INTO ${records} (handle, version, last_seen_at, idle_deadline, record) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (handle) DO UPDATE SET version = excluded.version, last_seen_at = excluded.last_seen_at,
      idle_deadline = excluded.idle_deadline, record = excluded.record WHERE ${records}.idle_deadline <= ?`,
    update: `UPDATE ${records} SET ${written} WHERE ${live} AND version = ?`,
    touch: `UPDATE ${records} SET last_seen_at = max(last_seen_at, ?), idle_deadline = max(idle_deadline, ?)
      WHERE ${live} AND version = ?`,
    delete: `DELETE FROM ${records} WHERE ${live}`,
    deleteVersion: `DELETE FROM ${records} WHERE ${live} AND version = ?`,
    sweep: `DELETE FROM ${records} WHERE rowid IN
      (SELECT rowid FROM ${records} WHERE idle_deadline <= ? ORDER BY idle_deadline LIMIT ?)`,
    add: `INSERT INTO ${index} (user_key, handle, expires_at) SELECT ?, ?, ?
      WHERE (SELECT count(*) FROM ${index} WHERE user_key = ? AND handle <> ? AND expires_at > ?) < ?
      ON CONFLICT (user_key, handle) DO UPDATE SET expires_at = excluded.expires_at`,
    keep: `UPDATE ${index} SET expires_at = ? WHERE ${entry} AND expires_at > ?`,
    remove: `DELETE FROM ${index} WHERE ${entry}`,
    list: `SELECT handle, expires_at AS expiresAt FROM ${index} WHERE user_key = ? AND expires_at > ?`,
    sweepIndex: `DELETE FROM ${index} WHERE (user_key, handle) IN
      (SELECT user_key, handle FROM ${index} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
  }
}

class Sqlite implements SqliteStore {
  onDamaged: SessionStore['onDamaged']
  readonly volatile: boolean
  readonly #statements: Record<keyof ReturnType<typeof statementsOf>, SqliteStatement>
  readonly #clock: () => number
  /** How many rows a sweep removes in one go; follows what the disk can do. */
  #share = 32

  constructor(database: SqliteDatabase, table: string, clock: () => number) {
    const prepared = Object.entries(statementsOf(table)).map(([name, sql]) => [name, database.prepare(sql)])
    this.#statements = Object.fromEntries(prepared)
    this.#clock = clock
    const [main] = database.prepare('PRAGMA database_list').all() as { file: string }[]
    this.volatile = main?.file === ''
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
    this.#did('remove', keyOf(userId), handle)
  }

  async listIndex(userId: string): Promise<readonly IndexEntry[]> {
    return this.#statements.list.all(keyOf(userId), this.#clock()) as IndexEntry[]
  }

  /** The event loop gets its turn after a few milliseconds of it, however large `limit` and however slow the disk. */
  async sweep(now: number, limit: number): Promise<number> {
    for (let total = 0; ; await nextTurn()) {
      const asked = Math.min(this.#share, limit - total)
      const began = performance.now()
      const count = this.#sweepSome(now, asked)
      const isSlow = performance.now() - began > PAUSE
      this.#share = isSlow ? Math.max(1, Math.floor(this.#share / 2)) : Math.min(MOST_AT_ONCE, this.#share * 2)
      total += count
      if (count < asked || total === limit) return total
    }
  }

  #sweepSome(now: number, limit: number): number {
    const records = Number(this.#statements.sweep.run(now, limit).changes)
    return records === limit ? records : records + Number(this.#statements.sweepIndex.run(now, limit - records).changes)
  }

  #did(name: keyof ReturnType<typeof statementsOf>, ...values: (string | number)[]): boolean {
    return Number(this.#statements[name].run(...values).changes) > 0
  }
}
