import type { Place } from './in-flight.ts'
import { InFlight } from './in-flight.ts'

/** Work that must end by a deadline. */
interface Work {
  /** Instant of `performance.now()`. */
  readonly at: number
  /** Called once the deadline has passed. */
  expire(): void
}

/** A deadline that is watched. */
export type Deadline = Place<Work>

/** The share of a time limit by which a passed deadline is noticed late at most. */
const CHECKS_PER_LIMIT = 4

/**
 * Watches the deadlines of many operations with one timer, because a timer for each would cost more than the operation.
 */
export class Deadlines {
  readonly limit: number
  readonly #pending = new InFlight<Work>()
  #timer: NodeJS.Timeout | undefined

  /** @param limit How long work may take, in milliseconds. */
  constructor(limit: number) {
    this.limit = limit
  }

  /** Starts to watch work. `expire` is called unless the deadline is removed in time. */
  add(expire: () => void): Deadline {
    const deadline = this.#pending.add({ at: performance.now() + this.limit, expire })
    if (this.#timer === undefined) this.#timer = this.#watchLater()
    return deadline
  }

  /** Tells whether the work is still watched. */
  has(deadline: Deadline): boolean {
    return this.#pending.has(deadline)
  }

  /** Stops watching. Returns whether the work was still watched. */
  remove(deadline: Deadline): boolean {
    return this.#pending.remove(deadline)
  }

  /**
   * Runs work that must end in time.
   * @throws an `Error` once the deadline has passed, whatever becomes of the work
   */
  run<Value>(work: () => Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      const deadline = this.add(() => {
        this.remove(deadline)
        reject(new Error(`no answer within ${this.limit} ms`))
      })
      void work()
        .then(resolve, reject)
        .finally(() => this.remove(deadline))
    })
  }

  #watchLater(): NodeJS.Timeout {
    return setTimeout(() => this.#watch(), this.limit / CHECKS_PER_LIMIT).unref()
  }

  #watch(): void {
    const now = performance.now()
    for (const work of this.#pending) if (now >= work.at) work.expire()
    this.#timer = this.#pending.size === 0 ? undefined : this.#watchLater()
  }
}
