import { AsyncLocalStorage } from 'node:async_hooks'
import { DEVICES } from '../../lib/session/known-devices.ts'
import type { ReadingMany, SessionRecord, SessionStore, Sweeping, UserIndex } from '../../types/index.ts'

/** Any store, with whatever powers it has. */
export type AnyStore = SessionStore & Partial<UserIndex & Sweeping & ReadingMany>

/** One call of a store, from the moment it was made. */
export interface Operation {
  readonly name: string
  readonly args: readonly unknown[]
  /** The label given to `Gate.as`: it names who made the call. */
  readonly actor: string | undefined
  /** Position in time of its start and its end, among all starts and ends. */
  startedAt: number
  endedAt: number
  /** The value that the call resolved to; `undefined` while it runs and after it failed. */
  answer: unknown
}

/** Decides when an operation may happen. It has to call `run`, once. */
type Conductor = (operation: Operation, run: () => Promise<void>) => Promise<void>

/** The most orders of operations that a test plays, and the seed by which they are drawn. */
export interface Sample {
  readonly most: number
  readonly seed: number
}

/** The operations that a trap waits for. */
interface Trap {
  readonly name: string
  readonly by?: string
  /** Lets this many matching operations pass first. Default 0. */
  readonly after?: number
}

/** One operation caught before it happened. */
interface Caught {
  /** Resolves when the operation has come; it has not happened yet. */
  readonly arrived: Promise<void>
  /** Lets it happen. */
  release(): void
  /** Fails the operation: it never happens, and its caller is told so. */
  fail(): void
  /** Loses the answer: the operation happens, but its caller is told that it did not. */
  lose(): void
  /** Abandons the operation: it never happens, and its caller never hears of it again. */
  forget(): void
  /** Gives the caller this value, as a cache would. The operation does not happen. */
  answer(value: unknown): void
}

type Verdict = 'release' | 'fail' | 'lose' | 'forget' | { readonly told: unknown }

interface Waiting {
  readonly trap: Trap
  passed: number
  readonly arrive: () => void
  readonly verdict: Promise<Verdict>
}

const METHODS = new Set<PropertyKey>([
  ...['get', 'getMany', 'create', 'update', 'touch', 'delete'],
  ...['addToIndex', 'keepInIndex', 'removeFromIndex', 'listIndex'],
])

/**
 * The labels under which code runs, by gate. All gates share one storage, because Node.js hands each storage that was
 * ever used to each promise.
 */
const ACTORS = new AsyncLocalStorage<ReadonlyMap<Gate, string>>()

/** Returns a promise and the key to it. */
export function door<Value = void>(): { opened: Promise<Value>; open: (value: Value) => void } {
  let open: (value: Value) => void = () => undefined
  const opened = new Promise<Value>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 4; round += 1) await new Promise((resolve) => setImmediate(resolve))
}

/**
 * A store between the plugin and the real one, in which a test decides what happens first. It notes all that happens.
 */
export class Gate {
  /** The store that the plugin gets. It has the powers of the real store, and no others. */
  readonly store: AnyStore
  /** All operations so far, in the order in which they were called. */
  readonly operations: Operation[] = []
  conductor: Conductor | undefined
  /** The orders that a test plays on this store; all that the test asks for without. */
  readonly sample: Sample | undefined
  readonly #traps: Waiting[] = []
  #time = 0
  #underWay = 0

  constructor(real: AnyStore, sample?: Sample) {
    this.sample = sample
    // A plain target: the guard must not take the wrapper for the store it wraps.
    this.store = new Proxy({} as AnyStore, {
      get: (_target, name) => {
        if (name === 'constructor') return undefined
        const member: unknown = Reflect.get(real, name)
        if (typeof member !== 'function') return member
        const ask = (args: unknown[]): unknown => this.#count(Reflect.apply(member, real, args))
        return (...args: unknown[]) => {
          // The kinds of clients of a user decide nothing, so their order is of no interest.
          if (!METHODS.has(name) || String(args[0]).startsWith(DEVICES)) return ask(args)
          return this.#perform(String(name), args, async () => ask(args))
        }
      },
      set: (_target, name, value) => Reflect.set(real, name, value),
    })
  }

  /** Tells whether the real store still owes an answer. */
  get isAsked(): boolean {
    return this.#underWay > 0
  }

  #count(answer: unknown): unknown {
    if (!(answer instanceof Promise)) return answer
    this.#underWay += 1
    return answer.finally(() => (this.#underWay -= 1))
  }

  /** Runs something under a label, which all its operations carry. */
  as<Result>(actor: string, run: () => Result): Result {
    return ACTORS.run(new Map([...(ACTORS.getStore() ?? []), [this, actor]]), run)
  }

  /** Catches the next operation that matches. */
  hold(name: string, options: Omit<Trap, 'name'> = {}): Caught {
    const verdict = door<Verdict>()
    const arrival = door()
    this.#traps.push({ trap: { name, ...options }, passed: 0, arrive: arrival.open, verdict: verdict.opened })
    return {
      arrived: arrival.opened,
      release: () => verdict.open('release'),
      fail: () => verdict.open('fail'),
      lose: () => verdict.open('lose'),
      forget: () => verdict.open('forget'),
      answer: (told) => verdict.open({ told }),
    }
  }

  /** Names of the operations an actor has made, in order. */
  namesBy(actor: string): string[] {
    return this.operations.filter((operation) => operation.actor === actor).map((operation) => operation.name)
  }

  /** Handles of all records that were ever created. */
  createdHandles(): string[] {
    const created = this.operations.filter(({ name, answer }) => name === 'create' && answer === true)
    return created.map(({ args }) => (args[0] as SessionRecord).handle)
  }

  async #perform(name: string, args: readonly unknown[], ask: () => Promise<unknown>): Promise<unknown> {
    const actor = ACTORS.getStore()?.get(this)
    const operation: Operation = { name, args, actor, startedAt: 0, endedAt: 0, answer: undefined }
    const outcome: { error?: unknown } = {}
    const run = async (): Promise<void> => {
      this.operations.push(operation)
      operation.startedAt = this.#time += 1
      try {
        operation.answer = await ask()
      } catch (error) {
        outcome.error = error
      }
      operation.endedAt = this.#time += 1
    }
    const waiting = this.#traps.find((one) => isFor(one, operation))
    const verdict = waiting === undefined ? 'release' : await this.#spring(waiting)
    if (verdict === 'forget') return new Promise(() => undefined)
    if (typeof verdict === 'object') return verdict.told
    if (verdict === 'fail') throw new Error('the store failed, as the test wanted')
    await (this.conductor === undefined ? run() : this.conductor(operation, run))
    if (verdict === 'lose') throw new Error('the answer was lost, as the test wanted')
    if ('error' in outcome) throw outcome.error
    return operation.answer
  }

  #spring(waiting: Waiting): Promise<Verdict> {
    this.#traps.splice(this.#traps.indexOf(waiting), 1)
    waiting.arrive()
    return waiting.verdict
  }
}

function isFor(waiting: Waiting, operation: Operation): boolean {
  const { trap } = waiting
  if (trap.name !== operation.name || (trap.by !== undefined && trap.by !== operation.actor)) return false
  if (waiting.passed >= (trap.after ?? 0)) return true
  waiting.passed += 1
  return false
}
