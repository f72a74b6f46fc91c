import type { FastifyInstance } from 'fastify'

/** Everything that is measured, in the order of the table. */
export type PeerName =
  | 'fastify'
  | 'fastify-cookie'
  | 'session-guard'
  | 'session-guard-bound'
  | 'before'
  | 'fastify-session'
  | 'fastify-session-tuned'
  | 'secure-session'
  | 'express-session'
  | 'iron-session'

/** Everything they are measured at. */
export type ScenarioName = 'anonymous' | 'user' | 'session' | 'write' | 'bound' | 'login-logout'

/** One way to keep sessions, behind the same six routes as all the others. */
export interface Peer {
  readonly name: PeerName
  /** As the table prints it. */
  readonly title: string
  /** Scenarios that mean something for it; all when absent. */
  readonly only?: readonly ScenarioName[]
  /** Keeps nothing: its answers are made up, it is here as the floor under the others. */
  readonly isFloor?: boolean
  /** Whether an id that was logged out is worthless; it cannot be where the cookie holds the whole session. */
  readonly endsSessions: boolean
  /** Which answers carry `Set-Cookie`. One that should and does not (or the other way round) fails the run. */
  readonly setsCookieOn: readonly Step[]
  /** Listens on a free port of 127.0.0.1 and resolves to that port. Loads only what this peer needs. */
  start(): Promise<number>
}

/** The routes, each of which a scenario uses. */
export type Step = 'anonymous' | 'user' | 'session' | 'write' | 'login' | 'logout'

/** The user as a login sends it, and as the routes give it back. */
export interface User {
  id: string
  name: string
}

/** What the routes keep in a session. The plugin under test keeps `user` outside of it. */
export interface SessionData {
  user?: User
  theme?: string
  views?: number
}

/** What a login puts into a session besides the user. */
export const THEME = 'dark'

/** What the routes answer to a visitor who is nobody. */
export const NOBODY = { error: 'nobody is logged in' }

/** Listens on a port that the system chooses. */
export async function listen(app: FastifyInstance): Promise<number> {
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  return Number(new URL(address).port)
}
