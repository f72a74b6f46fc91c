import type { SessionEvent, Sessions } from '../../types/index.ts'

/** One thing that the session layer did, in words. */
export interface JournalEntry {
  readonly at: Date
  readonly text: string
  /** Tells whether it happened to another session of the same user. */
  readonly isOther: boolean
}

/** Enough to show. A real app keeps events in its audit log. */
const MAX_KEPT = 200

const REASONS: Partial<Record<string, string>> = {
  login: 'New secret at login. The secret from before the login opens nothing now.',
  confirm: 'New secret after the password was confirmed.',
  idle: 'Ended: nobody used it for too long.',
  absolute: 'Ended: it reached its greatest age.',
  revoked: 'Ended from the list of devices.',
  replay: 'Ended: its cookie had been copied.',
}

const TEXTS: Partial<Record<SessionEvent['type'], string>> = {
  login: 'Logged in.',
  logout: 'Logged out. The record was deleted.',
  renew: 'New secret, because the old one was 15 minutes old.',
  replay: 'Somebody used a copy of the cookie.',
  fork: 'A replaced secret came back. A large transfer needs the password again.',
  bound: 'Bound to a key of the device.',
  refreshed: 'The browser proved its key. It has a new bound cookie.',
  'proof-failed': 'Somebody showed the cookies without a proof of the key.',
  'dropped-write': 'A write came too late and was dropped.',
}

/** The reason why a secret is new, by the event that came with the secret. */
const ISSUED: Partial<Record<string, string>> = {
  login: 'login',
  confirm: 'password confirmed',
  renew: 'renewal',
}

/** Events after which the record is gone. */
const ENDS: ReadonlySet<SessionEvent['type']> = new Set(['logout', 'expire', 'revoke'])

/** Remembers the latest session events for the panel. */
export class Journal {
  #events: readonly SessionEvent[] = []

  constructor(sessions: Sessions) {
    sessions.events.on('event', (event) => {
      this.#events = [event, ...this.#events].slice(0, MAX_KEPT)
    })
  }

  /** Returns what happened to this session and to the other sessions of this user, the newest first. */
  latest(handle: string, userId: string, count: number): readonly JournalEntry[] {
    return this.#events
      .filter((event) => isAbout(event, handle, userId))
      .flatMap((event) => entryOf(event, handle) ?? [])
      .slice(0, count)
  }

  /** Returns how this session ended. `undefined` when no event says so. */
  endOf(handle: string): JournalEntry | undefined {
    const end = this.#events.find((event) => ENDS.has(event.type) && hasHandle(event, handle))
    return end && entryOf(end, handle)
  }

  /** Says why the latest secret of this session was issued. */
  reasonOfSecret(handle: string): string {
    for (const event of this.#events) {
      const reason = ISSUED['reason' in event ? event.reason : event.type]
      if (reason !== undefined && hasHandle(event, handle)) return reason
    }
    return 'first visit'
  }
}

function isAbout(event: SessionEvent, handle: string, userId: string): boolean {
  return hasHandle(event, handle) || ('userId' in event && event.userId === userId)
}

function hasHandle(event: SessionEvent, handle: string): boolean {
  return 'handle' in event && event.handle === handle
}

function entryOf(event: SessionEvent, handle: string): JournalEntry | undefined {
  const text = 'reason' in event ? (REASONS[event.reason] ?? TEXTS[event.type]) : TEXTS[event.type]
  return text === undefined ? undefined : { at: new Date(event.at), text, isOther: !hasHandle(event, handle) }
}
