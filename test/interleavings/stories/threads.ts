import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { StoryKind, ToldStories } from './search-stories.ts'
import type { StoryWork } from './tell-stories.ts'

/** Plays stories in threads, each of which draws its own. Stops at the first one that goes wrong. */
export async function playInThreads(
  kind: StoryKind,
  seed: number,
  count: number,
  suffix = '.js',
): Promise<ToldStories> {
  const threads = Math.max(1, Math.min(availableParallelism(), count))
  let all: ToldStories = { count: 0, bad: undefined }
  const workers = Array.from({ length: threads }, (_none, place) => {
    const work: StoryWork = { kind, seed: seed * threads + place, count: Math.ceil(count / threads) }
    return new Worker(new URL(`tell-stories${suffix}`, import.meta.url), { workerData: work })
  })
  for (const worker of workers) {
    worker.on('message', (told: ToldStories) => {
      all = { count: all.count + told.count, bad: all.bad ?? told.bad }
      if (told.bad === undefined) return
      for (const other of workers) void other.terminate()
    })
  }
  const ends = await Promise.all(workers.map((worker) => once(worker, 'exit')))
  if (all.bad === undefined && ends.some(([code]) => code !== 0)) throw new Error('a thread fell over')
  return all
}
