import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test as Tap } from 'tap'
import { checkConfig } from '../../lib/guard/check.ts'
import { applySteps } from '../../lib/cli/source/apply-steps.ts'
import { codeFrame } from '../../lib/cli/source/code-frame.ts'
import { fileNaming } from '../../lib/cli/source/file-naming.ts'
import { locateFindings, locateOption, stepsOf } from '../../lib/cli/source/locate.ts'
import { optionsSites } from '../../lib/cli/source/options-literals.ts'
import { Project } from '../../lib/cli/source/project.ts'
import { secretsInFiles } from '../../lib/cli/source/secrets.ts'
import type { Finding, FixStep } from '../../types/index.ts'

const REQUIRE = `const { secureSession } = require('fastify-session-guard')\n`
const IMPORT = `import secureSession from 'fastify-session-guard'\n`

/** `app.js:3:5` for a place in the options of an app that is made of files. */
async function place(
  t: Tap,
  files: Record<string, unknown>,
  pointer: string,
  value = '?',
): Promise<string | undefined> {
  const folder = t.testdir(files as Parameters<Tap['testdir']>[0])
  const project = await Project.open()
  const entry = join(folder, Object.keys(files)[0] as string)
  const finding = { at: [{ pointer, path: '', value, redacted: false }] } as unknown as Finding
  const [located] = locateFindings(project, optionsSites(project, entry), [finding])
  const source = located?.at[0]?.source
  return source && `${source.file.slice(folder.length + 1).replaceAll('\\', '/')}:${source.line}:${source.column}`
}

const inApp = (call: string, head = IMPORT): Record<string, string> => ({ 'app.ts': `${head}${call}` })

t.test('an option is found where it is written', async (t) => {
  const cases: [Record<string, unknown>, string, string][] = [
    [inApp(`app.register(secureSession, {\n  cookie: { sameSite: 'none' },\n})`), '/cookie/sameSite', 'app.ts:3:23'],
    [inApp(`app.register(secureSession, { 'tls': 'x' })`), '/tls', 'app.ts:2:38'],
    [inApp(`app.register(secureSession, { secret: ['a', 'b'] })`), '/secret/1', 'app.ts:2:45'],
    [inApp(`app.register(secureSession, { cookie: {} })`), '/cookie/name', 'app.ts:2:31'],
    [inApp(`app.register(secureSession, { a: 1 })`), '/store', 'app.ts:2:1'],
    [inApp(`app.register(secureSession)`), '/store', 'app.ts:2:1'],
    [inApp(`app.register(secureSession, {} as Options)`), '', 'app.ts:2:1'],
    [inApp(`const o = { tls: 'x' } satisfies Options\napp.register(secureSession, o!)`), '/tls', 'app.ts:2:18'],
    [inApp(`const o = Object.freeze({ tls: 'x' })\napp.register(secureSession, o)`), '/tls', 'app.ts:2:32'],
    [inApp(`const c = { s: { tls: 'x' } }\napp.register(secureSession, c.s)`), '/tls', 'app.ts:2:23'],
    [inApp(`const o = () => ({ tls: 'x' })\napp.register(secureSession, o())`), '/tls', 'app.ts:2:25'],
    [inApp(`function o() {\n  return { tls: 'x' }\n}\napp.register(secureSession, o)`), '/tls', 'app.ts:3:17'],
    [inApp(`app.register(secureSession, { tls: 'x', ...{ tls: 'y' } })`), '/tls', 'app.ts:2:51'],
    [inApp(`app.register(secureSession, { tls: 'x', ...{ other: 1 } })`), '/tls', 'app.ts:2:36'],
    [inApp(`app.register(secureSession, { ...unknown, tls: 'y' })`), '/tls', 'app.ts:2:48'],
    [inApp(`app.register(secureSession, { ...[1], tls })`), '/tls', 'app.ts:2:39'],
    [inApp(`app.register(secureSession, options)`), '/tls', 'app.ts:2:1'],
    [inApp(`const a = b, b = a\napp.register(secureSession, a)`), '/tls', 'app.ts:3:1'],
    [inApp(`app.register(secureSession, missing.member)`), '/tls', 'app.ts:2:1'],
    [inApp(`app.register(secureSession, { ['tls']: 'x' })`), '/tls', 'app.ts:2:1'],
    [inApp(`app.register(secureSession, { secret: [, 'x'] })`), '/secret/0', 'app.ts:2:31'],
    [inApp(`function o() {}\napp.register(secureSession, o)`), '/tls', 'app.ts:3:1'],
  ]
  for (const [files, pointer, expected] of cases) {
    t.equal(await place(t, files, pointer), expected, Object.values(files).join('\n'))
  }
  t.strictSame(stepsOf('/a~1b/c~0d'), ['a/b', 'c~d'])
})

