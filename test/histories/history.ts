/**
 * A call on one session:
 * - `begin`: a login that made the session, with its first note;
 * - `read`: a request that shows the user and the note;
 * - `write`: a request that sets the note;
 * - `end`: a logout, a revocation, or a login that took the place of the session;
 * - `revive`: a login that failed, and gave back the session whose place it had taken.
 */
export type Call =
  | { readonly kind: 'read' | 'end' | 'revive' }
  | { readonly kind: 'begin' | 'write'; readonly note: string }

/**
 * The answer to a call:
 * - `done`: it happened;
 * - `nobody`: the session was over;
 * - `unknown`: it may have happened, may still happen, or never will;
 * - a note that was read.
 */
export type Saw = 'done' | 'nobody' | 'unknown' | { readonly note: string }

/** A call with its answer, as the client saw it. Instants are counted, not timed. */
export interface Operation {
  readonly client: string
  readonly call: Call
  readonly saw: Saw
  /** The instant before the request was sent. */
  readonly from: number
  /** The instant after the answer came. */
  readonly until: number
}

/** Everything that clients did to one session. */
export type History = readonly Operation[]

/** Returns a history as lines, in the order in which the calls began. */
export function linesOf(history: History): string[] {
  const sorted = history.toSorted((a, b) => a.from - b.from)
  return sorted.map(({ client, call, saw, from, until }) => {
    const what = 'note' in call ? `${call.kind} ${call.note}` : call.kind
    const answer = typeof saw === 'string' ? saw : `saw ${saw.note}`
    return `${String(from).padStart(8)} to ${String(until).padEnd(8)} ${client.padEnd(10)} ${what.padEnd(16)} ${answer}`
  })
}
