import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Mutant } from './mutate.ts'
import type { Loaded, Order, Outcome } from './worker.ts'

/** The end of a mutant. Nothing ran the code of an unreached mutant. */
export type Fate = 'killed' | 'timeout' | 'survived' | 'unreached'

/** One test of a file, as it ran without a mutant. */
export interface Test {
  readonly index: number
  readonly time: number
  readonly reached: ReadonlySet<number>
}

/** Milliseconds in which a file has to be loaded. */
const LOAD_TIME = 60_000

/** Milliseconds that a test may take without a mutant. */
const TEST_TIME = 20_000

/** Milliseconds that each test costs beside its own time. */
const OVERHEAD = 3

/** A process is replaced after so many tests, because the tap that it runs remembers each of them. */
const MAX_TESTS = 2_000

/** A process that has loaded test files. */
class Runner {
  /** The answer of the load, or nothing if the load failed. */
  readonly loaded: Promise<Loaded | undefined>
  done = 0
  readonly #child: ChildProcess
  #resolve: ((message: unknown) => void) | undefined

  constructor(folder: string, files: readonly string[], mutant = 0) {
    const paths = files.map((file) => pathToFileURL(join(folder, file.replace(/\.ts$/, '.js'))).href)
    const { NODE_OPTIONS: _options, ...env } = process.env
    this.#child = fork(join(folder, 'mutants/worker.js'), paths, {
      cwd: folder,
      execArgv: [],
      stdio: ['ignore', 'ignore', process.env['MUTANTS_SHOW'] === undefined ? 'ignore' : 'inherit', 'ipc'],
      env: { ...withoutTap(env), MUTANT: String(mutant), TAP_TIMEOUT: '0' },
    })
    // Tap itself sends messages to its parent, too.
    this.#child.on('message', (message: object) => 'reached' in message && this.#resolve?.(message))
    this.#child.on('exit', () => this.#resolve?.(undefined))
    this.#child.on('error', () => this.#resolve?.(undefined))
    this.loaded = this.#wait<Loaded>(LOAD_TIME).then((answer) => (answer === 'late' ? undefined : answer))
  }

  /** Runs one test. `undefined` says that the process has ended. */
  async run(order: Order, limit: number): Promise<Outcome | 'late' | undefined> {
    this.done += 1
    const outcome = this.#wait<Outcome>(limit)
    if (this.#child.connected) this.#child.send(order, () => undefined)
    else this.#resolve?.(undefined)
    return outcome
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }

  #wait<Message>(limit: number): Promise<Message | 'late' | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve('late'), limit)
      this.#resolve = (message) => {
        clearTimeout(timer)
        resolve(message as Message | undefined)
      }
    })
  }
}

/** Leaves out the variables by which a surrounding tap would collect the coverage of its children. */
function withoutTap(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^_?TAP/.test(name)))
}

/** Runs the tests of some files against the mutants that they reach. */
export class FileRun {
  /** Tests that pass only once in one process, or never. No mutant meets them. */
  readonly unusable: number[] = []
  tests: Test[] = []
  /** Mutants whose code runs while the file is loaded. */
  atLoad: ReadonlySet<number> = new Set()
  readonly #folder: string
  readonly #files: readonly string[]
  readonly #fileOf: (mutant: number) => string | undefined
  readonly #killers = new Map<string, number[]>()
  readonly #focused = new Map<string, readonly Test[]>()
  #runner: Runner | undefined

  /** `fileOf` names the file of a mutant. */
  constructor(folder: string, files: readonly string[], fileOf: (mutant: number) => string | undefined) {
    this.#folder = folder
    this.#files = files
    this.#fileOf = fileOf
  }

