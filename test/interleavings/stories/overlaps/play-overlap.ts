import { random } from '../../../support/every-order.ts'
import { testClock } from '../../../support/clock.ts'
import { drawn, drawnSwitches, switching } from '../../../support/scheduler.ts'
import { actors, beginScene } from '../../chance.ts'
import { aside } from '../../interleave.ts'
import { EMPTY, SteppedStore } from '../../stepped-store.ts'
import type { PlayedStory } from '../play-story.ts'
import { take } from '../play-story.ts'
import { Scene } from '../scene.ts'
import { tellRules, tellStep } from '../tell-story.ts'
import { ends, isOpenRace } from './open-races.ts'
import type { Overlap } from './overlap.ts'
import type { Ready, Run } from './run-both.ts'
import { runBoth } from './run-both.ts'

/** The number of orders that are drawn for two steps. */
const ORDERS = 6

/** The runs in which one step follows the other, and those of one step or none. */
interface Known {
  readonly serial: readonly [Run, Run]
  readonly alone: readonly [Run, Run]
  readonly none: Run
}

/** Plays two steps at once, and compares what they leave with what they leave one after the other. */
export async function playOverlap(overlap: Overlap): Promise<PlayedStory> {
  const { rules, both, seed } = overlap
  if (isOpenRace(both, rules)) return { problem: undefined, trace: '' }
  const ready = await aside(() => prepare(overlap))
  const [a, b] = [switching('a', []), switching('b', [])]
  const known: Known = {
    serial: [await runBoth(ready, a), await runBoth(ready, b)],
    alone: [await runBoth(ready, a, [0]), await runBoth(ready, b, [1])],
    none: await runBoth(ready, a, []),
  }
  const draw = random(seed)
  const { length } = known.serial[0]
  for (let order = 0; order < ORDERS; order += 1) {
    const run = await runBoth(ready, order % 2 === 0 ? drawnSwitches(draw, length, 0, ['a', 'b']) : drawn(draw, 0))
    const problem = problemOf(run, known, overlap)
    if (problem !== undefined) return { problem, trace: traceOf(overlap, run, known) }
  }
  return { problem: undefined, trace: '' }
}

async function prepare(overlap: Overlap): Promise<Ready> {
  beginScene()
  const { rules, steps } = overlap
  const clock = testClock()
  const stepped = new SteppedStore(actors, clock, EMPTY, rules.isCached)
  const scene = await Scene.on(stepped.store, clock, rules)
  for (const step of steps) await take(scene, step)
  clock.advance(7)
  return { overlap, scene, contents: stepped.contents }
}

/** Returns how a run differs from all those that it may be like. */
function problemOf(run: Run, { serial, alone, none }: Known, { both }: Overlap): string | undefined {
  for (const [place, answer] of run.answers.entries()) {
    const isKnown = serial.some(({ answers }) => answers[place]?.before === answer?.before)
    if (!isKnown) return `${'ab'[place]} sees what it does not see before or after the other one`
  }
  const [isRefused, isOtherRefused] = run.answers.map((answer) => answer?.isRefused === true)
  const [first, second] = both
  const allowed = [
    ...serial,
    // A step that is refused leaves nothing. One that ends sessions may come after the other one, and end its session.
    ...(isOtherRefused === true || ends(first) ? [alone[0]] : []),
    ...(isRefused === true || ends(second) ? [alone[1]] : []),
    ...(isRefused === true && isOtherRefused === true ? [none] : []),
  ]
  if (!allowed.some(({ state }) => state === run.state)) return 'two steps at once leave what neither order leaves'
  // A use that is noted beside another change may be lost.
  const uses = [...serial, ...alone, none].flatMap((one) => one.uses)
  const odd = run.uses.find((use) => !uses.includes(use))
  return odd === undefined ? undefined : 'two steps at once move a deadline as neither of them moves it'
}

function traceOf({ rules, steps, both, isApart }: Overlap, run: Run, { serial: [first, second] }: Known): string {
  const tell = (name: string, { answers, state, schedule }: Run): string =>
    [`  ${name} (${schedule}): ${answers.map((answer) => answer?.text).join(' | ')}`, state].join('\n')
  return [
    `  ${tellRules(rules)}`,
    ...steps.map((step, place) => `  ${place + 1}. ${tellStep(step)}`),
    ...both.map((step, place) => `  ${'ab'[place]}. ${tellStep(step)}`),
    tell(`both at once${isApart ? ', in two processes' : ''}`, run),
    tell('a, then b', first),
    tell('b, then a', second),
  ].join('\n')
}
