import type { History, Operation } from './history.ts'
import { linesOf } from './history.ts'

/** The state of one session. One that is over may come back with its note. */
type State = 'unborn' | { readonly note: string; readonly isOver: boolean }

/** A history that no order of its calls explains. */
interface Anomaly {
  /** The calls in the longest order that was found. */
  readonly explained: readonly string[]
  /** The calls of which none can come next. */
  readonly left: readonly string[]
}

/** The number of orders that the search looks at before it gives up. */
const MOST_STEPS = 2_000_000

/**
 * Looks for an order in which the calls could have happened one at a time, each between its beginning and its answer
 * (linearizability). The algorithm is that of Wing and Gong, with Lowe's memory of states that were seen. Returns
 * `undefined` if there is such an order.
 * @throws an `Error` if the search takes too long, so that no history passes unjudged
 */
export function judge(history: History): Anomaly | undefined {
  const search = new Search(history)
  return search.succeeds(0n, 'unborn') ? undefined : search.anomaly
}

class Search {
  readonly #operations: readonly Operation[]
  /** The calls that must have happened. */
  readonly #known: bigint
  readonly #seen = new Set<string>()
  #longest: readonly number[] = []
  readonly #order: number[] = []

  constructor(history: History) {
    this.#operations = tellingOf(history.toSorted((a, b) => a.from - b.from))
    let known = 0n
    for (const [index, { saw }] of this.#operations.entries()) if (saw !== 'unknown') known |= 1n << BigInt(index)
    this.#known = known
  }

  get anomaly(): Anomaly {
    const left = this.#operations.filter((_, index) => !this.#longest.includes(index))
    const explained = this.#longest.flatMap((index) => this.#operations[index] ?? [])
    return { explained: explained.flatMap((one) => linesOf([one])), left: linesOf(left) }
  }

  /** Tries each call that may come next after those that are `done`. */
  succeeds(done: bigint, state: State): boolean {
    if ((this.#known & ~done) === 0n) return true
    const key = `${done} ${state === 'unborn' ? state : `${state.isOver} ${state.note}`}`
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    if (this.#seen.size > MOST_STEPS) throw new Error('this history takes too long to judge')
    for (const index of this.#next(done)) {
      const after = apply(state, this.#operations[index] as Operation)
      if (after === undefined) continue
      this.#order.push(index)
      if (this.#order.length > this.#longest.length) this.#longest = [...this.#order]
      if (this.succeeds(done | (1n << BigInt(index)), after)) return true
      this.#order.pop()
    }
    return false
  }

  /** Returns the calls that began before any other call that is left was answered. */
  #next(done: bigint): number[] {
    const left = [...this.#operations.keys()].filter((index) => (done & (1n << BigInt(index))) === 0n)
    const first = Math.min(...left.map((index) => endOf(this.#operations[index] as Operation)))
    return left.filter((index) => (this.#operations[index] as Operation).from < first)
  }
}

/**
 * Leaves out calls without an answer that no order needs: reads, writes of notes that nobody read, and ends after the
 * first one. The first end may happen whenever the others may, unless the session came back.
 */
function tellingOf(sorted: History): History {
  const read = new Set(sorted.map(({ saw }) => noteOf(saw)))
  const isRevived = sorted.some(({ call }) => call.kind === 'revive')
  const firstEnd = sorted.find(({ call, saw }) => call.kind === 'end' && saw === 'unknown')
  return sorted.filter((operation) => {
    const { call, saw } = operation
    if (saw !== 'unknown' || call.kind === 'revive') return true
    return 'note' in call ? read.has(call.note) : call.kind === 'end' && (isRevived || operation === firstEnd)
  })
}

/** Returns the instant at which a call ended. A call without an answer may happen at any time. */
function endOf({ saw, until }: Operation): number {
  return saw === 'unknown' ? Infinity : until
}

/** Returns the state after a call; `undefined` if the call cannot have been answered so. */
function apply(state: State, { call, saw }: Operation): State | undefined {
  if (call.kind === 'begin') return state === 'unborn' ? { note: call.note, isOver: false } : undefined
  // A revocation may come before the login.
  if (state === 'unborn') return call.kind === 'end' ? state : undefined
  switch (call.kind) {
    case 'end':
      return { ...state, isOver: true }
    case 'revive':
      return { ...state, isOver: false }
    case 'read':
      return state.isOver === (saw === 'nobody') && (state.isOver || noteOf(saw) === state.note) ? state : undefined
    case 'write':
      if (state.isOver) return saw === 'done' ? undefined : state
      return saw === 'nobody' ? undefined : { note: call.note, isOver: false }
  }
}

function noteOf(saw: Operation['saw']): string | undefined {
  return typeof saw === 'object' ? saw.note : undefined
}
