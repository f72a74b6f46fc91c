import { createHash } from 'node:crypto'
import { Recent } from '../storage/recent.ts'

/** The time for which a value that was noted is not new again. */
const QUIET = 60_000

/** The number of values in each of two generations, kept as hashes. */
const REMEMBERED = 1000

/**
 * Remembers which cookie values were seen during the last minute, so that each is noted once and not for every asset of
 * a page.
 */
export class SeenValues {
  readonly #clock: () => number
  readonly #seen = new Recent<number>(REMEMBERED)

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** Notes a value. Returns whether it was not noted during the last minute. */
  note(value: string): boolean {
    const key = createHash('sha256').update(value).digest('base64url')
    const now = this.#clock()
    const age = now - (this.#seen.get(key) ?? -Infinity)
    // A clock that was set back must not keep a value quiet.
    if (age >= 0 && age < QUIET) return false
    this.#seen.set(key, now)
    return true
  }
}
