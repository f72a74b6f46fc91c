import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MutantOptions } from './options.ts'
import type { Mutant } from './mutate.ts'

/** Folders of tests, in the order in which they meet the mutants: what is near the code comes first. */
const FOLDERS = ['session', 'storage', 'http', 'plugin', 'stores', 'attacks', 'testing', '', 'migrate']

/** Folders of tests that run the guard, and seldom the engine. */
const OF_GUARD = ['guard', 'cli', 'scan']

/** The folder of tests that run what is open beside requests: WebSockets, streams and other plugins. */
const NEIGHBOURS = 'neighbours'

/** Imports of a test file that start a server or another process. */
const WITH_SERVER = /support\/(?:servers\/|redis-drivers|store-process|two-processes|installed-package)|\/targets\.ts/

/** Test files that say little about one place of the code for their time. */
const SLOW = /crowd|readme|guides/

/** Returns the test files that take part, in their order. */
export function testFiles({ root, tests }: MutantOptions, mutants: readonly Mutant[]): string[] {
  const has = (folder: string): boolean => mutants.some(({ file }) => file.startsWith(`lib/${folder}/`))
  const near = [...(has('connections') ? [NEIGHBOURS] : []), ...(has('guard') ? OF_GUARD : [])]
  const folders = [...near, ...FOLDERS]
  const all = folders.flatMap((folder) => testsIn(root, folder === '' ? 'test' : `test/${folder}`, folder !== ''))
  if (tests.length > 0) return all.filter((file) => tests.some((part) => file.includes(part)))
  return all.filter((file) => {
    if (SLOW.test(file)) return false
    // The scenes of the attacks are the same on each store.
    if (file === 'test/attacks/sqlite.test.ts') return has('stores')
    const isStarting = WITH_SERVER.test(readFileSync(join(root, file), 'utf8'))
    return !isStarting || (has('stores') && file.startsWith('test/stores/'))
  })
}

/** Returns a function that tells whether a test file imports from the room of a file of `lib`. */
export function readImports(root: string, tests: readonly string[]): (test: string, file: string) => boolean {
  const rooms = new Map(
    tests.map((test) => {
      const imported = readFileSync(join(root, test), 'utf8').matchAll(/ from '(?:\.\.\/)+lib\/([^/']+)/g)
      return [test, new Set(Array.from(imported, ([, room = '']) => room))]
    }),
  )
  return (test, file) => rooms.get(test)?.has(file.split('/')[1] ?? '') === true
}

function testsIn(root: string, folder: string, isDeep: boolean): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: isDeep })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replace(/^\//, ''))
    .toSorted()
}

/** Draws a sample. The same seed draws the same mutants from the same code. */
export function draw<Item>(items: readonly Item[], size: number, seed: number): Item[] {
  const rest = [...items]
  const next = randomFrom(seed)
  return Array.from(
    { length: Math.min(size, rest.length) },
    () => rest.splice(Math.floor(next() * rest.length), 1)[0] as Item,
  )
}

/** Returns numbers from 0 to 1 (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
