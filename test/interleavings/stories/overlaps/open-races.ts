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

/** Changes of the id that are dropped, and not refused, once the id has changed. */
const UNASKED: ReadonlySet<string> = new Set(['regenerate', 'stop acting'])

/** Calls that begin a session of their own where they cannot go on with the one that they meet. */
const BEGINS: ReadonlySet<string> = new Set(['log in', 'log in half'])

function ends(step: Meeting): boolean {
  return callsOf(step).some((name) => ENDS.has(name))
}

/** Tells whether a step changes an id, or begins a session. */
export function changes(step: Meeting): boolean {
  return callsOf(step).some((name) => CHANGES.has(name))
}

/**
 * Tells whether a step is dropped once the id of its session has changed. If that change is then taken back, nothing is
 * left of either.
 */
export function isDroppable(step: Meeting): boolean {
  return callsOf(step).every((name) => !ENDS.has(name) && (!CHANGES.has(name) || UNASKED.has(name)))
}

/**
 * Tells whether operations of the store may time out while two steps happen. They may not
 * - where a step ends sessions, because those that it had ended before stay so: a login ends one that is bound;
 * - where one step logs in and the other one changes the id: then a login goes on without the session, even if that
 *   change is taken back;
 * - where users are asked for, because a session whose user changed ends with the answer;
 * - where a use leaves something of its own, because it is lost with its time-out: it is the first one after the clock
 *   was set back, or the first one that shows the bound cookie.
 */
export function mayTimeOut({ steps, both, rules, binding }: Overlap): boolean {
  const isUseNoted = binding === 'registered' || steps.some(({ name }) => name === 'set the clock back')
  const isBegun = both.some((step) => callsOf(step).some((name) => BEGINS.has(name)))
  const isApart = isBegun && (binding !== 'none' || both.every(changes))
  return !isUseNoted && !isApart && rules.asks === undefined && !both.some((step) => mayEnd(step, rules))
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
