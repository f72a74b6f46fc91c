import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { PoolConfig } from 'pg'
import { Client, Pool } from 'pg'
import type { Test } from 'tap'
import t from 'tap'
import { postgresSchema, postgresStore } from '../../lib/stores/postgres.ts'
import { freshName } from '../../lib/testing/contract/check.ts'
import { expectNoUnhandled, expectOutage, recovered, startTraffic } from '../support/outage.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { cookieOf, logIn, smallApp } from '../support/small-app.ts'

/** Milliseconds. */
const STORE_TIMEOUT = 400
const WITHIN = STORE_TIMEOUT + 1500

const server = await startPostgres(t)
const admin = new Client(server.url)
await admin.connect()
t.teardown(() => admin.end())
const tell = (sql: string): Promise<unknown> => admin.query(sql)

/** Resolves when the server does nothing for anybody else, whether or not somebody still waits for it. */
async function idle(): Promise<void> {
  const busy = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
  while ((await admin.query(busy)).rowCount !== 0);
}

interface Booted {
  readonly app: FastifyInstance
  /** Ann's session cookie. */
  readonly cookie: string
  readonly table: string
  readonly pool: Pool
  readonly expectAnn: () => Promise<void>
}

async function bootApp(t: Test, pool: PoolConfig = {}): Promise<Booted> {
  expectNoUnhandled(t)
  const own = new Pool({ connectionString: server.url, connectionTimeoutMillis: 1000, ...pool })
  t.teardown(() => own.end())
  const table = `t_${freshName().replace(/\W/g, '_').toLowerCase()}`
  const store = postgresStore({ pool: own, table, createTable: true, timeout: '1s' })
  const app = await smallApp({ store, storeTimeout: `${STORE_TIMEOUT}ms` })
  t.teardown(() => app.close())
  const cookie = await logIn(app, 'ann')
  return {
    app,
    cookie,
    table,
    pool: own,
    expectAnn: async () => {
      const answer = await app.inject({ url: '/me', headers: { cookie } })
      t.strictSame(answer.json(), { user: 'ann', note: null }, 'the session is there')
    },
  }
}

t.test('connections ended by the server again and again lose nothing that was acknowledged', async (t) => {
  const { app, expectAnn } = await bootApp(t)
  const traffic = startTraffic(t, app, 6)
  for (let cut = 0; cut < 20; cut += 1) {
    const { successes } = traffic
    while (traffic.successes < successes + 10) await nextTurn()
    await tell('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()')
  }
  await recovered(app, 'bob')
  await traffic.stop()
  await expectAnn()
})

t.test('queries cancelled by the server are a 503, and the next ones are well', async (t) => {
  const { app, expectAnn } = await bootApp(t)
  const traffic = startTraffic(t, app, 6)
  for (let round = 0; round < 50; round += 1) {
    const { successes } = traffic
    while (traffic.successes < successes + 5) await nextTurn()
    await tell("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()")
  }
  await traffic.stop()
  await expectAnn()
})

t.test(
  'a row that another transaction holds makes its writers wait no longer than they may, and no reader',
  async (t) => {
    const { app, cookie, table, expectAnn } = await bootApp(t, { statement_timeout: STORE_TIMEOUT / 2 })
    await tell('BEGIN')
    await tell(`SELECT * FROM ${table} FOR UPDATE`)
    const headers = { cookie }
    const writes = [
      app.inject({ method: 'POST', url: '/note', headers, payload: { note: 'lost' } }),
      app.inject({ method: 'POST', url: '/login', headers, payload: { user: 'eve' } }),
      app.inject({ method: 'POST', url: '/logout', headers }),
    ]
    await expectAnn()
    await logIn(app, 'bob')
    for (const answer of await Promise.all(writes)) {
      t.equal(answer.statusCode, 503)
      t.match(answer.headers, { 'retry-after': /^\d+$/ })
      t.equal(cookieOf(answer), undefined)
    }
    await tell('COMMIT')
    // The refused note, login and logout are not done later.
    await idle()
    await expectAnn()
  },
)

t.test('a table that another transaction holds is a server that is away', async (t) => {
  const { app, cookie, table, expectAnn } = await bootApp(t)
  await tell('BEGIN')
  await tell(`LOCK TABLE ${table}, ${table}_index IN ACCESS EXCLUSIVE MODE`)
  await expectOutage(t, app, { cookie, within: WITHIN })
  await tell('COMMIT')
  await recovered(app, 'bob')
  await expectAnn()
})

t.test('a role that finds the tables no more is a server that is away', async (t) => {
  const { app, cookie, expectAnn } = await bootApp(t)
  // Connections that begin from now on have it.
  const set = async (what: string): Promise<void> => {
    await tell(`ALTER ROLE guard ${what}`)
    await tell('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()')
  }
  t.teardown(() => set('RESET search_path'))
  await set("SET search_path = 'nowhere'")
  await expectOutage(t, app, { cookie, within: WITHIN })
  await set('RESET search_path')
  await recovered(app, 'bob')
  await expectAnn()
})

t.test('tables that are dropped are a server that is away, until they are made again', async (t) => {
  const { app, cookie, table } = await bootApp(t)
  await tell(`DROP TABLE ${table}, ${table}_index`)
  await expectOutage(t, app, { cookie, within: WITHIN })
  await tell(postgresSchema(table))
  const fresh = await recovered(app, 'bob')
  t.match((await app.inject({ url: '/me', headers: { cookie: fresh } })).json(), { user: 'bob' })
  t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: null })
})

t.test('a table that lacks a column is a server that is away', async (t) => {
  const { app, cookie, table, expectAnn } = await bootApp(t)
  await tell(`ALTER TABLE ${table} RENAME COLUMN record TO record_gone`)
  await expectOutage(t, app, { cookie, within: WITHIN })
  await tell(`ALTER TABLE ${table} RENAME COLUMN record_gone TO record`)
  await recovered(app, 'bob')
  await expectAnn()
})

t.test('a full disk serves readers, and logs nobody in', async (t) => {
  const { app, cookie, table, expectAnn } = await bootApp(t)
  await tell(`CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql
    AS $$BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END$$`)
  for (const name of [table, `${table}_index`]) {
    await tell(`CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON ${name} EXECUTE FUNCTION full_disk()`)
  }
  await expectOutage(t, app, { cookie, outage: 'writes', within: WITHIN })
  for (const name of [table, `${table}_index`]) await tell(`DROP TRIGGER full_disk ON ${name}`)
  await recovered(app, 'bob')
  await expectAnn()
})

t.test('a connection that has forgotten its statements is given up for one that is told them', async (t) => {
  const { app, cookie, pool, expectAnn } = await bootApp(t, { max: 1 })
  await expectAnn()
  await pool.query('DEALLOCATE ALL')
  t.equal((await app.inject({ url: '/me', headers: { cookie } })).statusCode, 503)
  await expectAnn()
})
