import { answerAtOnce } from '../at-once.ts'
import type { IndexEntry, SessionRecord, SessionStore, Sweeping, UserIndex } from '../../types/index.ts'

/** Options of `memoryStore`. */
export interface MemoryStoreOptions {
  /** How many records at most. Default 100,000. */
  maxRecords?: number
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  clock?: () => number
}

/** The store in this process's memory. */
export interface MemoryStore extends SessionStore, UserIndex, Sweeping {
  /** How many records it holds, expired ones included. */
  readonly size: number
}

const NO_ENTRIES: readonly IndexEntry[] = []

/** Evicting a share at once keeps the cost of a full store flat. */
const EVICTED_SHARE = 0.01

/**
 * Sessions in this process's memory: for development, tests and benchmarks. They end with the process and no other process
 * sees them, so production refuses it.
 *
 * Bounded: when `maxRecords` are held, expired records make room first, then the least recently used ones (the longest since a
 * write or a touch), one hundredth of the bound at a time.
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new Memory(options.maxRecords ?? 100_000, options.clock ?? Date.now)
}

class Memory implements MemoryStore {
  readonly #records: Records

  constructor(maxRecords: number, clock: () => number) {
    this.#records = new Records(maxRecords, clock)
    answerAtOnce(this, this.#records)
  }

  get size(): number {
    return this.#records.size
  }

  get onExpired(): SessionStore['onExpired'] {
    return this.#records.onExpired
  }

  set onExpired(listener: SessionStore['onExpired']) {
    this.#records.onExpired = listener
  }

  async get(handle: string): Promise<SessionRecord | undefined> {
    return this.#records.get(handle)
  }

  async create(record: SessionRecord): Promise<boolean> {
    return this.#records.create(record)
  }

  async update(record: SessionRecord, version: number): Promise<boolean> {
    return this.#records.update(record, version)
  }

  async touch(...args: Parameters<SessionStore['touch']>): Promise<boolean> {
    return this.#records.touch(...args)
  }

  async delete(handle: string, version?: number): Promise<boolean> {
    return this.#records.delete(handle, version)
  }

  async addToIndex(...args: Parameters<UserIndex['addToIndex']>): Promise<boolean> {
    return this.#records.addToIndex(...args)
  }

  async keepInIndex(...args: Parameters<UserIndex['keepInIndex']>): Promise<boolean> {
    return this.#records.keepInIndex(...args)
  }

  async removeFromIndex(userId: string, handle: string): Promise<void> {
    this.#records.removeFromIndex(userId, handle)
  }

  async listIndex(userId: string): Promise<readonly IndexEntry[]> {
    return this.#records.listIndex(userId)
  }

  async sweep(now: number, limit: number): Promise<number> {
    return this.#records.sweep(now, limit)
  }
}

/** The records and the index themselves: nothing here waits for anything. */
class Records {
  onExpired: SessionStore['onExpired']
  /** In order of use: a record that is written or touched moves to the end. */
  readonly #records = new Map<string, SessionRecord>()
  readonly #index = new Map<string, readonly IndexEntry[]>()
  readonly #maxRecords: number
  readonly #clock: () => number
  /** No record expires before this, so a full store need not look for one. */
  #earliestDeadline = Infinity

  constructor(maxRecords: number, clock: () => number) {
    this.#maxRecords = maxRecords
    this.#clock = clock
  }

  get size(): number {
    return this.#records.size
  }

