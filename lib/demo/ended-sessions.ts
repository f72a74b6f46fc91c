import { randomBytes } from 'node:crypto'
import type { SessionInfo } from '../../types/index.ts'
import { BoundedMap } from './bounded-map.ts'

/** The last facts that the bank saw of a session. */
export type SeenSession = Pick<SessionInfo, 'handle' | 'userId' | 'idleDeadline' | 'absoluteDeadline'>

const MAX_SESSIONS = 500
const MAX_TICKETS = 200

/**
 * Remembers sessions, so that a page can say what became of one after its record is gone. A redirect carries the
 * session's ticket, which is random, in its address.
 */
export class EndedSessions {
  readonly #seen = new BoundedMap<SeenSession>(MAX_SESSIONS)
  readonly #tickets = new BoundedMap<string>(MAX_TICKETS)

  see(session: SeenSession): void {
    this.#seen.set(session.handle, session)
  }

  /** Issues a ticket for a session. `undefined` when no page has shown that session. */
  ticketFor(handle: string | undefined): string | undefined {
    if (handle === undefined || this.#seen.get(handle) === undefined) return undefined
    const ticket = randomBytes(16).toString('base64url')
    this.#tickets.set(ticket, handle)
    return ticket
  }

  /** Returns the session behind a ticket. `undefined` for a ticket that was never issued, or too long ago. */
  find(ticket: string): SeenSession | undefined {
    const handle = this.#tickets.get(ticket)
    return handle === undefined ? undefined : this.#seen.get(handle)
  }
}
