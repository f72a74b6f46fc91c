import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Test } from 'tap'
import t from 'tap'
import type { Explored } from './explore.ts'
import type { Kind } from './kinds.ts'

/** Runs of one pair. `npm run interleavings` has no such bound. */
const MOST = 3000

/** The work of a thread. */
export interface Orders {
  readonly kind: Kind
  /** The number of acts in a scene. */
  readonly size: 2 | 3
  /** The highest number of runs of one scene. */
  readonly most: number
  /** The number of further runs of each scene, drawn by chance. */
  readonly samples: number
  readonly seed: number
}

/** A scene that was played. */
export interface PlayedScene extends Explored {
  readonly title: string
}

/**
 * Plays scenes in a thread of their own, because `tap` watches each promise of its own thread, which takes nearly as
 * long as the runs. Fails the test for each counterexample.
 */
async function playScenes(t: Test, orders: Orders) {
  const worker = new Worker(new URL('play-scenes.ts', import.meta.url), {
    workerData: orders,
    // Nothing of tap's, whose coverage takes time.
    execArgv: ['--require=./test/support/typescript.cjs'],
  })
  const total = { scenes: 0, runs: 0, interleavings: 0n, crashes: 0, finished: 0 }
  worker.on('message', ({ title, runs, interleavings, crashes, isComplete, counterexample }: PlayedScene) => {
    if (counterexample !== undefined) {
      const { problems, trace } = counterexample
      t.fail(title, { problems, trace: trace.split('\n') })
    }
    total.scenes += 1
    total.runs += runs
    total.interleavings += interleavings
    total.crashes += crashes
    total.finished += isComplete ? 1 : 0
  })
  const [status] = (await once(worker, 'exit')) as [number]
  t.equal(status, 0)
  return total
}

/** Plays the pairs of acts on some kinds of sessions. */
export function testPairs(kinds: readonly Kind[]): void {
  t.setTimeout(1_800_000)
  for (const kind of kinds) {
    t.test(`no interleaving of two acts breaks a guarantee: ${kind}`, async (t) => {
      const total = await playScenes(t, { kind, size: 2, most: MOST, samples: 2, seed: 20_260_101 })
      t.comment(
        `${total.scenes} pairs, ${total.finished} without a bound: ${total.runs} runs for ${total.interleavings} ` +
          `interleavings, ${total.crashes} crashes; and 2 drawn runs of each pair, in which a store operation may time out`,
      )
      t.ok(total.finished > 0)
    })
  }
}

/** Plays one interleaving of each triple of acts on some kinds of sessions. */
export function testTriples(kinds: readonly Kind[]): void {
  t.setTimeout(1_800_000)
  for (const kind of kinds) {
    t.test(`no interleaving of three acts, drawn by chance, breaks a guarantee: ${kind}`, async (t) => {
      const { scenes } = await playScenes(t, { kind, size: 3, most: 0, samples: 1, seed: 20_260_102 })
      t.comment(`a run of each of ${scenes} triples`)
      t.ok(scenes > 0)
    })
  }
}
