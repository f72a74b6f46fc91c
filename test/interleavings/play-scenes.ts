import { parentPort, workerData } from 'node:worker_threads'
import { random } from '../support/every-order.ts'
import { ownChance } from './chance.ts'
import type { Looks } from './explore.ts'
import { explore, pairs, sample, titleOf, triples } from './explore.ts'
import type { Orders, PlayedScene } from './scenes.ts'
import type { Scene } from './world.ts'
import { prepare } from './world.ts'

/** Plays scenes in a thread of its own, and tells of each. */
const { kind, size, most, samples, seed } = workerData as Orders

/** Runs of a pair of clients who end each other's sessions, which have too many orders to play all. */
const MOST_OF_MANY = 500

/** Clients come later where the process died in one pair out of these. */
const LONG_CRASHES = 4

function mostOf({ acts }: Scene): number {
  return acts.some(({ name }) => name.endsWith('evicting all')) ? Math.min(most, MOST_OF_MANY) : most
}

ownChance()
const draw = random(seed)
for (const [place, scene] of (size === 2 ? pairs(kind) : triples(kind)).entries()) {
  const prepared = await prepare(scene)
  const looks: Looks = { crashRuns: 1, areCrashesBrief: place % LONG_CRASHES > 0 }
  const explored = most === 0 ? undefined : await explore(prepared, { faults: 0, most: mostOf(scene) }, looks)
  const counterexample =
    explored?.counterexample ?? (await sample(prepared, { runs: samples, random: draw, isBrief: size === 3 }))
  const { runs = 0, interleavings = 0n, crashes = 0, isComplete = false } = explored ?? {}
  const played: PlayedScene = { title: titleOf(scene), runs, interleavings, crashes, isComplete, counterexample }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(played)
}
