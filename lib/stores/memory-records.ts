import type { AbsenceReports, IndexEntry, RecordPage, SessionRecord } from '../../types/index.ts'
import { withFields } from '../session/copy-record.ts'
import { Listeners } from './listeners.ts'
import { pageLimit } from './page-limit.ts'

/** The entries of one user. Most have one session, which a list would cost as much again. */
type UserEntries = IndexEntry | readonly IndexEntry[]

const NO_ENTRIES: readonly IndexEntry[] = []

/** Evicting a share at once keeps the cost of a full store flat. */
const EVICTED_SHARE = 0.01

/** The records of the store in memory, and how they make room for new ones. All methods are synchronous. */
export class MemoryRecords {
  /** The records in order of use. A record that is written or touched moves to the end. */
  readonly #records = new Map<string, SessionRecord>()
  readonly #index = new Map<string, UserEntries>()
  readonly listeners: Listeners = new Listeners()
  #cutoff = 0
  readonly #maxRecords: number
  readonly #clock: () => number
  /** An instant before which no record expires, so a full store need not look for an expired record. */
  #earliestDeadline = Infinity

  constructor(maxRecords: number, clock: () => number) {
    this.#maxRecords = maxRecords
    this.#clock = clock
  }

  get size(): number {
    return this.#records.size
  }

  get(handle: string, reports?: AbsenceReports): SessionRecord | undefined {
    const record = this.#records.get(handle)
    if (record === undefined || record.idleDeadline > this.#clock()) return record
    this.#drop(record)
    reports?.onExpired?.(record)
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
    const held = this.#live(record.handle)
    if (held?.version !== version) return false
    this.#put(record)
    if (held.epoch !== record.epoch) this.listeners.tellSoon({ handle: record.handle })
    return true
  }

  touch(handle: string, version: number, seen: Pick<SessionRecord, 'lastSeenAt' | 'idleDeadline'>): boolean {
    const record = this.#live(handle)
    if (record?.version !== version) return false
    const lastSeenAt = Math.max(record.lastSeenAt, seen.lastSeenAt)
    const idleDeadline = Math.max(record.idleDeadline, seen.idleDeadline)
    this.#put(withFields(record, { lastSeenAt, idleDeadline }))
    return true
  }

  delete(handle: string, version?: number): boolean {
    const record = this.#live(handle)
    if (record === undefined || (version ?? record.version) !== record.version) return false
    this.#records.delete(handle)
    this.listeners.tellSoon({ handle })
    return true
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
    // Records take their entries along; what is left are entries without one, and looking at all of them once is
    // enough.
    if (removed < limit) this.#removeStaleEntries(now)
    return removed
  }

  getMany(handles: readonly string[]): SessionRecord[] {
    return handles.flatMap((handle) => this.#live(handle) ?? [])
  }

  /** Pages go by handle, because the order of use changes between two pages. */
  listAll({ after, limit }: { readonly after?: string | undefined; readonly limit: number }): RecordPage {
    const now = this.#clock()
    const rest: SessionRecord[] = []
    for (const record of this.#records.values()) {
      if (record.idleDeadline > now && (after === undefined || record.handle > after)) rest.push(record)
    }
    const most = pageLimit(limit)
    const records = rest.toSorted((a, b) => (a.handle < b.handle ? -1 : 1)).slice(0, most)
    const last = records.at(-1)
    return rest.length > most && last !== undefined ? { records, next: last.handle } : { records }
  }

  count(): number {
    const now = this.#clock()
    let count = 0
    for (const { idleDeadline } of this.#records.values()) if (idleDeadline > now) count += 1
    return count
  }

  raiseCutoff(instant: number): number {
    if (instant > this.#cutoff) {
      this.#cutoff = instant
      this.listeners.tellSoon({ cutoff: instant })
    }
    return this.#cutoff
  }

  readCutoff(): number {
    return this.#cutoff
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
      this.listeners.tellSoon({ handle: record.handle })
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
