// Loads test files and runs its tests one at a time, each with the mutant that the parent names.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { t } from 'tap'
import { tests } from './root.js'
import { activate, record, stopRecording } from './switches.js'

/** A request of the parent. */
export interface Order {
  readonly test: number
  readonly mutant: number
  /** Asks for the mutants that the test reaches. */
  readonly isRecorded: boolean
}

/** The first message of a worker. */
export interface Loaded {
  readonly count: number
  /** The mutants that ran while the file was loaded. */
  readonly reached: readonly number[]
}

/** The answer to an order. */
export interface Outcome {
  readonly isOk: boolean
  readonly time: number
  readonly reached: readonly number[]
}

type Run = (...args: unknown[]) => Promise<{ ok: boolean } | null>

/** Tap ends with its last test. So all tests run inside one test that never ends. */
const run = await new Promise<Run>((resolve) => {
  const all = t.test('all', { timeout: 0 }, (inner) => {
    resolve(inner.test.bind(inner) as unknown as Run)
    return new Promise<void>(() => undefined)
  })
  // An error outside of a test ends it all the same. Then no test can run here any more.
  void all.then(() => process.exit(1))
})

async function follow({ test, mutant, isRecorded }: Order): Promise<Outcome> {
  const folder = isRecorded ? mkdtempSync(join(tmpdir(), 'mutants-')) : undefined
  if (folder !== undefined) process.env['MUTANTS_REACHED'] = folder
  activate(mutant)
  if (isRecorded) record()
  const start = performance.now()
  const results = await run(...(tests[test] ?? []))
  const time = performance.now() - start
  activate(0)
  const reached = new Set(stopRecording())
  if (folder !== undefined) {
    delete process.env['MUTANTS_REACHED']
    for (const id of readdirSync(folder).flatMap((name) => readNumbers(join(folder, name)))) reached.add(id)
    rmSync(folder, { recursive: true })
  }
  return { isOk: results?.ok === true, time, reached: [...reached] }
}

function readNumbers(path: string): number[] {
  return JSON.parse(readFileSync(path, 'utf8')) as number[]
}

// The channel to the parent does not keep the process alive, because tap has taken its reference away.
setInterval(() => undefined, 2 ** 30)
record()
// Tap takes an error that nobody catches for a failure of the test that never ends.
for (const file of process.argv.slice(2)) await import(file).catch(() => process.exit(1))
process.send?.({ count: tests.length, reached: stopRecording() } satisfies Loaded)
process.on('message', (order: Order) => void follow(order).then((outcome) => process.send?.(outcome)))
process.on('disconnect', () => process.exit())
