import { SecureSessionError } from '../errors.ts'
import type { SessionEvents } from '../events.ts'
import { isRecord } from '../session/record.ts'
import type {
  AbsenceReports,
  IndexEntry,
  SessionRecord,
  SessionStore,
  StorePowers,
  UserIndex,
} from '../../types/index.ts'
import { causeOf } from './cause.ts'
import { Deadlines } from './deadlines.ts'
import type { Answer, AskedStore, Offer } from './immediate.ts'
import { afterwards, offerOf } from './immediate.ts'
import { InFlight } from './in-flight.ts'
import { readRecord, storedName, storedRecord } from '../session/namespace.ts'

/** A store with a user index. */
type IndexedStore = AskedStore &
  Required<Pick<AskedStore, 'addToIndex' | 'keepInIndex' | 'removeFromIndex' | 'listIndex'>>

type ManyStore = AskedStore & Required<Pick<AskedStore, 'getMany'>>
/** Keeps records away that no request may use, although the store has them. */
export interface Gate {
  /** Returns the record of an answer, or `undefined` if the record may not be used. */
  pass(answer: Answer<SessionRecord | undefined>): Answer<SessionRecord | undefined>
  /** Tells whether a record may be used, as far as this is known without asking the store. */
  passesNow(record: SessionRecord): boolean
}

/** The reason why a session ended, for the connections that are open with it. */
export type SessionEnd =
  | 'logout'
  | 'revoked'
  | 'evicted'
  | 'replay'
  | 'auth-hash'
  | 'user-gone'
  | 'expired'
  | 'switched'
  | 'changed'
  | 'elsewhere'
  | 'closed'

/**
 * A store whose every operation ends: with its answer, or within `storeTimeout` with `SESSION_STORE_UNAVAILABLE` and an
 * event. A failing store never looks like an absent session. A record is examined here, once, so that the engine meets
 * whole ones only. A store in memory answers at once, and needs no time limit.
 *
 * Users are kept under names that begin with the app's namespace. A record of another namespace is absent, so two apps
 * with the same user ids never see or end each other's sessions. Without a namespace (`undefined`) names are used as
 * they are stored.
 */
export class TimedStore {
  readonly hasIndex: boolean
  /** Tells whether the store has the power of `getMany`. */
  readonly readsMany: boolean
  /**
   * Hears of a record that this process replaced, or that it removed: then the record is `undefined`. A touch is not
   * told.
   */
  onChange: ((handle: string, record: SessionRecord | undefined, why: SessionEnd | undefined) => void) | undefined
  /** Asked about each record that the engine wants to use. */
  gate: Gate | undefined
  readonly #store: AskedStore
  readonly #offer: Offer | undefined
  readonly #deadlines: Deadlines
  readonly #events: SessionEvents
  readonly #reports: AbsenceReports
  readonly #namespace: string | undefined
  /** The ends of sessions that the store has not yet answered. */
  readonly #ends = new InFlight<{ readonly handle: string; readonly why: SessionEnd }>()

  constructor(
    store: SessionStore,
    timeout: number,
    events: SessionEvents,
    namespace: string | undefined,
    reports: AbsenceReports = {},
  ) {
    this.#store = store
    this.#offer = offerOf(store)
    this.hasIndex = typeof this.#store.addToIndex === 'function'
    this.readsMany = typeof this.#store.getMany === 'function'
    this.#deadlines = new Deadlines(timeout)
    this.#events = events
    this.#namespace = namespace
    this.#reports = { onDamaged: reports.onDamaged, onExpired: (record) => this.#reportExpired(record, reports) }
  }

  /** Returns a cached record that may be a moment old; see `Immediate`. */
  recall(handle: string): SessionRecord | undefined {
    try {
      const found = this.#offer?.recall(handle)
      const record = found === undefined ? undefined : this.#read(found)
      return record === undefined || this.gate?.passesNow(record) === false ? undefined : record
    } catch {
      // The store itself is asked next, and reports its own failure.
      return undefined
    }
  }

  /** Returns the record of this handle. A damaged record is absent, and an event says so. */
  get(handle: string): Answer<SessionRecord | undefined> {
    const answer = this.getStored(handle)
    return this.gate === undefined ? answer : this.gate.pass(answer)
  }

