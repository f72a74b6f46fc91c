import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The number of the mutant that this process runs. 0 is the code as it was written. */
let active = Number(process.env['MUTANT'] ?? 0)

/** The mutants whose code ran, while somebody records them. */
let reached: Set<number> | undefined

/** Returns whether this mutant runs. Each mutated place of the code calls this function. */
export function isMutant(id: number): boolean {
  reached?.add(id)
  return id === active
}

/** Chooses the mutant that runs from now on, here and in processes that start later. */
export function activate(id: number): void {
  active = id
  process.env['MUTANT'] = String(id)
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
