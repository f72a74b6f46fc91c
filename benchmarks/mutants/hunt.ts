import type { Cache } from './cache.ts'
import type { Mutant } from './mutate.ts'
import type { MutantOptions } from './options.ts'
import type { Fate, Test } from './run.ts'
import { FileRun } from './run.ts'

/** Milliseconds that a test may take to be run for each mutant that needs a new process. */
const MAX_TIME_AT_LOAD = 2_000

/** Results that may be lost when the run is cut off. */
const SAVE_EVERY = 50

/** The number of tests that a mutant meets first. */
const FIRST_TESTS = 50

/** The number of mutants after which the run says how far it is. */
const TELL_EVERY = 100

/** Sends each mutant through the test files that reach it, until a test fails. */
export class Hunt {
  readonly #folder: string
  readonly #files: ReadonlyMap<number, string>
  readonly #chosen: readonly Mutant[]
  readonly #cache: Cache
  readonly #options: MutantOptions
  readonly #fates = new Map<number, Fate>()
  readonly #tried = new Map<number, ReadonlySet<Test>>()
  #unsaved = 0

  /** `chosen` are those of `all` mutants that this run tries. */
  constructor(folder: string, all: readonly Mutant[], chosen: readonly Mutant[], cache: Cache, options: MutantOptions) {
    this.#folder = folder
    this.#files = new Map(all.map(({ id, file }) => [id, file]))
    this.#chosen = chosen
    this.#cache = cache
    this.#options = options
    for (const { id } of chosen) {
      const fate = cache.get(id)
      const isKnown = fate === 'killed' || fate === 'timeout' || !options.isAgain
      if (fate !== undefined && isKnown) this.#fates.set(id, fate)
    }
  }

  fateOf({ id }: Mutant): Fate {
    return this.#fates.get(id) ?? 'unreached'
  }

  async run(files: readonly string[]): Promise<void> {
    const alive = this.#chosen.filter(({ id }) => !this.#fates.has(id))
    if (alive.length > 0 && files.length > 0) await this.#meet(files, alive)
    // A mutant that survives some of the tests may be killed by the others.
    if (this.#options.tests.length === 0) for (const mutant of alive) this.#cache.set(mutant.id, this.fateOf(mutant))
    this.#save()
  }

  async #meet(files: readonly string[], alive: readonly Mutant[]): Promise<void> {
    const run = new FileRun(this.#folder, files, (id) => this.#files.get(id))
    const runs = [run]
    try {
      await run.prepare()
      while (runs.length < this.#options.jobs) runs.push(run.twin())
      const unusable = run.unusable.length === 0 ? '' : `, without the tests ${run.unusable.join(', ')}`
      console.log(`${run.tests.length} tests of ${files.length} files${unusable}`)
      // Most mutants are killed by the first tests that reach them. The others meet all tests.
      await this.#share(runs, alive, (mine, mutant) => this.#try(mine, mutant, FIRST_TESTS))
      await this.#share(runs, alive, (mine, mutant) => this.#try(mine, mutant, Infinity))
    } finally {
      for (const each of runs) each.end()
    }
    // A mutant that runs at the load needs a new process.
    run.tests = run.tests.filter(({ time }) => time < MAX_TIME_AT_LOAD)
    const atLoad = alive.filter(({ id }) => run.atLoad.has(id))
    await this.#share(runs, atLoad, async (_mine, { id }) => this.#note(id, await run.tryFromStart(id)))
  }

  /** Lets each process take the next mutant that no test has killed. */
  async #share(
    runs: readonly FileRun[],
    mutants: readonly Mutant[],
    work: (run: FileRun, mutant: Mutant) => Promise<void>,
  ): Promise<void> {
    const rest = mutants.filter(({ id }) => !this.#isDead(id))
    let done = 0
    const take = async (run: FileRun): Promise<void> => {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
        await work(run, next)
        done += 1
        if (done % TELL_EVERY === 0) console.log(`${done} tried, ${this.#chosen.length - this.#dead()} left`)
      }
    }
    await Promise.all(runs.map(take))
    this.#save()
    console.log(`${done} tried, ${this.#chosen.length - this.#dead()} left`)
  }

  async #try(run: FileRun, mutant: Mutant, most: number): Promise<void> {
    const tried = this.#tried.get(mutant.id)
    const tests = run.testsOf(mutant).filter((test) => tried?.has(test) !== true)
    if (tests.length === 0) return
    const chosen = tests.slice(0, most)
    this.#tried.set(mutant.id, new Set(chosen))
    this.#note(mutant.id, await run.try(mutant, chosen))
  }

  #dead(): number {
    return this.#chosen.filter(({ id }) => this.#isDead(id)).length
  }

  #note(id: number, fate: Fate): void {
    this.#fates.set(id, fate)
    if (fate === 'survived') return
    this.#cache.set(id, fate)
    this.#unsaved += 1
    if (this.#unsaved >= SAVE_EVERY) this.#save()
  }

  #save(): void {
    this.#unsaved = 0
    this.#cache.save()
  }

  #isDead(id: number): boolean {
    const fate = this.#fates.get(id)
    return fate === 'killed' || fate === 'timeout'
  }
}
