// Loads test files and runs their tests one at a time, each with the mutants that the parent names.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { t } from 'tap'
import { tests } from './root.js'
import { activate, record, stopRecording } from './switches.js'

/** Asks for a file to be loaded. */
export interface Load {
  readonly kind: 'load'
  /** The address of the compiled file. */
  readonly url: string
}

/** Asks for a test of a loaded file. */
export interface Run {
  readonly kind: 'run'
  readonly url: string
  /** The place of the test in its file. */
  readonly index: number
  readonly mutants: readonly number[]
  /** Asks for all mutants that the test reaches, in the processes that it starts, too. */
  readonly isRecorded: boolean
}

/** The answer to a load. */
export interface Loaded {
  /** The number of tests. */
  readonly count: number
  /** The mutants that ran while the file was loaded. */
  readonly reached: readonly number[]
}

/** The answer to a run. */
export interface Outcome {
  readonly isOk: boolean
  readonly time: number
  readonly reached: readonly number[]
  /** The mutants of this run whose code ran while this process loaded its files. */
  readonly reachedAtLoad: readonly number[]
}

type Test = (...args: unknown[]) => Promise<{ ok: boolean } | null>

/** Tap ends with its last test. So all tests run inside one test that never ends. */
const run = await new Promise<Test>((resolve) => {
  const all = t.test('all', { timeout: 0 }, (inner) => {
    resolve(inner.test.bind(inner) as unknown as Test)
    return new Promise<void>(() => undefined)
  })
  // An error outside of a test ends it all the same. Then no test can run here any more.
  void all.then(() => process.exit(1))
})

/** The tests of each loaded file. */
const loaded = new Map<string, readonly unknown[][]>()

/** The mutants whose code ran while a file was loaded. */
const reachedAtLoad = new Set<number>()

async function load({ url }: Load): Promise<Loaded> {
  record()
  // Tap takes an error that nobody catches for a failure of the test that never ends.
  await import(url).catch(() => process.exit(1))
  const own = tests.splice(0)
  loaded.set(url, own)
  const reached = stopRecording()
  for (const id of reached) reachedAtLoad.add(id)
  return { count: own.length, reached }
}

async function follow({ url, index, mutants, isRecorded }: Run): Promise<Outcome> {
  // Several mutants may keep each other from running, also in processes that the test starts.
  const isWatched = isRecorded || mutants.length > 1
  const folder = isWatched ? mkdtempSync(join(tmpdir(), 'mutants-')) : undefined
  if (folder !== undefined) process.env['MUTANTS_REACHED'] = folder
  activate(mutants)
  if (isWatched) record()
  const start = performance.now()
  const results = await run(...(loaded.get(url)?.[index] ?? []))
  const time = performance.now() - start
  activate([])
  const reached = new Set(stopRecording())
  if (folder !== undefined) {
    delete process.env['MUTANTS_REACHED']
    for (const id of readdirSync(folder).flatMap((name) => readNumbers(join(folder, name)))) reached.add(id)
    rmSync(folder, { recursive: true })
  }
  return {
    isOk: results?.ok === true,
    time,
    reached: isRecorded ? [...reached] : mutants.filter((id) => reached.has(id)),
    reachedAtLoad: mutants.filter((id) => reachedAtLoad.has(id)),
  }
}

function readNumbers(path: string): number[] {
  return JSON.parse(readFileSync(path, 'utf8')) as number[]
}

// The channel to the parent does not keep the process alive, because tap has taken its reference away.
setInterval(() => undefined, 2 ** 30)
process.on('message', (order: Load | Run) => {
  const answer = order.kind === 'load' ? load(order) : follow(order)
  void answer.then((message) => process.send?.(message))
})
process.on('disconnect', () => process.exit())
process.send?.({ reached: [] })
