import type { SessionStore, Sweeping, UserIndex } from '../types/index.ts'

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

/**
 * What stores do without promises where they have the answer in this process's memory. It is on every request's way, and a promise
 * would cost more than the answer. Kept by the store itself, so that whatever wraps one is asked in its place.
 */
const immediate = new WeakMap<SessionStore, Partial<AskedStore>>()

/** Offers methods of a store that need not promise. */
export function answerAtOnce(store: SessionStore, methods: Partial<AskedStore>): void {
  immediate.set(store, methods)
}

/** The methods of a store that need not promise, if it offers them. */
export function atOnce(store: SessionStore): Partial<AskedStore> | undefined {
  return immediate.get(store)
}

/** Goes on with an answer when it is there, which may be now. */
export function afterwards<Value, Result>(
  answer: Answer<Value>,
  next: (value: Value) => Answer<Result>,
): Answer<Result> {
  return answer instanceof Promise ? answer.then(next) : next(answer)
}
