import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { MutantOptions } from './options.ts'
import type { Mutant } from './mutate.ts'

/** Folders of tests, in the order in which they meet the mutants: what is near the code comes first. */
const FOLDERS = ['session', 'storage', 'http', 'plugin', 'stores', 'attacks', 'testing', '', 'guard', 'migrate']

/** The folder of tests that run what is open beside requests: WebSockets, streams and other plugins. */
const NEIGHBOURS = 'neighbours'

/** Test files that need a server, and those of many visitors. */
const WITH_SERVER =
  /redis|postgres|pgbouncer|two-apps|skewed-clocks|round-trips|shared-cache|crowd|readme|guides|reference|sentinel/

/** Returns the test files that take part, in their order. */
export function testFiles({ root, tests }: MutantOptions, mutants: readonly Mutant[]): string[] {
  const needsServer = mutants.some(({ file }) => /stores\/(?:\w+-)*(?:redis|postgres)/.test(file))
  const isOpen = mutants.some(({ file }) => file.startsWith('lib/connections/'))
  const folders = isOpen ? [NEIGHBOURS, ...FOLDERS] : FOLDERS
  const all = folders.flatMap((folder) => testsIn(root, folder === '' ? 'test' : `test/${folder}`, folder !== ''))
  if (tests.length > 0) return all.filter((file) => tests.some((part) => file.includes(part)))
  // The tests of the guard seldom run the engine.
  const isGuarded = mutants.some(({ file }) => file.startsWith('lib/guard/'))
  const stores = needsServer ? all.filter((file) => /test\/stores\/(?:redis|postgres)/.test(file)) : []
  // The scenes of the attacks take long, and are the same on each store.
  const isStored = mutants.some(({ file }) => file.startsWith('lib/stores/'))
  const near = all.filter(
    (file) =>
      !WITH_SERVER.test(file) &&
      (isGuarded || !file.startsWith('test/guard/')) &&
      (isStored || file !== 'test/attacks/sqlite.test.ts'),
  )
  return [...near, ...stores]
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
