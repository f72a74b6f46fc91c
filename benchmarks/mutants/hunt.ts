import { Choice } from './choice.ts'
import type { Fate, Fates } from './fates.ts'
import type { Mutant } from './mutate.ts'
import type { MutantOptions } from './options.ts'
import { readImports } from './plan.ts'
import type { Test, Tests } from './tests.ts'
import { measureTests } from './tests.ts'
import { Trial } from './trial.ts'

/** Results that may be lost when the run is cut off. */
const SAVE_EVERY = 50

/** The number of tests that a mutant meets alone. */
const FIRST_TESTS = 10

/** The number of mutants that meet the other tests together. */
const MAX_GROUP = 80

/** The number of mutants after which the run says how far it is. */
const TELL_EVERY = 200

/** Sends each mutant through the test files that reach it, until a test fails. */
export class Hunt {
  readonly #folder: string
  readonly #files: ReadonlyMap<number, string>
  readonly #chosen: readonly Mutant[]
  readonly #known: Fates
  readonly #options: MutantOptions
  readonly #fates = new Map<number, Fate>()
  #unsaved = 0

  /** `chosen` are those of `all` mutants that this run tries. */
  constructor(folder: string, all: readonly Mutant[], chosen: readonly Mutant[], known: Fates, options: MutantOptions) {
    this.#folder = folder
    this.#files = new Map(all.map(({ id, file }) => [id, file]))
    this.#chosen = chosen
    this.#known = known
    this.#options = options
    for (const { id } of chosen) {
      const fate = known.get(id)
      if (fate === undefined || fate === 'question') continue
      if (isDead(fate) || !options.isAgain) this.#fates.set(id, fate)
    }
  }

  fateOf({ id }: Mutant): Fate {
    return this.#fates.get(id) ?? 'unreached'
  }

  async run(files: readonly string[]): Promise<void> {
    const alive = this.#chosen.filter(({ id }) => !this.#fates.has(id))
    if (alive.length > 0 && files.length > 0) await this.#meet(files, alive)
    this.#settle(alive)
  }

  async #meet(files: readonly string[], alive: readonly Mutant[]): Promise<void> {
    const { jobs, root } = this.#options
    const tests = await measureTests(this.#folder, files, jobs)
    const without = tests.unusable.map((name) => `\n  ${name}`).join('')
    this.#tell(`${tests.all.length} tests of ${files.length} files${without === '' ? '' : `, without${without}`}`)
    const choice = new Choice(tests, (id) => this.#files.get(id), readImports(root, files))
    const trials = Array.from({ length: jobs }, () => new Trial(this.#folder, tests.atLoad, choice))
    try {
      const tried = await this.#meetAlone(trials, choice, alive)
      await this.#meetTogether(trials, choice, tests, tried)
    } finally {
      for (const trial of trials) trial.end()
    }
  }

  /** Most mutants are killed by the first tests that reach them. Returns the tests that each mutant has met. */
  async #meetAlone(
    trials: readonly Trial[],
    choice: Choice,
    alive: readonly Mutant[],
  ): Promise<Map<Mutant, ReadonlySet<Test>>> {
    const tried = new Map<Mutant, ReadonlySet<Test>>()
    let done = 0
    await share(trials, alive, async (trial, mutant) => {
      const isPast = this.#known.get(mutant.id) === 'question'
      const first = isPast ? [] : choice.testsOf(mutant).slice(0, FIRST_TESTS)
      if (isPast || first.length > 0) this.#note(mutant, (await trial.meet(mutant, first)) ?? 'question')
      tried.set(mutant, new Set(first))
      done += 1
      if (done % TELL_EVERY === 0) this.#tell(`${done} of ${alive.length} have met their first tests`)
    })
    return tried
  }

  /** Those that are left are many equivalent ones and few others, so they meet the other tests in groups. */
  async #meetTogether(
    trials: readonly Trial[],
    choice: Choice,
    { all, atLoad }: Tests,
    tried: ReadonlyMap<Mutant, ReadonlySet<Test>>,
  ): Promise<void> {
    const left = [...tried.keys()].filter((mutant) => this.fateOf(mutant) === 'question')
    const groups = groupsOf(left.filter(({ id }) => !atLoad.has(id)))
    const fromStart = groupsOf(left.filter(({ id }) => atLoad.has(id)))
    const note = (mutant: Mutant, fate: Fate): void => {
      this.#note(mutant, fate)
      // Minutes may lie between two of these.
      this.#save()
    }
    const isDue = (mutant: Mutant, test: Test): boolean =>
      this.fateOf(mutant) === 'question' && choice.reaches(test, mutant) && tried.get(mutant)?.has(test) !== true
    this.#tell(`${groups.length + fromStart.length} groups meet the other tests`)
    await share(trials, groups, async (trial, group) => {
      for (const test of all) {
        const due = group.filter((mutant) => isDue(mutant, test))
        await trial.meetTogether(due, test, note)
      }
      this.#settle(group)
      this.#tell('a group has met all tests')
    })
    await share(trials, fromStart, async (trial, group) => {
      const due = all.filter((test) => group.some((mutant) => isDue(mutant, test)))
      await trial.meetFromStart(group, due, note)
      this.#settle(group)
      this.#tell('a group has met all tests')
    })
  }

  /** Notes what is left of mutants that have met all tests. */
  #settle(mutants: readonly Mutant[]): void {
    for (const mutant of mutants) {
      const fate = this.fateOf(mutant)
      this.#note(mutant, fate === 'question' ? 'survived' : fate)
    }
    this.#save()
  }

  #tell(what: string): void {
    const dead = this.#chosen.filter((mutant) => isDead(this.fateOf(mutant))).length
    console.log(`${new Date().toTimeString().slice(0, 8)} ${what}: ${dead} of ${this.#chosen.length} are killed`)
    this.#save()
  }

  #note({ id }: Mutant, fate: Fate): void {
    this.#fates.set(id, fate)
    // A mutant that survives some of the tests may be killed by others.
    if (!isDead(fate) && this.#options.tests.length > 0) return
    this.#known.set(id, fate)
    this.#unsaved += 1
    if (this.#unsaved >= SAVE_EVERY) this.#save()
  }

  #save(): void {
    this.#unsaved = 0
    this.#known.save()
  }
}

/** Lets each process take the next item. */
async function share<Item>(
  trials: readonly Trial[],
  items: readonly Item[],
  work: (trial: Trial, item: Item) => Promise<void>,
): Promise<void> {
  const rest = [...items]
  const take = async (trial: Trial): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await work(trial, next)
  }
  await Promise.all(trials.map(take))
}

/** Deals the mutants like cards, so that those of one function, which would hide each other, come to several groups. */
function groupsOf(mutants: readonly Mutant[]): Mutant[][] {
  const count = Math.ceil(mutants.length / MAX_GROUP)
  const sorted = mutants.toSorted((one, other) => one.id - other.id)
  return Array.from({ length: count }, (_, nth) => sorted.filter((_mutant, index) => index % count === nth))
}

function isDead(fate: Fate): boolean {
  return fate === 'killed' || fate === 'timeout'
}
