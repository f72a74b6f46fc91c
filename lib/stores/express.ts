import { parseDuration } from '../session/duration.ts'
import type { AbsenceReports, Duration, SessionRecord, SessionStore } from '../../types/index.ts'
import type { Moving } from './codec.ts'
import { decodeRecord, encodeRecord, keyOf } from './codec.ts'
import type { Answer } from './express-answer.ts'
import { answerOf } from './express-answer.ts'
import { driverOf } from './refuse-driver.ts'
import { refuseUnread } from './refuse-options.ts'

/** The part of an express-session store that the adapter uses: three methods, with a callback or a promise. */
export interface ExpressSessionStore {
  get(id: string, answer: (error: unknown, session?: unknown) => void): unknown
  set(id: string, session: object, answer: (error?: unknown) => void): unknown
  destroy(id: string, answer: (error?: unknown) => void): unknown
}

/** Options of `expressStore`. */
export interface ExpressStoreOptions {
  /** The time that one call of the store may take to answer. Default `2s`. */
  timeout?: Duration
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  clock?: () => number
}

/** A store with weaker promises than the first-party ones. */
export interface AdaptedStore extends SessionStore {
  /** The promises that the wrapped store cannot keep. The guard reads them. */
  readonly weaker: readonly ['compare-and-set', 'user-index', 'sweep']
  /** Tells whether it is a store in memory, as far as its name says. */
  readonly volatile: boolean
}

/**
 * Sessions in any express-session store: connect-redis, connect-pg-simple, and many more.
 *
 * Such a store has no compare-and-set. Instead, every write first reads the record again. The write is dropped when the
 * record is gone or has another version. The writes of this process to one record wait for each other. For a single
 * process, this is as good as a compare-and-set. Two processes still race: a few milliseconds pass between the read and
 * the write of a process. A write of the other process that falls between them can be undone, a logout and a rotation
 * included. The store has no user index: `maxSessions`, `app.sessions.list` and `revokeUser` need another store. The
 * store has no sweep: an expired record is removed when its cookie comes back, or by the store itself.
 *
 * The store gets `{ cookie: { expires, originalMaxAge, ... }, guard }`, `expires` being the idle deadline, so that it
 * computes its own expiry right. Deadlines are checked here too, by the app's clock.
 * @throws `TypeError` when it is no such store, or `timeout` no duration
 */
export function expressStore(store: ExpressSessionStore, options: ExpressStoreOptions = {}): AdaptedStore {
  refuseOther(store)
  refuseUnread('expressStore', options, ['timeout', 'clock'])
  return new Adapted(store, options)
}

/** Throws for what has not the three methods, and for a driver that has them with another meaning. */
function refuseOther(store: unknown): void {
  const driver = driverOf(store)
  if (driver !== undefined) throw new TypeError(`expressStore: this is ${driver}`)
  if (typeof store === 'function') {
    throw new TypeError('expressStore: the store is a class or a function. Make one of it')
  }
  const methods = store as Partial<Record<string, unknown>> | null | undefined
  if (typeof methods?.['create'] === 'function' && typeof methods['update'] === 'function') {
    throw new TypeError('expressStore: this store needs no adapter. Write store: theStore')
  }
  for (const method of ['get', 'set', 'destroy']) {
    if (typeof methods?.[method] !== 'function') throw new TypeError(`expressStore: the store has no method ${method}`)
  }
}

/** The value that a store keeps under a handle. */
interface Reading {
  readonly isThere: boolean
  readonly record?: SessionRecord
  readonly expired?: SessionRecord
}

/** The number of parameters of each method when the last one is a callback. */
const WITH_CALLBACK: Record<keyof ExpressSessionStore, number> = { get: 2, set: 3, destroy: 2 }

class Adapted implements AdaptedStore {
  readonly weaker = ['compare-and-set', 'user-index', 'sweep'] as const
  readonly #store: ExpressSessionStore
  readonly #timeout: number
  readonly #clock: () => number
  /** The last write to each record that one is under way for. */
  readonly #writes = new Map<string, Promise<unknown>>()

  constructor(store: ExpressSessionStore, { timeout = '2s', clock = Date.now }: ExpressStoreOptions) {
    const milliseconds = parseDuration(timeout)
    if (!milliseconds) throw new TypeError("expressStore: timeout is a duration such as '2s'")
    this.#store = store
    this.#timeout = milliseconds
    this.#clock = clock
  }