  /** Returns the record of this handle, also one that no request may use. */
  getStored(handle: string): Answer<SessionRecord | undefined> {
    return this.ask(
      'get',
      (store) => store.get(handle, this.#reports),
      (found) => this.#examine(handle, found),
    )
  }

  /** Returns the records of these handles that are there. Only a store that `readsMany` can be asked. */
  async getMany(handles: readonly string[]): Promise<readonly SessionRecord[]> {
    const found = await this.ask<readonly SessionRecord[]>(
      'getMany',
      (store) => (store as ManyStore).getMany(handles),
      (records) => records.flatMap((record) => this.#examine(record.handle, record) ?? []),
    )
    if (this.gate === undefined) return found
    const passed: SessionRecord[] = []
    for (const record of found) {
      const answer = this.gate.pass(record)
      const kept = answer instanceof Promise ? await answer : answer
      if (kept !== undefined) passed.push(kept)
    }
    return passed
  }

  create(record: SessionRecord): Answer<boolean> {
    return this.ask('create', (store) => store.create(this.#stored(record)))
  }

  update(record: SessionRecord, version: number): Answer<boolean> {
    return this.ask(
      'update',
      (store) => store.update(this.#stored(record), version),
      (isDone) => this.#tell(isDone, record.handle, record),
    )
  }

  touch(handle: string, version: number, seen: Parameters<SessionStore['touch']>[2]): Answer<boolean> {
    return this.ask('touch', (store) => store.touch(handle, version, seen))
  }

  delete(handle: string, version?: number, why?: SessionEnd): Answer<boolean> {
    const done = this.ask(
      'delete',
      (store) => store.delete(handle, version),
      (isDone) => this.#tell(isDone, handle, undefined, why),
    )
    if (why !== undefined && done instanceof Promise) this.#noteEnd(handle, why, done)
    return done
  }

  /** Returns why this process is ending a session, while the store has not yet answered. */
  endUnderWay(handle: string): SessionEnd | undefined {
    return this.#ends.filter((end) => end.handle === handle)[0]?.why
  }

  #noteEnd(handle: string, why: SessionEnd, done: Promise<boolean>): void {
    const place = this.#ends.add({ handle, why })
    const forget = (): void => void this.#ends.remove(place)
    done.then(forget, forget)
  }

  addToIndex(userId: string, handle: string, expiresAt: number, limit?: number): Answer<boolean> {
    return this.#askIndex('addToIndex', (index) => index.addToIndex(this.#name(userId), handle, expiresAt, limit))
  }

  keepInIndex(userId: string, handle: string, expiresAt: number): Answer<boolean> {
    return this.#askIndex('keepInIndex', (index) => index.keepInIndex(this.#name(userId), handle, expiresAt))
  }

  removeFromIndex(userId: string, handle: string): Answer<void> {
    return this.#askIndex('removeFromIndex', (index) => index.removeFromIndex(this.#name(userId), handle))
  }

  listIndex(userId: string): Answer<readonly IndexEntry[]> {
    return this.#askIndex('listIndex', (index) => index.listIndex(this.#name(userId)))
  }

  /** Removes expired records. */
  async sweep(now: number, limit: number): Promise<number> {
    return this.askPatiently('sweep', async (store) => store.sweep?.(now, limit) ?? 0)
  }

  /** Tells whether the store has an operation. */
  has(operation: keyof StorePowers): boolean {
    return typeof this.#store[operation] === 'function'
  }

  /** Tells whether the store performs an operation without a promise. */
  isImmediate(operation: keyof StorePowers): boolean {
    return this.#offer?.having(operation) !== undefined
  }

  /** Asks for something that may take as long as there are records. The time limit does not apply. */
  async askPatiently<Value>(operation: keyof StorePowers, ask: (store: AskedStore) => Answer<Value>): Promise<Value> {
    try {
      return await ask(this.#store)
    } catch (cause) {
      throw this.#failure(operation, cause)
    }
  }

  #name(userId: string): string {
    return this.#namespace === undefined ? userId : storedName(this.#namespace, userId)
  }

  #stored(record: SessionRecord): SessionRecord {
    return this.#namespace === undefined ? record : storedRecord(this.#namespace, record)
  }

  #read(found: SessionRecord): SessionRecord | undefined {
    return this.#namespace === undefined ? found : readRecord(this.#namespace, found)
  }

  /**
   * Returns a record that the store listed, as `getStored` would; `undefined` for one that is damaged or another app's.
   */
  own(found: SessionRecord): SessionRecord | undefined {
    return isRecord(found) ? this.#read(found) : undefined
  }

  #reportExpired(record: SessionRecord, { onExpired }: AbsenceReports): void {
    const read = this.#read(record)
    if (read === undefined) return
    onExpired?.(read)
    this.onChange?.(read.handle, undefined, 'expired')
  }

  #examine(handle: string, found: SessionRecord | undefined): SessionRecord | undefined {
    if (found === undefined) return undefined
    if (isRecord(found) && found.handle === handle) return this.#read(found)
    this.#events.emit({ type: 'damaged', handle })
    return undefined
  }

  #tell(isDone: boolean, handle: string, record: SessionRecord | undefined, why?: SessionEnd): boolean {
    if (isDone) this.onChange?.(handle, record, why)
    return isDone
  }

  #askIndex<Value>(operation: keyof UserIndex, ask: (index: IndexedStore) => Answer<Value>): Answer<Value> {
    if (!this.hasIndex) return Promise.reject(new SecureSessionError('SESSION_STORE_LACKS_INDEX'))
    return this.ask(operation, (store) => ask(store as IndexedStore))
  }

  /** Asks the store. `read` turns its answer into the engine's, at once. */
  ask<Value>(
    operation: keyof AskedStore,
    ask: (store: AskedStore) => Answer<Value>,
    read: (value: Value) => Value = itself,
  ): Answer<Value> {
    const immediate = this.#offer?.having(operation)
    if (immediate !== undefined) return afterwards(ask(immediate as AskedStore), read)
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => {
        if (this.#deadlines.remove(deadline)) reject(this.#failure(operation, cause))
      }
      const { limit } = this.#deadlines
      const deadline = this.#deadlines.add(() => fail(new Error(`no answer within ${limit} ms`)))
      try {
        // A store that returns no promise is broken: reading `then` of its answer fails.
        ;(ask(this.#store) as Promise<Value>).then((value) => {
          this.#deadlines.remove(deadline)
          resolve(read(value))
        }, fail)
      } catch (cause) {
        fail(cause)
      }
    })
  }

  #failure(operation: string, cause: unknown): SecureSessionError {
    this.#events.emit({ type: 'store-failure', operation })
    // A driver hangs the whole command on its error, with the record in it.
    return new SecureSessionError('SESSION_STORE_UNAVAILABLE', { cause: causeOf(cause) })
  }
}

function itself<Value>(value: Value): Value {
  return value
}
