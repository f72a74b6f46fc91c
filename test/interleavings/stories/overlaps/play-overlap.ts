import { random } from '../../../support/every-order.ts'
import { testClock } from '../../../support/clock.ts'
import { drawn, drawnSwitches, switching } from '../../../support/scheduler.ts'
import { actors, beginScene } from '../../chance.ts'
import type { BoundSession } from '../../binding.ts'
import { bindSession, signFor } from '../../binding.ts'
import { aside } from '../../interleave.ts'
import { EMPTY, SteppedStore } from '../../stepped-store.ts'
import type { PlayedStory } from '../play-story.ts'
import { rulesOf, take } from '../play-story.ts'
import { Scene } from '../scene.ts'
import { tellRules, tellStep } from '../tell-story.ts'
import { changes, mayEnd, mayTimeOut, isDroppable } from './open-races.ts'
import type { Meeting, Overlap } from './overlap.ts'
import type { Ready, Run } from './run-both.ts'
import { runBoth } from './run-both.ts'

/** The number of orders that are drawn for two steps. */
const ORDERS = 6

/** The number of orders in which an operation of the store may time out. */
const FAILING = 4

/** The share of the operations that time out, until one has, where each step is drawn. */
const SHARE_OF_FAULTS = 0.15

/** The runs in which one step follows the other, and those of one step, or none, which few comparisons need. */
class Known {
  readonly serial: readonly [Run, Run]
  readonly #ready: Ready
  readonly #alone = new Map<string, Promise<Run>>()

  private constructor(ready: Ready, serial: readonly [Run, Run]) {
    this.#ready = ready
    this.serial = serial
  }

  static async of(ready: Ready): Promise<Known> {
    return new Known(ready, [await runBoth(ready, switching('a', [])), await runBoth(ready, switching('b', []))])
  }

  /** Resolves to a run of some of the steps. */
  only(...taken: readonly number[]): Promise<Run> {
    const key = taken.join()
    const known = this.#alone.get(key) ?? runBoth(this.#ready, switching('a', []), taken)
    this.#alone.set(key, known)
    return known
  }
}

/** Plays two steps at once, and compares what they leave with what they leave one after the other. */
export async function playOverlap(drawnOverlap: Overlap): Promise<PlayedStory> {
  const overlap = { ...drawnOverlap, rules: rulesOf(drawnOverlap) }
  const ready = await aside(() => prepare(overlap))
  const known = await Known.of(ready)
  const draw = random(overlap.seed)
  const { length } = known.serial[0]
  const orders = ORDERS + (mayTimeOut(overlap) ? FAILING : 0)
  for (let order = 0; order < orders; order += 1) {
    const faults = order < ORDERS ? 0 : 1
    const choose =
      order % 2 === 0 ? drawnSwitches(draw, length, faults, ['a', 'b']) : drawn(draw, faults * SHARE_OF_FAULTS)
    const run = await runBoth(ready, choose)
    const problem = await problemOf(run, known, overlap)
    if (problem !== undefined) return { problem, trace: traceOf(overlap, run, known) }
  }
  return { problem: undefined, trace: '' }
}

/** Plays the story of an overlap, up to the two steps. */
export async function prepare(overlap: Overlap): Promise<Ready> {
  beginScene()
  const { rules, steps, both } = overlap
  const clock = testClock()
  const stepped = new SteppedStore(actors, clock, EMPTY, rules.isCached)
  const scene = await Scene.on(stepped.store, clock, rules)
  let bound: BoundSession | undefined
  for (const [place, step] of steps.entries()) {
    await take(scene, step)
    if (place === 0 && overlap.binding !== 'none') bound = await bindFirst(scene, overlap.binding === 'bound')
  }
  clock.advance(7)
  const { server, jars } = scene
  const signed = both.map(async (step) =>
    step.name === 'prove' ? signFor(server, { device: step.device }, jars[0], bound) : undefined,
  )
  return { overlap, scene, contents: stepped.contents, seen: new Map(), signed: await Promise.all(signed) }
}

