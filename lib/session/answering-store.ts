import { SecureSessionError } from '../errors.ts'
import type { SessionEvents } from '../events.ts'
import type { IndexEntry, SessionRecord, SessionStore, Sweeping, UserIndex } from '../../types/index.ts'

interface Pending {
  readonly deadline: number
  readonly fail: (cause: unknown) => void
}

/** How finely a store's time limit is watched: one timer for all operations, which see it this share late at the most. */
const CHECKS_PER_TIMEOUT = 4

/**
 * A store whose every operation ends: with its answer, or within `storeTimeout` with `SESSION_STORE_UNAVAILABLE` (cause attached, and
 * an event). Never an anonymous session in place of an answer.
 */
export class AnsweringStore {
  readonly #store: SessionStore & Partial<UserIndex & Sweeping>
  readonly #timeout: number
  readonly #events: SessionEvents
  readonly #pending = new Set<Pending>()
  #timer: NodeJS.Timeout | undefined

  constructor(store: SessionStore, timeout: number, events: SessionEvents) {
    this.#store = store
    this.#timeout = timeout
    this.#events = events
  }

  get hasIndex(): boolean {
    return typeof this.#store.addToIndex === 'function'
  }

  get(handle: string): Promise<SessionRecord | undefined> {
    return this.#ask('get', () => this.#store.get(handle))
  }

  create(record: SessionRecord): Promise<boolean> {
    return this.#ask('create', () => this.#store.create(record))
  }

  update(record: SessionRecord, version: number): Promise<boolean> {
    return this.#ask('update', () => this.#store.update(record, version))
  }

  touch(handle: string, version: number, seen: Parameters<SessionStore['touch']>[2]): Promise<boolean> {
    return this.#ask('touch', () => this.#store.touch(handle, version, seen))
  }

  delete(handle: string, version?: number): Promise<boolean> {
    return this.#ask('delete', () => this.#store.delete(handle, version))
  }

  addToIndex(userId: string, handle: string, expiresAt: number, limit?: number): Promise<boolean> {
    return this.#askIndex('addToIndex', (index) => index.addToIndex(userId, handle, expiresAt, limit))
  }

  keepInIndex(userId: string, handle: string, expiresAt: number): Promise<boolean> {
    return this.#askIndex('keepInIndex', (index) => index.keepInIndex(userId, handle, expiresAt))
  }

  removeFromIndex(userId: string, handle: string): Promise<void> {
    return this.#askIndex('removeFromIndex', (index) => index.removeFromIndex(userId, handle))
  }

  listIndex(userId: string): Promise<readonly IndexEntry[]> {
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

  #askIndex<Answer>(operation: string, ask: (index: UserIndex) => Promise<Answer>): Promise<Answer> {
    const store = this.#store
    if (!isIndexed(store)) return Promise.reject(new SecureSessionError('SESSION_STORE_LACKS_INDEX'))
    return this.#ask(operation, () => ask(store))
  }

  #ask<Answer>(operation: string, ask: () => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => {
        if (!this.#pending.delete(pending)) return
        reject(this.#failure(operation, cause))
      }
      const pending: Pending = { deadline: performance.now() + this.#timeout, fail }
      this.#pending.add(pending)
      if (this.#timer === undefined) this.#timer = this.#watchSoon()
      try {
        ask().then((value) => {
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

function isIndexed(store: SessionStore & Partial<UserIndex>): store is SessionStore & UserIndex {
  return typeof store.addToIndex === 'function'
}
