import type { SessionEvents } from '../events.ts'
import type { Settings } from '../options.ts'
import type { AnsweringStore } from '../storage/timed-store.ts'
import type { SessionIds } from './id.ts'
import type { UserSessions } from './user-sessions.ts'
import type { UserSnapshots } from './user-snapshot.ts'

/** The session object that apps know from @fastify/session: data as properties, plus methods and `cookie`. */
export type EngineSession = Record<PropertyKey, unknown>

/** Makes @fastify/session's object, under the name `handle`. It holds no data: that stays where only this plugin reaches it. */
export type OpenSession = (handle: string, protocol: string) => EngineSession

/** Where an app keeps a function that gives its parts: for the helpers of `fastify-session-guard/testing`, in this process only. */
export const PARTS: unique symbol = Symbol.for('fastify-session-guard.parts')

/** What all requests of one app share. */
export interface Parts {
  readonly settings: Settings
  readonly ids: SessionIds
  readonly store: AnsweringStore
  readonly users: UserSessions
  readonly snapshots: UserSnapshots
  readonly events: SessionEvents
  readonly openSession: OpenSession
}

/** What a session may know of the request it serves. */
export interface Client {
  readonly protocol: string
  readonly ip: string
  readonly userAgent: string
  /** Stands for the connection that the request came over, if it came over one. */
  readonly connection?: object
}
