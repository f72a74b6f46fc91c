import { parentPort, workerData } from 'node:worker_threads'
import { random } from '../support/every-order.ts'
import type { Searched } from '../support/scheduler.ts'
import { ownChance } from './chance.ts'
import type { Counterexample, Explored } from './explore.ts'
import { explore, pairs, sample, sweep, titleOf, triples } from './explore.ts'
import type { Scene } from './world.ts'
import { prepare } from './world.ts'
import { KINDS } from './kinds.ts'

/** The bounds of a search. */
export interface Limits {
  /** Runs of one scene without a time-out. */
  readonly most: number
  /** Runs of one scene with time-outs. */
  readonly failing: number
  /** Runs drawn by chance for each scene that was not finished. */
  readonly samples: number
  /** Runs of one scene of which each step is also the one before which the process dies. */
  readonly crashRuns: number
  /** Store operations that may time out in one run. */
  readonly faults: number
  readonly seed: number
  /** Tells whether nobody comes later, which takes most of the time of a single run. */
  readonly isBrief: boolean
}

/** The work of one thread. */
export interface SearchWork extends Limits {
  readonly titles: readonly string[]
  readonly isTriples: boolean
}

/** A scene that was searched. */
export interface SearchedScene {
  readonly title: string
  readonly plain: Explored
  /** The runs with time-outs, if there were any. */
  readonly timed: Searched | undefined
  /** Tells whether no bound held. */
  readonly isWhole: boolean
  readonly counterexample: Counterexample | undefined
}

const { titles, isTriples, most, failing, samples, crashRuns, faults, seed, isBrief } = workerData as SearchWork
const draw = random(seed)

async function searched(scene: Scene): Promise<SearchedScene> {
  const prepared = await prepare(scene)
  const plain = await explore(prepared, { faults: 0, most }, { crashRuns, isBrief })
  const isTimed = faults > 0 && failing > 0 && plain.counterexample === undefined
  const timed = isTimed ? await explore(prepared, { faults, most: failing }, { crashRuns: 0, isBrief }) : undefined
  const isWhole = plain.isComplete && (faults === 0 || timed?.isComplete === true)
  const further = async (): Promise<Counterexample | undefined> =>
    (await sweep(prepared, isBrief)) ??
    (await sample(prepared, { runs: samples, random: draw, dies: !isTriples && !isBrief, isBrief }))
  const found = plain.counterexample ?? timed?.counterexample
  const counterexample = found ?? (isWhole || samples === 0 ? undefined : await further())
  return { title: titleOf(scene), plain, timed: timed && sizeOf(timed), isWhole, counterexample }
}

/** Returns what can be sent to another thread. */
function sizeOf({ runs, interleavings, isComplete }: Searched): Searched {
  return { runs, interleavings, isComplete }
}

ownChance()
const scenes = new Map<string, Scene>()
for (const scene of KINDS.flatMap((kind) => (isTriples ? triples(kind) : pairs(kind)))) {
  scenes.set(titleOf(scene), scene)
}
for (const scene of titles.flatMap((title) => scenes.get(title) ?? [])) {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(await searched(scene))
}
