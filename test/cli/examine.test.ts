import { resolve } from 'node:path'
import t from 'tap'
import { examine, isAnswerOfStore } from '../../lib/cli/examine.ts'
import type { Examination, ExamineOptions } from '../../lib/cli/examine.ts'
import { FIXTURES } from './harness.ts'

// Each examination loads an app in a process of its own, through the compiler of the tests.
t.setTimeout(600_000)

/** Examines a fixture. */
function examined(file: string, options: Partial<ExamineOptions> = {}): Promise<Examination> {
  const env = { ...process.env, NODE_ENV: 'test' }
  return examine(resolve(FIXTURES, file), { cwd: FIXTURES, env, timeout: 600_000, ...options })
}

function rulesOf({ findings }: Examination): string[] {
  return findings.map(({ rule }) => rule.replace('session/', ''))
}

t.test('an app is judged in a process of its own, with the settings that its options lead to', async (t) => {
  const examination = await examined('app.ts')
  t.ok(rulesOf(examination).includes('secret-placeholder'))
  t.equal(new Set(rulesOf(examination)).size, rulesOf(examination).length, 'no phase repeats another')
  t.equal(examination.failure, undefined)
  t.match(examination.settings, { environment: 'test', idleTimeout: '30m', store: 'memory' })
  t.notMatch(JSON.stringify(examination.settings), 'changeme')
})

t.test('an app that starts by itself does not get to listen', async (t) => {
  const examination = await examined('listening.ts')
  t.strictSame(rulesOf(examination), ['path-narrow', 'secret-missing'])
  t.equal(examination.output, '', 'the app was not told that it listens')
})

t.test('servers that listen before the app with sessions do not end the examination', async (t) => {
  t.ok(rulesOf(await examined('two-servers.ts')).includes('path-narrow'))
})

t.test('an app that forks is judged as a worker', async (t) => {
  t.ok(rulesOf(await examined('forks.ts')).includes('memory-store-cluster'))
})

t.test('a plugin is registered in an app around it', async (t) => {
  for (const file of ['plugin.ts', 'wrapped-plugin.ts']) {
    t.ok(rulesOf(await examined(file)).includes('secret-missing'), file)
  }
})

t.test('a store that cannot be reached is a failure with a hint, and none offline', async (t) => {
  t.match((await examined('redis-app.ts')).failure, { message: /ECONNREFUSED/, hint: /--offline/ })
  const offline = await examined('redis-app.ts', { offline: true })
  t.equal(offline.failure, undefined)
  t.strictSame(rulesOf(offline), ['path-narrow', 'secret-missing'])
})

t.test('an app may throw a value that is no error', async (t) => {
  t.match((await examined('throws-text.ts')).failure, { message: 'no database' })
  t.match((await examined('throws-object.ts')).failure, { message: 'no database either' })
  t.match((await examined('throws-empty.ts')).failure, { message: 'an object was thrown that is no Error' })
})

t.test('a process that ends while a child of its own goes on is not waited for', async (t) => {
  t.match((await examined('grandchild.ts')).failure, {
    message: 'its process ended with code 3 before it was ready',
    isConsequence: false,
  })
})

t.test("a finding about a store's answer is told apart from a finding about its options", async (t) => {
  const at = [{ pointer: '/store', path: 'store', value: '', redacted: false }]
  t.ok(isAnswerOfStore({ phase: 'ready', at }))
  t.notOk(isAnswerOfStore({ phase: 'register', at }))
  t.notOk(isAnswerOfStore({ phase: 'ready', at: [{ pointer: '/tls', path: 'tls', value: '', redacted: false }] }))
})
