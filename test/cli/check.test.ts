import { resolve } from 'node:path'
import t from 'tap'
import { pathToFileURL } from 'node:url'
import { fileToCheck } from '../../lib/cli/entry-file.ts'
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
  t.equal(environment, 'production (from --env)')
  t.equal(target, 'app.ts')
  const rules = findings.map(({ rule }) => rule)
  for (const slug of ['secret-placeholder', 'memory-store', 'domain-wide']) {
    t.ok(rules.includes(`session/${slug}`), slug)
  }
  t.equal(new Set(rules).size, rules.length, 'no phase repeats another')
  t.notMatch(out, 'changeme')
})

t.test('silences of the app hold for its source too, and options that cannot be read have none', async (t) => {
  const silenced = await cli(['check', 'silenced.ts', '--env', 'production', '--show-silenced'])
  t.match(silenced.out, 'silenced: one login for all')
  t.match(silenced.out, 'silenced until 2999-01-01: a list of devices')
  t.match(await cli(['check', 'unreadable.ts']), { code: 1, out: /session\/option-type/ })
})

t.test('NODE_ENV stays as it is without --env, and a file elsewhere is named in full', async (t) => {
  const file = resolve(FIXTURES, 'builder.ts')
  const { code, out } = await cli(['check', file], { cwd: t.testdir({}), env: { NODE_ENV: 'test' } })
  t.equal(code, 0)
  t.match(out, `${file}: `)
  t.match(out, 'environment: test (from NODE_ENV)')
})

t.test('a file that is not there is a failure in the format that was asked for', async (t) => {
  const failed = async (format: string, file: string): Promise<string> => {
    const { code, out, err } = await cli(['check', file, '--format', format])
    t.equal(code, 2)
    t.match(err, 'There is no')
    return out
  }
  const json = JSON.parse(await failed('json', 'nope.js')) as { findings: unknown }
  t.match(json, { target: 'nope.js', failure: { message: 'There is no file nope.js.' } })
  t.strictSame(json.findings, [])
  t.match(
    await failed('github', 'nope.js'),
    /^::error file=nope\.js,title=[\w-]+::Cannot check nope\.js: There is no file/,
  )
  const sarif = JSON.parse(await failed('sarif', 'postgres://anna:of-anna@db/app')) as { runs: { results: unknown }[] }
  t.match(sarif, { runs: [{ invocations: [{ executionSuccessful: false }] }] })
  t.strictSame(sarif.runs[0]?.results, [])
  t.notMatch(JSON.stringify(sarif), 'of-anna')
  t.equal(await failed('pretty', 'nope.js'), '')
})

t.test('an app that cannot be loaded is reported with the cause and its own output', async (t) => {
  t.match(await cli(['check', 'throws.ts']), {
    code: 2,
    out: '',
    err: /before it fails\n[\s\S]*Cannot check throws.ts: RangeError: no database\n {4}at   throws.ts:2:/,
  })
})

t.test('an app that fails behind its session is reported as far as it came, and is a failure', async (t) => {
  const result = await cli(['check', 'broken-app.ts'])
  t.match(result, { code: 2, out: 'session/secret-missing', err: 'Cannot check broken-app.ts: Error: no database' })
})

t.test('an app that goes on to use what was refused is told why that fails', async (t) => {
  t.match(await cli(['check', 'refused.ts', '--env', 'production']), {
    code: 1,
    out: 'session/secret-placeholder',
    err: /^Note: the guard refused the registration, and the app went on to fail: TypeError: app\.requireLogin is not/,
  })
})

t.test('offline is said, because the store was not asked', async (t) => {
  t.match(await cli(['check', 'options.ts', '--offline']), { code: 0, err: /^Offline: / })
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
  const main = (manifest: unknown): object => ({ 'package.json': JSON.stringify(manifest), 'app.js': '' })
  const folders: [object, string][] = [
    [{ ...main({ main: 'lib/main.cjs' }), lib: { 'main.cjs': '' } }, 'lib/main.cjs'],
    [{ ...main({ main: 'lib' }), lib: { 'index.js': '' } }, 'lib/index.js'],
    [{ ...main({ main: './server' }), 'server.js': '' }, 'server.js'],
    [{ ...main({ exports: './x.mjs' }), 'x.mjs': '' }, 'x.mjs'],
    [{ ...main({ exports: [{ '.': { types: 'x.d.ts', require: './x.cjs' } }] }), 'x.cjs': '' }, 'x.cjs'],
    [{ ...main({ exports: { './other': './x.mjs' } }), 'x.mjs': '' }, 'app.js'],
    [main({ main: 5 }), 'app.js'],
    [main({ main: 'missing.js' }), 'app.js'],
    [main(null), 'app.js'],
    [{ 'package.json': 'not json', 'app.cjs': '' }, 'app.cjs'],
    [{ 'app.cjs': '', 'server.js': '' }, 'app.cjs'],
  ]
  for (const [folder, file] of folders) {
    const cwd = t.testdir(folder as Parameters<typeof t.testdir>[0])
    t.equal(fileToCheck(undefined, cwd), resolve(cwd, file), JSON.stringify(folder))
    t.equal(fileToCheck(cwd, '/'), resolve(cwd, file), 'a folder is asked in the same way')
    t.equal(fileToCheck(pathToFileURL(cwd).href, '/'), resolve(cwd, file), 'by URL, too')
  }
  const empty = t.testdir({})
  t.match(await cli(['check'], { cwd: empty }), { code: 2, err: 'No file was given' })
  t.match(await cli(['check', '.'], { cwd: empty }), {
    code: 2,
    err: 'The folder has no package.json that names a file',
  })
})

t.test('an app that fails is reported in the format that was asked for', async (t) => {
  const { out } = await cli(['check', 'throws.ts', '--format', 'json'])
  const { findings, failure } = JSON.parse(out) as { findings: unknown; failure: unknown }
  t.match(failure, { message: 'RangeError: no database', place: { line: 2 } })
  t.strictSame(findings, [])
})

t.test('wrong usage says what is wrong', async (t) => {
  const wrong: [string[], string][] = [
    [['missing.ts'], 'There is no file missing.ts.'],
    [['missing\u001b[2J\u009b.ts'], 'There is no file missing?[2J?.ts.'],
    [['file://host/app.ts'], 'The file: URL is not valid.'],
    [['app.ts', 'builder.ts'], 'There is more than one file.'],
    [['app.ts', '--format', 'xml'], '--format is one of pretty, json, sarif, github, not xml.'],
    [['app.ts', '--fail-level', 'error'], '--fail-level is one of fatal, warning, info, not error.'],
    [['app.ts', '--timeout', '30'], '--timeout takes a duration like 30s.'],
    [['app.ts', '--timeout', '0s'], '--timeout takes a duration like 30s.'],
  ]
  for (const [argv, err] of wrong) t.match(await cli(['check', ...argv]), { code: 2, out: '', err }, argv.join(' '))
})
