import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './imports.ts'

const ROOMS = ['lib', 'test', 'benchmarks']

/** The paths of README.md and of every guide: each README.md below lib, test and benchmarks, and CONTRIBUTING.md. */
export const GUIDES: readonly string[] = [
  'README.md',
  ...ROOMS.flatMap((room) => {
    const files = readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    return files.filter((file) => /(^|\/)README\.md$/.test(file)).map((file) => `${room}/${file}`)
  }).toSorted(),
]

/** The text of one guide. */
export function guide(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
