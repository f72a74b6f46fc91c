import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from 'redis'
import { Pool } from 'pg'
import t from 'tap'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { startRedis } from '../support/servers/redis.ts'
import { betterSqlite, temporaryFolder } from '../support/sqlite.ts'
import { addSession } from './stores.ts'
import { PROJECT, type } from './terminal.ts'

t.test('expired sessions go from PostgreSQL, live ones stay, and a pipe hears one line', async (t) => {
  const { url } = await startPostgres(t)
  const pool = new Pool({ connectionString: url })
  t.teardown(() => pool.end())
  for (const table of ['sessions', 'others']) {
    const store = postgresStore({ pool, table, createTable: true })
    const live = await addSession({ name: '', url, store }, 'ann')
    await pool.query(`INSERT INTO ${table} SELECT md5(i::text), 1, 0, i, '{}' FROM generate_series(1, 1234) i`)
    const flags = table === 'sessions' ? [] : ['--table', table]
    const { code, out, err } = await type(['sweep', '--store', url, ...flags])
    t.equal(code, 0)
    t.equal(err, '')
    t.match(out, /^Removed 1,234 expired sessions in \d+\.\d s\.\n$/)
    t.strictSame(await store.get(live.handle), live)
    t.match((await type(['sweep', '--store', url, ...flags])).out, /^Removed 0 expired sessions in /)
  }
})

t.test('expired sessions go from SQLite, whose path is that of the project', async (t) => {
  const cwd = temporaryFolder(t)
  mkdirSync(join(cwd, 'node_modules'))
  symlinkSync(join(PROJECT, 'node_modules', 'better-sqlite3'), join(cwd, 'node_modules', 'better-sqlite3'))
  const database = betterSqlite.open(join(cwd, 'mine.db'))
  t.teardown(() => database.close())
  const store = sqliteStore({ database })
  for (const url of ['sqlite:mine.db', `sqlite:${cwd}/mine.db`, `sqlite://${cwd}/mine.db`]) {
    const now = Date.now()
    const live = await addSession({ name: '', url, store }, 'ann')
    await store.create({ ...live, handle: 'expired', idleDeadline: now - 1 })
    t.match(await type(['sweep', '--store', url], { cwd }), { code: 0, err: '', out: /^Removed 1 expired session in / })
    t.strictSame(await store.get(live.handle), live)
  }
})

t.test('Redis needs no sweep, and the command says so with either driver', async (t) => {
  const { url } = await startRedis(t)
  const client = await createClient({ url }).connect()
  t.teardown(() => client.destroy())
  await addSession({ name: '', url, store: redisStore({ client, prefix: 'app:' }) }, 'ann')
  const expected = { code: 0, out: 'Nothing to do: this store removes expired sessions by itself.\n', err: '' }
  t.strictSame(await type(['sweep', '--store', url]), expected)
  t.match((await type(['sessions', '--user', 'ann', '--store', url])).out, 'has no sessions')
  const cwd = temporaryFolder(t)
  mkdirSync(join(cwd, 'node_modules'))
  symlinkSync(join(PROJECT, 'node_modules', 'ioredis'), join(cwd, 'node_modules', 'ioredis'))
  t.strictSame(await type(['sweep', '--store', url], { cwd }), expected)
  const listed = await type(['sessions', '--user', 'ann', '--prefix', 'app:', '--store', url], { cwd })
  t.match(listed.out, 'last seen')
})

t.test('a long sweep rewrites one line on a terminal that can', async (t) => {
  const { url } = await startPostgres(t)
  const pool = new Pool({ connectionString: url })
  t.teardown(() => pool.end())
  await postgresStore({ pool, createTable: true }).get('x')
  // Each batch takes its time, as those of a large table on a busy server do.
  await pool.query(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END';
    CREATE TRIGGER slow AFTER DELETE ON sessions EXECUTE FUNCTION slow()`)
  const fill = (): Promise<unknown> =>
    pool.query(`INSERT INTO sessions SELECT md5(i::text), 1, 0, i, '{}' FROM generate_series(1, 1001) i`)
  await fill()
  const printed = await type(['sweep', '--store', url], { isTerminal: true })
  const out = printed.out.replaceAll('\u001b', '<ESC>')
  t.match(out, /^Removed 500 expired sessions so far …\n/)
  t.match(out, /<ESC>\[1A<ESC>\[2KRemoved 1,000 expired sessions so far …\n/)
  t.match(out, /<ESC>\[1A<ESC>\[2KRemoved 1,001 expired sessions in \d+\.\d s\.\n$/)
  await fill()
  t.match((await type(['sweep', '--store', url])).out, /^Removed 1,001 expired sessions in \d+\.\d s\.\n$/)
})

t.test('a sweep of a Redis URL asks that database or fails, with either driver', async (t) => {
  const server = await startRedis(t, { requirepass: 'hunter2hunter2' })
  const url = `redis://:hunter2hunter2@127.0.0.1:${server.port}`
  const project = (driver: string): string => {
    const cwd = temporaryFolder(t)
    mkdirSync(join(cwd, 'node_modules'))
    symlinkSync(join(PROJECT, 'node_modules', driver), join(cwd, 'node_modules', driver))
    return cwd
  }
  const client = await createClient({ url: `${url}/1` }).connect()
  t.teardown(() => client.destroy())
  await addSession({ name: '', url, store: redisStore({ client }) }, 'ann')
  for (const driver of ['redis', 'ioredis']) {
    const cwd = project(driver)
    const sessions = (store: string): ReturnType<typeof type> =>
      type(['sessions', '--user', 'ann', '--store', store], { cwd })
    t.match(await sessions(`${url}/1`), { code: 0, out: /last seen/ }, driver)
    t.match(await sessions(`${url}/0`), { code: 0, out: /has no sessions/ }, driver)
    t.match(await sessions(`${url}/99`), { code: 2, out: '', err: /out of range/ }, driver)
    for (const odd of ['?db=1', '/0?db=1', '#1']) {
      t.match(await sessions(url + odd), { code: 2, out: '', err: /and nothing else/ }, `${driver} ${odd}`)
    }
    const wrong = await sessions(url.replace('hunter2hunter2', 'wrong-password'))
    t.match(wrong, { code: 2, out: '', err: /WRONGPASS/ }, driver)
    const refused = await sessions('redis://127.0.0.1:1')
    t.match(refused, { code: 2, out: '', err: /ECONNREFUSED/ }, driver)
  }
})
