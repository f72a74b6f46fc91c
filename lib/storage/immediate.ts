import type { SessionRecord, SessionStore, StorePowers } from '../../types/index.ts'

/** An answer, or the promise of one. */
export type Answer<Value> = Value | Promise<Value>

/** The methods of a store, with answers that need not be promises. */
export type Answering<Store> = {
  readonly [Name in keyof Store as Store[Name] extends Method ? Name : never]: Store[Name] extends Method
    ? (...args: Parameters<Store[Name]>) => Answer<Awaited<ReturnType<Store[Name]>>>
    : never
}

type Method = (...args: never[]) => Promise<unknown>

/** A store as the engine asks it. */
export type AskedStore = Answering<SessionStore> & Partial<Answering<StorePowers>>

/** The operations that a store performs without promises, because it has the answer in this process's memory. */
export interface Immediate extends Partial<AskedStore> {
  /**
   * Returns a cached record that may be a moment old; `undefined` if there is none. A cached record may let a request
   * in. The store itself decides everything else.
   */
  recall?(handle: string): SessionRecord | undefined
}

/**
 * The immediate operations that a store offers. An app may replace a method of its store, to measure it for example.
 * Then the replacement is called, and the immediate form of that operation is not used.
 */
export class Offer {
  readonly #store: SessionStore
  readonly #immediate: Immediate
  readonly #methods: Readonly<Record<string, unknown>>

  constructor(store: SessionStore, immediate: Immediate) {
    this.#store = store
    this.#immediate = immediate
    this.#methods = Object.fromEntries(OPERATIONS.map((name) => [name, Reflect.get(store, name) as unknown]))
  }

  /** Returns the operations without promises, if this one is among them. */
  having(operation: keyof AskedStore): Immediate | undefined {
    if (this.#immediate[operation] === undefined) return undefined
    return this.#methods[operation] === Reflect.get(this.#store, operation) ? this.#immediate : undefined
  }

  /** Returns a cached record, if the store has a cache. */
  recall(handle: string): SessionRecord | undefined {
    if (this.#immediate.recall === undefined || this.#methods['get'] !== this.#store.get) return undefined
    return this.#immediate.recall(handle)
  }
}

const OPERATIONS = [
  ...['get', 'getMany', 'create', 'update', 'touch', 'delete'],
  ...['addToIndex', 'keepInIndex', 'removeFromIndex', 'listIndex', 'readCutoff'],
]

const offers = new WeakMap<SessionStore, Offer>()

/** Offers operations that a store can perform without promises. */
export function answerAtOnce(store: SessionStore, immediate: Immediate): void {
  offers.set(store, new Offer(store, immediate))
}

/** Returns the operations that a store offers to perform without promises. */
export function offerOf(store: SessionStore): Offer | undefined {
  return offers.get(store)
}

/** Continues with an answer as soon as it is there, which may be now. */
export function afterwards<Value, Result>(
  answer: Answer<Value>,
  next: (value: Value) => Answer<Result>,
): Answer<Result> {
  return answer instanceof Promise ? answer.then(next) : next(answer)
}
