import type { Test } from 'tap'
import t from 'tap'
import { random } from '../support/every-order.ts'
import { ownChance } from './chance.ts'
import type { Counterexample } from './explore.ts'
import { explore, pairs, sample, titleOf } from './explore.ts'
import type { Kind, Scene } from './world.ts'

/** Runs of one pair. `npm run interleavings` has no such bound. */
const MOST = 3000

/** Fails the test if there is a counterexample. */
export function report(t: Test, scene: Scene, counterexample: Counterexample | undefined): void {
  if (counterexample === undefined) return
  const { problems, trace } = counterexample
  t.fail(titleOf(scene), { problems, trace: trace.split('\n') })
}

/** Plays the pairs of acts on some kinds of sessions. */
export function testPairs(kinds: readonly Kind[]): void {
  t.setTimeout(900_000)
  const giveBack = ownChance()
  t.teardown(giveBack)
  for (const kind of kinds) {
    t.test(`no interleaving of two acts breaks a guarantee: ${kind}`, async (t) => {
      const draw = random(20_260_101)
      const scenes = pairs(kind)
      const total = { runs: 0, interleavings: 0n, crashes: 0, finished: 0 }
      for (const scene of scenes) {
        const found = await explore(scene, { faults: 0, most: MOST }, 1)
        report(t, scene, found.counterexample ?? (await sample(scene, 2, draw)))
        total.runs += found.runs
        total.interleavings += found.interleavings
        total.crashes += found.crashes
        total.finished += found.isComplete ? 1 : 0
      }
      t.comment(
        `${scenes.length} pairs, ${total.finished} without a bound: ${total.runs} runs for ${total.interleavings} ` +
          `interleavings, ${total.crashes} crashes; and 2 drawn runs of each pair, in which a store operation may time out`,
      )
      t.ok(total.finished > 0)
    })
  }
}
