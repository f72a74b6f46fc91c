/** The number of records that one batch removes. A batch must not block the event loop. */
const BATCH = 500

/** The longest that a timer can wait; beyond it Node does not wait at all. */
const MAX_WAIT = 2 ** 31 - 1

/**
 * Removes what has expired, in batches with a pause for the event loop after each. Resolves to how many went; `onBatch`
 * hears how many until now.
 */
export async function sweepAll(
  sweepBatch: (limit: number) => Promise<number>,
  onBatch?: (total: number) => void,
): Promise<number> {
  let total = 0
  for (;;) {
    const count = await sweepBatch(BATCH)
    total += count
    onBatch?.(total)
    if (count < BATCH) return total
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Sweeps again and again until stopped. */
export interface Sweeper {
  /** A sweep that is under way is the last. */
  stop(): void
}

/**
 * Runs `sweep` every `interval` milliseconds, a tenth sooner or later at random, so that processes started together do
 * not sweep together. Never keeps the process alive; a sweep that fails is left to the next one.
 */
export function startSweeper(interval: number, sweep: () => Promise<unknown>): Sweeper {
  let timer: NodeJS.Timeout
  let isStopped = false
  const schedule = (): void => {
    if (isStopped) return
    timer = setTimeout(run, Math.min(interval * (0.9 + Math.random() / 5), MAX_WAIT)).unref()
  }
  const run = (): void => {
    sweep().then(schedule, schedule)
  }
  schedule()
  return {
    stop: () => {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
