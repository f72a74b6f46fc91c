import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Fault } from './fault-list.ts'
import { FAULTS, withFault } from './fault-list.ts'

const dist = fileURLToPath(new URL('../../', import.meta.url))
/** The copy of the engine that gets the faults. It stands in the project, so that it finds the packages. */
const copy = join(dist, 'faulty')
const only = process.argv[2] ?? ''

rmSync(copy, { recursive: true, force: true })
mkdirSync(copy)
for (const folder of ['lib', 'types', 'test']) cpSync(join(dist, folder), join(copy, folder), { recursive: true })

/** Puts each fault into the copy, lets the search look for it, and takes it out again. */
let found = 0
const faults = FAULTS.filter(({ name }) => name.includes(only))
if (faults.length === 0) throw new Error(`no fault of fault-list.ts has this in its name: ${only}`)
for (const fault of faults) {
  const { name, file } = fault
  const path = join(copy, file)
  const code = readFileSync(path, 'utf8')
  const faulty = withFault(code, fault)
  if (faulty === undefined) throw new Error(`${file} does not hold: ${fault.from}`)
  writeFileSync(path, faulty)
  const start = performance.now()
  const trace = search(fault)
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  writeFileSync(path, code)
  found += trace === undefined ? 0 : 1
  console.log(`${trace === undefined ? 'NOT FOUND' : 'found'} in ${seconds} s: ${name}`)
  if (trace !== undefined) console.log(trace.map((line) => `    ${line}`).join('\n'))
}
rmSync(copy, { recursive: true })
console.log(`${found} of ${faults.length} faults were found`)
process.exitCode = found === faults.length ? 0 : 1

/**
 * Returns the trace of the first broken guarantee. Few runs of each scene come first, because most faults show there. A
 * search that fell over found nothing.
 */
function search({ kind, most = 200 }: Fault): string[] | undefined {
  const main = join(copy, 'test/interleavings/main.js')
  const kinds = kind === undefined ? [] : ['--kind', kind]
  for (const limits of [
    ['--most', '40', '--most-failing', '6', '--samples', '12'],
    ['--most', String(10 * most), '--most-failing', String(most), '--samples', '60'],
  ]) {
    const args = [main, '--first', ...limits, ...kinds]
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 28 })
    const lines = stdout.trimEnd().split('\n')
    const begin = lines.findIndex((line) => /^[\da-z, ]+: .*/.test(line) && !line.includes(' runs for '))
    if (status === 1 && begin !== -1) return lines.slice(begin)
  }
  return undefined
}