t.test('the plugin is known by where it comes from, not by its name', async (t) => {
  const call = `app.register(guard, { tls: 'x' })`
  const found = [
    `import { secureSession as guard } from 'fastify-session-guard'\n${call}`,
    `import guard from 'fastify-session-guard'\n${call}`,
    `const guard = require('fastify-session-guard')\n${call}`,
    `const { secureSession: guard } = require('fastify-session-guard')\n${call}`,
    `const { default: guard } = await import('fastify-session-guard')\n${call}`,
    `const guard = require('fastify-session-guard').secureSession\n${call}`,
    `import * as all from 'fastify-session-guard'\napp.register(all.secureSession, { tls: 'x' })`,
    `app.register(require('fastify-session-guard'), { tls: 'x' })`,
    `app.register(await import('fastify-session-guard'), { tls: 'x' })`,
    `app.register(import('fastify-session-guard'), { tls: 'x' })`,
    `import { secureSession } from './index.ts'\nconst guard = secureSession\n${call}`,
    `const s = require('fastify-session-guard')\napp.register(s.default ?? s, { tls: 'x' })`,
    `const s = require('fastify-session-guard')\nconst guard = s.default || s\n${call}`,
    `const s = require('fastify-session-guard')\napp.register(s.__esModule ? s.default : s, { tls: 'x' })`,
    `const s = __importDefault(require('fastify-session-guard'))\napp.register(s.default, { tls: 'x' })`,
    `const s = require('fastify-session-guard')\napp.register(interop(s), { tls: 'x' })`,
    `const s = require('fastify-session-guard')\napp.register((0, s.default), { tls: 'x' })`,
    `const s = await import('fastify-session-guard')\nconst { default: guard } = s\n${call}`,
    `const { secureSession: guard } = (await import('fastify-session-guard')).default\n${call}`,
    `const all = require('fastify-session-guard') as any\napp.register(all.default!, { tls: 'x' })`,
  ]
  for (const text of found) t.match(await place(t, { 'app.ts': text }, '/tls'), /^app\.ts:\d+:\d+$/, text)
  const others = [
    `import guard from 'another'\n${call}`,
    `const { a } = b\n${call}`,
    `const [guard] = all\n${call}`,
    `app.register()\nregister(1)`,
    'not javascript {',
    `const guard = other ?? another\n${call}`,
    `const guard = () => secureSession\n${call}`,
    `const guard = pick(require('fastify-session-guard'), other)\n${call}`,
    `const a = b, b = a\napp.register(a, { tls: 'x' })`,
  ]
  for (const text of others) t.equal(await place(t, { 'app.js': text }, '/tls'), undefined, text)
})

