/** A small app, and what `check` has to find in it. */
export interface Shape {
  readonly name: string
  /** The files of the app; the first one is checked. */
  readonly files: Readonly<Record<string, string>>
  /** Arguments after the file. */
  readonly args?: readonly string[]
  /** The target that is checked in place of the first file. */
  readonly target?: string
  readonly code: number
  /** A rule that has to be found. */
  readonly rule?: string
  /** The text that has to stand on standard error. */
  readonly err?: RegExp
}

const RULE = 'secret-placeholder'
const OPTIONS = `{ secret: 'changeme' }`
const REGISTER = `app.register(secureSession, ${OPTIONS})`

const ESM = `import Fastify from 'fastify'
import { secureSession } from 'fastify-session-guard'
`
const CJS = `const Fastify = require('fastify')
const { secureSession } = require('fastify-session-guard')
`

/** Returns one shape as an ES module and as CommonJS; `exported` is what each of them exports. */
function both(
  name: string,
  body: string,
  exported: { esm?: string; cjs?: string } = {},
  outcome: Partial<Shape> = {},
): Shape[] {
  return [
    {
      name: `${name}, as an ES module`,
      files: { 'app.mjs': `${ESM}${body}\n${exported.esm ?? ''}` },
      code: 1,
      rule: RULE,
      ...outcome,
    },
    {
      name: `${name}, as CommonJS`,
      files: { 'app.cjs': `${CJS}${body}\n${exported.cjs ?? ''}` },
      code: 1,
      rule: RULE,
      ...outcome,
    },
  ]
}

function exporting(name: string): { esm: string; cjs: string } {
  return { esm: `export { ${name} }`, cjs: `module.exports = { ${name} }` }
}

function byDefault(name: string): { esm: string; cjs: string } {
  return { esm: `export default ${name}`, cjs: `module.exports = ${name}` }
}

const CANNOT_CHECK = { code: 2, rule: undefined } as unknown as Partial<Shape>

/** Apps that start by themselves. */
const STARTING: readonly Shape[] = [
  ...both(
    'a start with a callback that ends the process',
    `const app = Fastify({ logger: true })
${REGISTER}
app.get('/', (request, reply) => reply.send({ hello: 'world' }))
app.listen({ port: 3000 }, (error) => {
  if (error) { app.log.error(error); process.exit(1) }
})`,
  ),
  ...both(
    'a start that is not awaited',
    `const app = Fastify()\n${REGISTER}\napp.listen({ port: 3000 }).then(() => console.log('up'))`,
  ),
  ...both(
    'a bootstrap function',
    `async function bootstrap() {
  const app = Fastify()
  await ${REGISTER}
  await app.listen({ port: 3000 })
}
bootstrap()`,
  ),
  ...both(
    'a start that catches its own failure and ends the process',
    `async function start() {
  const app = Fastify()
  try {
    await ${REGISTER}
    await app.listen({ port: 3000 })
  } catch (error) {
    console.error('the app says: ' + error.code)
    process.exit(1)
  }
}
start()`,
  ),
  ...both(
    'a start that takes a while',
    `async function start() {
  await new Promise((resolve) => setTimeout(resolve, 700))
  const app = Fastify()
  await ${REGISTER}
  await app.listen({ port: 3000 })
}
start()`,
  ),
  ...both(
    'a start of an exported app that takes a while',
    `const app = Fastify()
async function start() {
  await new Promise((resolve) => setTimeout(resolve, 700))
  await ${REGISTER}
  await app.listen({ port: 3000 })
}
start().catch(() => process.exit(1))`,
    exporting('app'),
  ),
  {
    name: 'a top-level await of everything',
    files: { 'app.mjs': `${ESM}const app = Fastify()\nawait ${REGISTER}\nawait app.listen({ port: 3000 })` },
    code: 1,
    rule: RULE,
  },
  {
    name: 'other servers that listen before the app',
    files: {
      'app.mjs': `${ESM}import http from 'node:http'
const metrics = http.createServer(() => undefined)
await new Promise((resolve) => metrics.listen(9090, resolve))
const health = Fastify()
await health.listen({ port: 9091 })
const app = Fastify()
await ${REGISTER}
await app.listen({ port: 3000 })`,
    },
    code: 1,
    rule: RULE,
  },
  {
    name: 'a start only as the main module, in CommonJS',
    files: {
      'app.cjs': `${CJS}if (require.main === module) {
  const app = Fastify()
  ${REGISTER}
  app.listen({ port: 3000 })
}`,
    },
    code: 1,
    rule: RULE,
  },
  {
    name: 'a start only as the main module, by its URL',
    files: {
      'app.mjs': `import { fileURLToPath } from 'node:url'
${ESM}if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = Fastify()
  ${REGISTER}
  await app.listen({ port: 3000 })
}`,
    },
    code: 1,
    rule: RULE,
  },
  {
    name: 'workers of node:cluster, and rules for them',
    files: {
      'app.mjs': `import cluster from 'node:cluster'
${ESM}if (cluster.isPrimary) for (const _ of [1, 2, 3, 4]) cluster.fork()
else {
  const app = Fastify()
  await app.register(secureSession, { environment: 'development' })
  await app.listen({ port: 3000 })
}`,
    },
    args: ['--fail-level', 'warning'],
    code: 1,
    rule: 'memory-store-cluster',
  },
]

