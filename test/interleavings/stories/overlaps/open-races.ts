import type { Rules } from '../story.ts'
import type { Meeting, Overlap } from './overlap.ts'
import { callsOf, IN_DATABASE } from './overlap.ts'

/** Calls that end sessions. */
const ENDS: ReadonlySet<string> = new Set([
  ...['log out here', 'log out elsewhere', 'log out everywhere', 'destroy', 'revoke', 'revoke the user', 'revoke all'],
])

/** Calls that change an id, or begin a session. */
const CHANGES: ReadonlySet<string> = new Set([
  ...['log in', 'log in half', 'confirm', 'update the fingerprint', 'regenerate', 'act', 'stop acting'],
])

function ends(step: Meeting): boolean {
  return callsOf(step).some((name) => ENDS.has(name))
}

function changes(step: Meeting): boolean {
  return callsOf(step).some((name) => CHANGES.has(name))
}

/** Tells whether a step may end sessions: by what it calls, or by a login that needs the place of another one. */
export function mayEnd(step: Meeting, { limit }: Rules): boolean {
  return ends(step) || (limit !== undefined && changes(step))
}

/**
 * Tells whether two steps may leave what they would not leave one after the other:
 * - whoever proves who they are while all sessions end stays, and keeps what the session held; of two ends of all
 *   sessions, one may spare a session that the other one ends;
 * - two who end the sessions of each other may both be out;
 * - whoever logs out everywhere ends the other sessions, also where a login takes the own one over meanwhile;
 * - a login makes room by a step of its own where there is a limit, and another login may take the place;
 * - a request that asks the database twice may get two answers;
 * - whoever was let in without the bound cookie, before it came back or the key was proved for the first time, still
 *   writes. The bound cookie of the first browser may be over.
 */
export function isOpenRace({ both, rules, binding }: Pick<Overlap, 'both' | 'rules' | 'binding'>): boolean {
  const hasChange = both.some(changes)
  const isAbout = (names: readonly string[]): boolean =>
    both.some((step) => callsOf(step).some((name) => names.includes(name)))
  if (both.every((step) => mayEnd(step, rules))) return true
  const isBeside = both.some(({ name }) => name === 'prove')
  const isBare = (step: Meeting): boolean => step.name === 'request' && (step.browser !== 0 || isBeside)
  if (binding === 'registered' && both.some((step) => isBare(step) && callsOf(step).length > 0)) return true
  return hasChange && isAbout(['revoke all', 'log out everywhere', ...IN_DATABASE])
}