t.test('options and registrations in other files are followed', async (t) => {
  const options = `{\n  tls: 'x',\n}`
  const cases: [Record<string, unknown>, string][] = [
    [{ 'a.ts': `import './b.js'`, 'b.ts': `${IMPORT}app.register(secureSession, ${options})` }, 'b.ts:3:8'],
    [{ 'a.cjs': `require('./b')`, 'b.js': `${IMPORT}app.register(secureSession, ${options})` }, 'b.js:3:8'],
    [
      { 'a.mjs': `export * from './b'`, b: { 'index.js': `${IMPORT}app.register(secureSession, ${options})` } },
      'b/index.js:3:8',
    ],
    [
      {
        'a.js': `import o from './o.js'\n${IMPORT}app.register(secureSession, o)`,
        'o.js': `export default ${options}`,
      },
      'o.js:2:8',
    ],
    [
      {
        'a.js': `import { o } from './o.js'\n${IMPORT}app.register(secureSession, o)`,
        'o.js': `export const o = ${options}`,
      },
      'o.js:2:8',
    ],
    [
      {
        'a.js': `import { o } from './o.js'\n${IMPORT}app.register(secureSession, o)`,
        'o.js': `const x = ${options}\nexport { x as o }`,
      },
      'o.js:2:8',
    ],
    [
      {
        'a.js': `import { o } from './o.js'\n${IMPORT}app.register(secureSession, o())`,
        'o.js': `export function o() { return ${options} }`,
      },
      'o.js:2:8',
    ],
    [
      { 'a.js': `import { o } from './o.js'\n${IMPORT}app.register(secureSession, o)`, 'o.js': `export { y }` },
      'a.js:3:1',
    ],
    [{ 'a.js': `import { o } from 'package'\n${IMPORT}app.register(secureSession, o)` }, 'a.js:3:1'],
    [
      {
        'a.cjs': `const { o } = require('./o')\n${REQUIRE}app.register(secureSession, o)`,
        'o.js': `module.exports = { o: ${options} }`,
      },
      'o.js:2:8',
    ],
    [
      {
        'a.cjs': `const { o } = require('./o')\n${REQUIRE}app.register(secureSession, o)`,
        'o.js': `exports.o = ${options}`,
      },
      'o.js:2:8',
    ],
    [
      {
        'a.cjs': `const o = require('./o')\n${REQUIRE}app.register(secureSession, o)`,
        'o.js': `module.exports = ${options}`,
      },
      'o.js:2:8',
    ],
    [
      {
        'a.cjs': `const { o } = require('./o')\n${REQUIRE}app.register(secureSession, o)`,
        'o.js': `module.exports = make()`,
      },
      'a.cjs:3:1',
    ],
    [{ 'a.js': `export default ${options}` }, 'a.js:2:8'],
    [{ 'a.js': `export const sessionOptions = ${options}` }, 'a.js:2:8'],
    [{ 'a.cjs': `module.exports = { sessionOptions: ${options} }` }, 'a.cjs:2:8'],
    [
      {
        'a.js': `import '@fastify/autoload'`,
        plugins: { 's.js': `${IMPORT}app.register(secureSession, ${options})` },
        '.x': {},
        node_modules: {},
      },
      'plugins/s.js:3:8',
    ],
  ]
  for (const [files, expected] of cases) t.equal(await place(t, files, '/tls'), expected, JSON.stringify(files))
  t.equal(await place(t, { 'a.js': `export const options = { ignoreTrailingSlash: true }` }, '/tls'), undefined)
  t.equal(await place(t, { 'a.js': `export default 5` }, '/tls'), undefined)
  t.equal(await place(t, { 'a.js': `export default [1]` }, '/tls'), undefined)
  t.equal(await place(t, { 'a.js': `export default { ...base, tls: 'x' }` }, '/store'), 'a.js:1:16')
  const many = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`f${index}.js`, IMPORT]))
  const entry = Object.keys(many).map((name) => `import './${name}'\n`)
  const last = `${IMPORT}app.register(secureSession, ${options})`
  t.equal(await place(t, { 'a.js': entry.join(''), ...many, 'f200.js': last }, '/tls'), undefined, 'one file too many')
  t.equal(await place(t, { 'a.js': entry.join(''), ...many, 'f100.js': last }, '/tls'), 'f100.js:3:8')
})

t.test('of two registrations the one counts that fits what was found', async (t) => {
  const text = `${IMPORT}one.register(secureSession, { tls: 'direct' })\ntwo.register(secureSession, { tls: 'proxy', store })`
  t.equal(await place(t, { 'a.js': text }, '/tls', '"direct"'), 'a.js:2:36')
  t.equal(await place(t, { 'a.js': text }, '/tls', '"proxy"'), 'a.js:3:36')
  t.equal(await place(t, { 'a.js': text }, '/store', 'missing'), 'a.js:2:1')
  t.equal(await place(t, { 'a.js': text }, '/store', '<object>'), 'a.js:3:45')
  t.equal(await place(t, { 'a.js': text }, '/cookie', '<object>'), 'a.js:2:1')
})

