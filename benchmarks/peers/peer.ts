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
  /** The name that the table prints. */
  readonly title: string
  /** Scenarios that mean something for it; all when absent. */
  readonly only?: readonly ScenarioName[]
  /** Keeps nothing: its answers are made up, it is here as the floor under the others. */
  readonly isFloor?: boolean
  /** Tells whether a logout makes the id useless. It cannot where the cookie holds the whole session. */
  readonly endsSessions: boolean
  /** Steps whose answers carry `Set-Cookie`. A missing `Set-Cookie` fails the run, and so does an unexpected one. */
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

/** The data that the routes keep in a session. The plugin under test keeps `user` outside of the data. */
export interface SessionData {
  user?: User
  theme?: string
  views?: number
}

/** The theme that a login puts into a session besides the user. */
export const THEME = 'dark'

/** The answer of the routes to a visitor who is not logged in. */
export const NOBODY = { error: 'nobody is logged in' }

/** Listens on a port that the system chooses. */
export async function listen(app: FastifyInstance): Promise<number> {
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  return Number(new URL(address).port)
}
