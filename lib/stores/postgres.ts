import { parseDuration } from '../session/duration.ts'
import type {
  AbsenceReports,
  Announcing,
  Clocked,
  Cutoff,
  Duration,
  Enumerating,
  IndexEntry,
  ReadingMany,
  RecordPage,
  SessionRecord,
  SessionStore,
  Sweeping,
  UserIndex,
} from '../../types/index.ts'
import type { Moving } from './codec.ts'
import { encodeRecord, keyOf } from './codec.ts'
import { DecodedRecords } from './decoded-records.ts'
import type { Listener, Unsubscribe } from './listeners.ts'
import { SharedSubscription } from './listeners.ts'
import { pageLimit } from './page-limit.ts'
import { PostgresSubscription } from './postgres-announcements.ts'
import { connectionsOf } from './postgres-connections.ts'
import { explained } from './postgres-errors.ts'
import { asked, decodeHeld, recordsIn } from './postgres-rows.ts'
import type { PostgresPool, PostgresQuery, PostgresResult } from './postgres-pool.ts'
import { Connections, isPool } from './postgres-pool.ts'
import type { Statement, Statements } from './postgres-sql.ts'
import { refuseUnfit } from './refuse-driver.ts'
import { refuseUnread } from './refuse-options.ts'
import {
  channelOf,
  checkTable,
  DEFAULT_TABLE,
  isMigrated,
  migration,
  statementsFor,
  sweepStatement,
  TIME,
} from './postgres-sql.ts'

export type { PostgresClient, PostgresPool, PostgresQuery, PostgresResult } from './postgres-pool.ts'
export { postgresSchema } from './postgres-sql.ts'

/** Options of `postgresStore`. */
export interface PostgresStoreOptions {
  /**
   * A `Pool` of the package `pg`. Give it a `connectionTimeoutMillis`: without one, a server that cannot be reached is
   * waited for. Give it a `statement_timeout` below the plugin's `storeTimeout` too. Without a `statement_timeout`, a
   * write that waits for a lock still happens after its request was answered with 503.
   */
  pool: PostgresPool
  /** Name of the table for records, with its schema where it is not on the search path. Default `sessions`. */
  table?: string
  /**
   * Makes the tables before the first use if they are missing. Default `false`: run the SQL of `postgresSchema`
   * yourself.
   */
  createTable?: boolean
  /** A connection that answers no query for this long is closed, and the pool opens another. Default `5s`. */
  timeout?: Duration
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  clock?: () => number
}

/** The store in PostgreSQL, 11 or later. */
export interface PostgresStore
  extends SessionStore, UserIndex, Sweeping, ReadingMany, Enumerating, Cutoff, Announcing, Clocked {}

/**
 * Sessions in PostgreSQL: one row per record, and one per session of a user. A read is one `SELECT` by primary key, a
 * write one statement, compare-and-set its `WHERE version`. Only `addToIndex` with a limit takes a transaction, of its
 * own.
 *
 * Deadlines are judged by the app's clock, which set them. The clock of the database server decides nothing. Several
 * app servers must agree on the time, as for the rest of the plugin.
 * @throws `TypeError` when `pool` is no Pool of pg, `table` is not a plain name, or `timeout` is no duration
 */
export function postgresStore(options: PostgresStoreOptions): PostgresStore {
  refuseUnfit(POOL, options, isPool)
  refuseUnread('postgresStore', options, ['pool', 'table', 'createTable', 'timeout', 'clock'])
  return new Postgres(options)
}

const POOL = { factory: 'postgresStore', name: 'pool', wanted: 'a Pool of pg (8.11 or later)' } as const

/** The time that a sweep's batch or a migration may take, in milliseconds. */
const PATIENCE = 60_000

class Postgres implements PostgresStore {
  readonly #pool: PostgresPool
  readonly #table: string
  readonly #statements: Statements
  readonly #connections: Connections
  /** The connections for sweeps and migrations, which may take long because no request waits for them. */
  readonly #patient: Connections
  readonly #decoded = new DecodedRecords()
  readonly #clock: () => number
  readonly #isMigrating: boolean
  readonly #subscription: SharedSubscription
  #migrated: Promise<void> | undefined

  constructor({
    pool,
    table = DEFAULT_TABLE,
    createTable = false,
    timeout = '5s',
    clock = Date.now,
  }: PostgresStoreOptions) {
    checkTable(table)
    const milliseconds = parseDuration(timeout)
    if (!milliseconds) throw new TypeError("postgresStore: timeout is a duration such as '5s'")
    this.#pool = pool
    this.#table = table
    this.#statements = statementsFor(table)
    const explain = (error: unknown): Error => explained(error, table)
    this.#connections = new Connections(pool, milliseconds, explain)
    this.#patient = new Connections(pool, PATIENCE, explain)
    this.#subscription = new SharedSubscription((tell) => this.#listen(tell))
    this.#clock = clock
    this.#isMigrating = createTable
  }