/** Apps that another module would start. */
const EXPORTING: readonly Shape[] = [
  ...both('an app by default', `const app = Fastify()\n${REGISTER}`, byDefault('app')),
  ...both(
    'an app by another name',
    `const backend = Fastify()\nbackend.register(secureSession, ${OPTIONS})`,
    exporting('backend'),
  ),
  ...both(
    'two apps',
    `const one = Fastify()
one.register(secureSession, { environment: 'test' })
const two = Fastify()
two.register(secureSession, ${OPTIONS})`,
    { esm: 'export { one, two }', cjs: 'module.exports = { one, two }' },
  ),
  ...both('a promise of an app', `const app = Fastify()\n${REGISTER}`, byDefault('Promise.resolve().then(() => app)')),
  ...['createServer', 'makeApp', 'initialise'].flatMap((name) =>
    both(
      `a function named ${name}`,
      `function ${name}() {\n  const app = Fastify()\n  ${REGISTER}\n  return app\n}`,
      exporting(name),
    ),
  ),
  ...both(
    'an asynchronous function',
    `async function build() {\n  const app = Fastify()\n  ${REGISTER}\n  return app\n}`,
    byDefault('build'),
  ),
  ...both(
    'an object with a function',
    `function createServer() {\n  const app = Fastify()\n  ${REGISTER}\n  return { app, stop() {} }\n}`,
    byDefault('{ createServer }'),
  ),
  ...both(
    'a class',
    `class Server {\n  constructor() {\n    this.app = Fastify()\n    this.app.register(secureSession, ${OPTIONS})\n  }\n}`,
    byDefault('Server'),
  ),
  ...both(
    'a plugin of one parameter',
    `async function plugin(fastify) {\n  await fastify.register(secureSession, ${OPTIONS})\n}`,
    byDefault('plugin'),
  ),
  ...both(
    'a plugin with the options of a Fastify server beside it',
    `async function plugin(fastify, opts) {\n  await fastify.register(secureSession, ${OPTIONS})\n}\nconst options = { ignoreTrailingSlash: true }`,
    { esm: 'export { plugin as default, options }', cjs: 'module.exports = plugin\nmodule.exports.options = options' },
  ),
  ...both(
    'a function of a platform without servers',
    `const app = Fastify()\n${REGISTER}\nconst handler = async (req, res) => { await app.ready(); app.server.emit('request', req, res) }`,
    byDefault('handler'),
  ),
  ...both('options', '', byDefault(OPTIONS)),
  ...both('options by name', `const sessionOptions = ${OPTIONS}`, exporting('sessionOptions')),
  ...both(
    'a function that only starts something later',
    `async function run() {\n  const app = Fastify()\n  await ${REGISTER}\n  await app.listen({ port: 3000 })\n}`,
    exporting('run'),
  ),
]

