import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { usesColor } from '../../lib/cli/io.ts'
import { run } from '../../lib/cli/run.ts'
import { RULES } from '../../lib/guard/rules/index.ts'
import { renderRuleTable } from '../../lib/guard/report/rule-table.ts'
import { weaknessesOf } from '../../lib/guard/read/secret-strength.ts'
import { ROOT } from '../support/imports.ts'
import { cli } from './harness.ts'

t.test('help is a result, not an error', async (t) => {
  for (const argv of [[], ['--help'], ['-h'], ['help']]) t.match(await cli(argv), { code: 0, out: /^Usage: / })
  for (const command of ['check', 'scan', 'secret', 'rules', 'explain', 'evidence', 'policy']) {
    t.match(await cli([command, '--help']), { code: 0, out: `Usage: fastify-session-guard ${command}`, err: '' })
  }
})

t.test('help fits the terminal, and its columns stay columns', async (t) => {
  const commands = [
    'check',
    'scan',
    'secret',
    'rules',
    'explain',
    'evidence',
    'policy',
    'sweep',
    'sessions',
    'revoke',
    'schema',
  ]
  for (const columns of [60, 80, undefined, 20]) {
    for (const argv of [['--help'], ...commands.map((command) => [command, '--help']), ['check', '-h']]) {
      const { out } = await cli(argv, { columns })
      const width = Math.max(columns ?? 80, 40)
      const wide = out.split('\n').filter((line) => line.length > width && !line.includes('npx '))
      t.strictSame(wide, [], `${argv.join(' ')} at ${columns}`)
    }
  }
  const { out } = await cli(['check', '--help'], { columns: 60 })
  t.match(
    out,
    '  --env <name>          what NODE_ENV is to be (default: as\n                        it is; production when unset)\n',
  )
  t.match(out, '\n\nExit codes: 0 clean,')
})

t.test('the version is the one of package.json', async (t) => {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string }
  for (const flag of ['--version', '-v']) t.strictSame(await cli([flag]), { code: 0, out: version, err: '' })
})

t.test('a mistyped command or option is usage, with the one that was meant', async (t) => {
  t.match(await cli(['chekc']), { code: 2, out: '', err: /There is no command chekc. Did you mean check\?/ })
  t.match(await cli(['frobnicate']), { code: 2, err: /There is no command frobnicate\.\n/ })
  t.match(await cli(['toString']), { code: 2 })
  t.strictSame(await cli(['secret', '--bytes', '5']), {
    code: 2,
    out: '',
    err: 'There is an unknown option, or a value where none goes.\nSee: fastify-session-guard secret --help',
  })
  t.match(await cli(['check', '--flail-level', 'info']), { code: 2, out: '', err: /Did you mean --fail-level\?/ })
  t.match(await cli(['check', '--format']), { code: 2, out: '', err: /'--format <value>' argument missing\.\nSee: / })
  t.match(await cli(['rules', '--format', 'xml']), { code: 2, err: 'pretty, json, markdown, not xml' })
})

t.test('a URL out of its place is not repeated, for it may hold a password', async (t) => {
  for (const argv of [
    ['postgres://u:hunter2@h/d'],
    ['sweep --store redis://:hunter2@h'],
    ['sweep', '--store:postgres://u:hunter2@h/d'],
    ['sweep', "--it's postgres://u:hunter2@h/d"],
    ['sessions', '--format', 'redis://:hunter2@h', '--user', 'ann', '--store', 'sqlite:x'],
    ['check', '--format', 'redis://:hunter2@h'],
    ['check', 'redis://:hunter2@h'],
    ['explain', 'redis://:hunter2@h'],
    ['sweep', '--store', 'sqlite://:hunter2@x.db'],
    ['sweep', '--hunter2=1'],
    ['rules', 'redis://:hunter2@h'],
    ['sweep', '--hunter2'],
    ['rules', '--format', 'redis://:hunter2@h'],
    ['check', '--timeout', 'redis://:hunter2@h'],
    ['check', 'file:///redis/hunter2'],
  ]) {
    const { code, out, err } = await cli(argv)
    t.equal(code, 2, argv.join(' '))
    t.equal(out, '')
    t.ok(err.length > 0)
    t.notMatch(err, /hunter2/)
  }
})

t.test('a bug is not mistaken for wrong usage', async (t) => {
  const out = (): never => {
    throw new TypeError('a bug')
  }
  await t.rejects(run(['secret'], { out, err: out, env: {}, cwd: '/', isTerminal: false }), { message: 'a bug' })
})

t.test('secret prints a fresh one, ready for an env file', async (t) => {
  const [first, second] = [await cli(['secret']), await cli(['secret'])]
  t.match(first, { code: 0, out: /^SESSION_SECRET=[\w-]{43}$/, err: '' })
  t.not(first.out, second.out)
  t.strictSame(weaknessesOf(first.out.replace('SESSION_SECRET=', '')), [])
})

