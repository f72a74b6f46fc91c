import { Runner } from './runner.ts'
import type { Outcome } from './worker.ts'

/** One test of a file, as it ran without a mutant. */
export interface Test {
  readonly file: string
  /** The place of the test in its file. */
  readonly index: number
  /** Milliseconds. */
  readonly time: number
  readonly reached: ReadonlySet<number>
}

/** The tests that can meet mutants, and what is known of the others. */
export interface Tests {
  /** The tests that pass, the fastest first. */
  readonly all: readonly Test[]
  /** Mutants whose code runs while a file is loaded. */
  readonly atLoad: ReadonlySet<number>
  /** Tests that pass only once in one process, or never. No mutant meets them. */
  readonly unusable: readonly string[]
}

/** Milliseconds that a test may take without a mutant. */
const TEST_TIME = 20_000

/** Runs each test twice without a mutant: to see what it reaches, and to see that it can run again. */
export async function measureTests(folder: string, files: readonly string[], jobs: number): Promise<Tests> {
  const all: Test[] = []
  const unusable: string[] = []
  const atLoad = new Set<number>()
  const rest = [...files]
  const measure = async (runner: Runner, file: string): Promise<void> => {
    const loaded = await runner.load(file)
    if (loaded === undefined) throw new Error(`${file} cannot be loaded`)
    for (const id of loaded.reached) atLoad.add(id)
    for (let index = 0; index < loaded.count; index += 1) {
      // Another test may have left the process in disorder.
      let test = await record(runner, { file, index })
      if (test === undefined) {
        runner.renew()
        test = await record(runner, { file, index })
      }
      if (test !== undefined && (await passes(runner, { file, index }, []))) {
        all.push({ file, index, time: test.time, reached: new Set(test.reached) })
      } else unusable.push(`${file} ${index + 1}`)
    }
  }
  const take = async (): Promise<void> => {
    const runner = new Runner(folder)
    try {
      for (let file = rest.shift(); file !== undefined; file = rest.shift()) await measure(runner, file)
    } finally {
      runner.end()
    }
  }
  await Promise.all(Array.from({ length: jobs }, take))
  return { all: all.toSorted((one, other) => one.time - other.time), atLoad, unusable }
}

/** Runs a test without a mutant. Returns what it reached; `undefined` when it fails. */
async function record(runner: Runner, { file, index }: Pick<Test, 'file' | 'index'>): Promise<Outcome | undefined> {
  const outcome = await runner.run(file, { index, mutants: [], isRecorded: true }, TEST_TIME)
  return typeof outcome === 'object' && outcome.isOk ? outcome : undefined
}

/** Tells whether a test passes with these mutants. */
export async function passes(
  runner: Runner,
  { file, index }: Pick<Test, 'file' | 'index'>,
  mutants: readonly number[],
): Promise<boolean> {
  const outcome = await runner.run(file, { index, mutants, isRecorded: false }, TEST_TIME)
  return typeof outcome === 'object' && outcome.isOk
}
