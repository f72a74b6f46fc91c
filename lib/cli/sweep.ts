import { parseArgs } from 'node:util'
import { sweepAll } from '../storage/sweeper.ts'
import type { Io } from './io.ts'
import { CLEAN, usesColor } from './io.ts'
import { STORE_HELP, STORE_OPTIONS } from './store-url.ts'
import { refusePositionals, withStore } from './with-store.ts'

const HELP = `Usage: fastify-session-guard sweep --store <url> [options]

Removes expired sessions, in batches that do not disturb the app. Run it as often as a few times a day, or let the app do it
with the option sweepInterval.

${STORE_HELP}

Exit codes: 0 done, 2 the store cannot be used, or wrong usage.`

/** Milliseconds between two looks at how far it has come. */
const PROGRESS_INTERVAL = 250

/** Up one line, and empty it. */
const REWRITE = '\u001b[1A\u001b[2K'

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
    const progress = progressOn(io)
    const total = await sweepAll((limit) => sweepBatch(Date.now(), limit, { alone: false }), progress.show)
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    progress.end(`Removed ${count(total)} in ${seconds} s.`)
    return CLEAN
  })
}

/** One line that is written again and again, on a terminal that can. */
function progressOn(io: Io): { show: (total: number) => void; end: (last: string) => void } {
  let shownAt = performance.now()
  let isShown = false
  const write = (text: string): void => {
    io.out(isShown ? `${REWRITE}${text}` : text)
    isShown = true
  }
  return {
    show(total) {
      const now = performance.now()
      if (!usesColor(io) || now - shownAt < PROGRESS_INTERVAL) return
      shownAt = now
      write(`Removed ${count(total)} so far …`)
    },
    end: write,
  }
}

function count(total: number): string {
  return total === 1 ? '1 expired session' : `${total.toLocaleString('en')} expired sessions`
}