t.test('a lesson fits into 60 columns: prose is wrapped, and what is to be pasted is not', async (t) => {
  for (const { slug } of RULES) {
    const { out } = await cli(['explain', slug], { columns: 60 })
    const wide = out.split('\n').filter((line) => line.length > 60 && !/https:\/\/|npx |[(){}[\]=:;]/.test(line))
    t.strictSame(
      wide.filter((line) => line.trim().includes(' ')),
      [],
      slug,
    )
    for (const [code] of out.matchAll(/silence: \[\{[^}]*\}?/g)) t.match(code, /^silence: \[\{ rule: .*\}$/, slug)
  }
  const { out } = await cli(['explain', 'foreign-option'], { columns: 60 })
  t.match(
    out,
    '\n  rolling, resave, saveUninitialized, genid, unset, signed,\n  overwrite: nothing takes their place\n    idleTimeout',
  )
})

t.test('rules lists the catalogue', async (t) => {
  const { code, out } = await cli(['rules'])
  t.equal(code, 0)
  for (const { slug, silenceable } of RULES) t.match(out, `${silenceable ? ' ' : '⊘'} ${slug}\n`)
  const narrow = (await cli(['rules'], { columns: 60 })).out.split('\n')
  t.ok(narrow.every((line) => line.length <= 60))
  t.ok(narrow.some((line) => line.includes('npx fastify-session-guard explain <rule>')))
  t.equal((await cli(['rules', '--format', 'markdown'])).out, renderRuleTable())
  const json = JSON.parse((await cli(['rules', '--format', 'json'])).out) as {
    schemaVersion: number
    rules: { rule: string }[]
  }
  t.equal(json.schemaVersion, 1)
  t.strictSame(
    json.rules.map(({ rule }) => rule),
    RULES.map(({ slug }) => `session/${slug}`),
  )
})

t.test('explain lists the rules about a weakness in CWE, or about a section of OWASP ASVS', async (t) => {
  for (const [name, slug] of [
    ['CWE-614', 'secure-required'],
    ['cwe-1004', 'httponly-disabled'],
    ['3.4.2', 'cors-credentials-reflect'],
    ['V3.4', 'hsts-weak'],
    ['13.3.4', 'secret-duplicate'],
  ] as const) {
    const { code, out } = await cli(['explain', name])
    t.equal(code, 0)
    t.match(out, `Rules about ${name}:\n`)
    t.match(out, `  npx fastify-session-guard explain ${slug}`)
  }
  t.notMatch((await cli(['explain', '3.4.2'])).out, 'hsts-weak')
  for (const name of ['CWE-1', 'CWE-', '3.9.9']) t.match(await cli(['explain', name]), { code: 2 })
  t.match((await cli(['explain', '3'])).out, 'session/session-id-in-url', 'ZAP has a rule of this number')
})

t.test('explain teaches one rule, by slug or id', async (t) => {
  for (const name of ['prefix-host', 'session/prefix-host']) {
    t.match(await cli(['explain', name]), {
      code: 0,
      out: /__Host-[\s\S]*Wrong[\s\S]*Right[\s\S]*Fix[\s\S]*RFC 6265bis/,
    })
  }
  t.match(await cli(['explain', 'memory-store-cluster']), {
    out: 'no store   with NODE_ENV=development WEB_CONCURRENCY=4',
  })
  t.match(await cli(['explain', 'environment-unset']), { out: 'no NODE_ENV' })
  t.match(await cli(['explain', 'prefix-hots']), { code: 2, err: 'Did you mean prefix-host?' })
  t.match(await cli(['explain', 'samesite-none']), { code: 2, err: 'Did you mean samesite-none-' })
  t.match(await cli(['explain', 'zzz']), { code: 2, err: 'See: fastify-session-guard rules' })
  for (const argv of [['explain'], ['explain', 'a', 'b']]) t.match(await cli(argv), { code: 2, err: 'one rule' })
})

t.test('colour is for terminals that want it', async (t) => {
  t.equal(usesColor({ isTerminal: true, env: {} }), true)
  t.equal(usesColor({ isTerminal: true, env: { NO_COLOR: '' } }), true)
  t.equal(usesColor({ isTerminal: true, env: { NO_COLOR: '1' } }), false)
  t.equal(usesColor({ isTerminal: true, env: { TERM: 'dumb' } }), false)
  t.equal(usesColor({ isTerminal: false, env: {} }), false)
  t.equal(usesColor({ isTerminal: false, env: { FORCE_COLOR: '1' } }), true)
  t.equal(usesColor({ isTerminal: false, env: { FORCE_COLOR: '' } }), true)
  t.equal(usesColor({ isTerminal: false, env: { FORCE_COLOR: '1', NO_COLOR: '1' } }), true)
  t.equal(usesColor({ isTerminal: true, env: { FORCE_COLOR: '0' } }), false)
  t.equal(usesColor({ isTerminal: true, env: { FORCE_COLOR: 'false' } }), false)
})

t.test('the program is the same in a process of its own', async (t) => {
  const start = (argv: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [...process.execArgv, 'lib/cli/main.ts', ...argv], { cwd: ROOT, encoding: 'utf8' })
  t.match(start(['secret']), { status: 0, stdout: /^SESSION_SECRET=[\w-]{43}\n$/, stderr: '' })
  t.match(start(['explain', 'nothing-like-it']), { status: 2, stdout: '', stderr: /There is no rule/ })
})
