import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from './client.ts'
import type { Peer } from './peers.ts'
import { GATE } from './routes.ts'
import type { Outage } from './setting.ts'

/**
 * The outcome of a case. `no promise`: the case asks for something that the library does not promise and the app does
 * not do. `none`: the case has no meaning for the app.
 */
type Mark = 'holds' | 'loses' | 'no promise' | 'none'

/** One cell of the table. */
export interface Outcome {
  readonly mark: Mark
  readonly seen: string
}

/** The parts that a case works with. */
export interface Arena {
  readonly peer: Peer
  readonly outage: Outage
  /** The address of a Redis server, for an app in a process of its own. */
  readonly redis: string
  browser(): Client
}

/** One attack or race over HTTP. */
export interface Case {
  readonly name: string
  /** The libraries whose guides promise this: all, those with sessions on a server, or none but this package. */
  readonly promisedBy: 'all' | 'server' | 'none'
  /** Tells whether the app has to keep something in the session. */
  readonly needsData?: boolean
  readonly what: string
  run(arena: Arena): Promise<Outcome>
}

export const holds = (seen: string): Outcome => ({ mark: 'holds', seen })
export const loses = (seen: string): Outcome => ({ mark: 'loses', seen })
export const none = (seen: string): Outcome => ({ mark: 'none', seen })

let gates = 0

/** Sends a request that is held open in its handler. */
export async function held(client: Client, path: string): Promise<{ isHeld: boolean; finish: () => Promise<unknown> }> {
  const gate = `gate${(gates += 1)}`
  const folder = process.env[GATE] ?? ''
  const sent = client.post(`${path}&gate=${gate}`)
  const arrived = join(folder, `${gate}.arrived`)
  for (let left = 300; left > 0 && !existsSync(arrived); left -= 1) await wait(5)
  const finish = (): Promise<unknown> => {
    writeFileSync(join(folder, `${gate}.go`), '')
    return sent
  }
  return { isHeld: existsSync(arrived), finish }
}

/** Waits for an answer, and lets what it waits for go on if none comes. */
export async function orAfter<Value>(work: Promise<Value>, finish: () => Promise<unknown>): Promise<Value> {
  const isIn = await Promise.race([work.then(() => true), wait(1500).then(() => false)])
  if (!isIn) await finish()
  return work
}

/** Returns a browser that has seen a page, and so has what a form of the app needs. */
export async function visitor(arena: Arena): Promise<Client> {
  const client = arena.browser()
  await client.get('/me')
  return client
}

export async function loggedIn(arena: Arena, user = 'alice'): Promise<Client> {
  const client = await visitor(arena)
  const { status } = await client.post(`/login?user=${user}`)
  if ((await client.user()) !== user) throw new Error(`${arena.peer.name} does not log in: ${status}`)
  return client
}

/** Runs a case, unless it asks for what the library has not. */
export async function runCase(one: Case, arena: Arena): Promise<Outcome> {
  const isWithout = one.needsData === true && arena.peer.hasData === false
  return judged(isWithout ? none('the library keeps no data of the app') : await one.run(arena), one, arena.peer)
}

/** Returns what to print: an attack that works is a loss only where the guide of the library promises otherwise. */
function judged(outcome: Outcome, { promisedBy }: Case, { idOf, isOurs = false }: Peer): Outcome {
  const isPromised = promisedBy === 'all' || (promisedBy === 'server' && idOf !== undefined) || isOurs
  return outcome.mark === 'loses' && !isPromised ? { ...outcome, mark: 'no promise' } : outcome
}
