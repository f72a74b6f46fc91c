import { dirname } from 'node:path'
import type { Mutant } from './mutate.ts'
import type { Test, Tests } from './tests.ts'

/** Milliseconds that each test costs beside its own time. */
const OVERHEAD = 3

/** Says which tests a mutant meets, in which order. It learns from the tests that killed others. */
export class Choice {
  readonly #tests: readonly Test[]
  readonly #imports: (test: string, file: string) => boolean
  readonly #atLoad: ReadonlySet<number>
  /** For each test, the number of mutants that it reaches in each file. */
  readonly #counts = new Map<Test, ReadonlyMap<string, number>>()
  /** The files with mutants that run after the load. */
  readonly #running = new Set<string>()
  /** The tests that killed mutants of a file or of the load of a folder, the latest first. */
  readonly #killers = new Map<string, Test[]>()
  readonly #focused = new Map<string, readonly Test[]>()

  /** `fileOf` names the file of a mutant. `imports` tells whether a test file imports from the room of a file. */
  constructor(
    { all, atLoad }: Tests,
    fileOf: (id: number) => string | undefined,
    imports: (test: string, file: string) => boolean,
  ) {
    this.#tests = all
    this.#imports = imports
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
    const known = this.#groupsOf(mutant).flatMap((group) => this.#killers.get(group) ?? [])
    const killers = [...new Set(known)].filter((test) => this.reaches(test, mutant))
    const others = this.#byFocus(mutant.file).filter((test) => this.reaches(test, mutant) && !killers.includes(test))
    return [...killers, ...others]
  }

  /**
   * Tells whether a test runs a mutant. What ran at the load may matter to each test that runs code of its file, and to
   * one that looks at the values of modules itself.
   */
  reaches(test: Test, { id, file }: Mutant): boolean {
    if (test.reached.has(id)) return true
    if (!this.#atLoad.has(id)) return false
    return this.#counts.get(test)?.has(file) === true || this.#imports(test.file, file) || !this.#isLookedAt(file)
  }

  /** Remembers a test that killed a mutant, because it is likely to kill the next mutant of the file. */
  remember(mutant: Mutant, test: Test): void {
    for (const group of this.#groupsOf(mutant)) {
      const others = (this.#killers.get(group) ?? []).filter((other) => other !== test)
      this.#killers.set(group, [test, ...others])
    }
  }

  /** Values of one folder are often looked at by the same test. */
  #groupsOf({ id, file }: Mutant): string[] {
    return this.#atLoad.has(id) ? [file, dirname(file)] : [file]
  }

  /** Tells whether any test runs code of a file, or imports from its room. */
  #isLookedAt(file: string): boolean {
    return this.#running.has(file) || this.#tests.some((test) => this.#imports(test.file, file))
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
