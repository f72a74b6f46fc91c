import type { SessionEvents } from '../events.ts'
import type { Settings } from '../options.ts'
import type { CutoffGate } from '../storage/cutoff-gate.ts'
import type { Deadlines } from '../storage/deadlines.ts'
import type { Recent } from '../storage/recent.ts'
import type { TimedStore } from '../storage/timed-store.ts'
import type { FreshUsers } from './fresh-users.ts'
import type { DeviceProofs } from './device-bound/proofs.ts'
import type { SessionIds } from './id.ts'
import type { UserSessions } from './user-sessions.ts'
import type { UserSnapshots } from './user-snapshot.ts'
import type { Watch } from './watch.ts'

/** The session object that apps know from @fastify/session: data as properties, plus methods and `cookie`. */
export type EngineSession = Record<PropertyKey, unknown>

/**
 * Makes the object of @fastify/session under the name `handle`. The object holds no data, because data stays in this
 * plugin.
 */
export type OpenSession = (handle: string, protocol: string) => EngineSession

/**
 * The key under which an app keeps a function that returns its engine, for the helpers of
 * `fastify-session-guard/testing`.
 */
export const ENGINE: unique symbol = Symbol.for('fastify-session-guard.engine')

/** The objects that all requests of one app share. */
export interface Engine {
  readonly settings: Settings
  readonly ids: SessionIds
  /** The ids of clients that bring them in a header; absent without the option `headerTransport`. */
  readonly headerIds: SessionIds | undefined
  readonly store: TimedStore
  readonly users: UserSessions
  readonly snapshots: UserSnapshots
  readonly freshUsers: FreshUsers
  /** The time limit of what the app itself answers: `loadUser`, and the users and stores of `migrateFrom`. */
  readonly deadlines: Deadlines
  readonly events: SessionEvents
  /** Absent where the store keeps no cutoff. */
  readonly gate: CutoffGate | undefined
  readonly watch: Watch
  readonly openSession: OpenSession
  /** Binds sessions to devices; absent without the option `deviceBound`. */
  readonly device: DeviceProofs | undefined
  /** Hashes of secrets whose client has logged in since: a late answer may not clear the new cookie. */
  readonly replacedIds: Recent<true>
}

/** The facts of a request that its session may use. */
export interface Client {
  readonly protocol: string
  readonly ip: string
  readonly userAgent: string
  /** Tells whether the request is no use of the session: then the idle deadline and the id stay as they are. */
  readonly isPassive?: boolean
  /** Tells whether the request takes any user, however old the snapshot is. */
  readonly isStaleUserFine?: boolean
  /** Tells whether the request brought a session id in a header, so that no cookie of it counts. */
  readonly isByHeader?: boolean
  /** The connection of the request, if there is one. Serves as a key only. */
  readonly connection?: object
  /** Tells whether the app took the reply over, or writes it by hand. Then Fastify sends no cookie any more. */
  readonly isReplyTaken?: boolean
  /** Calls a listener once the reply is over, or soon if it is over already. */
  afterReply?(listener: () => void): void
  /** Returns the value of a cookie of the request; empty for none, and for several of the name. */
  cookieNamed?(name: string): string
}
