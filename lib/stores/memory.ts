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
  onExpired: SessionStore['onExpired']
  /** In order of use: a record that is written or touched moves to the end. */
  readonly #records = new Map<string, SessionRecord>()
  readonly #index = new Map<string, IndexEntry[]>()
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

  async get(handle: string): Promise<SessionRecord | undefined> {
    const record = this.#records.get(handle)
    if (record === undefined || record.idleDeadline > this.#clock()) return record
    this.#drop(record)
    this.onExpired?.(record)
    return undefined
  }

  async create(record: SessionRecord): Promise<boolean> {
    if (this.#live(record.handle) !== undefined) return false
    this.#records.delete(record.handle)
    if (this.#records.size >= this.#maxRecords) this.#makeRoom()
    this.#put(record)
    return true
  }

  async update(record: SessionRecord, version: number): Promise<boolean> {
    if (this.#live(record.handle)?.version !== version) return false
    this.#put(record)
    return true
  }

  async touch(
    handle: string,
    version: number,
    seen: Pick<SessionRecord, 'lastSeenAt' | 'idleDeadline'>,
  ): Promise<boolean> {
    const record = this.#live(handle)
    if (record?.version !== version) return false
    this.#put({
      ...record,
      lastSeenAt: Math.max(record.lastSeenAt, seen.lastSeenAt),
      idleDeadline: Math.max(record.idleDeadline, seen.idleDeadline),
    })
    return true
  }

  async delete(handle: string, version?: number): Promise<boolean> {
    const record = this.#live(handle)
    if (record === undefined || (version ?? record.version) !== record.version) return false
    return this.#records.delete(handle)
  }

  async addToIndex(userId: string, handle: string, expiresAt: number, limit = Infinity): Promise<boolean> {
    const others = this.#entries(userId).filter((entry) => entry.handle !== handle)
    if (others.length >= limit) return false
    const held = this.#entries(userId).find((entry) => entry.handle === handle)
    this.#index.set(userId, [...others, { handle, expiresAt: Math.max(expiresAt, held?.expiresAt ?? 0) }])
    return true
  }

  async keepInIndex(userId: string, handle: string, expiresAt: number): Promise<boolean> {
    const entries = this.#entries(userId)
    if (!entries.some((entry) => entry.handle === handle)) return false
    this.#index.set(
      userId,
      entries.map((entry) => (entry.handle === handle ? { handle, expiresAt } : entry)),
    )
    return true
  }

  async removeFromIndex(userId: string, handle: string): Promise<void> {
    const others = this.#entries(userId).filter((entry) => entry.handle !== handle)
    if (others.length === 0) this.#index.delete(userId)
    else this.#index.set(userId, others)
  }

  async listIndex(userId: string): Promise<readonly IndexEntry[]> {
    return this.#entries(userId)
  }

  async sweep(now: number, limit: number): Promise<number> {
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

  #entries(userId: string): IndexEntry[] {
    const now = this.#clock()
    return (this.#index.get(userId) ?? []).filter((entry) => entry.expiresAt > now)
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
    const others = this.#entries(record.userId).filter((entry) => entry.handle !== record.handle)
    if (others.length === 0) this.#index.delete(record.userId)
    else this.#index.set(record.userId, others)
  }
}
