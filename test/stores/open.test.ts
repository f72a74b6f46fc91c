import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { Pool } from 'pg'
import t from 'tap'
import { openStore } from '../../lib/stores/open.ts'
import { installedVersion, loadDriver } from '../../lib/stores/open/drivers.ts'
import { sqliteDrivers } from '../../lib/stores/open/sqlite.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import { packageFolder, projectWith } from '../support/projects.ts'
import { PASSWORD, startPostgres } from '../support/servers/postgres.ts'
import { freePorts, startRedis, startRedisCluster } from '../support/servers/redis.ts'
import { logIn, smallApp } from '../support/small-app.ts'
import { temporaryFolder } from '../support/sqlite.ts'

const PROJECT = process.cwd()
const [redis, cluster, postgres] = await Promise.all([startRedis(t), startRedisCluster(t), startPostgres(t)])

const STORES: readonly [name: string, url: () => string, driver: string][] = [
  ['SQLite', () => 'sqlite:sessions.db', 'better-sqlite3'],
  ['Redis by node-redis', () => `${redis.url}/1`, 'redis'],
  ['Redis by ioredis', () => `${redis.url}/2`, 'ioredis'],
  ['a Cluster by node-redis', () => cluster.nodes[0]?.url ?? '', 'redis'],
  ['a Cluster by ioredis', () => cluster.nodes[1]?.url ?? '', 'ioredis'],
  ['PostgreSQL', () => postgres.url, 'pg'],
]

for (const [name, url, driver] of STORES) {
  t.test(`one URL is a store that is ready, and closes once: ${name}`, async (t) => {
    const store = await openStore(url(), { cwd: projectWith(t, driver) })
    const app = await smallApp({ store })
    const cookie = await logIn(app, 'ann')
    t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ann' })
    t.equal((await app.inject({ method: 'POST', url: '/logout', headers: { cookie } })).statusCode, 200)
    await app.close()
    await t.rejects(store.get('h'), 'the app has closed its connection')
    await Promise.all([store.close(), store.close()])
  })
}

for (const driver of ['redis', 'ioredis']) {
  t.test(`a store of Redis comes back after a restart of the server, by ${driver}`, async (t) => {
    const server = await startRedis(t)
    const store = await openStore(server.url, { cwd: projectWith(t, driver), prefix: 'shop:' })
    t.teardown(() => store.close())
    const record = recordAt(Date.now())
    await store.create(record)
    t.match(server.cli('keys', '*'), `shop:s:${record.handle}`)
    await server.kill()
    await t.rejects(store.get(record.handle))
    await server.start()
    let found = await store.get(record.handle).catch(() => undefined)
    while (found === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      found = await store.get(record.handle).catch(() => undefined)
    }
    t.strictSame(found, record)
  })

  t.test(`a server of Redis that is away when the app starts is a refusal, not an event, by ${driver}`, async (t) => {
    const [port = 0] = await freePorts(1)
    const opening = openStore(`redis://:${PASSWORD}@127.0.0.1:${port}`, { cwd: projectWith(t, driver) })
    const error = (await opening.catch((reason: unknown) => reason)) as Error
    t.match(error.message, new RegExp(`^openStore: the store at 127.0.0.1:${port} cannot be used: .*ECONNREFUSED`))
    t.notMatch(inspect(error, { depth: null }), PASSWORD)
  })
}

t.test(
  'PostgreSQL: tables are made under the name that was asked for, and a statement that waits too long is given up',
  async (t) => {
    const store = await openStore(postgres.url, { table: 'logins' })
    t.teardown(() => store.close())
    const pool = new Pool({ connectionString: postgres.url })
    t.teardown(() => pool.end())
    const record = recordAt(Date.now())
    await store.create(record)
    const lock = await pool.connect()
    await lock.query('BEGIN')
    await lock.query('SELECT * FROM logins FOR UPDATE')
    await t.rejects(store.delete(record.handle), { code: '57014', message: /longer than statement_timeout/ })
    await lock.query('ROLLBACK')
    lock.release()
    t.equal(await store.delete(record.handle), true)
  },
)

