import type { Rules } from '../story.ts'
import type { Meeting } from './overlap.ts'
import { callsOf, IN_DATABASE } from './overlap.ts'

/** Calls that end sessions. */
const ENDS: ReadonlySet<string> = new Set([
  ...['log out here', 'log out elsewhere', 'log out everywhere', 'destroy', 'revoke', 'revoke the user', 'revoke all'],
])

/** Calls that change an id, or begin a session. */
const CHANGES: ReadonlySet<string> = new Set([
  ...['log in', 'log in half', 'confirm', 'update the fingerprint', 'regenerate', 'act', 'stop acting'],
])

/** Tells whether a step ends sessions. */
export function ends(step: Meeting): boolean {
  return callsOf(step).some((name) => ENDS.has(name))
}

function changes(step: Meeting): boolean {
  return callsOf(step).some((name) => CHANGES.has(name))
}

/**
 * Tells whether two steps may leave what they would not leave one after the other:
 * - whoever proves who they are while all sessions end stays, and keeps what the session held; of two ends of all
 *   sessions, one may spare a session that the other one ends;
 * - whoever logs out everywhere ends the other sessions, also where a login takes the own one over meanwhile;
 * - a login beyond the limit and whatever ends others at that moment may end each other;
 * - a request that asks the database twice may get two answers;
 * - a request that ends its session, because its user has another password, may lose the place to another login.
 */
export function isOpenRace(both: readonly Meeting[], { limit, asks }: Rules): boolean {
  const ofAll = both.filter(({ name }) => name === 'revoke all')
  const hasChange = both.some(changes)
  if (ofAll.length > 0 && (hasChange || ofAll.length > 1)) return true
  if (hasChange && both.some((step) => callsOf(step).includes('log out everywhere'))) return true
  if (hasChange && both.some(({ name }) => IN_DATABASE.has(name))) return true
  if (limit?.onLimit === 'refuse' && asks !== undefined && both.every(changes)) return true
  return limit?.onLimit === 'evict' && both.some(changes) && both.every((step) => changes(step) || ends(step))
}
