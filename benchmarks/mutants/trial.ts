import type { Choice } from './choice.ts'
import type { Mutant } from './mutate.ts'
import { Runner } from './runner.ts'
import type { Test } from './tests.ts'
import { passes } from './tests.ts'
import type { Outcome } from './worker.ts'

/** The end of a mutant that a test noticed. */
type Death = 'killed' | 'timeout'

/** Runs tests against mutants in a process of its own. */
export class Trial {
  readonly #folder: string
  readonly #atLoad: ReadonlySet<number>
  readonly #choice: Choice
  readonly #runner: Runner

  /** `atLoad` are the mutants that need a process that loads its files with them. */
  constructor(folder: string, atLoad: ReadonlySet<number>, choice: Choice) {
    this.#folder = folder
    this.#atLoad = atLoad
    this.#choice = choice
    this.#runner = new Runner(folder)
  }

  end(): void {
    this.#runner.end()
  }

  /** Runs tests against one mutant until one fails. */
  async meet(mutant: Mutant, tests: readonly Test[]): Promise<Death | undefined> {
    return this.#withRunner([mutant], async (runner) => {
      for (const test of tests) {
        const death = await this.#judge(runner, test, mutant)
        if (death === undefined) continue
        this.#choice.remember(mutant, test)
        return death
      }
      return undefined
    })
  }

  /**
   * Runs a test against several mutants at once, and against ever fewer of them while it fails. A mutant whose code
   * another one kept from running meets the test again.
   */
  async meetTogether(
    mutants: readonly Mutant[],
    test: Test,
    tell: (mutant: Mutant, fate: Death) => void,
  ): Promise<void> {
    const [first] = mutants
    if (first === undefined) return
    if (mutants.length === 1) {
      const death = await this.meet(first, [test])
      if (death !== undefined) tell(first, death)
      return
    }
    const outcome = await this.#withRunner(mutants, (runner) => this.#run(runner, test, mutants))
    if (isOk(outcome)) {
      for (const part of partsOf(this.#hiddenFrom(test, outcome, mutants), mutants)) {
        await this.meetTogether(part, test, tell)
      }
      return
    }
    await this.#tidy(test)
    const middle = Math.ceil(mutants.length / 2)
    await this.meetTogether(mutants.slice(0, middle), test, tell)
    await this.meetTogether(mutants.slice(middle), test, tell)
  }

  /**
   * Does the same for many tests with mutants that a process has to be loaded with. A process stays until a test fails;
   * that test alone finds those that it notices, and the others go on together in a new process.
   */
  async meetFromStart(
    mutants: readonly Mutant[],
    tests: readonly Test[],
    tell: (mutant: Mutant, fate: Death) => void,
  ): Promise<void> {
    const [only] = mutants
    if (only === undefined) return
    if (mutants.length === 1) {
      const death = await this.meet(only, tests)
      if (death !== undefined) tell(only, death)
      return
    }
    const unmet = new Map<Mutant, Set<Test>>()
    let alive = [...mutants]
    const bury = (mutant: Mutant, fate: Death): void => {
      alive = alive.filter((other) => other !== mutant)
      tell(mutant, fate)
    }
    let next = 0
    while (next < tests.length && alive.length > 1) {
      const rest = tests.slice(next)
      const failed = await this.#withRunner(alive, (runner) => this.#runAll(runner, rest, alive, unmet))
      next = failed === undefined ? tests.length : next + failed + 1
      const test = rest[failed ?? rest.length]
      if (test === undefined) break
      const due = alive.filter((mutant) => this.#choice.reaches(test, mutant))
      await this.meetTogether(due, test, bury)
    }
    // The process of one mutant alone does not say what it reached.
    const rest = tests.slice(next)
    for (const mutant of rest.length > 0 ? alive : []) {
      unmet.set(mutant, new Set([...(unmet.get(mutant) ?? []), ...rest]))
    }
    const hidden = alive.filter((mutant) => unmet.has(mutant))
    for (const part of partsOf(hidden, mutants)) {
      const again = tests.filter((test) => part.some((mutant) => unmet.get(mutant)?.has(test)))
      await this.meetFromStart(part, again, tell)
    }
  }

  /**
   * Runs tests until one fails, and returns its place. `unmet` gets the passed tests that reach a mutant only while the
   * others do not run.
   */
  async #runAll(
    runner: Runner,
    tests: readonly Test[],
    mutants: readonly Mutant[],
    unmet: Map<Mutant, Set<Test>>,
  ): Promise<number | undefined> {
    for (const [index, test] of tests.entries()) {
      const outcome = await this.#run(runner, test, mutants)
      if (!isOk(outcome)) return index
      for (const mutant of this.#hiddenFrom(test, outcome, mutants)) {
        unmet.set(mutant, (unmet.get(mutant) ?? new Set()).add(test))
      }
    }
    return undefined
  }

  /** Returns the mutants that the test reaches, in its run or while its file is loaded, when they are alone. */
  #hiddenFrom(test: Test, outcome: Outcome, mutants: readonly Mutant[]): Mutant[] {
    const met = new Set(outcome.reached)
    const metAtLoad = new Set(outcome.reachedAtLoad)
    return mutants.filter((mutant) => {
      if (test.reached.has(mutant.id)) return !met.has(mutant.id)
      return this.#choice.reaches(test, mutant) && !metAtLoad.has(mutant.id)
    })
  }

  async #judge(runner: Runner, test: Test, mutant: Mutant): Promise<Death | undefined> {
    const outcome = await this.#run(runner, test, [mutant])
    if (isOk(outcome)) return undefined
    if (outcome === 'late') return 'timeout'
    // An earlier mutant may have left the process in disorder, and a test may fail by chance. So it has to fail twice.
    await this.#tidy(test)
    const again = await this.#run(runner, test, [mutant])
    if (isOk(again)) return undefined
    return again === 'late' ? 'timeout' : 'killed'
  }

  #run(runner: Runner, test: Test, mutants: readonly Mutant[]): Promise<Outcome | 'late' | undefined> {
    const order = { index: test.index, mutants: mutants.map(({ id }) => id), isRecorded: false }
    return runner.run(test.file, order, limitOf(test.time))
  }

  /** Replaces the process if the test no longer passes in it. */
  async #tidy(test: Test): Promise<void> {
    if (!(await passes(this.#runner, test, []))) this.#runner.renew()
  }

  /** Gives the work a process that can run these mutants: a new one, if it has to be loaded with them. */
  async #withRunner<Result>(mutants: readonly Mutant[], work: (runner: Runner) => Promise<Result>): Promise<Result> {
    if (!this.#isAtLoad(mutants)) return work(this.#runner)
    const runner = new Runner(
      this.#folder,
      mutants.map(({ id }) => id),
    )
    try {
      return await work(runner)
    } finally {
      runner.end()
    }
  }

  #isAtLoad(mutants: readonly Mutant[]): boolean {
    return mutants.some(({ id }) => this.#atLoad.has(id))
  }
}

/** Returns the mutants that meet a test again: together, unless they may hide each other. */
function partsOf(hidden: readonly Mutant[], all: readonly Mutant[]): (readonly Mutant[])[] {
  return hidden.length < all.length ? [hidden] : hidden.map((mutant) => [mutant])
}

function isOk(outcome: Outcome | 'late' | undefined): outcome is Outcome {
  return typeof outcome === 'object' && outcome.isOk
}

/** Returns the time limit of a test. A noisy machine is slow for seconds, so the limit is never short. */
function limitOf(time: number): number {
  return 2_000 + 10 * time
}
