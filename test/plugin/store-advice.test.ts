import { join } from 'node:path'
import Database from 'better-sqlite3'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { createClient } from 'redis'
import t from 'tap'
import { adviceAbout } from '../../lib/guard/probe/store-advice.ts'
import { secureSession } from '../../lib/index.ts'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { startRedis } from '../support/servers/redis.ts'
import { temporaryFolder } from '../support/sqlite.ts'
import type { SessionStore } from '../../types/index.ts'

const SECRET = 'b7Hc2XvN9mQw4RtY6pLk1JdS8fGzA3oUe5iTnWqMxCs'

/** Returns the report of a boot that the guard refuses, in one line. */
async function refusal(store: SessionStore): Promise<string> {
  const app = Fastify()
  const options = { environment: 'production', secret: SECRET, tls: 'proxy', store, sweepInterval: '1h' } as const
  await app.register(secureSession, options)
  return app.ready().then(
    () => 'the app is ready',
    ({ report }: { report: string }) => report.replaceAll(/\s+/g, ' '),
  )
}

t.test('a boot whose store has no table says how to make the table', async (t) => {
  const postgres = await startPostgres(t)
  const pool = new Pool({ connectionString: postgres.url, max: 1 })
  t.teardown(() => pool.end())
  t.match(
    await refusal(postgresStore({ pool })),
    /does not answer: 42P01.*There is no table "sessions".*createTable: true/,
  )
  await pool.query('CREATE TABLE of_another (id integer)')
  t.match(await refusal(postgresStore({ pool, table: 'of_another' })), /42703.*is not one of this store: name another/)
  await pool.query("CREATE TYPE a_type AS ENUM ('a')")
  const taken = postgresStore({ pool, table: 'a_type', createTable: true })
  t.match(await refusal(taken), /42710.*Something else has the name of the table "a_type"/)
  const database = new Database(join(temporaryFolder(t), 'sessions.db'))
  t.teardown(() => database.close())
  const store = sqliteStore({ database })
  database.exec('DROP TABLE sessions')
  t.match(await refusal(store), /There is no table sessions in .*sessions\.db: run the SQL of sqliteSchema/)
})

t.test('a boot whose Redis refuses the client says why', async (t) => {
  const server = await startRedis(t, { requirepass: 'hunter2' })
  const url = server.url.replace(/\/\/.*@/, '//')
  const nodeRedis = createClient({ url, RESP: 2, disableOfflineQueue: true })
  t.match(await refusal(redisStore({ client: nodeRedis })), /ClientClosedError.*await client\.connect\(\)/)
  const ioRedis = new Redis(url, { enableOfflineQueue: false, lazyConnect: true, maxRetriesPerRequest: 1 })
  t.teardown(() => ioRedis.disconnect())
  t.match(await refusal(redisStore({ client: ioRedis })), /does not answer: Error.*await client\.connect\(\)/)
  await nodeRedis.connect()
  t.teardown(() => nodeRedis.destroy())
  const report = await refusal(redisStore({ client: nodeRedis }))
  t.match(report, /The server wants a password/)
  t.notMatch(report, 'hunter2')
})

t.test('no advice is given about an error of which nothing is known', async (t) => {
  const circular = new Error('x')
  circular.cause = circular
  for (const error of [new Error('hunter2'), circular, 'NOAUTH', undefined, new Error('constructor x')]) {
    t.equal(adviceAbout(error), undefined)
  }
  t.match(adviceAbout(new Error('x', { cause: new Error('LOADING Redis is loading') })), /loads its data/)
})
