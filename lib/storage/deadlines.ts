/** Work that must end by a deadline. */
export interface Deadline {
  /** Instant of `performance.now()`. */
  readonly at: number
  /** Called once the deadline has passed. */
  expire(): void
}

/** The share of a time limit by which a passed deadline is noticed late at most. */
const CHECKS_PER_LIMIT = 4

/**
 * Watches the deadlines of many operations with one timer, because a timer for each would cost more than the operation.
 */
export class Deadlines {
  readonly limit: number
  readonly #pending = new Set<Deadline>()
  #timer: NodeJS.Timeout | undefined

  /** @param limit How long work may take, in milliseconds. */
  constructor(limit: number) {
    this.limit = limit
  }

  /** Starts to watch work. `expire` is called unless the deadline is removed in time. */
  add(expire: () => void): Deadline {
    const deadline: Deadline = { at: performance.now() + this.limit, expire }
    this.#pending.add(deadline)
    if (this.#timer === undefined) this.#timer = this.#watchLater()
    return deadline
  }

  has(deadline: Deadline): boolean {
    return this.#pending.has(deadline)
  }

  /** Stops watching. Returns whether the work was still watched. */
  remove(deadline: Deadline): boolean {
    return this.#pending.delete(deadline)
  }

  #watchLater(): NodeJS.Timeout {
    return setTimeout(() => this.#watch(), this.limit / CHECKS_PER_LIMIT).unref()
  }

  #watch(): void {
    const now = performance.now()
    for (const deadline of this.#pending) if (now >= deadline.at) deadline.expire()
    this.#timer = this.#pending.size === 0 ? undefined : this.#watchLater()
  }
}
