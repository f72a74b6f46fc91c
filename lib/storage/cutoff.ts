import type { Answer } from './immediate.ts'

/** The highest age of the known cutoff, in milliseconds. A raise by another process is obeyed no later than this. */
const MAX_AGE = 1000

/** The interval at which the store is asked while requests arrive, so that a request finds a fresh cutoff. */
const REFRESH = 500

/** The time after the last request during which the store is still asked. */
const IDLE_AFTER = 60_000

interface Ask {
  readonly beganAt: number
  readonly answer: Promise<number>
}

/**
 * The cutoff in force, as this process knows it. No session that began before the cutoff may be let in.
 *
 * The store is asked in the background while requests come. A request that finds a fresh cutoff gets the cutoff without
 * a promise. A request that finds an old cutoff waits for the store, and fails if the store gives no answer. An old
 * cutoff is never used, because a session that was ended meanwhile would enter.
 */
export class CutoffWatch {
  readonly #read: () => Promise<number>
  readonly #clock: () => number
  /** Hears each time that this process learns of a later cutoff. */
  onRaise: ((cutoff: number) => void) | undefined
  #cutoff = 0
  /** The store had this cutoff at this instant, or later. */
  #learnedAt = -Infinity
  #usedAt = -Infinity
  #ask: Ask | undefined
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  /** `read` asks the store, and ends within the store's time limit. `clock` is a monotonic clock in milliseconds. */
  constructor(read: () => Promise<number>, clock: () => number = () => performance.now()) {
    this.#read = read
    this.#clock = clock
  }

  /** The cutoff that this process learned last; a later one may be in force. */
  get known(): number {
    return this.#cutoff
  }

  /** Tells whether `current` answers at once. */
  isFresh(): boolean {
    return this.#clock() - this.#learnedAt < MAX_AGE
  }

  /**
   * The cutoff in force: at once when it is fresh, else a promise.
   * @throws the error of the store, when the store does not answer
   */
  current(): Answer<number> {
    this.#usedAt = this.#clock()
    if (!this.isFresh()) return this.#learn()
    this.#refreshLater()
    return this.#cutoff
  }

  /**
   * Asks the store at once, after an announcement. The announcement itself is no proof, because anybody may make one.
   */
  async check(): Promise<number> {
    return this.#begin().answer
  }

  /** Obeys a cutoff that this process has raised. */
  obey(cutoff: number): void {
    if (cutoff <= this.#cutoff) return
    this.#cutoff = cutoff
    this.onRaise?.(cutoff)
  }

  /** Asks no more in the background. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Requests that come at the same time share one question, unless the store has been slow with it. */
  async #learn(): Promise<number> {
    const isRecent = this.#ask !== undefined && this.#clock() - this.#ask.beganAt < REFRESH
    const { answer } = isRecent && this.#ask !== undefined ? this.#ask : this.#begin()
    const cutoff = await answer
    this.#refreshLater()
    return cutoff
  }

  #begin(): Ask {
    const ask: Ask = { beganAt: this.#clock(), answer: this.#asked() }
    this.#ask = ask
    const done = (): void => {
      if (this.#ask === ask) this.#ask = undefined
    }
    ask.answer.then(done, done)
    return ask
  }

  async #asked(): Promise<number> {
    const beganAt = this.#clock()
    const cutoff = await this.#read()
    this.obey(cutoff)
    this.#learnedAt = Math.max(this.#learnedAt, beganAt)
    return this.#cutoff
  }

  #refreshLater(): void {
    if (this.#timer !== undefined || this.#isStopped) return
    this.#timer = setTimeout(() => this.#refresh(), REFRESH).unref()
  }

  /** A failure is left to the request that needs the cutoff. */
  #refresh(): void {
    this.#timer = undefined
    if (this.#clock() - this.#usedAt > IDLE_AFTER) return
    const next = (): void => this.#refreshLater()
    this.#begin().answer.then(next, next)
  }
}
