#!/usr/bin/env node
// Runs tests on another version of Node: node test/support/on-node.mjs 22|24 [test file or option of tap...]
// The binary comes from the npm package `node`. Without files: the parts that depend on the version of Node.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Folders of test, and what the names of their files begin with. */
const PARTS = { cli: '', guard: '', http: '', plugin: '', session: '', storage: '', stores: 'sqlite' }

/** Slow files that use nothing of Node which the other files do not use. */
const LEFT_OUT = new Set([
  'test/cli/check.test.ts',
  'test/cli/commands.test.ts',
  'test/cli/evidence.test.ts',
  'test/cli/examine.test.ts',
  'test/cli/fixes.test.ts',
  'test/cli/redis-cluster.test.ts',
  'test/cli/sweep.test.ts',
  'test/guard/fixes.test.ts',
  'test/guard/hostile.test.ts',
])

/** The slowest file, for one version only: later versions load modules as 22 does. */
const ONLY_ON_22 = 'test/cli/shapes.test.ts'

function partsOfSuite(major) {
  const files = Object.entries(PARTS).flatMap(([folder, start]) =>
    readdirSync(join(ROOT, 'test', folder))
      .filter((name) => name.startsWith(start) && name.endsWith('.test.ts'))
      .map((name) => `test/${folder}/${name}`),
  )
  return files.filter((file) => !LEFT_OUT.has(file) && (major === '22' || file !== ONLY_ON_22))
}

const [major, ...rest] = process.argv.slice(2)
const { status, stdout } = spawnSync(process.execPath, [join(ROOT, 'test/support/packages.mjs'), `node-${major}`], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
})
if (status !== 0) process.exit(status ?? 1)
const node = join(stdout.trim(), 'node_modules/node/bin/node')

const files = rest.some((name) => !name.startsWith('-')) ? rest : [...rest, ...partsOfSuite(major)]
const tap = [join(ROOT, 'node_modules/tap/dist/esm/run.mjs'), '--disable-coverage', ...files]
// npm, and whatever a test starts as `node`, is to be this Node too.
const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }
process.exitCode = spawnSync(node, tap, { cwd: ROOT, stdio: 'inherit', env }).status ?? 1
