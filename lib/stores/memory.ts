import { answerAtOnce } from '../storage/immediate.ts'
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
import type { Listener } from './listeners.ts'
import { MemoryRecords } from './memory-records.ts'
import { refuseUnread } from './refuse-options.ts'

/** Options of `memoryStore`. */
export interface MemoryStoreOptions {
  /** The highest number of records. Default 100,000. */
  maxRecords?: number
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  clock?: () => number
}

/** The store in this process's memory. */
export interface MemoryStore extends SessionStore, UserIndex, Sweeping, ReadingMany, Enumerating, Cutoff, Announcing {
  /** The number of records, expired ones included. */
  readonly size: number
}

/**
 * Sessions in this process's memory: for development, tests and benchmarks. They end with the process and no other
 * process sees them, so production refuses it.
 *
 * The number of records is bounded by `maxRecords`. At the bound, expired records are removed first. Then the least
 * recently used records are removed, one hundredth of the bound at a time. A write or a touch is a use.
 * @throws `TypeError` for an unknown option
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  refuseUnread('memoryStore', options, ['maxRecords', 'clock'])
  return new Memory(options.maxRecords ?? 100_000, options.clock ?? Date.now)
}

class Memory implements MemoryStore {
  readonly #records: MemoryRecords

  constructor(maxRecords: number, clock: () => number) {
    this.#records = new MemoryRecords(maxRecords, clock)
    answerAtOnce(this, this.#records)
  }

  get size(): number {
    return this.#records.size
  }

  async get(handle: string, reports?: AbsenceReports): Promise<SessionRecord | undefined> {
    return this.#records.get(handle, reports)
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

  async getMany(handles: readonly string[]): Promise<readonly SessionRecord[]> {
    return this.#records.getMany(handles)
  }

  async listAll(...args: Parameters<Enumerating['listAll']>): Promise<RecordPage> {
    return this.#records.listAll(...args)
  }

  async count(): Promise<number> {
    return this.#records.count()
  }

  async raiseCutoff(instant: number): Promise<number> {
    return this.#records.raiseCutoff(instant)
  }

  async readCutoff(): Promise<number> {
    return this.#records.readCutoff()
  }

  async subscribe(listener: Listener): Promise<() => Promise<void>> {
    const remove = this.#records.listeners.add(listener)
    return async () => remove()
  }
}
