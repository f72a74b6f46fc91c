import type { IndexEntry, SessionRecord } from '../../types/index.ts'

/** The entries of one user. Most have one session, which a list would cost as much again. */
type UserEntries = IndexEntry | readonly IndexEntry[]

const NO_ENTRIES: readonly IndexEntry[] = []

/** Evicting a share at once keeps the cost of a full store flat. */
const EVICTED_SHARE = 0.01

/** What the store in memory holds, and how it makes room. Nothing here waits for anything. */
export class MemoryRecords {
  /** In order of use: a record that is written or touched moves to the end. */
  readonly #records = new Map<string, SessionRecord>()
  readonly #index = new Map<string, UserEntries>()
  readonly #maxRecords: number
  readonly #clock: () => number
  readonly #onExpired: (record: SessionRecord) => void
  /** No record expires before this, so a full store need not look for one. */
  #earliestDeadline = Infinity

  constructor(maxRecords: number, clock: () => number, onExpired: (record: SessionRecord) => void) {
    this.#maxRecords = maxRecords
    this.#clock = clock
    this.#onExpired = onExpired
  }

  get size(): number {
    return this.#records.size
  }

  get(handle: string): SessionRecord | undefined {
    const record = this.#records.get(handle)
    if (record === undefined || record.idleDeadline > this.#clock()) return record
    this.#drop(record)
    this.#onExpired(record)
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

  addToIndex(userId: string, handle: string, expiresAt: number, limit: number = Infinity): boolean {
    const entries = this.#entries(userId)
    const held = entries.find((entry) => entry.handle === handle)
    const others = held === undefined ? entries : entries.filter((entry) => entry !== held)
    if (others.length >= limit) return false
    this.#setEntries(userId, others.concat({ handle, expiresAt: Math.max(expiresAt, held?.expiresAt ?? 0) }))
    return true
  }

  keepInIndex(userId: string, handle: string, expiresAt: number): boolean {
    const entries = this.#entries(userId)
    const held = entries.find((entry) => entry.handle === handle)
    if (held === undefined) return false
    this.#setEntries(
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
    const entries = entriesOf(this.#index.get(userId))
    return entries.every((entry) => entry.expiresAt > now) ? entries : entries.filter((entry) => entry.expiresAt > now)
  }

  #setEntries(userId: string, entries: readonly IndexEntry[]): void {
    const [only] = entries
    if (only === undefined) this.#index.delete(userId)
    else this.#index.set(userId, entries.length === 1 ? only : entries)
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
      if (entriesOf(entries).every((entry) => entry.expiresAt <= now)) this.#index.delete(userId)
    }
  }

  #drop(record: SessionRecord): void {
    this.#records.delete(record.handle)
    if (record.userId === null) return
    this.removeFromIndex(record.userId, record.handle)
  }
}

function entriesOf(held: UserEntries | undefined): readonly IndexEntry[] {
  if (held === undefined) return NO_ENTRIES
  return 'handle' in held ? [held] : held
}
