/** The largest page. All records of a page are in memory at once. */
const MAX_PAGE = 1000

/**
 * The number of records on a page, from what the caller asked for.
 * @throws `RangeError` for anything but a whole number from 1
 */
export function pageLimit(limit: number): number {
  if (!Number.isInteger(limit) || limit < 1) throw new RangeError('limit: a whole number from 1 to 1,000')
  return Math.min(limit, MAX_PAGE)
}