t.test('files that are no source, too large, or not there are passed over', async (t) => {
  const project = await Project.open()
  const folder = t.testdir({ 'big.js': `//${'x'.repeat(1_000_001)}` })
  t.equal(project.module(join(folder, 'big.js')), undefined)
  t.equal(project.module(join(folder, 'none.js')), undefined)
  t.strictSame(optionsSites(project, join(folder, 'none.js')), [])
  t.equal(locateOption(project, [], { pointer: '/tls', value: '' }), undefined)
})

/** Returns the frame of the first finding of a rule in a file. */
async function frame(t: Tap, text: string, options: unknown, rule: string, width = 89): Promise<string[] | undefined> {
  const file = join(t.testdir({ 'app.js': text }), 'app.js')
  const project = await Project.open()
  const finding = checkConfig(options, 'production').find((one) => one.rule === `session/${rule}`)
  if (finding === undefined) throw new Error(`${rule} is found`)
  return codeFrame(project, optionsSites(project, file), finding, width)
}

t.test('a frame shows the line with a caret under the option', async (t) => {
  const text = `${IMPORT}app.register(secureSession, {\n\tcookie: { sameSite: 'none', secure: false },\n})\n`
  const options = { cookie: { sameSite: 'none', secure: false } }
  t.strictSame(await frame(t, text, options, 'samesite-none-requires-secure'), [
    `3 | cookie: { sameSite: 'none', secure: false },`,
    '  |                     ^^^^^^',
  ])
  t.strictSame(await frame(t, `${IMPORT}app.register(secureSession)`, {}, 'memory-store'), [
    '2 | app.register(secureSession)',
    '  | ^^^^^^^^^^^^^^^^^^^^^^^^^^',
  ])
  t.equal(await frame(t, 'export default 5', {}, 'memory-store'), undefined)
})

t.test('no secret of the source stands in a frame', async (t) => {
  const lines = [
    `app.register(secureSession, { secret: 'hunter2' /* was hunter3 */, cookie: { name: 'hunter4' } }) // hunter5`,
    'app.register(secureSession, { secret: `hunter2`, cookie: { name: 123456789 } })',
    `app.register(secureSession, { secret: 918273645546372, n: 918273645546372n, small: 5 })`,
  ]
  for (const line of lines) {
    for (const rule of ['secret-short', 'memory-store', 'tls-unproven']) {
      const shown = await frame(t, `${IMPORT}${line}`, { secret: 'hunter2' }, rule)
      t.notMatch(shown?.join('\n'), /hunter|918273|123456/)
      t.match(shown?.join('\n'), 'app.register')
    }
  }
})

t.test('a long line is cut around the option', async (t) => {
  const line = `app.register(secureSession, { ${'trustedOrigins: [], '.repeat(8)}tls: 'wrong', ${'store, '.repeat(20)}})`
  for (const width of [30, 60, 89]) {
    const [shown, carets] = (await frame(t, `${IMPORT}${line}`, { tls: 'wrong' }, 'option-type', width)) as [
      string,
      string,
    ]
    t.ok(shown.length <= width)
    t.match(shown, '| …')
    t.equal(shown.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1), `'wrong'`)
  }
})

/** Returns the options of a file after steps, or nothing when they cannot be done. */
async function applied(t: Tap, text: string, patch: FixStep[], name = 'app.js'): Promise<string | undefined> {
  const file = join(t.testdir({ [name]: text }), name)
  const project = await Project.open()
  if (!applySteps(project, file, patch)) {
    t.strictSame(project.edits(), new Map(), 'no edit remains')
    return undefined
  }
  return project.edits().get(file)
}

const options = (literal: string): string => `export default ${literal}\n`
const set = (pointer: string, source: string): FixStep => ({ op: 'set', pointer, source })
const remove = (pointer: string): FixStep => ({ op: 'remove', pointer })
const move = (from: string, pointer: string, source: string): FixStep => ({ op: 'move', from, pointer, source })

