import { Server } from 'node:net'
import { resolve } from 'node:path'
import t from 'tap'
import { examineModule } from '../../lib/cli/examine-module.ts'
import { FIXTURES } from './harness.ts'

const { NODE_ENV } = process.env

t.beforeEach(() => {
  process.env['NODE_ENV'] = 'test'
})

t.teardown(() => {
  if (NODE_ENV === undefined) delete process.env['NODE_ENV']
  else process.env['NODE_ENV'] = NODE_ENV
})

/** What was found in a fixture, and why that may not be all. */
async function examine(
  file: string,
  folder = FIXTURES,
): Promise<{ rules: string[]; environment?: string; failure?: string }> {
  const { reports, failure } = await examineModule(resolve(folder, file))
  return {
    rules: reports.flatMap(({ findings }) => findings.map(({ rule }) => rule.replace('session/', ''))),
    ...(reports[0] === undefined ? {} : { environment: reports[0].environment }),
    ...(failure === undefined ? {} : { failure }),
  }
}

t.test('an app is booted', async (t) => {
  const { rules, failure } = await examine('app.ts')
  t.ok(rules.includes('secret-placeholder'))
  t.equal(failure, undefined)
})

t.test('an app that was refused is no failure: the report says it all', async (t) => {
  process.env['NODE_ENV'] = 'production'
  const { rules, failure } = await examine('builder.ts')
  t.ok(rules.includes('memory-store'))
  t.equal(failure, undefined)
})

t.test('a plugin is registered in an app of our own', async (t) => {
  for (const file of ['plugin.ts', 'wrapped-plugin.ts']) {
    t.ok((await examine(file)).rules.includes('secret-missing'), file)
  }
})

t.test('options are judged as they are, or as a function gives them', async (t) => {
  for (const file of ['options.ts', 'options-builder.ts']) {
    t.strictSame(await examine(file), { rules: [], environment: 'test (from the option environment)' }, file)
  }
})

t.test('CommonJS modules are understood', async (t) => {
  const folder = t.testdir({
    'options.cjs': `module.exports = { secret: '' }`,
    'named.cjs': `module.exports = { options: { secret: '' } }`,
  })
  for (const file of ['options.cjs', 'named.cjs']) {
    t.strictSame((await examine(file, folder)).rules, ['secret-missing'], file)
  }
})

t.test('an app that starts as it is loaded does not get to listen', async (t) => {
  const listen: unknown = Reflect.get(Server.prototype, 'listen')
  const { rules, failure } = await examine('listening.ts')
  t.ok(rules.includes('path-narrow'))
  t.equal(failure, undefined)
  t.equal(Reflect.get(Server.prototype, 'listen'), listen, 'later servers of this process do')
})

t.test('what cannot be loaded says why', async (t) => {
  const failures: [string, string][] = [
    ['throws.ts', 'RangeError: no database'],
    ['throws-text.ts', 'no database'],
    ['broken-builder.ts', 'TypeError: this app is broken'],
    ['nothing.ts', 'Error: it exports no Fastify app, no function that makes one, no options'],
    ['no-session.ts', 'it does not register fastify-session-guard'],
  ]
  for (const [file, failure] of failures) t.strictSame(await examine(file), { rules: [], failure }, file)
})

t.test('an app that fails behind its session is reported as far as it came', async (t) => {
  t.match(await examine('broken-app.ts'), { rules: ['secret-missing'], failure: 'Error: no database' })
})