  get volatile(): boolean {
    return /^(Volatile)?Memory(Session)?(Store)?$/.test(this.#store.constructor.name)
  }

  async get(handle: string, reports?: AbsenceReports): Promise<SessionRecord | undefined> {
    const { record, expired, isThere } = await this.#read(handle)
    if (isThere && record === undefined && expired === undefined) reports?.onDamaged?.(handle)
    if (expired !== undefined && (await this.#drop(handle))) reports?.onExpired?.(expired)
    return record
  }

  create(record: SessionRecord): Promise<boolean> {
    return this.#inTurn(record.handle, (held) => held === undefined && this.#write(record))
  }

  update(record: SessionRecord, version: number): Promise<boolean> {
    return this.#inTurn(record.handle, (held) => held?.version === version && this.#write(record))
  }

  /** A write of the whole record: the store's own `touch` may leave what it stores as it was. */
  touch(handle: string, version: number, seen: Moving): Promise<boolean> {
    return this.#inTurn(handle, (held) => {
      if (held?.version !== version) return false
      const lastSeenAt = Math.max(held.lastSeenAt, seen.lastSeenAt)
      return this.#write({ ...held, lastSeenAt, idleDeadline: Math.max(held.idleDeadline, seen.idleDeadline) })
    })
  }

  delete(handle: string, version?: number): Promise<boolean> {
    return this.#inTurn(handle, async (held, isThere) => {
      if (!isThere || (version !== undefined && held !== undefined && held.version !== version)) return false
      await this.#destroy(handle)
      return held !== undefined
    })
  }

  /** Removes what has expired, which many of these stores keep for ever, unless it was used again meanwhile. */
  #drop(handle: string): Promise<boolean> {
    return this.#inTurn(handle, async (held, isThere) => {
      if (!isThere || held !== undefined) return false
      await this.#destroy(handle)
      return true
    })
  }

  async #destroy(handle: string): Promise<void> {
    await this.#ask('destroy', (answer) => this.#store.destroy(keyOf(handle), answer))
  }

  /** `isThere` without a record: it has expired, or cannot be read. */
  async #read(handle: string): Promise<Reading> {
    const session = await this.#session(handle)
    if (session === null || session === undefined) return { isThere: false }
    const guard = typeof session === 'object' && 'guard' in session ? session.guard : undefined
    const record = typeof guard === 'string' ? decodeRecord(guard) : undefined
    if (record === undefined) return { isThere: true }
    return record.idleDeadline > this.#clock() ? { isThere: true, record } : { isThere: true, expired: record }
  }

  async #session(handle: string): Promise<unknown> {
    try {
      return await this.#ask('get', (answer) => this.#store.get(keyOf(handle), answer))
    } catch (error) {
      // Stores of files answer so for what is not there, as express-session expects of them.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      // The store itself could not parse the record.
      if (error instanceof SyntaxError) return {}
      throw error
    }
  }

  async #write(record: SessionRecord): Promise<boolean> {
    const session = sessionOf(record, this.#clock())
    await this.#ask('set', (answer) => this.#store.set(keyOf(record.handle), session, answer))
    return true
  }

  #ask(method: keyof ExpressSessionStore, call: (answer: Answer) => unknown): Promise<unknown> {
    return answerOf(call, this.#store[method].length >= WITH_CALLBACK[method], this.#timeout)
  }

  /** Reads and writes one record with no other write of this process in between. */
  async #inTurn(
    handle: string,
    write: (held: SessionRecord | undefined, isThere: boolean) => boolean | Promise<boolean>,
  ): Promise<boolean> {
    const deadline = performance.now() + this.#timeout
    const before = this.#writes.get(handle)
    const run = async (): Promise<boolean> => {
      await before?.catch(() => undefined)
      // The request was answered with 503 long ago, so this write is no longer expected.
      if (performance.now() > deadline) throw new Error(`no turn to write within ${this.#timeout} ms`)
      const { record, isThere } = await this.#read(handle)
      return write(record, isThere)
    }
    const turn = run()
    this.#writes.set(handle, turn)
    try {
      return await turn
    } finally {
      if (this.#writes.get(handle) === turn) this.#writes.delete(handle)
    }
  }
}

/**
 * A record in the shape of what express-session stores. A text, so that no column type or serializer changes a letter
 * of it.
 */
function sessionOf(record: SessionRecord, now: number): object {
  const left = Math.max(0, record.idleDeadline - now)
  const cookie = {
    originalMaxAge: left,
    maxAge: left,
    expires: new Date(record.idleDeadline),
    httpOnly: true,
    path: '/',
  }
  return { cookie, guard: encodeRecord(record) }
}