t.test('steps edit the options where they are written, and nothing else', async (t) => {
  const cases: [string, FixStep[], string | undefined][] = [
    [`{ tls: 'x' /* why */ }`, [set('/tls', `'proxy'`)], `{ tls: 'proxy' /* why */ }`],
    [`{ secret: ['a', 'b'] }`, [set('/secret/1', 'other')], `{ secret: ['a', other] }`],
    [`{ tls, secret }`, [set('/secret', 'other')], `{ tls, secret: other }`],
    [`{ tls: 1 }`, [set('/store', 'store')], `{ tls: 1, store: store }`],
    [`{\n  tls: 1,\n}`, [set('/store', 'store')], `{\n  tls: 1,\n  store: store,\n}`],
    [`{\n  tls: 1\n}`, [set('/a', '1'), set('/b', '2')], `{\n  tls: 1,\n  a: 1,\n  b: 2\n}`],
    [
      `{ tls: 1, cookie: {} }`,
      [set('/cookie/secure', 'true'), set('/cookie/path', `'/'`)],
      `{ tls: 1, cookie: { secure: true, path: '/' } }`,
    ],
    [
      `{ tls: 1 }`,
      [set('/cookie/secure', 'true'), set('/cookie/path', `'/'`)],
      `{ tls: 1, cookie: { secure: true, path: '/' } }`,
    ],
    [`{ tls: 1, cookie: cookieOf() }`, [set('/cookie/secure', 'true')], undefined],
    [`{ tls() {} }`, [set('/tls', '1')], undefined],
    [`{ get tls() { return 1 } }`, [set('/tls', '1')], undefined],
    [`{ tls: 1, a: 2 }`, [remove('/tls')], `{ a: 2 }`],
    [`{ tls: 1, a: 2 }`, [remove('/a')], `{ tls: 1 }`],
    [`{ tls: 1 }`, [remove('/tls')], `{ }`],
    [`{\n  tls: 1,\n  a: 2,\n}`, [remove('/a')], `{\n  tls: 1,\n}`],
    [`{\n  tls: 1,\n  a: 2\n}`, [remove('/a')], `{\n  tls: 1\n}`],
    [`{ tls: 1 }`, [remove('/a')], undefined],
    [`{ secret: ['a', 'b', 'c'] }`, [remove('/secret/0'), remove('/secret/2')], `{ secret: ['b'] }`],
    [`{ tls: 1, httponly: yes() }`, [move('/httponly', '/httpOnly', 'true')], `{ tls: 1, httpOnly: yes() }`],
    [`{ httponly: 1, httpOnly: 2, tls: 3 }`, [move('/httponly', '/httpOnly', 'true')], `{ httpOnly: 1, tls: 3 }`],
    [`{ tls: 1, secure: flag }`, [move('/secure', '/cookie/secure', 'true')], `{ tls: 1, cookie: { secure: flag } }`],
    [
      `{ tls: 1, secure: flag ? 1 : 2 }`,
      [move('/secure', '/cookie/secure', 'true')],
      `{ tls: 1, cookie: { secure: flag ? 1 : 2 } }`,
    ],
    [`{ tls: 1, cookie: { store: x } }`, [move('/cookie/store', '/store', 'y')], `{ tls: 1, cookie: { }, store: x }`],
    [`{ tls: 1 }`, [move('/a', '/b', '1')], undefined],
    [`{ tls: 1 }`, [set('/tls', '2'), remove('/none')], undefined],
  ]
  for (const [before, patch, after] of cases) {
    const expected = after === undefined ? undefined : options(after)
    t.equal(await applied(t, options(before), patch), expected, `${before} ${JSON.stringify(patch)}`)
  }
})

t.test('steps need one registration with a literal', async (t) => {
  const above = `const base = { secure: x }\n${IMPORT}app.register(secureSession, { ...base })`
  t.equal(await applied(t, above, [move('/secure', '/cookie/secure', 'true')]), undefined, 'nor above the options')
  const patch = [set('/tls', '1')]
  t.equal(await applied(t, `${IMPORT}app.register(secureSession, options)`, patch), undefined)
  t.equal(await applied(t, `${IMPORT}a.register(secureSession, {})\nb.register(secureSession, {})`, patch), undefined)
  t.equal(await applied(t, 'export default 5', patch), undefined)
  t.equal(
    await applied(t, `${IMPORT}a.register(secureSession, {})`, patch),
    `${IMPORT}a.register(secureSession, { tls: 1 })`,
  )
})

