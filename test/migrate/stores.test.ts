import { join } from 'node:path'
import { Pool } from 'pg'
import t from 'tap'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import { freshName } from '../../lib/testing/contract/check.ts'
import type { MakeStore } from '../support/app.ts'
import { nodeRedis6 } from '../support/redis-drivers.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { startRedis } from '../support/servers/redis.ts'
import { betterSqlite, temporaryFolder } from '../support/sqlite.ts'
import { isNobody, newApp } from './new-app.ts'
import { cookieSessionApp, expressSessionApp } from './old-apps.ts'

const database = betterSqlite.open(join(temporaryFolder(t), 'sessions.db'))
const redis = await startRedis(t, { appendonly: 'no' })
const { client, close } = await nodeRedis6.connect(redis.port)
const postgres = await startPostgres(t)
const pool = new Pool({ connectionString: postgres.url, connectionTimeoutMillis: 5000 })
t.teardown(async () => {
  database.close()
  await close()
  await pool.end()
})

const STORES: Readonly<Record<string, MakeStore>> = {
  SQLite: (_t, clock) => sqliteStore({ database, clock }),
  Redis: (_t, clock) => redisStore({ client, clock }),
  PostgreSQL: (_t, clock) => postgresStore({ pool, createTable: true, clock, timeout: '60s' }),
}

const APPS = { 'a record on a server': expressSessionApp, 'a cookie': cookieSessionApp }

for (const [name, makeStore] of Object.entries(STORES)) {
  for (const [kind, make] of Object.entries(APPS)) {
    t.test(`${name}: an old session in ${kind} moves in once, whatever comes at the same time`, async (t) => {
      const old = make(t)
      const { bench, visitor } = await newApp(t, old, { makeStore })
      const user = freshName()
      const cookies = await old.open({ userId: user, theme: 'dark' })
      const ann = visitor(cookies)
      const copies = Array.from({ length: 12 }, () => ann.copy())
      const pages = await Promise.all(copies.map((copy) => copy.visit()))
      for (const page of pages) t.match(page, { status: 200, userId: user, data: { theme: 'dark' } })
      t.equal(new Set(pages.map(({ handle }) => handle)).size, 1, 'one session')
      t.equal(bench.takeEvents('migrate').length, 1)
      t.equal((await bench.app.sessions.list(user)).length, 1)
      bench.clock.advance('30s')
      isNobody(t, await visitor(cookies).visit(), 'the old cookie is used up')
      t.match(await copies[0]?.visit(), { userId: user })
      t.equal(await bench.app.sessions.revokeUser(user), 1)
      t.match(await copies[0]?.visit(), { userId: null })
      t.match(await visitor(cookies).visit(), { userId: null }, 'and stays used up after a revocation')
    })

    t.test(`${name}: a store that fails in the middle of a move from ${kind} logs nobody out`, async (t) => {
      const old = make(t)
      const { bench, visitor } = await newApp(t, old, { makeStore })
      for (const step of ['create', 'addToIndex', 'update', 'keepInIndex'] as const) {
        const user = freshName()
        const ann = visitor(await old.open({ userId: user }))
        const caught = bench.gate.as('first', () => bench.gate.hold(step, { by: 'first' }))
        void caught.arrived.then(() => caught.lose())
        const first = await bench.gate.as('first', () => ann.visit())
        t.ok(first.status === 503 || first.userId === user, `${step}: ${first.status}`)
        t.match(await ann.visit(), { status: 200, userId: user }, step)
        t.equal(await bench.app.sessions.revokeUser(user), 1, 'within reach of a revocation')
      }
    })
  }
}
