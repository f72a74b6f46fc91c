import type { FastifyInstance } from 'fastify'
import { Pool } from 'pg'
import { createClient } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import { keyOf } from '../../lib/stores/codec.ts'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName, recordAt } from '../../lib/testing/contract/check.ts'
import type { SessionStore } from '../../types/index.ts'
import { countPostgres, countRedis } from '../support/round-trips.ts'
import type { Counter } from '../support/round-trips.ts'
import { ioRedis6, nodeRedis6 } from '../support/redis-drivers.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { startRedis } from '../support/servers/redis.ts'
import { cookieOf, logIn, smallApp } from '../support/small-app.ts'

/** A store, and what its server says it was asked. */
interface Counted {
  readonly name: string
  readonly store: SessionStore
  readonly counter: Counter
  /** The command that the server calls a read; every other command is a write. */
  readonly read: string
}

async function onRedis(t: Test): Promise<Counted> {
  const { url } = await startRedis(t, { appendonly: 'no' })
  const client = await createClient({ url }).connect()
  const counter = await countRedis(url)
  t.teardown(async () => {
    client.destroy()
    await counter.close()
  })
  return { name: 'Redis, by MONITOR', store: redisStore({ client }), counter, read: 'get' }
}

async function onPostgres(t: Test): Promise<Counted> {
  const { url } = await startPostgres(t, { shared_preload_libraries: 'pg_stat_statements' })
  const pool = new Pool({ connectionString: url })
  const counter = await countPostgres(url)
  t.teardown(async () => {
    await pool.end()
    await counter.close()
  })
  const store = postgresStore({ pool, createTable: true })
  return { name: 'PostgreSQL, by pg_stat_statements', store, counter, read: 'select' }
}

const MINUTE = 60_000

for (const { name, store, counter, read } of [await onRedis(t), await onPostgres(t)]) {
  t.test(`round trips of each kind of request on ${name}`, async (t) => {
    let now = Date.now()
    const app = await smallApp({ store, clock: () => now, idleTimeout: '30m', renewalTimeout: '15m' })
    t.teardown(() => app.close())
    let cookie = ''
    /** Sends one request, and returns what the server was asked for it. */
    const asked = async (...[method, url, payload]: ['GET' | 'POST', string, object?]) => {
      await counter.take()
      const headers = cookie === '' ? {} : { cookie }
      const answer = await app.inject({ method, url, headers, ...(payload && { payload }) })
      t.equal(answer.statusCode, 200)
      cookie = cookieOf(answer) ?? cookie
      const counts = [...(await counter.take())]
      const sum = (isRead: boolean): number =>
        counts.filter(([what]) => (what === read) === isRead).reduce((total, [, count]) => total + count, 0)
      return { reads: sum(true), writes: sum(false) }
    }
    await makeKnown(app, () => (now += 5 * MINUTE))

    t.strictSame(await asked('GET', '/me'), { reads: 0, writes: 0 }, 'without a session')
    const login = await asked('POST', '/login')
    t.ok(
      login.reads + login.writes <= 5,
      'a login: its place in the index, the record, the place confirmed, and the kind of client, which is new',
      login,
    )
    t.strictSame(await asked('GET', '/free'), { reads: 0, writes: 0 }, 'a route without sessions')
    for (let request = 0; request < 3; request += 1) {
      t.strictSame(await asked('GET', '/me'), { reads: 1, writes: 0 }, 'a request that only reads')
    }
    t.strictSame(await asked('POST', '/note', { note: 'a' }), { reads: 1, writes: 1 }, 'a write')
    now += MINUTE
    t.strictSame(await asked('GET', '/me'), { reads: 1, writes: 0 }, 'within a twentieth of the idle timeout')
    now += MINUTE
    t.strictSame(await asked('GET', '/me'), { reads: 1, writes: 1 }, 'after it: a touch')
    now += 13 * MINUTE
    t.strictSame(await asked('GET', '/me'), { reads: 1, writes: 1 }, 'a renewal')
    t.strictSame(await asked('GET', '/me'), { reads: 1, writes: 1 }, 'the new id comes back')
    t.strictSame(await asked('GET', '/me'), { reads: 1, writes: 0 }, 'and is read like any other')
    const again = await asked('POST', '/login')
    t.ok(again.reads + again.writes <= 5, 'a login of somebody who is logged in, by a known kind of client', again)
    const logout = await asked('POST', '/logout')
    t.ok(logout.reads <= 1 && logout.writes <= 2, 'a logout: the record and its place', logout)
  })
}

t.test('Redis is asked once for many records, except by a driver with a cache', async (t) => {
  const server = await startRedis(t, { appendonly: 'no' })
  const { url, port } = server
  const counter = await countRedis(url)
  const caching = await createClient({ url, RESP: 3, clientSideCache: { maxEntries: 100 } }).connect()
  const plain = await nodeRedis6.connect(port)
  const io = await ioRedis6.connect(port)
  t.teardown(async () => {
    caching.destroy()
    await Promise.all([counter.close(), plain.close(), io.close()])
  })
  const records = Array.from({ length: 150 }, () => recordAt(Date.now()))
  for (const record of records) await redisStore({ client: plain.client }).create(record)
  const [first, ...others] = records.map(({ handle }) => handle)
  const key = `session:s:${keyOf(String(first))}`
  server.cli('del', key)
  server.cli('lpush', key, 'of another program')
  for (const [client, asked] of [
    [plain.client, ['mget', 2]],
    [io.client, ['mget', 2]],
    [caching, ['get', 150]],
  ] as const) {
    await counter.take()
    const found = await redisStore({ client }).getMany([String(first), ...others])
    t.strictSame([...(await counter.take())], [asked])
    t.strictSame(new Set(found.map(({ handle }) => handle)), new Set(others))
  }
})

/** Sends the first requests of a process, which tell the server its scripts, statements and tables. */
async function makeKnown(app: FastifyInstance, wait: () => void): Promise<void> {
  const headers = { cookie: await logIn(app, freshName()) }
  await app.inject({ method: 'POST', url: '/note', headers, payload: { note: 'a' } })
  wait()
  await app.inject({ url: '/me', headers })
  await app.inject({ method: 'POST', url: '/logout', headers })
}
