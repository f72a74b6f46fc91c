import { parentPort, workerData } from 'node:worker_threads'
import { ownChance } from '../chance.ts'
import type { StoryKind } from './search-stories.ts'
import { searchStories } from './search-stories.ts'

/** The stories of a thread. */
export interface StoryWork {
  readonly kind: StoryKind
  readonly seed: number
  readonly count: number
}

const { kind, seed, count } = workerData as StoryWork
ownChance()
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(await searchStories(kind, seed, count))
