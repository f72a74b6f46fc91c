import autocannon from 'autocannon'
import type { Request } from 'autocannon'
import type { ServerProcess } from './server-process.ts'

/** The amount of load. With an `amount` of requests the duration does not count. */
export interface LoadOptions {
  readonly connections: number
  /** Seconds. */
  readonly duration: number
  readonly amount: number | undefined
}

/** One run of one scenario against one server. */
export interface Measurement {
  /** Iterations per second. */
  readonly rate: number
  /** Processor time of the server per iteration, in microseconds. */
  readonly cpu: number
  /** Share of the time in which the server's event loop was busy; well below 1, the load generator was the limit. */
  readonly busy: number
}

/**
 * Repeats each visitor's requests on a connection of its own.
 * Rejects when a single answer is not a success: a peer that fails fast must not look fast.
 */
export async function load(
  server: ServerProcess,
  visitors: readonly Request[][],
  options: Omit<LoadOptions, 'connections'>,
): Promise<Measurement> {
  const before = await server.ask('usage')
  let next = 0
  const result = await autocannon({
    url: `http://127.0.0.1:${server.ready.port}`,
    connections: visitors.length,
    requests: [{ method: 'GET', path: '/' }],
    headers: {},
    sampleInt: 20,
    ...(options.amount === undefined ? { duration: options.duration } : { amount: options.amount }),
    setupClient(client) {
      const requests = visitors[next % visitors.length]
      next += 1
      // Each client keeps its state in its request objects.
      if (requests !== undefined) client.setRequests(requests.map((request) => ({ ...request })))
    },
  })
  const after = await server.ask('usage')
  const failures = result.non2xx + result.errors + result.timeouts + result.resets
  if (failures > 0) throw new Error(`${failures} of ${result['2xx'] + failures} requests failed under load`)
  const iterations = result['2xx'] / (visitors[0]?.length ?? 1)
  const active = after.active - before.active
  return {
    rate: iterations / ((result.finish.getTime() - result.start.getTime()) / 1000),
    cpu: (after.cpu - before.cpu) / iterations,
    busy: active / (active + after.idle - before.idle),
  }
}
