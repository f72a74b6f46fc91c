import { parseDuration } from '../session/duration.ts'
import type { Duration } from '../../types/index.ts'

/** A clock for the option `clock`, which moves only when told to. */
export interface ManualClock {
  /** The time, in milliseconds since 1970. */
  (): number
  /** Moves it on, for example by `'15m'`. Throws a TypeError for what is no duration. */
  advance(by: Duration): void
}

/**
 * Returns a clock that stands still, so that a test of a timeout waits for nothing:
 *
 * ```ts
 * const clock = manualClock()
 * app.register(secureSession, { clock, store: memoryStore({ clock }) })
 * clock.advance('31m')
 * ```
 *
 * A store goes by a clock too: give it the same one.
 * @param start Milliseconds since 1970, or a date. Default the present.
 */
export function manualClock(start: number | Date = Date.now()): ManualClock {
  let now = Number(start)
  return Object.assign(() => now, {
    advance(by: Duration): void {
      const milliseconds = parseDuration(by)
      if (milliseconds === undefined) throw new TypeError("a clock advances by a duration such as '15m'")
      now += milliseconds
    },
  })
}
