import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import type { Import } from '../support/imports.ts'
import {
  circleIn,
  importsOf,
  isPackage,
  isTypesOnly,
  packageName,
  ROOT,
  sourceFiles,
  stringsOf,
} from '../support/imports.ts'

const PURE = ['types/', 'node:']
const WORDS = [
  ...PURE,
  'lib/errors.ts',
  'lib/events.ts',
  'lib/options.ts',
  'lib/session/date.ts',
  'lib/session/copy-record.ts',
  'lib/session/duration.ts',
  'lib/storage/immediate.ts',
  'lib/storage/cause.ts',
  'lib/storage/in-time.ts',
  'lib/storage/recent.ts',
]

/**
 * The folders, files and packages that each file may import. The first row that fits a file counts; a file that fits
 * none has no place.
 */
const DIRECTION = [
  { where: 'types/', may: [...PURE, 'fastify', '@fastify/'] },

  // Values in, values out.
  { where: 'lib/options.ts', may: [...PURE, 'lib/session/duration.ts', 'lib/session/namespace.ts'] },
  { where: 'lib/errors.ts', may: PURE },
  { where: 'lib/events.ts', may: PURE },
  { where: 'lib/session/date.ts', may: PURE },
  { where: 'lib/session/copy-record.ts', may: PURE },
  { where: 'lib/session/duration.ts', may: PURE },
  { where: 'lib/session/namespace.ts', may: [...PURE, 'lib/session/copy-record.ts'] },
  { where: 'lib/storage/immediate.ts', may: PURE },
  { where: 'lib/storage/cause.ts', may: PURE },
  { where: 'lib/storage/in-time.ts', may: PURE },
  { where: 'lib/storage/recent.ts', may: PURE },
  { where: 'lib/session/id.ts', may: [...PURE, 'lib/storage/recent.ts', '@fastify/cookie'] },
  { where: 'lib/session/device-bound/jws.ts', may: [...WORDS, 'lib/session/', 'jose'] },
  {
    where: 'lib/session/',
    may: [...WORDS, 'lib/session/', 'lib/storage/', 'lib/guard/read/nearest-name.ts', 'secure-json-parse'],
  },
  {
    where: 'lib/storage/',
    may: [...WORDS, 'lib/storage/', 'lib/session/record.ts', 'lib/session/namespace.ts'],
  },
  { where: 'lib/guard/', may: [...WORDS, 'lib/guard/', 'ajv', 'tldts'] },
  { where: 'lib/scan/', may: [...WORDS, 'lib/scan/', 'lib/guard/', 'lib/http/read-cookie.ts'] },
  { where: 'lib/stores/', may: [...WORDS, 'lib/stores/', 'lib/storage/', 'lib/session/record.ts'] },

  {
    where: 'lib/migrate/',
    may: [
      ...WORDS,
      'lib/migrate/',
      'lib/stores/express.ts',
      'lib/stores/express-answer.ts',
      'lib/stores/package-folders.ts',
      'lib/guard/read/nearest-name.ts',
      'lib/guard/read/secret-strength.ts',
    ],
  },

  // Tools for other people's tests.
  {
    where: 'lib/testing/',
    may: [...WORDS, 'lib/testing/', 'lib/session/', 'lib/guard/', 'lib/http/read-cookie.ts', 'fastify'],
  },

  // Wiring: what meets Fastify, and the door.
  {
    where: 'lib/http/fastify-session.ts',
    may: [...WORDS, 'lib/session/', 'fastify', '@fastify/session'],
  },
  { where: 'lib/http/hidden-id.ts', may: ['lib/http/header-id.ts', 'lib/guard/read/phase-facts.ts', 'fastify'] },
  {
    where: 'lib/http/watch-answers.ts',
    may: [
      'types/',
      'lib/options.ts',
      'lib/http/',
      'lib/session/request-session.ts',
      'lib/guard/probe/routing.ts',
      'lib/guard/read/phase-facts.ts',
      'fastify',
    ],
  },
  {
    where: 'lib/http/',
    may: [
      ...[...WORDS, 'lib/http/', 'lib/session/', 'lib/storage/', 'lib/guard/read/nearest-name.ts'],
      ...['fastify', '@fastify/cookie'],
    ],
  },
  {
    where: 'lib/connections/',
    may: [...WORDS, 'lib/connections/', 'lib/http/', 'lib/session/', 'lib/storage/', 'fastify'],
  },
  { where: 'lib/*.ts', may: ['types/', 'node:', 'lib/', 'fastify', 'fastify-plugin', '@fastify/cookie'] },

  // Programs.
  {
    where: 'lib/cli/',
    may: [...WORDS, 'lib/cli/', 'lib/guard/', 'lib/scan/', 'lib/session/', 'lib/stores/', 'lib/storage/', 'oxc-parser'],
  },
  {
    where: 'lib/demo/',
    may: [
      ...[...PURE, 'lib/demo/', 'lib/index.ts', 'lib/stores/', 'lib/testing/device-key.ts'],
      ...['fastify', '@fastify/', 'better-sqlite3'],
    ],
  },
]

