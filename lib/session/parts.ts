import type { SessionEvents } from '../events.ts'
import type { Settings } from '../options.ts'
import type { AnsweringStore } from './answering-store.ts'
import type { SessionData } from './data.ts'
import type { SessionIds } from './id.ts'
import type { UserSessions } from './user-sessions.ts'

/** The session object that apps know from @fastify/session: data as properties, plus methods and `cookie`. */
export type EngineSession = Record<PropertyKey, unknown>

/** Makes a session object that holds `data`, under the name `handle`. */
export type OpenSession = (handle: string, data: SessionData, protocol: string) => EngineSession

/** Where an app keeps a function that gives its parts: for the helpers of `fastify-session-guard/testing`, in this process only. */
export const PARTS: unique symbol = Symbol.for('fastify-session-guard.parts')

/** What all requests of one app share. */
export interface Parts {
  readonly settings: Settings
  readonly ids: SessionIds
  readonly store: AnsweringStore
  readonly users: UserSessions
  readonly events: SessionEvents
  readonly openSession: OpenSession
}

/** What a session may know of the request it serves. */
export interface Client {
  readonly protocol: string
  readonly ip: string
  readonly userAgent: string
}