  get(handle: string): SessionRecord | undefined {
    const record = this.#records.get(handle)
    if (record === undefined || record.idleDeadline > this.#clock()) return record
    this.#drop(record)
    this.onExpired?.(record)
    return undefined
  }

  create(record: SessionRecord): boolean {
    if (this.#live(record.handle) !== undefined) return false
    this.#records.delete(record.handle)
    if (this.#records.size >= this.#maxRecords) this.#makeRoom()
    this.#put(record)
    return true
  }

  update(record: SessionRecord, version: number): boolean {
    if (this.#live(record.handle)?.version !== version) return false
    this.#put(record)
    return true
  }

  touch(handle: string, version: number, seen: Pick<SessionRecord, 'lastSeenAt' | 'idleDeadline'>): boolean {
    const record = this.#live(handle)
    if (record?.version !== version) return false
    this.#put({
      ...record,
      lastSeenAt: Math.max(record.lastSeenAt, seen.lastSeenAt),
      idleDeadline: Math.max(record.idleDeadline, seen.idleDeadline),
    })
    return true
  }

  delete(handle: string, version?: number): boolean {
    const record = this.#live(handle)
    if (record === undefined || (version ?? record.version) !== record.version) return false
    return this.#records.delete(handle)
  }

  addToIndex(userId: string, handle: string, expiresAt: number, limit = Infinity): boolean {
    const entries = this.#entries(userId)
    const held = entries.find((entry) => entry.handle === handle)
    const others = held === undefined ? entries : entries.filter((entry) => entry !== held)
    if (others.length >= limit) return false
    this.#index.set(userId, others.concat({ handle, expiresAt: Math.max(expiresAt, held?.expiresAt ?? 0) }))
    return true
  }

  keepInIndex(userId: string, handle: string, expiresAt: number): boolean {
    const entries = this.#entries(userId)
    const held = entries.find((entry) => entry.handle === handle)
    if (held === undefined) return false
    this.#index.set(
      userId,
      entries.map((entry) => (entry === held ? { handle, expiresAt } : entry)),
    )
    return true
  }

  removeFromIndex(userId: string, handle: string): void {
    this.#setEntries(
      userId,
      this.#entries(userId).filter((entry) => entry.handle !== handle),
    )
  }

  listIndex(userId: string): readonly IndexEntry[] {
    return this.#entries(userId)
  }

  sweep(now: number, limit: number): number {
    const removed = this.#removeExpired(now, limit)
    // Records take their entries along; what is left are entries without one, and looking at all of them once is enough.
    if (removed < limit) this.#removeStaleEntries(now)
    return removed
  }

  #live(handle: string): SessionRecord | undefined {
    const record = this.#records.get(handle)
    return record !== undefined && record.idleDeadline > this.#clock() ? record : undefined
  }

  #put(record: SessionRecord): void {
    this.#records.delete(record.handle)
    this.#records.set(record.handle, record)
    this.#earliestDeadline = Math.min(this.#earliestDeadline, record.idleDeadline)
  }

  #entries(userId: string): readonly IndexEntry[] {
    const now = this.#clock()
    const entries = this.#index.get(userId) ?? NO_ENTRIES
    return entries.every((entry) => entry.expiresAt > now) ? entries : entries.filter((entry) => entry.expiresAt > now)
  }

  #setEntries(userId: string, entries: readonly IndexEntry[]): void {
    if (entries.length === 0) this.#index.delete(userId)
    else this.#index.set(userId, entries)
  }

  #makeRoom(): void {
    const now = this.#clock()
    let wanted = Math.max(1, Math.floor(this.#maxRecords * EVICTED_SHARE))
    if (this.#earliestDeadline <= now) wanted -= this.#removeExpired(now, Infinity)
    for (const record of this.#records.values()) {
      if (wanted-- <= 0) break
      this.#drop(record)
    }
  }

  #removeExpired(now: number, limit: number): number {
    let removed = 0
    let earliest = Infinity
    for (const record of this.#records.values()) {
      if (removed === limit) return removed
      if (record.idleDeadline > now) earliest = Math.min(earliest, record.idleDeadline)
      else {
        this.#drop(record)
        removed += 1
      }
    }
    this.#earliestDeadline = earliest
    return removed
  }

  #removeStaleEntries(now: number): void {
    for (const [userId, entries] of this.#index) {
      if (entries.every((entry) => entry.expiresAt <= now)) this.#index.delete(userId)
    }
  }

  #drop(record: SessionRecord): void {
    this.#records.delete(record.handle)
    if (record.userId === null) return
    this.removeFromIndex(record.userId, record.handle)
  }
}
