import type { Choose, Happened, Waiting } from '../support/scheduler.ts'
import { actors, isVerifying } from './chance.ts'
import type { SteppedStore } from './stepped-store.ts'

const NAMES = 'abcdefg'

/** Returns the name of an actor, by its place in the scene. */
export function nameOfActor(place: number): string {
  return NAMES[place] ?? ''
}

/** Returns the place of an actor in the scene. */
export function placeOfActor(name: string): number {
  return NAMES.indexOf(name)
}

/** Runs something of the scheduler's own, whose store operations are no steps. */
export function aside<Result>(work: () => Result): Result {
  return actors.run('', work)
}

/** A step that was chosen, and the steps that waited then. */
export interface Chosen {
  readonly id: string
  readonly fate: Happened['fate']
  readonly waiting: readonly Waiting[]
}

/**
 * Does several works at once, whose steps happen in the order that is chosen. Resolves once nothing waits any more, or
 * once nothing is chosen: then the run is not whole, and every step that is left fails.
 */
export async function interleave(
  stepped: SteppedStore,
  works: readonly (() => Promise<void>)[],
  choose: Choose,
): Promise<{ readonly choices: readonly Chosen[]; readonly isWhole: boolean }> {
  let running = works.length
  const failures: unknown[] = []
  for (const [place, work] of works.entries()) {
    const done = (): void => void (running -= 1)
    // Works of an abandoned run fail.
    void actors.run(nameOfActor(place), work).then(done, (error: unknown) => {
      failures.push(error)
    })
  }
  const choices: Chosen[] = []
  for (;;) {
    await turn()
    const { waiting } = stepped
    if (waiting.length === 0) break
    const choice = choose(waiting, stepped.deeds)
    if (choice === undefined) {
      await aside(() => stepped.abandon())
      return { choices, isWhole: false }
    }
    choices.push({ ...choice, waiting })
    await stepped.happen(choice.id, choice.fate)
  }
  if (failures.length > 0) throw failures[0]
  if (running > 0) throw new Error(`a work never ends: ${stepped.deeds.map(({ id }) => id).join(' ')}`)
  return { choices, isWhole: true }
}

async function turn(): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve))
  while (isVerifying())
}