/** Binds the session of the first browser, if somebody is logged in there. */
async function bindFirst({ server, jars, boundJars }: Scene, isShown: boolean): Promise<BoundSession | undefined> {
  const [cookie] = jars
  if (cookie === undefined) return undefined
  const bound = await bindSession(server, cookie, isShown).catch(() => undefined)
  boundJars[0] = bound?.grant.cookieValue
  return bound
}

/** Resolves to how a run differs from all those that it may be like. */
async function problemOf(run: Run, known: Known, overlap: Overlap): Promise<string | undefined> {
  const { serial } = known
  for (const [place, answer] of run.answers.entries()) {
    const isUnanswered = answer?.isRefused === true && run.timeOuts.length > 0
    const isKnown = serial.some(({ answers }) => answers[place]?.before === answer?.before)
    if (!isKnown && !isUnanswered) return `${'ab'[place]} sees what it does not see before or after the other one`
  }
  const isLike = serial.some(({ state }) => state === run.state)
  const isAllowed = isLike || (await isLikeOne(run, known, overlap)) || (await isTakenBack(run, known, overlap))
  if (!isAllowed) return 'two steps at once leave what neither order leaves'
  const isUse = (use: string, runs: readonly Run[]): boolean => runs.some(({ uses }) => uses.includes(use))
  const odd = run.uses.filter((use) => !isUse(use, serial))
  if (odd.length === 0) return undefined
  // A use that is noted beside another change may be lost.
  const others = [await known.only(0), await known.only(1), await known.only()]
  const isLost = odd.every((use) => isUse(use, others))
  return isLost ? undefined : 'two steps at once move a deadline as neither of them moves it'
}

/**
 * Tells whether a run is like one without one of the steps. A step that is refused leaves nothing. One that ends the
 * session of the other one leaves nothing of what that one still writes.
 */
async function isLikeOne({ answers, state }: Run, known: Known, { both, rules }: Overlap): Promise<boolean> {
  const refused = answers.map((answer) => answer?.isRefused === true)
  for (const [place, step] of both.entries()) {
    const mayBeAlone = refused[1 - place] === true || mayEnd(step, rules)
    if (mayBeAlone && (await known.only(place)).state === state) return true
  }
  return refused.every(Boolean) && (await known.only()).state === state
}

/**
 * Tells whether a change of the id was taken back after a time-out, and the other step saw it meanwhile: it went on
 * without the session, or dropped what it wrote there.
 */
async function isTakenBack({ answers, state, timeOuts }: Run, known: Known, { both }: Overlap): Promise<boolean> {
  if (timeOuts.length === 0) return false
  for (const [place, step] of both.entries()) {
    const other = both[1 - place]
    if (answers[place]?.isRefused !== true || other === undefined || !changes(step)) continue
    const alone = await known.only(1 - place)
    if (alone.answers[1 - place]?.before !== answers[1 - place]?.before) return true
    if (isDroppable(other) && (await known.only()).state === state) return true
  }
  return false
}

function tellMeeting(step: Meeting): string {
  return step.name === 'prove' ? `browser 0: ${step.name} (${step.device})` : tellStep(step)
}

function traceOf(
  { rules, steps, both, isApart, binding }: Overlap,
  run: Run,
  { serial: [first, second] }: Known,
): string {
  const tell = (name: string, { answers, state, schedule, timeOuts }: Run): string =>
    [`  ${name} (${schedule}): ${answers.map((answer) => answer?.text).join(' | ')}`, ...timeOuts, state].join('\n')
  return [
    `  ${tellRules(rules)}${binding === 'none' ? '' : `; the session of step 1 is ${binding}`}`,
    ...steps.map((step, place) => `  ${place + 1}. ${tellStep(step)}`),
    ...both.map((step, place) => `  ${'ab'[place]}. ${tellMeeting(step)}`),
    tell(`both at once${isApart ? ', in two processes' : ''}`, run),
    tell('a, then b', first),
    tell('b, then a', second),
  ].join('\n')
}
