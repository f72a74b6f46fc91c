import { answerAtOnce } from '../storage/immediate.ts'
import type { IndexEntry, SessionRecord, SessionStore, Sweeping, UserIndex } from '../../types/index.ts'
import { MemoryRecords } from './memory-records.ts'

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
  readonly #records: MemoryRecords

  constructor(maxRecords: number, clock: () => number) {
    this.#records = new MemoryRecords(maxRecords, clock, (record) => this.onExpired?.(record))
    answerAtOnce(this, this.#records)
  }

  get size(): number {
    return this.#records.size
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
