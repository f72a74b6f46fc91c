import { setImmediate as nextTurn } from 'node:timers/promises'
import type {
  AbsenceReports,
  Announcing,
  Cutoff,
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
import type { Listener, Unsubscribe } from './listeners.ts'
import { SharedSubscription } from './listeners.ts'
import { pageLimit } from './page-limit.ts'
import { watchFile } from './sqlite-announcements.ts'
import type { SqliteDatabase, SqliteStatement } from './sqlite-driver.ts'
import { explained, fileOf, prepared } from './sqlite-driver.ts'
import type { NamedRow, Row } from './sqlite-rows.ts'
import { recordOf, recordsIn } from './sqlite-rows.ts'
import type { EndStatementName, StatementName } from './sqlite-sql.ts'
import { endStatementsOf, statementsOf } from './sqlite-sql.ts'
import type { SqliteWriter, Value, Write } from './sqlite-writer.ts'

/** The store in one SQLite file. */
export interface SqliteStore extends SessionStore, UserIndex, Sweeping, ReadingMany, Enumerating, Cutoff, Announcing {
  /** Tells whether the database lives in memory, and ends with the process. */
  readonly volatile: boolean
  /** The path of the file; empty for a database in memory. */
  readonly location: string
}

/** Milliseconds that a sweep may hold the event loop at a time, and rows it removes in that time at the most. */
const PAUSE = 10
const MAX_AT_ONCE = 512

/** The store behind `sqliteStore`, on a connection whose tables exist. */
export class Sqlite implements SqliteStore {
  readonly volatile: boolean
  readonly location: string
  readonly #statements: Record<StatementName, SqliteStatement>
  /** Absent where the table of ends is: the app runs its own migrations, and has not come to this one. */
  readonly #ends: Record<EndStatementName, SqliteStatement> | undefined
  readonly #writer: SqliteWriter
  readonly #explain: (error: unknown) => Error
  readonly #subscription: SharedSubscription
  readonly #clock: () => number
  /** The number of rows that one step of a sweep removes. The number follows the speed of the disk. */
  #share = 32

  constructor(database: SqliteDatabase, table: string, writer: SqliteWriter, clock: () => number) {
    this.#statements = prepared(database, statementsOf(table))
    const hasEnds = database.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(`${table}_ends`) !== undefined
    this.#ends = hasEnds ? prepared(database, endStatementsOf(table)) : undefined
    this.#writer = writer
    this.#explain = (error) => explained(error, this.location, table)
    this.#subscription = new SharedSubscription((tell) => this.#watch(tell))
    this.#clock = clock
    this.location = fileOf(database)
    this.volatile = this.location === ''
  }

  async get(handle: string, reports?: AbsenceReports): Promise<SessionRecord | undefined> {
    const row = this.#one('get', keyOf(handle), this.#clock()) as Row | undefined
    if (row === undefined) return undefined
    const record = recordOf(row)
    if (record?.handle === handle) return record
    reports?.onDamaged?.(handle)
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
    const values = [record.version, lastSeenAt, idleDeadline, text, keyOf(handle), now, version]
    return this.#end(this.#statement('update', ...values), 'endEpoch', handle, version, record.epoch)
  }

  async touch(handle: string, version: number, { lastSeenAt, idleDeadline }: Moving): Promise<boolean> {
    return this.#did('touch', lastSeenAt, idleDeadline, keyOf(handle), this.#clock(), version)
  }

  async delete(handle: string, version?: number): Promise<boolean> {
    const now = this.#clock()
    return version === undefined
      ? this.#end(this.#statement('delete', keyOf(handle), now), 'end', handle)
      : this.#end(this.#statement('deleteVersion', keyOf(handle), now, version), 'endVersion', handle, version)
  }

  async addToIndex(userId: string, handle: string, expiresAt: number, limit: number = Infinity): Promise<boolean> {
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
    return this.#all('list', keyOf(userId)) as IndexEntry[]
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
      this.#share = isSlow ? Math.max(1, Math.floor(this.#share / 2)) : Math.min(MAX_AT_ONCE, this.#share * 2)
      total += count
      isMore = count === asked
      await nextTurn()
    }
    return total
  }

  async #sweepSome(now: number, limit: number): Promise<number> {
    const records = await this.#count('sweep', now, limit)
    if (this.#ends !== undefined) await this.#write({ statement: this.#ends.trim, values: [] })
    await nextTurn()
    // A session has one of each: what is counted is sessions, and whether there may be more.
    return Math.max(records, await this.#count('sweepIndex', now, limit))
  }

  async getMany(handles: readonly string[]): Promise<readonly SessionRecord[]> {
    const keys = JSON.stringify(handles.map((handle) => keyOf(handle)))
    return recordsIn(this.#all('many', keys, this.#clock()) as NamedRow[])
  }

  async listAll({ after = '', limit }: Parameters<Enumerating['listAll']>[0]): Promise<RecordPage> {
    const most = pageLimit(limit)
    const rows = this.#all('page', after, this.#clock(), most) as NamedRow[]
    const last = rows.at(most - 1)
    return last === undefined ? { records: recordsIn(rows) } : { records: recordsIn(rows), next: last.handle }
  }

  /** Holds the event loop while it counts: some 20 ms for a million records. */
  async count(): Promise<number> {
    return Number((this.#one('count', this.#clock()) as { count: number | bigint }).count)
  }

  async raiseCutoff(instant: number): Promise<number> {
    if (await this.#did('raise', instant)) this.#subscription.listeners.tellSoon({ cutoff: instant })
    return this.readCutoff()
  }

  async readCutoff(): Promise<number> {
    return (this.#one('cutoff') as { cutoff: number } | undefined)?.cutoff ?? 0
  }

  async subscribe(listener: Listener): Promise<Unsubscribe> {
    return this.#subscription.subscribe(listener)
  }

  async #watch(tell: Listener): Promise<Unsubscribe> {
    if (this.#ends === undefined) throw new Error('the table of ends is missing: run the SQL of sqliteSchema')
    return watchFile({ ...this.#ends, cutoff: this.#statements.cutoff }, tell)
  }

  /** A write that may end a session or change its epoch, and the note of it for other processes. */
  async #end(write: Write, name: EndStatementName, handle: string, ...values: Value[]): Promise<boolean> {
    // A record that has expired here may be alive by the clock of another process.
    const rest = name === 'end' ? [this.#statement('deleteExpired', keyOf(handle))] : []
    if (this.#ends === undefined) return (await this.#write(write, ...rest))[0] === 1
    const note = { statement: this.#ends[name], values: [keyOf(handle), this.#clock(), ...values] }
    // Notes are removed with sessions, so that a data write costs no more than it must.
    const trim = name === 'endEpoch' ? [] : [{ statement: this.#ends.trim, values: [] }]
    const [noted, changed] = await this.#write(note, write, ...rest, ...trim)
    if (noted === 1) this.#subscription.listeners.tellSoon({ handle })
    return changed === 1
  }

  async #did(name: StatementName, ...values: Value[]): Promise<boolean> {
    return (await this.#count(name, ...values)) > 0
  }

  async #count(name: StatementName, ...values: Value[]): Promise<number> {
    const [count = 0] = await this.#write(this.#statement(name, ...values))
    return count
  }

  async #write(...writes: Write[]): Promise<readonly number[]> {
    try {
      return await this.#writer.write(...writes)
    } catch (error) {
      throw this.#explain(error)
    }
  }

  #one(name: StatementName, ...values: Value[]): unknown {
    return this.#all(name, ...values)[0]
  }

  #all(name: StatementName, ...values: Value[]): unknown[] {
    try {
      return this.#statements[name].all(...values)
    } catch (error) {
      throw this.#explain(error)
    }
  }

  #statement(name: StatementName, ...values: Value[]): Write {
    return { statement: this.#statements[name], values }
  }
}