t.test('what is wrong is said in words, without the password', async (t) => {
  const cwd = projectWith(t, 'redis', 'pg', 'better-sqlite3')
  writeFileSync(join(cwd, 'text.db'), 'This is no database. '.repeat(100))
  mkdirSync(join(cwd, 'folder'))
  const wrong: [url: string | undefined, options: object, message: RegExp][] = [
    [undefined, {}, /no URL was given.*environment/],
    ['', {}, /no URL was given/],
    [7 as never, {}, /no URL was given/],
    [PASSWORD, {}, /begins with redis/],
    [`mysql://u:${PASSWORD}@h/x`, {}, /not with mysql:/],
    [`postgres://u:${PASSWORD}@[x/x`, {}, /no valid URL/],
    [`redis://:${PASSWORD}@127.0.0.1/a`, {}, /the number of a database/],
    ['sqlite:', {}, /the path of a file/],
    ['sqlite:folder', {}, /^openStore: folder is no file\.$/],
    ['sqlite:nowhere/x.db', {}, /no folder for the file nowhere\/x\.db/],
    ['sqlite:text.db', {}, /^openStore: the store at sqlite:text\.db cannot be used: .* is no SQLite database/],
    ['sqlite::memory:', {}, /in memory ends with the process.*memoryStore/],
    ['sqlite:x.db?mode=ro', {}, /no settings behind a \?/],
    [' \n', {}, /no URL was given/],
    [`"redis://:${PASSWORD}@127.0.0.1"`, {}, /not with a quotation mark/],
    ['sqlite:x.db', { tabel: 'a' }, /has no option "tabel"; known are: table, prefix, cwd/],
    ['sqlite:x.db', 'x' as never, /the options are an object/],
    ['sqlite:x.db', { prefix: 'a' }, /only Redis has a prefix/],
    ['sqlite:x.db', { table: 'a;b' }, /^openStore: table: letters/],
    ['redis://127.0.0.1', { table: 'a' }, /Redis has a prefix/],
    [`postgres://u:${PASSWORD}@127.0.0.1:${postgres.port}/none`, {}, /cannot be used: .*(none|role)/],
    [postgres.url, { table: 'A' }, /^openStore: postgresStore: table is a name such as/],
  ]
  for (const [url, options, message] of wrong) {
    const given = typeof options === 'object' ? { cwd, ...options } : options
    const error = await openStore(url, given).catch((reason: unknown) => reason as Error)
    t.match(error, { message }, String(message))
    t.match((error as Error).message, /^openStore/)
    t.notMatch(inspect(error, { depth: null }), PASSWORD)
  }
})

t.test('spaces and line breaks around a URL are no part of it', async (t) => {
  const cwd = projectWith(t, 'better-sqlite3')
  const store = await openStore(' sqlite:sessions.db\n', { cwd })
  await store.close()
  t.ok(existsSync(join(cwd, 'sessions.db')))
})

t.test('a driver is looked for in the project first, then beside this package', async (t) => {
  const empty = temporaryFolder(t)
  const store = await openStore('sqlite:beside.db', { cwd: empty })
  await store.close()
  t.equal(installedVersion([empty], 'better-sqlite3'), undefined)
  t.match(installedVersion([empty, PROJECT], 'better-sqlite3'), /^\d+\./)
})

t.test('a driver whose binary is missing or unfit is said in words', async (t) => {
  const cwd = projectWith(t)
  const from = realpathSync(packageFolder('better-sqlite3'))
  const to = join(cwd, 'node_modules/better-sqlite3')
  for (const part of ['lib', 'package.json']) cpSync(join(from, part), join(to, part), { recursive: true })
  // A release of better-sqlite3 that has not one of them leaves a link to nothing.
  for (const name of ['bindings', 'file-uri-to-path']) symlinkSync(join(from, '..', name), join(to, '..', name))
  const message = /better-sqlite3 (is not built for this Node: npm rebuild|does not load)/
  await t.rejects(openStore('sqlite:x.db', { cwd }), { message })
  mkdirSync(join(to, 'build/Release'), { recursive: true })
  writeFileSync(join(to, 'build/Release/better_sqlite3.node'), 'This is no library.')
  await t.rejects(openStore('sqlite:x.db', { cwd }), { message })
})

t.test('better-sqlite3 before 13 is not loaded by a Node whose process it would end', async (t) => {
  t.strictSame(sqliteDrivers('20.20.2', '12.11.1'), ['better-sqlite3', 'node:sqlite'])
  t.strictSame(sqliteDrivers('24.18.0', '12.11.1'), ['better-sqlite3', 'node:sqlite'])
  t.strictSame(sqliteDrivers('24.19.0', '12.11.1'), ['node:sqlite'])
  t.strictSame(sqliteDrivers('25.0.0', '9.0.0'), ['node:sqlite'])
  t.strictSame(sqliteDrivers('24.19.0', '13.0.0'), ['better-sqlite3', 'node:sqlite'])
  t.strictSame(sqliteDrivers('26.1.0', undefined), ['better-sqlite3', 'node:sqlite'])
  t.throws(() => loadDriver([PROJECT], ['node:of-nobody']), /better-sqlite3 13 or later/)
})
