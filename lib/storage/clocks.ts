/**
 * The time by which the clock of another server may be ahead when all sessions are ended, in milliseconds. Its sessions
 * seem to have begun later than they did. A session that begins after the cutoff is marked, so that it lives although
 * the cutoff lies in the future.
 */
export const MAX_AHEAD = 30_000

/**
 * The difference between two clocks that counts as none, in milliseconds. Servers may be two minutes apart, and must
 * not shorten the windows of each other's ids.
 */
export const MAX_SKEW = 150_000
