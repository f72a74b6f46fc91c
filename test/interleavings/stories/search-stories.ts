import { asyncProperty, check } from 'fast-check'
import type { Story } from './story.ts'
import { stories } from './draw-story.ts'
import { playStory } from './play-story.ts'

/** The name that stories have in a trace. */
export const STORIES = 'stories'

/** A story that went otherwise than the guides say. */
export interface BadStory {
  readonly problem: string
  /** The place of the story among those that a seed draws, and the steps, in words. */
  readonly trace: string
}

/** The stories that were played. */
export interface ToldStories {
  readonly count: number
  readonly bad: BadStory | undefined
}

/**
 * Plays stories that are drawn by a seed. Stops at the first one that goes otherwise than the guides say, and looks for
 * a shorter one of its kind.
 */
export async function searchStories(seed: number, count: number): Promise<ToldStories> {
  return told(await check(property(), { seed, numRuns: count }))
}

/** Plays one story, as a trace names it: the seed, and the way from the first story to this one. */
export async function replayStory(place: string): Promise<BadStory | undefined> {
  const [, seed, path] = /^(-?\d+):([\d:]+)$/.exec(place) ?? []
  if (seed === undefined || path === undefined) {
    throw new Error(`${STORIES} are named by a seed and a way, as in 1:20:3`)
  }
  const { bad } = told(await check(property(), { seed: Number(seed), path, endOnFailure: true, numRuns: 1 }))
  return bad
}

function property() {
  return asyncProperty(stories, async (story: Story) => {
    const { problem, trace } = await playStory(story)
    if (problem !== undefined) throw new Deviation(problem, trace)
  })
}

class Deviation extends Error {
  readonly trace: string

  constructor(problem: string, trace: string) {
    super(problem)
    this.trace = trace
  }
}

type Checked = Awaited<ReturnType<typeof check<[Story]>>>

function told({ failed, seed, numRuns, counterexamplePath, errorInstance }: Checked): ToldStories {
  if (!failed) return { count: numRuns, bad: undefined }
  const { message, trace } = errorInstance as Deviation
  // An error of the story itself has no trace.
  const lines = trace ?? String((errorInstance as Error).stack)
  return {
    count: numRuns,
    bad: { problem: `${STORIES}: ${message}`, trace: `${STORIES} @ ${seed}:${counterexamplePath}\n${lines}` },
  }
}
