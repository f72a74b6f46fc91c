import { parentPort, workerData } from 'node:worker_threads'
import { ownChance } from '../chance.ts'
import { searchStories } from './search-stories.ts'

/** The stories of a thread. */
export interface StoryWork {
  readonly seed: number
  readonly count: number
}

const { seed, count } = workerData as StoryWork
ownChance()
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(await searchStories(seed, count))
