import type { Cache } from './cache.ts'
import type { Mutant } from './mutate.ts'
import type { MutantOptions } from './options.ts'
import type { Fate } from './run.ts'
import { FileRun } from './run.ts'

/** Milliseconds that a test may take to be run for each mutant that needs a new process. */
const MAX_TIME_AT_LOAD = 2_000

/** Results that may be lost when the run is cut off. */
const SAVE_EVERY = 50

/** The number of tests of a file that a mutant meets first. */
const FIRST_TESTS = 3

/** Sends each mutant through the test files that reach it, until a test fails. */
export class Hunt {
  readonly #folder: string
  readonly #chosen: readonly Mutant[]
  readonly #cache: Cache
  readonly #options: MutantOptions
  readonly #fates = new Map<number, Fate>()
  /** The mutants that run while a file is loaded. */
  readonly #loaders = new Map<string, ReadonlySet<number>>()
  readonly #runs = new Map<string, FileRun>()
  #unsaved = 0
  readonly #busy = new Map<number, Promise<void>>()

  constructor(folder: string, chosen: readonly Mutant[], cache: Cache, options: MutantOptions) {
    this.#folder = folder
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
    if (alive.length > 0) {
      // Most mutants are killed by the first tests that reach them. The others meet all tests.
      await this.#share([...files], (file) => this.#meet(file, alive, 0, FIRST_TESTS))
      await this.#share([...files], (file) => this.#meet(file, alive, FIRST_TESTS, Infinity))
      await this.#meetAtLoad(alive)
    }
    // A mutant that survives some of the tests may be killed by the others.
    if (this.#options.tests.length === 0) for (const mutant of alive) this.#cache.set(mutant.id, this.fateOf(mutant))
    this.#cache.save()
  }

  /** Gives the items to as many workers as may run at the same time. */
  async #share<Item>(items: Item[], work: (item: Item) => Promise<void>): Promise<void> {
    const lane = async (): Promise<void> => {
      for (let item = items.shift(); item !== undefined; item = items.shift()) await work(item)
    }
    await Promise.all(Array.from({ length: this.#options.jobs }, lane))
  }

  async #meet(file: string, alive: readonly Mutant[], from: number, to: number): Promise<void> {
    const start = performance.now()
    const run = this.#runs.get(file) ?? (await this.#prepare(file, alive))
    try {
      let killed = 0
      for (const { id } of alive.filter((mutant) => run.reaches(mutant.id))) {
        while (this.#busy.has(id)) await this.#busy.get(id)
        if (this.#isDead(id)) continue
        const trial = run.try(id, from, to).then((fate) => this.#note(id, fate))
        this.#busy.set(id, trial)
        await trial
        this.#busy.delete(id)
        if (this.#isDead(id)) killed += 1
      }
      this.#tell(file, run, killed, performance.now() - start)
    } finally {
      run.end()
    }
  }

  async #prepare(file: string, alive: readonly Mutant[]): Promise<FileRun> {
    const run = new FileRun(this.#folder, [file])
    this.#runs.set(file, run)
    await run.prepare()
    if (alive.some(({ id }) => run.atLoad.has(id))) this.#loaders.set(file, run.atLoad)
    return run
  }

  /** Loads all files at once for each mutant that runs at the load, because such a mutant needs a new process. */
  async #meetAtLoad(alive: readonly Mutant[]): Promise<void> {
    const start = performance.now()
    const isLoaded = (id: number): boolean => [...this.#loaders.values()].some((reached) => reached.has(id))
    const rest = alive.map(({ id }) => id).filter((id) => !this.#isDead(id) && isLoaded(id))
    if (rest.length === 0) return
    const files = [...this.#loaders].filter(([, reached]) => rest.some((id) => reached.has(id))).map(([file]) => file)
    const run = new FileRun(this.#folder, files)
    try {
      await run.prepare()
    } finally {
      run.end()
    }
    run.tests = run.tests.filter(({ time }) => time < MAX_TIME_AT_LOAD)
    await this.#share([...rest], async (id) => this.#note(id, await run.tryFromStart(id)))
    const killed = rest.filter((id) => this.#isDead(id)).length
    this.#tell(`${files.length} files loaded anew`, run, killed, performance.now() - start)
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

  #tell(file: string, { tests, unusable }: FileRun, killed: number, time: number): void {
    this.#save()
    const without = unusable.length === 0 ? '' : `, without the tests ${unusable.join(', ')}`
    const left = this.#chosen.filter(({ id }) => !this.#isDead(id)).length
    const seconds = (time / 1000).toFixed(0)
    console.log(`${file}: ${killed} killed by ${tests.length} tests in ${seconds} s${without}; ${left} left`)
  }
}