  /** The address that the pool connects to. The guard reads this. */
  get connections(): ReturnType<typeof connectionsOf> {
    return connectionsOf(this.#pool)
  }

  async get(handle: string, reports?: AbsenceReports): Promise<SessionRecord | undefined> {
    const { rows } = await this.#run(this.#statements.get, keyOf(handle), this.#clock())
    const [row] = rows
    if (row === undefined) return undefined
    const record = this.#decoded.find(handle, String(row['held']), decodeHeld)
    if (record === undefined) reports?.onDamaged?.(handle)
    return record
  }

  create(record: SessionRecord): Promise<boolean> {
    return this.#change(this.#statements.create, ...this.#columns(record))
  }

  update(record: SessionRecord, version: number): Promise<boolean> {
    return this.#change(this.#statements.update, ...this.#columns(record), version, String(record.epoch))
  }

  touch(handle: string, version: number, { lastSeenAt, idleDeadline }: Moving): Promise<boolean> {
    return this.#change(this.#statements.touch, keyOf(handle), this.#clock(), version, lastSeenAt, idleDeadline)
  }

  async delete(handle: string, version?: number): Promise<boolean> {
    const { rows } = await this.#run(this.#statements.delete, keyOf(handle), this.#clock(), version ?? null)
    return rows[0]?.['was_live'] === true
  }

  addToIndex(userId: string, handle: string, expiresAt: number, limit = Infinity): Promise<boolean> {
    const entry = [keyOf(userId), keyOf(handle), expiresAt] as const
    if (limit === Infinity) return this.#change(this.#statements.add, ...entry)
    return this.#alone(userId, asked(this.#statements.addWithin, ...entry, this.#clock(), limit))
  }

  keepInIndex(userId: string, handle: string, expiresAt: number): Promise<boolean> {
    return this.#change(this.#statements.keep, keyOf(userId), keyOf(handle), expiresAt, this.#clock())
  }

  async removeFromIndex(userId: string, handle: string): Promise<void> {
    await this.#run(this.#statements.remove, keyOf(userId), keyOf(handle))
  }

  async listIndex(userId: string): Promise<readonly IndexEntry[]> {
    const { rows } = await this.#run(this.#statements.list, keyOf(userId))
    return rows.map((row) => ({ handle: String(row['handle']), expiresAt: Number(row['expires_at']) }))
  }

  async sweep(now: number, limit: number, options: { alone?: boolean } = {}): Promise<number> {
    await this.#ready()
    const text = sweepStatement(this.#table, Math.floor(limit), options.alone !== false)
    const { rows } = await this.#patient.query({ text, values: [now] })
    return Number(rows[0]?.['count'])
  }

  async getMany(handles: readonly string[]): Promise<readonly SessionRecord[]> {
    const keys = handles.map((handle) => keyOf(handle))
    return recordsIn(await this.#run(this.#statements.many, keys, this.#clock()))
  }

  async listAll({ after = '', limit }: Parameters<Enumerating['listAll']>[0]): Promise<RecordPage> {
    const most = pageLimit(limit)
    const found = await this.#run(this.#statements.page, after, this.#clock(), most)
    const last = found.rows.at(most - 1)
    const records = recordsIn(found)
    return last === undefined ? { records } : { records, next: String(last['handle']) }
  }

  async count(): Promise<number> {
    await this.#ready()
    const { rows } = await this.#patient.query(asked(this.#statements.count, this.#clock()))
    return Number(rows[0]?.['count'])
  }

  async raiseCutoff(instant: number): Promise<number> {
    const { rows } = await this.#run(this.#statements.raise, instant)
    return rows[0] === undefined ? this.readCutoff() : Number(rows[0]['cutoff'])
  }

  async readCutoff(): Promise<number> {
    const { rows } = await this.#run(this.#statements.cutoff)
    return Number(rows[0]?.['cutoff'] ?? 0)
  }

  async now(): Promise<number> {
    const { rows } = await this.#connections.query({ text: TIME })
    return Number(rows[0]?.['now'])
  }

  subscribe(listener: Listener): Promise<Unsubscribe> {
    return this.#subscription.subscribe(listener)
  }

  #listen(tell: Listener): Promise<Unsubscribe> {
    const channel = channelOf(this.#table)
    return PostgresSubscription.open(this.#pool, channel, (query) => this.#connections.query(query), tell)
  }

  /** `$1` to `$6` of what writes a whole record. */
  #columns(record: SessionRecord): unknown[] {
    const { handle, version, lastSeenAt, idleDeadline } = record
    return [keyOf(handle), this.#clock(), version, lastSeenAt, idleDeadline, encodeRecord(record)]
  }

  async #change(statement: Statement, ...values: unknown[]): Promise<boolean> {
    return (await this.#run(statement, ...values)).rowCount === 1
  }

  async #run(statement: Statement, ...values: unknown[]): Promise<PostgresResult> {
    if (this.#isMigrating) await this.#ready()
    return this.#connections.query(asked(statement, ...values))
  }

  /** One statement in a transaction that no other for the same user runs beside. */
  async #alone(userId: string, change: PostgresQuery): Promise<boolean> {
    await this.#ready()
    return this.#connections.use(async (ask) => {
      await ask({ text: 'BEGIN' })
      await ask(asked(this.#statements.lock, `${this.#table} ${keyOf(userId)}`))
      const { rowCount } = await ask(change)
      await ask({ text: 'COMMIT' })
      return rowCount === 1
    })
  }

  /** Tried again by the next operation when it failed: a server may start after the app. */
  async #ready(): Promise<void> {
    if (!this.#isMigrating) return
    this.#migrated ??= this.#migrate()
    try {
      await this.#migrated
    } catch (error) {
      this.#migrated = undefined
      throw error
    }
  }

  async #migrate(): Promise<void> {
    const { rows } = await this.#connections.query({ text: isMigrated(this.#table) })
    if (rows[0]?.['done'] !== true) await this.#patient.query({ text: migration(this.#table) })
  }
}