t.test('a patch brings the imports that it needs, in the style of the file', async (t) => {
  const source = "sqliteStore({ database: new Database('sessions.db') })"
  const opened = 'await openStore(process.env.SESSION_STORE)'
  const [sqlite, open] = [[set('/store', source)], [set('/store', opened)]]
  const cases: [string, string, FixStep[], string | undefined][] = [
    [
      'a.js',
      `import fastify from "fastify";\n${IMPORT}\napp.register(secureSession, {});\n`,
      sqlite,
      `import fastify from "fastify";\n${IMPORT}import Database from 'better-sqlite3'\nimport { sqliteStore } from 'fastify-session-guard/stores/sqlite'\n\napp.register(secureSession, { store: ${source} });\n`,
    ],
    [
      'a.ts',
      `import guard from "fastify-session-guard";\napp.register(guard, {});`,
      sqlite,
      `import guard from "fastify-session-guard";\nimport Database from "better-sqlite3";\nimport { sqliteStore } from "fastify-session-guard/stores/sqlite";\napp.register(guard, { store: ${source} });`,
    ],
    [
      'a.cjs',
      `'use strict'\n${REQUIRE}app.register(secureSession, {})`,
      sqlite,
      `'use strict'\n${REQUIRE}const Database = require('better-sqlite3')\nconst { sqliteStore } = require('fastify-session-guard/stores/sqlite')\napp.register(secureSession, { store: ${source} })`,
    ],
    [
      'a.js',
      `'use strict'\n// The options.\nmodule.exports = { tls: 'x' };\n`,
      sqlite,
      `'use strict'\n// The options.\nconst Database = require('better-sqlite3');\nconst { sqliteStore } = require('fastify-session-guard/stores/sqlite');\n\nmodule.exports = { tls: 'x', store: ${source} };\n`,
    ],
    [
      'a.js',
      `export default { tls: 'x' }`,
      sqlite,
      `import Database from 'better-sqlite3'\nimport { sqliteStore } from 'fastify-session-guard/stores/sqlite'\n\nexport default { tls: 'x', store: ${source} }`,
    ],
    [
      'a.js',
      `import Database from 'libsql'\n${IMPORT}app.register(secureSession, { store })`,
      sqlite,
      `import Database from 'libsql'\n${IMPORT}import { sqliteStore } from 'fastify-session-guard/stores/sqlite'\napp.register(secureSession, { store: ${source} })`,
    ],
    [
      'a.js',
      `${IMPORT}app.register(secureSession, {})`,
      open,
      `${IMPORT}import { openStore } from 'fastify-session-guard/stores/open'\napp.register(secureSession, { store: ${opened} })`,
    ],
    ['a.cjs', `${REQUIRE}app.register(secureSession, {})`, open, undefined],
    ['a.js', `${IMPORT}app.register(secureSession, {})`, [set('/store', 'redisStore({ client })')], undefined],
    [
      'a.js',
      `${IMPORT}function build({ client }) { app.register(secureSession, {}) }`,
      [set('/store', 'redisStore({ client })')],
      `${IMPORT}import { redisStore } from 'fastify-session-guard/stores/redis'\nfunction build({ client }) { app.register(secureSession, { store: redisStore({ client }) }) }`,
    ],
    ['a.js', `${IMPORT}app.register(secureSession, {})`, [set('/loadUser', '(id) => users.find(id)')], undefined],
    [
      'a.js',
      `export default { maxSessions: 5 }`,
      sqlite,
      `import Database from 'better-sqlite3'\nimport { sqliteStore } from 'fastify-session-guard/stores/sqlite'\n\nexport default { maxSessions: 5, store: ${source} }`,
    ],
    [
      'a.js',
      `export default { maxSessions: 5 }`,
      open,
      `import { openStore } from 'fastify-session-guard/stores/open'\n\nexport default { maxSessions: 5, store: ${opened} }`,
    ],
    [
      'a.js',
      `${IMPORT}app.register(secureSession, { store: 5 })`,
      [set('/store', 'redisStore({ client })')],
      undefined,
    ],
  ]
  for (const [name, before, patch, after] of cases) t.equal(await applied(t, before, patch, name), after, before)
})

t.test('a getter or a method is no value that a patch can move', async (t) => {
  for (const member of ['get secure() { return true }', 'secure() { return true }']) {
    const before = `${IMPORT}app.register(secureSession, { ${member} })`
    t.equal(await applied(t, before, [move('/secure', '/cookie/secure', 'true')]), undefined, member)
  }
})

