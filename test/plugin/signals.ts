import { mock } from 'node:test'
import type { Test } from 'tap'
import type { Visitor, World, WorldOptions } from './world.ts'
import { ordinary, route, world } from './world.ts'

/** Returns an app that hands out the signals of its requests. */
export async function signalWorld(
  t: Test,
  options: WorldOptions = {},
): Promise<World & { take(visitor: Visitor): Promise<AbortSignal> }> {
  const signals: AbortSignal[] = []
  const it = await world(t, {
    ...options,
    routes: (app) => {
      ordinary(app)
      route(app, '/signal', ({ session }) => void signals.push(session.signal))
      return options.routes?.(app)
    },
  })
  return {
    ...it,
    take: async (visitor) => {
      await visitor.get('/signal')
      return signals.at(-1) ?? AbortSignal.abort()
    },
  }
}

/** Time on Node's timers passes when told to, and the answers to what it sets off are waited for. */
export function mockTimers(t: Test): (milliseconds: number) => Promise<void> {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  return async (milliseconds) => {
    mock.timers.tick(milliseconds)
    await settled()
  }
}

/** Waits for the answers to everything that was set off. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