/** Modules that few files may import for all others. `types` forbids the others even the types of the module. */
const ONLY = [
  { who: ['lib/plugin.ts'], to: 'fastify-plugin', types: true },
  { who: ['lib/plugin.ts', 'lib/session/id.ts'], to: '@fastify/cookie', types: false },
  { who: ['lib/http/fastify-session.ts'], to: '@fastify/session', types: true },
  { who: ['lib/demo/'], to: 'lib/index.ts', types: true },
  { who: ['lib/demo/'], to: 'lib/demo/', types: true },
  { who: ['lib/cli/'], to: 'lib/cli/', types: true },
  { who: ['lib/cli/source/project.ts'], to: 'oxc-parser', types: true },
  { who: ['lib/session/device-bound/jws.ts'], to: 'jose', types: true },
]

const TOP_LEVEL =
  'package.json package-lock.json tsconfig.json lib types test benchmarks README.md LICENSE CHANGELOG.md'.split(' ')
const GENERATED = ['node_modules', 'dist']

const files = [...sourceFiles('lib'), ...sourceFiles('types')]
const imports = files.flatMap((file) => importsOf(file))
const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as Record<
  'dependencies' | 'peerDependencies' | 'optionalDependencies',
  Record<string, string>
>
const lines = (found: Import[]): string[] =>
  found.map(({ from, to, isType }) => `${from} -> ${to}${isType ? ' (type)' : ''}`)

/** `lib/` and `node:` are all below them, `lib/*.ts` the files right in lib, the rest themselves. */
function fits(file: string, where: string): boolean {
  if (/[/:]$/.test(where)) return file.startsWith(where)
  return where === 'lib/*.ts' ? /^lib\/[^/]+\.ts$/.test(file) : file === where || packageName(file) === where
}

t.test('every file imports only what its place allows', async (t) => {
  t.strictSame(
    files.filter((file) => !DIRECTION.some(({ where }) => fits(file, where))),
    [],
    'each file has a place',
  )
  const astray = imports.filter(({ from, to }) => {
    const place = DIRECTION.find(({ where }) => fits(from, where))
    return place?.may.some((allowed) => fits(to, allowed)) === false
  })
  t.strictSame(lines(astray), [])
})

t.test('types import nothing that runs', async (t) => {
  t.strictSame(lines(imports.filter(({ from, isType }) => from.startsWith('types/') && !isType)), [])
})

for (const { who, to, types } of ONLY) {
  t.test(`only ${who.join(' and ')} ${types ? 'knows' : 'runs'} ${to}`, async (t) => {
    const others = imports.filter(({ from }) => !from.startsWith('types/') && !who.some((place) => fits(from, place)))
    t.strictSame(lines(others.filter((one) => fits(one.to, to) && (types || !one.isType))), [])
  })
}

t.test('exactly one file runs @fastify/session', async (t) => {
  const runs = imports.filter(({ to, isType }) => packageName(to) === '@fastify/session' && !isType)
  t.strictSame([...new Set(runs.map(({ from }) => from))], ['lib/http/fastify-session.ts'])
})

t.test('no circle of imports', async (t) => {
  t.equal(circleIn(imports)?.join(' -> '), undefined)
})

t.test('every package that the library imports is declared, and every declared one is imported', async (t) => {
  const published = imports.filter(({ from, to }) => isPackage(to) && !from.startsWith('lib/demo/'))
  const declared = [
    ...Object.keys(manifest.dependencies),
    ...Object.keys(manifest.peerDependencies),
    ...Object.keys(manifest.optionalDependencies),
  ]
  t.strictSame(lines(published.filter(({ to }) => !declared.includes(packageName(to)))), [])
  const run = new Set(published.filter(({ isType }) => !isType).map(({ to }) => packageName(to)))
  t.strictSame(
    Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }).filter((name) => !run.has(name)),
    [],
  )
})

t.test('every module of lib is loaded by a test, without which the coverage gate cannot see it', async (t) => {
  const tests = sourceFiles('test')
  const known = new Set([...files, ...tests, ...sourceFiles('benchmarks')])
  const reached = new Set([...tests, ...tests.flatMap((file) => namedIn(stringsOf(file)))])
  for (const file of reached) {
    const loaded = importsOf(file).filter(({ to, isType }) => !isType && known.has(to))
    for (const { to } of loaded) reached.add(to)
  }
  t.strictSame(
    sourceFiles('lib').filter((file) => !reached.has(file) && !isTypesOnly(file)),
    [],
  )
})

t.test('the top level of the repository holds nothing unexpected', async (t) => {
  const visible = readdirSync(ROOT).filter((name) => !name.startsWith('.') && !GENERATED.includes(name))
  t.strictSame(
    visible.filter((name) => !TOP_LEVEL.includes(name) && !name.endsWith('.tgz')),
    [],
  )
})

/** Modules that a test names instead of importing them, to run them as a process of their own. */
function namedIn(strings: string[]): string[] {
  return sourceFiles('lib').filter((file) => strings.some((text) => text === file || text.endsWith(`/${file}`)))
}
