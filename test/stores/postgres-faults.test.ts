import type { FastifyInstance } from 'fastify'
import type { PoolConfig } from 'pg'
import { Client, Pool } from 'pg'
import type { Test } from 'tap'
import t from 'tap'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { expectNoUnhandled, expectOutage, recovered, startTraffic } from '../support/outage.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { logIn, smallApp } from '../support/small-app.ts'

/** Milliseconds. Short, for each fault lasts longer. */
const STORE_TIMEOUT = 400
/** The longest time to an answer, because a busy machine may add to the store's limit. */
const WITHIN = STORE_TIMEOUT + 1500

const server = await startPostgres(t, { max_connections: 20, superuser_reserved_connections: 0 })

async function bootApp(t: Test, pool: PoolConfig = {}): Promise<FastifyInstance> {
  expectNoUnhandled(t)
  const own = new Pool({ connectionString: server.url, connectionTimeoutMillis: 1000, ...pool })
  t.teardown(() => own.end())
  const store = postgresStore({ pool: own, createTable: true, timeout: '1s' })
  const app = await smallApp({
    store,
    storeTimeout: `${STORE_TIMEOUT}ms`,
    maxSessions: { limit: 100, onLimit: 'refuse' },
  })
  t.teardown(() => app.close())
  return app
}

async function query(sql: string): Promise<void> {
  const client = new Client({ connectionString: server.url, options: '-c default_transaction_read_only=off' })
  await client.connect()
  await client.query(sql)
  await client.end()
}

t.test(
  'a server that is killed in the middle of traffic and comes back loses nothing that was acknowledged',
  async (t) => {
    const app = await bootApp(t)
    const before = await logIn(app, 'before')
    const traffic = startTraffic(t, app, 8)
    while (traffic.successes < 50) await new Promise((resolve) => setImmediate(resolve))
    await server.kill()
    await expectOutage(t, app, { cookie: before, within: WITHIN })
    // A driver may hold what it has sent until the server is back; the outage lasts until somebody has felt it.
    while (!traffic.statuses.has(503)) await new Promise((resolve) => setImmediate(resolve))
    await server.start()
    const after = await recovered(app, 'after')
    const successes = traffic.successes
    while (traffic.successes < successes + 50) await new Promise((resolve) => setImmediate(resolve))
    await traffic.stop()
    for (const [user, cookie] of Object.entries({ before, after })) {
      t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user })
    }
  },
)

t.test('a server that stands still holds nobody up, and goes on where it was', async (t) => {
  const app = await bootApp(t, { max: 4 })
  const cookie = await logIn(app, 'ann')
  server.pause()
  try {
    // The second time no connection answers any more, and new ones are not accepted.
    for (let round = 0; round < 2; round += 1) await expectOutage(t, app, { cookie, within: WITHIN })
  } finally {
    server.resume()
  }
  await recovered(app, 'bob')
  t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ann' })
})

t.test('a server that only reads serves readers, and logs nobody in', async (t) => {
  const app = await bootApp(t)
  const cookie = await logIn(app, 'ann')
  await query('ALTER SYSTEM SET default_transaction_read_only = on')
  await query('SELECT pg_reload_conf()')
  for (;;) if ((await app.inject({ method: 'POST', url: '/login' })).statusCode === 503) break
  await expectOutage(t, app, { cookie, outage: 'writes', within: WITHIN })
  await query('ALTER SYSTEM RESET default_transaction_read_only')
  await query('SELECT pg_reload_conf()')
  await recovered(app, 'bob')
  t.strictSame((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ann', note: null })
})

t.test('a server without a connection to spare is a server that is away', async (t) => {
  const app = await bootApp(t)
  const cookie = await logIn(app, 'ann')
  const greedy: Client[] = []
  const release = async (): Promise<void> => {
    await Promise.all(greedy.splice(0).map((client) => client.end()))
  }
  t.teardown(release)
  try {
    for (;;) {
      const client = new Client(server.url)
      client.on('error', () => undefined)
      await client.connect()
      greedy.push(client)
      // The connections of the app end here, so that the app has to ask for new ones.
      const others = "pid <> ALL ($1) AND backend_type = 'client backend'"
      const pids = greedy.map((one) => Reflect.get(one, 'processID') as number)
      await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${others}`, [pids])
    }
  } catch (error) {
    t.match(error, { code: '53300' })
  }
  await expectOutage(t, app, { cookie, within: WITHIN })
  await release()
  await recovered(app, 'bob')
  t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ann' })
})

t.test('an app that starts before its server logs in as soon as the server is there', async (t) => {
  await query('DROP TABLE sessions, sessions_index')
  await server.kill()
  const app = await bootApp(t)
  t.equal((await app.inject({ method: 'POST', url: '/login' })).statusCode, 503)
  await server.start()
  const cookie = await recovered(app, 'ann')
  t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ann' })
})
