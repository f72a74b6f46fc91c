import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The mutants with which this process loads its files. None is the code as it was written. */
const atLoad = (process.env['MUTANTS'] ?? '').split(',').filter(Boolean).map(Number)

/** The mutants that run now. */
let active: ReadonlySet<number> = new Set(atLoad)

/** The mutants whose code ran, while somebody records them. */
let reached: Set<number> | undefined

/** Returns whether this mutant runs. Each mutated place of the code calls this function. */
export function isMutant(id: number): boolean {
  reached?.add(id)
  return active.has(id)
}

/** Chooses the mutants that run from now on, here and in processes that start later. */
export function activate(ids: readonly number[]): void {
  active = new Set([...atLoad, ...ids])
  process.env['MUTANTS'] = [...active].join(',')
}

/** Starts to record the mutants whose code runs. */
export function record(): void {
  reached = new Set()
}

/** Returns the recorded mutants and ends the record. */
export function stopRecording(): number[] {
  const all = [...(reached ?? [])]
  reached = undefined
  return all
}

/** The folder where processes that a test starts write what they reached. */
const folder = process.env['MUTANTS_REACHED']
if (folder !== undefined) {
  record()
  process.on('exit', () => writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(stopRecording())))
}
