import { parseDuration } from '../../lib/session/duration.ts'
import type { Duration } from '../../types/index.ts'

/** A clock that moves when told to. */
export interface TestClock {
  (): number
  advance(by: Duration | number): void
  set(to: number): void
}

/** Starts at 2026-01-01T00:00:00Z. */
export function testClock(start = Date.UTC(2026, 0, 1)): TestClock {
  let now = start
  return Object.assign(() => now, {
    advance(by: Duration | number) {
      now += typeof by === 'number' ? by : (parseDuration(by) ?? 0)
    },
    set(to: number) {
      now = to
    },
  })
}
