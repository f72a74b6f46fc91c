import type { SessionRecord, SessionStore, Sweeping, UserIndex } from '../../types/index.ts'

/** An answer, or the promise of one. */
export type Answer<Value> = Value | Promise<Value>

/** What a store can do, as far as it goes, with answers that need not be promises. */
export type Answering<Store> = {
  readonly [Name in keyof Store as Store[Name] extends Method ? Name : never]: Store[Name] extends Method
    ? (...args: Parameters<Store[Name]>) => Answer<Awaited<ReturnType<Store[Name]>>>
    : never
}

type Method = (...args: never[]) => Promise<unknown>

/** A store as the engine asks it. */
export type AskedStore = Answering<SessionStore> & Partial<Answering<UserIndex & Sweeping>>

/** What stores do without promises where they have the answer in this process's memory: a promise would cost more than the answer. */
export interface Immediate extends Partial<AskedStore> {
  /**
   * A record as it was a moment ago, by a cache that hears of changes: enough to let a request in, and not to turn one away or to
   * decide anything else. `undefined` where there is none at hand.
   */
  recall?(handle: string): SessionRecord | undefined
}

/** By the store object: a wrapper is another object, and its own methods are asked. */
const immediate = new WeakMap<SessionStore, Immediate>()

/** Offers what a store can do without promises. */
export function answerAtOnce(store: SessionStore, methods: Immediate): void {
  immediate.set(store, methods)
}

/** What a store can do without promises, if it offers that. */
export function atOnce(store: SessionStore): Immediate | undefined {
  return immediate.get(store)
}

/** Goes on with an answer when it is there, which may be now. */
export function afterwards<Value, Result>(
  answer: Answer<Value>,
  next: (value: Value) => Answer<Result>,
): Answer<Result> {
  return answer instanceof Promise ? answer.then(next) : next(answer)
}
