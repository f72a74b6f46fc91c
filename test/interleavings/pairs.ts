import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import type { Explored, Counterexample } from './explore.ts'
import type { Kind } from './world.ts'

/** Runs of one pair. `npm run interleavings` has no such bound. */
const MOST = 3000

/** The work of a thread. */
export interface PlayPairs {
  readonly kind: Kind
  /** The highest number of runs of one pair. */
  readonly most: number
  /** The number of further runs of each pair, drawn by chance. */
  readonly samples: number
  readonly seed: number
}

/** A pair of acts that was played. */
export interface PlayedPair extends Omit<Explored, 'scene'> {
  readonly title: string
}

/** Returns the lines of a counterexample for a failed test. */
export function linesOf({ problems, trace }: Counterexample): object {
  return { problems, trace: trace.split('\n') }
}

/**
 * Plays the pairs of acts on some kinds of sessions. Each kind has a thread of its own, because `tap` watches each
 * promise of its own thread, which takes nearly as long as the runs.
 */
export function testPairs(kinds: readonly Kind[]): void {
  t.setTimeout(900_000)
  for (const kind of kinds) {
    t.test(`no interleaving of two acts breaks a guarantee: ${kind}`, async (t) => {
      const workerData: PlayPairs = { kind, most: MOST, samples: 2, seed: 20_260_101 }
      const worker = new Worker(new URL('play-pairs.ts', import.meta.url), { workerData })
      const total = { pairs: 0, runs: 0, interleavings: 0n, crashes: 0, finished: 0 }
      worker.on('message', ({ title, runs, interleavings, crashes, isComplete, counterexample }: PlayedPair) => {
        if (counterexample !== undefined) t.fail(title, linesOf(counterexample))
        total.pairs += 1
        total.runs += runs
        total.interleavings += interleavings
        total.crashes += crashes
        total.finished += isComplete ? 1 : 0
      })
      const [status] = (await once(worker, 'exit')) as [number]
      t.comment(
        `${total.pairs} pairs, ${total.finished} without a bound: ${total.runs} runs for ${total.interleavings} ` +
          `interleavings, ${total.crashes} crashes; and 2 drawn runs of each pair, in which a store operation may time out`,
      )
      t.equal(status, 0)
      t.ok(total.finished > 0)
    })
  }
}
