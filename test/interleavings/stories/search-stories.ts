import type { Arbitrary } from 'fast-check'
import { asyncProperty, check } from 'fast-check'
import { overlaps } from './overlaps/draw-overlap.ts'
import { playOverlap } from './overlaps/play-overlap.ts'
import { stories } from './draw-story.ts'
import type { PlayedStory } from './play-story.ts'
import { playStory } from './play-story.ts'

/** The kinds of stories, by the names that they have in a trace. */
export const STORIES = ['stories', 'overlaps'] as const
export type StoryKind = (typeof STORIES)[number]

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
export async function searchStories(kind: StoryKind, seed: number, count: number): Promise<ToldStories> {
  return told(kind, await check(PROPERTIES[kind](), { seed, numRuns: count }))
}

/** Plays one story, as a trace names it: the kind, the seed, and the way from the first story to this one. */
export async function replayStory(kind: StoryKind, place: string): Promise<BadStory | undefined> {
  const [, seed, path] = /^(-?\d+):([\d:]+)$/.exec(place) ?? []
  if (seed === undefined || path === undefined) {
    throw new Error(`${kind} are named by a seed and a way, as in 1:20:3`)
  }
  const limits = { seed: Number(seed), path, endOnFailure: true, numRuns: 1 }
  return told(kind, await check(PROPERTIES[kind](), limits)).bad
}

const PROPERTIES = {
  stories: () => property(stories, playStory),
  overlaps: () => property(overlaps, playOverlap),
} as const

function property<Story>(drawn: Arbitrary<Story>, play: (story: Story) => Promise<PlayedStory>) {
  return asyncProperty(drawn as Arbitrary<unknown>, async (story) => {
    const { problem, trace } = await play(story as Story)
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

type Checked = Awaited<ReturnType<typeof check<[unknown]>>>

function told(kind: StoryKind, { failed, seed, numRuns, counterexamplePath, errorInstance }: Checked): ToldStories {
  if (!failed) return { count: numRuns, bad: undefined }
  const { message, trace } = errorInstance as Deviation
  // An error of the story itself has no trace.
  const lines = trace ?? String((errorInstance as Error).stack)
  return {
    count: numRuns,
    bad: { problem: `${kind}: ${message}`, trace: `${kind} @ ${seed}:${counterexamplePath}\n${lines}` },
  }
}
