import { parseArgs } from 'node:util'
import { sweepAll } from '../storage/sweeper.ts'
import type { Io } from './io.ts'
import { CLEAN } from './io.ts'
import { progressOn } from './progress.ts'
import { STORE_HELP, STORE_OPTIONS } from './store-url.ts'
import { refusePositionals, withStore } from './with-store.ts'

const HELP = `Usage: fastify-session-guard sweep --store <url> [options]

Removes expired sessions, in batches that do not disturb the app. Run it as often as a few times a day, or let the app do it
with the option sweepInterval.

${STORE_HELP}

Exit codes: 0 done, 2 the store cannot be used, or wrong usage.`

/** Removes expired sessions from a store. */
export async function sweep(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options: STORE_OPTIONS, allowPositionals: true })
  if (values.help === true) {
    io.out(HELP)
    return CLEAN
  }
  refusePositionals(positionals)
  return withStore(values, io, async (store) => {
    const sweepBatch = store.sweep?.bind(store)
    if (sweepBatch === undefined) {
      io.out('Nothing to do: this store removes expired sessions by itself.')
      return CLEAN
    }
    const began = performance.now()
    const progress = progressOn(io, (done) => `Removed ${count(done)} so far …`)
    const total = await sweepAll((limit) => sweepBatch(Date.now(), limit, { alone: false }), progress.show)
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    progress.end(`Removed ${count(total)} in ${seconds} s.`)
    return CLEAN
  })
}

function count(total: number): string {
  return total === 1 ? '1 expired session' : `${total.toLocaleString('en')} expired sessions`
}
