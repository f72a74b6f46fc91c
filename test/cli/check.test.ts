import { resolve } from 'node:path'
import t from 'tap'
import { fileToCheck } from '../../lib/cli/check.ts'
import { cli, FIXTURES } from './harness.ts'

// Each check loads an app in a process of its own, through the compiler of the tests.
t.setTimeout(600_000)

t.test('an app is judged in a process of its own, and what it prints is not part of the report', async (t) => {
  const { code, out, err } = await cli(['check', 'app.ts', '--env', 'production', '--format', 'json', '--no-silence'])
  t.equal(code, 1)
  t.equal(err, '')
  const { environment, target, findings } = JSON.parse(out) as {
    environment: string
    target: string
    findings: { rule: string }[]
  }
  t.equal(environment, 'production (from NODE_ENV)')
  t.equal(target, 'app.ts')
  const rules = findings.map(({ rule }) => rule)
  for (const slug of ['secret-placeholder', 'memory-store', 'domain-wide']) {
    t.ok(rules.includes(`session/${slug}`), slug)
  }
  t.equal(new Set(rules).size, rules.length, 'no phase repeats another')
  t.notMatch(out, 'changeme')
})

t.test('NODE_ENV stays as it is without --env, and a file elsewhere is named in full', async (t) => {
  const file = resolve(FIXTURES, 'builder.ts')
  const { code, out } = await cli(['check', file], { cwd: t.testdir({}), env: { NODE_ENV: 'test' } })
  t.equal(code, 0)
  t.match(out, `${file}: `)
  t.match(out, 'environment: test (from NODE_ENV)')
})

t.test('what cannot be loaded says why, with what the app had to say', async (t) => {
  t.match(await cli(['check', 'throws.ts']), {
    code: 2,
    out: '',
    err: /before it fails\nCannot check throws.ts: RangeError: no database/,
  })
})

t.test('an app that fails behind its session is reported as far as it came, and is a failure', async (t) => {
  const result = await cli(['check', 'broken-app.ts'])
  t.match(result, { code: 2, out: 'session/secret-missing', err: 'Cannot check broken-app.ts: Error: no database' })
})

t.test('an app that ends its process is a failure', async (t) => {
  t.match(await cli(['check', 'ends.ts']), {
    code: 2,
    out: '',
    err: 'its process ended with code 3 before it was ready',
  })
})

t.test('an app that never gets ready is given up', async (t) => {
  t.match(await cli(['check', 'never.ts', '--timeout', '300ms']), { code: 2, err: 'it was not ready after 300ms' })
})

t.test('a process that cannot be started is a failure too', async (t) => {
  const file = resolve(FIXTURES, 'app.ts')
  t.match(await cli(['check', file], { cwd: '/there/is/no/such/folder' }), { code: 2, err: /ENOENT/ })
})

t.test('without a file, package.json and usual names say where to look', async (t) => {
  const folders = [
    { 'package.json': '{ "main": "lib/main.cjs" }', lib: { 'main.cjs': '' }, 'app.js': '' },
    { 'package.json': '{ "main": 5 }', 'app.cjs': '' },
    { 'package.json': '{ "main": "missing.js" }', 'app.cjs': '' },
    { 'package.json': 'not json', 'app.cjs': '' },
    { 'app.cjs': '', 'server.js': '' },
  ]
  for (const [index, folder] of folders.entries()) {
    const cwd = t.testdir(folder)
    t.equal(fileToCheck(undefined, cwd), resolve(cwd, index === 0 ? 'lib/main.cjs' : 'app.cjs'))
  }
  t.match(await cli(['check'], { cwd: t.testdir({}) }), { code: 2, err: 'No file was given' })
})

t.test('wrong usage says what is wrong', async (t) => {
  const wrong: [string[], string][] = [
    [['missing.ts'], 'There is no file missing.ts.'],
    [['app.ts', 'builder.ts'], 'check takes one file.'],
    [['app.ts', '--format', 'xml'], '--format is one of pretty, json, sarif, github, not xml.'],
    [['app.ts', '--fail-level', 'error'], '--fail-level is one of fatal, warning, info, not error.'],
    [['app.ts', '--timeout', '30'], '--timeout takes a duration like 30s, not 30.'],
    [['app.ts', '--timeout', '0s'], '--timeout takes a duration like 30s, not 0s.'],
  ]
  for (const [argv, err] of wrong) t.match(await cli(['check', ...argv]), { code: 2, out: '', err }, argv.join(' '))
})
