import type { Answer, AskedStore, Immediate } from './immediate.ts'
import { atOnce } from './immediate.ts'
import { SecureSessionError } from '../errors.ts'
import type { SessionEvents } from '../events.ts'
import type { AbsenceReports, IndexEntry, SessionRecord, SessionStore, UserIndex } from '../../types/index.ts'

interface Pending {
  readonly deadline: number
  readonly fail: (cause: unknown) => void
}

/** A store with a user index. */
type IndexedStore = AskedStore &
  Required<Pick<AskedStore, 'addToIndex' | 'keepInIndex' | 'removeFromIndex' | 'listIndex'>>

/** How finely a store's time limit is watched: one timer for all operations, which see it this share late at the most. */
const CHECKS_PER_TIMEOUT = 4

/**
 * A store whose every operation ends: with its answer, or within `storeTimeout` with `SESSION_STORE_UNAVAILABLE` (cause attached, and
 * an event). Never an anonymous session in place of an answer. A store in memory answers at once, and is not watched.
 */
export class AnsweringStore {
  readonly hasIndex: boolean
  readonly #store: AskedStore
  readonly #immediate: Immediate | undefined
  readonly #timeout: number
  readonly #events: SessionEvents
  readonly #reports: AbsenceReports
  readonly #pending = new Set<Pending>()
  #timer: NodeJS.Timeout | undefined

  constructor(store: SessionStore, timeout: number, events: SessionEvents, reports: AbsenceReports = {}) {
    this.#store = store
    this.#immediate = atOnce(store)
    this.hasIndex = typeof this.#store.addToIndex === 'function'
    this.#timeout = timeout
    this.#events = events
    this.#reports = reports
  }

  /** A record as it was a moment ago, if it is at hand; see `Immediate`. */
  recall(handle: string): SessionRecord | undefined {
    if (this.#immediate?.recall === undefined || Object.hasOwn(this.#store, 'get')) return undefined
    try {
      return this.#immediate.recall(handle)
    } catch {
      // The store itself is asked next, and says so if it fails too.
      return undefined
    }
  }

  get(handle: string): Answer<SessionRecord | undefined> {
    return this.#ask('get', (store) => store.get(handle, this.#reports))
  }

  create(record: SessionRecord): Answer<boolean> {
    return this.#ask('create', (store) => store.create(record))
  }

  update(record: SessionRecord, version: number): Answer<boolean> {
    return this.#ask('update', (store) => store.update(record, version))
  }

  touch(handle: string, version: number, seen: Parameters<SessionStore['touch']>[2]): Answer<boolean> {
    return this.#ask('touch', (store) => store.touch(handle, version, seen))
  }

  delete(handle: string, version?: number): Answer<boolean> {
    return this.#ask('delete', (store) => store.delete(handle, version))
  }

  addToIndex(userId: string, handle: string, expiresAt: number, limit?: number): Answer<boolean> {
    return this.#askIndex('addToIndex', (index) => index.addToIndex(userId, handle, expiresAt, limit))
  }

  keepInIndex(userId: string, handle: string, expiresAt: number): Answer<boolean> {
    return this.#askIndex('keepInIndex', (index) => index.keepInIndex(userId, handle, expiresAt))
  }

  removeFromIndex(userId: string, handle: string): Answer<void> {
    return this.#askIndex('removeFromIndex', (index) => index.removeFromIndex(userId, handle))
  }

  listIndex(userId: string): Answer<readonly IndexEntry[]> {
    return this.#askIndex('listIndex', (index) => index.listIndex(userId))
  }

  /** Not under the time limit: a sweep may take as long as its batch does. */
  async sweep(now: number, limit: number): Promise<number> {
    try {
      return (await this.#store.sweep?.(now, limit)) ?? 0
    } catch (cause) {
      throw this.#failure('sweep', cause)
    }
  }

  #askIndex<Value>(operation: keyof UserIndex, ask: (index: IndexedStore) => Answer<Value>): Answer<Value> {
    if (!this.hasIndex) return Promise.reject(new SecureSessionError('SESSION_STORE_LACKS_INDEX'))
    return this.#ask(operation, (store) => ask(store as IndexedStore))
  }

  #ask<Value>(operation: keyof AskedStore, ask: (store: AskedStore) => Answer<Value>): Answer<Value> {
    // A method that a test has put in place of the store's own is what is meant.
    const isReplaced = Object.hasOwn(this.#store, operation)
    if (this.#immediate?.[operation] !== undefined && !isReplaced) return ask(this.#immediate as AskedStore)
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => {
        if (!this.#pending.delete(pending)) return
        reject(this.#failure(operation, cause))
      }
      const pending: Pending = { deadline: performance.now() + this.#timeout, fail }
      this.#pending.add(pending)
      if (this.#timer === undefined) this.#timer = this.#watchSoon()
      try {
        // A store that promises nothing is broken; `then` of what it gives instead is no function.
        ;(ask(this.#store) as Promise<Value>).then((value) => {
          this.#pending.delete(pending)
          resolve(value)
        }, fail)
      } catch (cause) {
        fail(cause)
      }
    })
  }

  #failure(operation: string, cause: unknown): SecureSessionError {
    this.#events.emit({ type: 'store-failure', operation })
    return new SecureSessionError('SESSION_STORE_UNAVAILABLE', { cause })
  }

  #watchSoon(): NodeJS.Timeout {
    return setTimeout(() => this.#watch(), this.#timeout / CHECKS_PER_TIMEOUT).unref()
  }

  #watch(): void {
    const now = performance.now()
    for (const { deadline, fail } of this.#pending) {
      if (now >= deadline) fail(new Error(`no answer within ${this.#timeout} ms`))
    }
    this.#timer = this.#pending.size === 0 ? undefined : this.#watchSoon()
  }
}
