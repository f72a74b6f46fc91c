import { parentPort, workerData } from 'node:worker_threads'
import { random } from '../support/every-order.ts'
import { ownChance } from './chance.ts'
import { explore, pairs, sample, titleOf } from './explore.ts'
import type { PlayedPair, PlayPairs } from './pairs.ts'

/** Plays the pairs of acts of one kind of sessions in a thread of its own, and tells of each. */
const { kind, most, samples, seed } = workerData as PlayPairs

ownChance()
const draw = random(seed)
for (const scene of pairs(kind)) {
  const { runs, interleavings, crashes, isComplete, counterexample } = await explore(scene, { faults: 0, most }, 1)
  const found = counterexample ?? (await sample(scene, samples, draw))
  const pair: PlayedPair = { title: titleOf(scene), runs, interleavings, crashes, isComplete, counterexample: found }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(pair)
}