/** Mistakes, of which the real cause has to be named. */
const MISTAKEN: readonly Shape[] = [
  ...both(
    'a refusal behind app.after',
    `const app = Fastify()
${REGISTER}
app.after(() => app.get('/me', { onRequest: app.requireLogin() }, async () => 1))
app.listen({ port: 3000 }, (error) => { if (error) throw error })`,
    {},
    {
      err: /the guard refused the registration, and the app went on to fail: TypeError: app.requireLogin is not a function/,
    },
  ),
  ...both(
    'requireLogin before the plugin is loaded',
    `const app = Fastify()
app.register(secureSession, { environment: 'test' })
app.get('/me', { onRequest: app.requireLogin() }, async () => 1)`,
    byDefault('app'),
    { ...CANNOT_CHECK, err: /app\.[cm]js:5:\d+\n\s+hint secureSession is not loaded yet at this line/ },
  ),
  ...both('nothing that could be meant', '', exporting('Fastify'), {
    ...CANNOT_CHECK,
    err: /it does not register fastify-session-guard/,
  }),
  { name: 'an empty ES module', files: { 'app.mjs': '' }, code: 2, err: /made no Fastify app, and exports no app/ },
  {
    name: 'an empty CommonJS module',
    files: { 'app.cjs': '' },
    code: 2,
    err: /made no Fastify app, and exports no app/,
  },
  {
    name: 'several functions and none that could be meant',
    files: { 'app.mjs': 'export const answer = 42\nexport function one() {}\nexport function two() {}' },
    code: 2,
    err: /Found: answer \(number\), one \(function\), two \(function\)/,
  },
  ...both('a function that makes no app', 'const build = async () => 1', byDefault('build'), {
    ...CANNOT_CHECK,
    err: /made no Fastify app.* Found: default \(function\)/,
  }),
  {
    name: 'a top-level await that never settles',
    files: { 'app.mjs': 'await new Promise(() => undefined)' },
    code: 2,
    err: /a top-level await never settled/,
  },
  ...['mjs', 'cjs'].map((extension) => ({
    name: `a syntax error, in ${extension}`,
    files: { [`app.${extension}`]: 'const a = 1\nconst = 5\n' },
    code: 2,
    err: new RegExp(`SyntaxError: .*\\n\\s+at\\s+app\\.${extension}:2:`),
  })),
  {
    name: 'a syntax error in an imported file',
    files: { 'app.mjs': `import './other.mjs'`, 'other.mjs': '\n\nconst = 5\n' },
    code: 2,
    err: /SyntaxError: .*\n\s+at\s+other\.mjs:3:/,
  },
  {
    name: 'an error of the app itself',
    files: { 'app.mjs': `function connect() {\n  throw new RangeError('no database')\n}\nconnect()` },
    code: 2,
    err: /RangeError: no database\n\s+at\s+app\.mjs:2:9/,
  },
  {
    name: 'a process that ends before anything is registered',
    files: { 'app.cjs': `console.error('DATABASE_URL is missing')\nprocess.exit(3)` },
    code: 2,
    err: /DATABASE_URL is missing\nCannot check app.cjs: its process ended with code 3 before it was ready/,
  },
  {
    name: 'TypeScript with an enum',
    files: { 'app.ts': `enum Mode { A, B }\nexport default Mode` },
    code: 2,
    err: /hint use Node >= 22\.18/,
  },
]

/** Stores that cannot be reached from where the check runs. */
const UNREACHABLE: readonly Shape[] = [
  {
    name: 'a Redis that does not answer',
    files: {
      'app.mjs': `${ESM}import { createClient } from 'redis'
const client = createClient({ url: 'redis://127.0.0.1:1', socket: { reconnectStrategy: false } })
await client.connect()`,
    },
    code: 2,
    err: /ECONNREFUSED[\s\S]*hint [\s\S]*With --offline/,
  },
  ...[
    [
      'node-redis',
      `import { createClient } from 'redis'
import { redisStore } from 'fastify-session-guard/stores/redis'
const client = createClient({ url: 'redis://127.0.0.1:1' })
await client.connect()
const store = redisStore({ client })`,
    ],
    [
      'ioredis over TLS',
      `import { Redis } from 'ioredis'
import { redisStore } from 'fastify-session-guard/stores/redis'
const client = new Redis('rediss://127.0.0.1:1')
await client.ping()
const store = redisStore({ client })`,
    ],
    [
      'pg',
      `import pg from 'pg'
import { postgresStore } from 'fastify-session-guard/stores/postgres'
const pool = new pg.Pool({ connectionString: 'postgres://u:p@127.0.0.1:1/db' })
await pool.query('SELECT $1::text', ['x'])
const store = postgresStore({ pool })`,
    ],
  ].map(([driver, setup]) => ({
    name: `${driver} offline`,
    files: {
      'app.mjs': `${ESM}${setup}
const app = Fastify()
await app.register(secureSession, { secret: 'changeme', store })
await app.listen({ port: 3000 })`,
    },
    args: ['--offline'],
    code: 1,
    rule: RULE,
    err: /^Offline: what the store would answer was not judged\.$/m,
  })),
]

/** Shapes about the place where the app is found. */
const FOUND: readonly Shape[] = [
  {
    name: 'a folder whose package.json has exports',
    files: {
      'package.json': JSON.stringify({
        type: 'module',
        exports: { '.': { types: './x.d.ts', import: './lib/main.js' } },
      }),
      'lib/main.js': `import { build } from './build.js'\nconst app = build()\nawait app.listen({ port: 3000 })`,
      'lib/build.js': `${ESM}export function build() {\n  const app = Fastify()\n  ${REGISTER}\n  return app\n}`,
    },
    target: '.',
    code: 1,
    rule: RULE,
  },
  {
    name: 'a folder with an index',
    files: { 'index.cjs': `${CJS}const app = Fastify()\n${REGISTER}\nmodule.exports = app` },
    target: '.',
    code: 1,
    rule: RULE,
  },
]

export const SHAPES: readonly Shape[] = [...STARTING, ...EXPORTING, ...MISTAKEN, ...UNREACHABLE, ...FOUND]
