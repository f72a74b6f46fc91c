import type { SecureSessionOptions } from '../../types/index.ts'
import type { Handler, Sending, Server } from './server.ts'
import type { Kind } from './kinds.ts'

/** The sessions that an act ends, if it succeeds. */
type Ends = 'own' | 'others' | 'user' | 'everybody' | undefined

/** A session of another library: in its cookie, in a store that keeps it after the move, or of nobody. */
export type OldSession = 'in a cookie' | 'kept' | 'of nobody'

/** One thing that somebody does, as often as the list of pairs asks for it. */
export interface Act {
  readonly name: string
  perform(performer: Performer): Promise<void>
  /** The user who is logged in afterwards. */
  readonly logsIn?: string
  /** The user whom the session shows afterwards, because somebody begins or stops to act as another user. */
  readonly shows?: string
  /** Tells whether the act is about the user as whom somebody acts. */
  readonly isAboutShown?: boolean
  /** Tells whether the id changes, so that older ids open nothing. */
  readonly changesId?: boolean
  readonly ends?: Ends
  /** Tells whether a place of another session may have to go. */
  readonly evicts?: boolean
  /** Tells whether the act begins in a browser of its own, without a session. */
  readonly isElsewhere?: boolean
  /** Tells whether the act is done by the app, and not by the browser of the session. */
  readonly isOutside?: boolean
  /** The key that the act writes, if it writes data. */
  readonly writes?: string
  /** Tells whether only somebody without a login does it. */
  readonly isForGuests?: boolean
  /** The key that the act removes. */
  readonly removes?: string
  /** The name that the act gives to the user, wherever the user is logged in. */
  readonly renames?: string
  /** Tells whether the act brings the cookie of another library. */
  readonly isMove?: boolean
  /** The way in which the other library keeps its session. Default: in a store, for its user. */
  readonly oldSession?: OldSession
  /** Tells whether the act begins with an id that is old enough to be renewed. */
  readonly isAged?: boolean
  /** The number of times that a renewed id was shown before. */
  readonly shown?: 0 | 1
  /** The time that passes in a step of its own before the act begins, where all sessions are about to expire. */
  readonly waits?: number
  /** Tells whether the act begins with a half login. */
  readonly isHalfDone?: boolean
  /** Tells whether the cookie is one from before a change of the id. */
  readonly isReplay?: boolean
  /** Tells whether a failover has set the record back to before the id was renewed. */
  readonly isAhead?: boolean
  /** Tells whether the cookie is one that a renewal replaced, shown once the longest window has closed. */
  readonly isReplaced?: boolean
  /** Tells whether the cookie is two renewals behind the one in use, and the last use is long ago. */
  readonly isOutdated?: boolean
  /** Tells whether the client does not look like the one that logged in. */
  readonly isStranger?: boolean
  /** Codes of errors that are an answer, although no store failed. */
  readonly codes?: readonly string[]
  /** Tells whether the response is a failure on purpose. */
  readonly isFailure?: boolean
  /** Tells whether what the act did stands, although its response is a failure. */
  readonly isImmediate?: boolean
  /** The key that the act writes and that no session may have afterwards. */
  readonly discards?: string
  /** Tells whether the act begins a login that another one replaces, so that the data from before may go. */
  readonly abandons?: boolean
  /** Tells whether no time may have passed since the sessions began. */
  readonly isInstant?: boolean
  /** The keys of the data that a change of the id keeps. Default: all. */
  readonly keeps?: readonly string[]
  /** Tells whether the act is played beside few others: it has a session of its own, or an odd clock. */
  readonly isApart?: boolean
  /** Tells whether the act is one of every two calls, so that it is played beside a read and a write alone. */
  readonly isSequence?: boolean
  /** The time by which the clock was set back since the sessions began. */
  readonly setBackBy?: number
  /** Tells whether the session of the scene is that of a user who is given a short time. */
  readonly isHurried?: boolean
  /** Tells whether the act adds to a number in the data. */
  readonly counts?: boolean
  /** Tells whether the login is for a short time. */
  readonly isShort?: boolean
  /** Tells whether the handler returns the signal that aborts at the end of the session. */
  readonly awaitsEnd?: boolean
  /** The ways in which the user logs in. */
  readonly methods?: readonly string[]
  /** The name of the user that the act leaves in its session. */
  readonly names?: string | null
  /** Tells whether the app names a user whom the session does not belong to. */
  readonly isForOther?: boolean
  /** Tells whether the response can carry no new id, or is to carry none. */
  readonly carriesNothing?: boolean
  /** The kinds of sessions that the act is played on. Default: all that it fits. */
  readonly kinds?: readonly Kind[]
  readonly options?: SecureSessionOptions
  /** The part of the act in the protocol of device-bound sessions, and the key that it signs with. */
  readonly device?: DeviceAct
  /** Tells whether the request brings the session cookie without the bound one. */
  readonly isBare?: boolean
  /**
   * The check of the user and of their credentials: on each request, not yet due in the run, or due in the run. In the
   * last case the user has a new name since the check before.
   */
  readonly checks?: 'always' | 'later' | 'due'
  /** Tells whether an answer about a user may arrive some time after the database gave it. */
  readonly isAnsweredLate?: boolean
  /** Tells whether the user has changed the password since the check before. */
  readonly hasOldPassword?: boolean
}

/** Tells whether an act is about somebody who acts as another user. */
export function isAboutActing({ name, shows, isAboutShown }: Act): boolean {
  return (shows ?? isAboutShown) !== undefined || /act(ing| as)/.test(name)
}

/**
 * A request of the protocol of device-bound sessions:
 * - `bind`: the browser of the login registers a key of its own;
 * - `refresh`: the browser proves the key of the binding;
 * - `other key`, `old proof`: a thief has the cookies, and another key or a proof that was sent before.
 */
export type DeviceAct = 'bind' | 'refresh' | 'other key' | 'old proof'

/** The tools of an act. */
export interface Performer {
  readonly server: Server
  /** The handle of the session. */
  readonly handle: string
  /** The cookie of the session. */
  readonly cookie: string | undefined
  send(handler: Handler, sending?: Partial<Sending>): Promise<void>
  work(run: () => Promise<unknown>): Promise<void>
  /** Sends what the act signed to the route of the protocol. */
  prove(): Promise<void>
  changePassword(): Promise<void>
  /** Gives the user another name in the database of the app. */
  renameUser(): Promise<void>
  /** Removes the user from the database of the app. */
  deleteUser(): Promise<void>
}
