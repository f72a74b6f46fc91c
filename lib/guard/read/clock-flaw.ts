/** Seconds, as many APIs count them. */
const FIRST_SECONDS = 1e9
const LAST_SECONDS = 1e10

/**
 * The least time in microseconds; below, the least in nanoseconds. Both were reached in 1973. A clock of milliseconds
 * reaches the first number in the year 5138.
 */
const FIRST_MICROSECONDS = 1e14
const FIRST_NANOSECONDS = 1e17

/**
 * Returns what is wrong with the time that a clock tells, as the rest of a sentence; `undefined` for milliseconds since
 * 1970. The clock of a test may begin anywhere, except where seconds are.
 */
export function clockFlaw(clock: () => unknown): string | undefined {
  try {
    return flawOf(clock())
  } catch {
    return 'throws'
  }
}

function flawOf(time: unknown): string | undefined {
  if (typeof time === 'bigint') return 'returns a bigint, as process.hrtime.bigint() does'
  if (time instanceof Date) return 'returns a Date: call getTime()'
  if (typeof time !== 'number') return 'returns no number'
  if (!Number.isFinite(time)) return 'returns no finite number'
  const size = Math.abs(time)
  if (size >= FIRST_NANOSECONDS) return 'returns nanoseconds'
  if (size >= FIRST_MICROSECONDS) return 'returns microseconds'
  if (size >= FIRST_SECONDS && size < LAST_SECONDS) return 'returns seconds'
  // Only clocks that start with the process count fractions from zero.
  if (size < FIRST_SECONDS && !Number.isInteger(time)) {
    return 'counts from the start of the process, as performance.now() and process.uptime() do'
  }
  return undefined
}
