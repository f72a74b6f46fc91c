import { SecureSessionError } from '../errors.ts'
import type { SessionEnd } from '../storage/timed-store.ts'
import type { SessionRecord } from '../../types/index.ts'

export type { SessionEnd } from '../storage/timed-store.ts'

/** Ends something that is open. */
export type End = (why: SessionEnd) => void

/** A guest of a session: something open that ends with it. */
export interface Guest {
  readonly end: End
  /** Tells whether the guest is still there. Asked now and then; a guest that is gone is forgotten. */
  isThere?(): boolean
}

/** Watches over what is open, and ends it with its session. */
export interface Watch {
  /**
   * Adds a guest of a session that was read a moment ago. Returns a function that forgets the guest.
   * @param isAsked Whether the store is asked at once if the session lives. Otherwise the next look does that.
   */
  open(record: SessionRecord, guest: Guest, isAsked?: boolean): () => void
  /** Resolves once the sessions that are to be looked at by now were looked at. */
  looked(): Promise<void>
}

/** Returns the reason with which a signal aborts. */
export function endedBecause(why: SessionEnd): SecureSessionError {
  return new SecureSessionError('SESSION_CLOSED', { detail: why })
}
