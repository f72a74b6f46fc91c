import { beginScene } from '../chance.ts'
import { aside } from '../interleave.ts'
import { look } from './look.ts'
import { takeOutside } from './outside.ts'
import { Scene } from './scene.ts'
import { sendRequest } from './send-request.ts'
import type { Rules, Step, Story } from './story.ts'
import { tellRules, tellStep } from './tell-story.ts'

/** A story as it was played. */
export interface PlayedStory {
  /** The first difference from what the guides say; `undefined` if there is none. */
  readonly problem: string | undefined
  /** The settings and the steps, in words. */
  readonly trace: string
}

/** Plays a story, and compares what each step leaves with what the guides say. */
export async function playStory({ rules: given, steps }: Story): Promise<PlayedStory> {
  return aside(async () => {
    beginScene()
    const rules = rulesOf({ rules: given, steps })
    const scene = await Scene.begin(rules)
    const lines = [`  ${tellRules(rules)}`]
    for (const [place, step] of steps.entries()) {
      lines.push(`  ${place + 1}. ${tellStep(step)}`)
      const problem = (await take(scene, step)) ?? (await look(scene))
      if (problem !== undefined) return { problem, trace: lines.join('\n') }
    }
    return { problem: undefined, trace: lines.join('\n') }
  })
}

/** Returns the settings. Once the clock was set back, the copy of a record that has expired would be alive again. */
export function rulesOf({ rules, steps }: Story): Rules {
  return { ...rules, isCached: rules.isCached && steps.every(({ name }) => name !== 'set the clock back') }
}

/** Takes one step. Resolves to what went otherwise than expected. */
export async function take(scene: Scene, step: Step): Promise<string | undefined> {
  // No two steps happen in one millisecond.
  scene.clock.advance(7)
  if (step.name === 'request') return sendRequest(scene, step)
  if (step.name === 'wait' || step.name === 'set the clock back') {
    scene.clock.advance(step.name === 'wait' ? step.time : -step.time)
    scene.isTurnedBack ||= step.name === 'set the clock back'
    return undefined
  }
  const { is, was } = await takeOutside(scene, step)
  return is === was ? undefined : `the answer is ${String(is)}, and not ${String(was)}`
}
