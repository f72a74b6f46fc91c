import { AsyncLocalStorage } from 'node:async_hooks'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { hashOf, newHandle } from '../../lib/session/id.ts'
import type { SteppedStore } from './stepped-store.ts'

/** The actor whose work runs. Empty for the scheduler's own work. */
export const actors = new AsyncLocalStorage<string>()

const draws = new Map<string, number>()
let current: SteppedStore | undefined

/** Failures of the present run that nobody observes, for which Node ends the process. */
const unobserved: unknown[] = []

/** Returns the failures of the present run that nobody observed. */
export function unobservedFailures(): readonly unknown[] {
  return [...unobserved]
}

/** Begins a scene. The ids of its sessions do not depend on the scenes before. */
export function beginScene(): void {
  draws.clear()
}

/** Begins a run on a store. What actors draw by chance is the same in each run. */
export function begin(store: SteppedStore): void {
  current = store
  unobserved.length = 0
  for (const actor of draws.keys()) if (actor !== '') draws.delete(actor)
}

/**
 * Takes timers, randomness and failures that nobody observes into the hands of the scheduler. Returns a function that
 * gives them back.
 */
export function ownChance(): () => void {
  const giveBack = [ownTimers(), ownRandomness(), ownSignatures(), ownRejections()]
  return () => {
    for (const give of giveBack) give()
  }
}

/** A timer that nobody waits for. */
const NO_TIMER = { ref: () => NO_TIMER, unref: () => NO_TIMER, hasRef: () => false } as unknown as NodeJS.Timeout

/** The pause between two looks at sessions whose end somebody waits for. This process tells of the ends itself. */
const LOOK = 10_000

/** Makes each timer of an actor a step. Timers that only bound the time of work never go off. */
function ownTimers(): () => void {
  const real = globalThis.setTimeout
  const owned = (run: (...args: unknown[]) => void, delay = 0, ...args: unknown[]): NodeJS.Timeout => {
    const actor = actors.getStore()
    if (actor === undefined) return real(run, delay, ...args)
    if (actor === '' || delay < 1000 || delay > 60_000 || delay === LOOK) return NO_TIMER
    current?.step('timer', [], async () => run(...args), false).catch(() => undefined)
    return NO_TIMER
  }
  globalThis.setTimeout = Object.assign(owned, real)
  return () => void (globalThis.setTimeout = real)
}

/**
 * Draws the bytes of ids from the name of the actor and a count. The pool of `lib/session/id.ts` is filled by
 * `randomFillSync`, so its bytes are taken over when it is filled.
 */
function ownRandomness(): () => void {
  const { randomFillSync: real, randomBytes } = crypto
  const pools = new Set<Buffer>()
  crypto.randomFillSync = ((pool: Buffer) => {
    pools.add(pool)
    pool.copy = (target: Uint8Array, start = 0, from = 0, to = pool.length) => drawInto(target, start, to - from)
    return pool
  }) as unknown as typeof crypto.randomFillSync
  crypto.randomBytes = (size: number) => {
    const bytes = Buffer.alloc(size)
    drawInto(bytes, 0, size)
    return bytes
  }
  syncBuiltinESMExports()
  while (pools.size === 0) newHandle()
  return () => {
    Object.assign(crypto, { randomFillSync: real, randomBytes })
    syncBuiltinESMExports()
    // The own property hides the method of `Buffer`.
    for (const pool of pools) {
      Reflect.deleteProperty(pool, 'copy')
      real(pool)
    }
  }
}

function ownRejections(): () => void {
  const note = (error: unknown): void => void unobserved.push(error)
  process.on('unhandledRejection', note)
  return () => void process.off('unhandledRejection', note)
}

/** The number of signatures that are being verified. */
let verifying = 0

/** Tells whether a signature is being verified, outside of the event loop. The steps of its actor are not yet known. */
export function isVerifying(): boolean {
  return verifying > 0
}

/** Counts the verifications of signatures that are under way. */
function ownSignatures(): () => void {
  const { subtle } = crypto.webcrypto
  const counted =
    <Args extends unknown[], Value>(work: (...args: Args) => Promise<Value>) =>
    async (...args: Args): Promise<Value> => {
      verifying += 1
      try {
        return await work(...args)
      } finally {
        verifying -= 1
      }
    }
  const { importKey, verify } = { importKey: subtle.importKey.bind(subtle), verify: subtle.verify.bind(subtle) }
  // The own properties hide the methods of the prototype.
  Object.assign(subtle, {
    importKey: counted<Parameters<typeof importKey>, unknown>(importKey),
    verify: counted(verify),
  })
  return () => {
    for (const name of ['importKey', 'verify']) Reflect.deleteProperty(subtle, name)
  }
}

function drawInto(target: Uint8Array, start: number, length: number): number {
  const actor = actors.getStore() ?? ''
  const count = (draws.get(actor) ?? 0) + 1
  draws.set(actor, count)
  target.set(Buffer.from(hashOf(`${actor} ${count}`), 'base64url').subarray(0, length), start)
  return length
}
