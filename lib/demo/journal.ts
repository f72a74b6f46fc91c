import type { SessionEvent, Sessions } from '../../types/index.ts'

/** One thing the session layer did, in words. */
export interface JournalEntry {
  readonly at: Date
  readonly text: string
  /** Whether it happened to another session of the same user. */
  readonly isOther: boolean
}

/** Enough to show; the audit log is where events are kept. */
const MAX_KEPT = 200

const REASONS: Partial<Record<string, string>> = {
  login: 'New id at login: the one from before opens nothing any more.',
  confirm: 'New id after the password was confirmed.',
  idle: 'Ended: nobody used it.',
  absolute: 'Ended: its time was up.',
  revoked: 'Ended from the list of devices.',
  replay: 'Ended: its id had been copied.',
}

const TEXTS: Partial<Record<SessionEvent['type'], string>> = {
  login: 'Logged in.',
  logout: 'Logged out: the record is gone.',
  renew: 'New id, as the old one had reached its age.',
  replay: 'An id was presented that had been replaced long ago.',
  'dropped-write': 'A late write was dropped.',
}

/** Remembers the latest session events, for the panel that shows what the session layer did. */
export class Journal {
  #events: readonly SessionEvent[] = []

  constructor(sessions: Sessions) {
    sessions.events.on('event', (event) => {
      this.#events = [event, ...this.#events].slice(0, MAX_KEPT)
    })
  }

  /** What happened to this session and to this user's others, the newest first. */
  latest(handle: string, userId: string, count: number): readonly JournalEntry[] {
    return this.#events
      .filter((event) => isAbout(event, handle, userId))
      .flatMap((event) => entryOf(event, handle) ?? [])
      .slice(0, count)
  }
}

function isAbout(event: SessionEvent, handle: string, userId: string): boolean {
  return ('handle' in event && event.handle === handle) || ('userId' in event && event.userId === userId)
}

function entryOf(event: SessionEvent, handle: string): JournalEntry | undefined {
  const text = 'reason' in event ? (REASONS[event.reason] ?? TEXTS[event.type]) : TEXTS[event.type]
  return text === undefined
    ? undefined
    : { at: new Date(event.at), text, isOther: !('handle' in event && event.handle === handle) }
}
