/** The bank's time, in milliseconds since 1970. The bank can move the clock forward. */
export interface BankClock {
  (): number
  advance(milliseconds: number): void
}

/** Follows another clock, ahead of that clock by everything that `advance` added. */
export function movableClock(source: () => number): BankClock {
  let ahead = 0
  return Object.assign(() => source() + ahead, {
    advance(milliseconds: number) {
      ahead += milliseconds
    },
  })
}
