const DAY = 86_400_000

const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/

/** Returns the instant at which a day is over in UTC, or the instant itself. `undefined` for what is no date. */
export function endOfDate(text: string): number | undefined {
  if (!DATE.test(text)) return undefined
  const instant = Date.parse(text)
  const day = text.slice(0, 10)
  // Date.parse takes February 30th for March 2nd.
  if (Number.isNaN(instant) || !new Date(day).toISOString().startsWith(day)) return undefined
  return text === day ? instant + DAY : instant
}