  /** Runs each test twice without a mutant: to see what it reaches, and to see that it can run again. */
  async prepare(): Promise<void> {
    const runner = await this.#fresh()
    if (runner === undefined) throw new Error(`${this.#files.join(', ')} cannot be loaded`)
    const loaded = await runner.loaded
    this.atLoad = new Set(loaded?.reached)
    for (let index = 0; index < (loaded?.count ?? 0); index += 1) await this.#measure(index)
    console.log(`${this.tests.length} of ${loaded?.count} tests pass alone, and reach the mutants`)
    for (const { index } of this.tests) {
      if (!(await this.#passes(index))) this.unusable.push(index)
    }
    this.tests = this.tests.filter(({ index }) => !this.unusable.includes(index)).toSorted((a, b) => a.time - b.time)
  }

  /** Returns a second process with the same tests, which need not be measured again. */
  twin(): FileRun {
    const twin = new FileRun(this.#folder, this.#files, this.#fileOf)
    twin.tests = this.tests
    twin.atLoad = this.atLoad
    return twin
  }

  /**
   * Returns the tests that reach a mutant: those first that killed mutants of its file, the latest before the others,
   * then those that are most about the file for their time.
   */
  testsOf({ id, file }: Mutant): Test[] {
    const killers = this.#killers.get(file) ?? []
    const rank = ({ index }: Test): number => {
      const place = killers.indexOf(index)
      return place === -1 ? Infinity : place
    }
    return this.#byFocus(file)
      .filter(({ reached }) => reached.has(id))
      .map((test) => ({ test, rank: rank(test) }))
      .toSorted((one, other) => (one.rank === other.rank ? 0 : one.rank - other.rank))
      .map(({ test }) => test)
  }

  /** Returns the tests, those first that reach much of a file and little else, and are fast. */
  #byFocus(file: string): readonly Test[] {
    const known = this.#focused.get(file)
    if (known !== undefined) return known
    const focusOf = ({ reached, time }: Test): number => {
      let own = 0
      for (const id of reached) if (this.#fileOf(id) === file) own += 1
      return own / reached.size / (time + OVERHEAD)
    }
    const sorted = this.tests
      .map((test) => ({ test, focus: focusOf(test) }))
      .toSorted((one, other) => other.focus - one.focus)
      .map(({ test }) => test)
    this.#focused.set(file, sorted)
    return sorted
  }

  /** Runs tests against a mutant until one fails. */
  async try(mutant: Mutant, tests: readonly Test[]): Promise<'killed' | 'timeout' | 'survived'> {
    return this.#tryHere(mutant, tests, true)
  }

  /** Loads the files anew with a mutant that changes what happens at the load, and runs all tests. */
  async tryFromStart(mutant: number): Promise<'killed' | 'timeout' | 'survived'> {
    const runner = new Runner(this.#folder, this.#files, mutant)
    try {
      if ((await runner.loaded) === undefined) return 'killed'
      for (const { index, time } of this.tests) {
        const outcome = await runner.run({ test: index, mutant, isRecorded: false }, limitOf(time))
        if (outcome === 'late') return 'timeout'
        if (outcome?.isOk !== true) return 'killed'
      }
      return 'survived'
    } finally {
      runner.end()
    }
  }

  end(): void {
    this.#runner?.end()
    this.#runner = undefined
  }

  async #measure(index: number): Promise<void> {
    const runner = await this.#ready()
    const outcome = await runner?.run({ test: index, mutant: 0, isRecorded: true }, TEST_TIME)
    if (typeof outcome === 'object' && outcome.isOk) {
      this.tests.push({ index, time: outcome.time, reached: new Set(outcome.reached) })
      return
    }
    this.unusable.push(index)
    if (typeof outcome !== 'object') this.end()
  }

  async #passes(index: number, mutant = 0): Promise<boolean> {
    const runner = await this.#ready()
    const outcome = await runner?.run({ test: index, mutant, isRecorded: false }, TEST_TIME)
    if (typeof outcome === 'object') return outcome.isOk
    this.end()
    return false
  }

  async #tryHere(mutant: Mutant, tests: readonly Test[], isFirst: boolean): Promise<'killed' | 'timeout' | 'survived'> {
    for (const { index, time } of tests) {
      const runner = await this.#ready()
      if (runner === undefined) throw new Error(`${this.#files.join(', ')} cannot be loaded`)
      const outcome = await runner.run({ test: index, mutant: mutant.id, isRecorded: false }, limitOf(time))
      if (typeof outcome === 'object' && outcome.isOk) continue
      const isLate = outcome === 'late'
      // A mutant may leave the process in disorder. Then the next one would seem to be killed.
      const isSound = typeof outcome === 'object' && (await this.#passes(index))
      if (!isSound) this.end()
      if (typeof outcome === 'object' && !isSound && isFirst) return this.#tryHere(mutant, tests, false)
      // A test that fails by chance, on a machine that is busy, kills nothing.
      if (isSound && (await this.#passes(index, mutant.id))) continue
      this.#remember(mutant.file, index)
      return isLate ? 'timeout' : 'killed'
    }
    return 'survived'
  }

  /** Remembers a test that killed a mutant, because it is likely to kill the next mutant of the file. */
  #remember(file: string, index: number): void {
    const others = (this.#killers.get(file) ?? []).filter((other) => other !== index)
    this.#killers.set(file, [index, ...others])
  }

  async #ready(): Promise<Runner | undefined> {
    if (this.#runner !== undefined && this.#runner.done < MAX_TESTS) return this.#runner
    return this.#fresh()
  }

  async #fresh(): Promise<Runner | undefined> {
    this.end()
    this.#runner = new Runner(this.#folder, this.#files)
    return (await this.#runner.loaded) === undefined ? undefined : this.#runner
  }
}

/** Returns the time limit of a test. A noisy machine is slow for seconds, so the limit is never short. */
function limitOf(time: number): number {
  return 2_000 + 10 * time
}