t.test('a member in another file is edited there, and moves nowhere', async (t) => {
  const folder = t.testdir({
    'a.js': `import { base } from './b.js'\n${IMPORT}app.register(secureSession, { ...base })`,
    'b.js': `export const base = { tls: 1, secure: true }`,
  })
  const project = await Project.open()
  const entry = join(folder, 'a.js')
  t.equal(applySteps(project, entry, [set('/tls', '2')]), 'safe')
  t.strictSame([...project.edits()], [[join(folder, 'b.js'), `export const base = { tls: 2, secure: true }`]])
  t.notOk(applySteps(project, entry, [move('/secure', '/cookie/secure', 'true')]))
  t.equal(project.original(join(folder, 'b.js')), `export const base = { tls: 1, secure: true }`)
  writeFileSync(join(folder, 'b.js'), 'export const base = {}')
  project.forget()
  t.equal(project.original(join(folder, 'b.js')), 'export const base = {}')
})

t.test('code hosts name files from the root of the repository, people from where they are', async (t) => {
  const folder = t.testdir({ '.git': {}, app: { 'a.js': '' } })
  const cwd = join(folder, 'app')
  const file = join(cwd, 'a.js')
  t.equal(fileNaming(cwd, 'sarif').name(file), 'app/a.js')
  t.equal(fileNaming(cwd, 'github').name(file), 'app/a.js')
  t.equal(fileNaming(cwd, 'pretty').name(file), 'a.js')
  t.equal(fileNaming(cwd, 'pretty').name('/elsewhere/\u001b.js'), '/elsewhere/?.js')
  t.equal(fileNaming('/', 'sarif').name('/a.js'), 'a.js')
  const failure = { message: 'x', isConsequence: false }
  t.strictSame(fileNaming(cwd, 'json').inFailure(failure), failure)
})

t.test('a secret that stands in the files of an app is found where it stands, and can be silenced', async (t) => {
  const found = async (files: Record<string, string>, silences = [] as { rule: string; reason: string }[]) => {
    const folder = t.testdir(files)
    const project = await Project.open()
    const entry = join(folder, Object.keys(files)[0] as string)
    const sites = optionsSites(project, entry)
    const findings = secretsInFiles(project, entry, sites, 'production', silences)
    t.notMatch(JSON.stringify(findings), 'hunter2')
    for (const finding of findings) t.equal(codeFrame(project, sites, finding, 80), undefined)
    return findings.map(({ at: [first], silenced }) => {
      const { file = '', line, column } = first?.source ?? {}
      return [file.slice(folder.length + 1), line, column, silenced?.reason].join(':')
    })
  }
  const fallback = inApp(`app.register(secureSession, {\n  secret: process.env.SESSION_SECRET ?? 'hunter2' })`)
  t.strictSame(await found(fallback), ['app.ts:3:41:'])
  t.strictSame(await found(fallback, [{ rule: 'secret-in-source', reason: 'a lab' }]), ['app.ts:3:41:a lab'])
  t.strictSame(await found(inApp('app.register(secureSession, { secret: process.env.SESSION_SECRET })')), [])
  const interop = `const s = require('fastify-session-guard')\napp.register(s.default ?? s, { secret: 'hunter2' })`
  t.strictSame(await found({ 'app.cjs': interop }), ['app.cjs:2:40:'], 'a default that CommonJS unwraps')
  const hidden = `const s = pick(require('fastify-session-guard'), 1)\napp.register(s, { secret: 'hunter2' })`
  t.strictSame(await found({ 'app.cjs': hidden }), ['app.cjs:2:27:'], 'a registration that is not recognised')
  t.strictSame(await found({ 'app.cjs': `const options = { secret: 'hunter2' }` }), [], 'a file without the package')
  const config = { 'config.ts': `export const options = { secret: 'hunter2' }\n` }
  const head = `${IMPORT}import { options } from './config.ts'\n`
  t.strictSame(await found({ ...inApp('app.register(secureSession, options)', head), ...config }), ['config.ts:1:34:'])
  const member = inApp('app.register(secureSession, { ...options })', head)
  t.strictSame(await found({ ...member, ...config }), ['config.ts:1:34:'], 'options that are spread from another file')
  t.strictSame(await found({ ...inApp('app.register(secureSession, elsewhere)'), ...config }), [])
})
