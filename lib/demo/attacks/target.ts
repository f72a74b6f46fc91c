import type { ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { SecureSessionOptions, SessionEvent } from '../../../types/index.ts'
import type { BankClock } from '../clock.ts'
import { movableClock } from '../clock.ts'
import { newSecret } from '../store.ts'
import type { ServerCertificate } from './http.ts'
import { LOOPBACK } from './http.ts'

/** Options of a target, beside those that each target has anyway. */
export interface TargetOptions {
  readonly session?: SecureSessionOptions
  readonly https?: ServerOptions | undefined
}

/** Builds a bank that does not listen yet. */
export type BuildBank = (options: {
  session: SecureSessionOptions
  clock: BankClock
  https?: ServerOptions
}) => Promise<FastifyInstance>

/** A bank that exists for one attack. Its sessions, its money and its clock are its own. */
export interface Target {
  readonly port: number
  readonly certificate: ServerCertificate
  /** Stands still unless the attack moves it. */
  readonly clock: BankClock
  /** Everything that its session layer reported, in order. */
  readonly events: readonly SessionEvent[]
  close(): Promise<void>
}

/** Opens a bank on a free port that only this computer can reach. Its time begins at `now`. */
export async function openTarget(
  build: BuildBank,
  now: number,
  { session, https }: TargetOptions = {},
): Promise<Target> {
  const clock = movableClock(() => now)
  const events: SessionEvent[] = []
  const app = await build({ session: { ...session, secret: newSecret() }, clock, ...(https && { https }) })
  app.sessions.events.on('event', (event) => void events.push(event))
  await app.listen({ host: LOOPBACK, port: 0, listenTextResolver: () => '' })
  const { port } = app.server.address() as AddressInfo
  return { port, certificate: https?.cert, clock, events, close: () => app.close() }
}
