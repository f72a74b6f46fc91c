/** How many records go at once; a batch must not hold the event loop. */
const BATCH = 500

/** Removes what has expired, in batches with a pause for the event loop after each. Resolves to how many went. */
export async function sweepAll(sweepBatch: (limit: number) => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const count = await sweepBatch(BATCH)
    total += count
    if (count < BATCH) return total
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Sweeps again and again until stopped. */
export interface Sweeper {
  stop(): void
}

/**
 * Runs `sweep` every `interval` milliseconds, a tenth sooner or later at random, so that processes started together do not
 * sweep together. Never keeps the process alive; a sweep that fails is left to the next one.
 */
export function startSweeper(interval: number, sweep: () => Promise<unknown>): Sweeper {
  let timer: NodeJS.Timeout
  const schedule = (): void => {
    timer = setTimeout(run, interval * (0.9 + Math.random() / 5)).unref()
  }
  const run = (): void => {
    sweep().then(schedule, schedule)
  }
  schedule()
  return { stop: () => clearTimeout(timer) }
}
