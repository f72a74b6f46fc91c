import type { Mutant } from './mutate.ts'
import type { Test, Tests } from './tests.ts'

/** Milliseconds that each test costs beside its own time. */
const OVERHEAD = 3

/** Says which tests a mutant meets, in which order. It learns from the tests that killed others. */
export class Choice {
  readonly #tests: readonly Test[]
  readonly #atLoad: ReadonlySet<number>
  /** For each test, the number of mutants that it reaches in each file. */
  readonly #counts = new Map<Test, ReadonlyMap<string, number>>()
  /** The files with mutants that run after the load. */
  readonly #running = new Set<string>()
  /** The tests that killed mutants of a file, the latest first. */
  readonly #killers = new Map<string, Test[]>()
  readonly #focused = new Map<string, readonly Test[]>()

  /** `fileOf` names the file of a mutant. */
  constructor({ all, atLoad }: Tests, fileOf: (id: number) => string | undefined) {
    this.#tests = all
    this.#atLoad = atLoad
    for (const test of all) {
      const counts = new Map<string, number>()
      for (const id of test.reached) {
        const file = fileOf(id) ?? ''
        counts.set(file, (counts.get(file) ?? 0) + 1)
        this.#running.add(file)
      }
      this.#counts.set(test, counts)
    }
  }

  /**
   * Returns the tests that reach a mutant: those first that killed mutants of its file, the latest before the others,
   * then those that are most about the file for their time.
   */
  testsOf(mutant: Mutant): Test[] {
    const killers = (this.#killers.get(mutant.file) ?? []).filter((test) => this.reaches(test, mutant))
    const others = this.#byFocus(mutant.file).filter((test) => this.reaches(test, mutant) && !killers.includes(test))
    return [...killers, ...others]
  }

  /** Tells whether a test runs a mutant. What ran at the load may matter to each test that runs code of its file. */
  reaches(test: Test, { id, file }: Mutant): boolean {
    if (test.reached.has(id)) return true
    return this.#atLoad.has(id) && (!this.#running.has(file) || this.#counts.get(test)?.has(file) === true)
  }

  /** Remembers a test that killed a mutant, because it is likely to kill the next mutant of the file. */
  remember({ file }: Mutant, test: Test): void {
    const others = (this.#killers.get(file) ?? []).filter((other) => other !== test)
    this.#killers.set(file, [test, ...others])
  }

  /** Returns the tests, those first that reach much of a file and little else, and are fast. */
  #byFocus(file: string): readonly Test[] {
    const known = this.#focused.get(file)
    if (known !== undefined) return known
    const focusOf = (test: Test): number => {
      const own = this.#counts.get(test)?.get(file) ?? 0
      return own / (test.reached.size + 1) / (test.time + OVERHEAD)
    }
    const sorted = this.#tests
      .map((test) => ({ test, focus: focusOf(test) }))
      .toSorted((one, other) => other.focus - one.focus)
      .map(({ test }) => test)
    this.#focused.set(file, sorted)
    return sorted
  }
}
