import { join } from 'node:path'
import t from 'tap'
import { consumerProject } from '../support/consumer.ts'
import { ROOT } from '../support/imports.ts'
import { run } from '../support/run.ts'
import { packTarball } from '../support/tarball.ts'

t.setTimeout(600_000)
const tarball = await packTarball()
t.teardown(tarball.remove)
const fixtures = join(ROOT, 'test/package/runners')

/** Jest loads ES modules only with this flag of Node. */
const FLAG = 'NODE_OPTIONS=--experimental-vm-modules --no-warnings'

/**
 * `app.inject` requires a package that is an ES module, which Jest can do from Node 24.9. Before, Babel compiles the
 * package.
 */
const JEST = {
  testMatch: ['**/*.spec.js'],
  transform: {
    '/node_modules/cookie/': ['babel-jest', { presets: [['@babel/preset-env', { targets: { node: 'current' } }]] }],
  },
  transformIgnorePatterns: [],
}

t.test('the tests of an app, helpers of fastify-session-guard/testing included, pass in Jest 30', async (t) => {
  const project = await consumerProject(t, tarball, { packages: 'runners', fixtures, manifest: { jest: JEST } })
  const args = ['npx', '--no-install', 'jest', '--json', '--watchman=false']
  const { stdout } = await run('env', [FLAG, ...args], { cwd: project })
  t.match(JSON.parse(stdout), { success: true, numPassedTests: 2, numTotalTests: 2 })
})

t.test('the tests of an app, helpers of fastify-session-guard/testing included, pass in Vitest', async (t) => {
  const project = await consumerProject(t, tarball, { packages: 'runners', fixtures })
  const args = ['vitest', 'run', '--globals', '--reporter=json', '--no-cache']
  const { stdout } = await run('npx', ['--no-install', ...args], { cwd: project })
  t.match(JSON.parse(stdout.slice(stdout.indexOf('{'))), { success: true, numPassedTests: 2, numTotalTests: 2 })
})
