import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Cluster, Redis } from 'ioredis'
import { Pool } from 'pg'
import { createClient } from 'redis'
import t from 'tap'
import { connectionsOf as postgresConnections } from '../../lib/stores/postgres-connections.ts'
import { connectionsOf as redisConnections } from '../../lib/stores/redis-connections.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import { startRedis } from '../support/servers/redis.ts'

interface Described {
  evictionPolicy(): Promise<string | null>
}

t.test('a redis server says how it makes room', async (t) => {
  const { url } = await startRedis(t)
  const nodeRedis = createClient({ url })
  await nodeRedis.connect()
  const ioRedis = new Redis(url)
  t.teardown(() => nodeRedis.destroy())
  t.teardown(() => ioRedis.disconnect())
  const settings: [memory: string, policy: string, expected: string | null][] = [
    ['0', 'allkeys-lru', null],
    ['100mb', 'allkeys-lru', 'allkeys-lru'],
    ['100mb', 'volatile-ttl', 'volatile-ttl'],
    ['100mb', 'noeviction', null],
  ]
  for (const [memory, policy, expected] of settings) {
    await ioRedis.config('SET', 'maxmemory', memory)
    await ioRedis.config('SET', 'maxmemory-policy', policy)
    for (const client of [nodeRedis, ioRedis]) {
      const store = redisStore({ client }) as unknown as Described
      t.equal(await store.evictionPolicy(), expected, `${memory} ${policy}`)
    }
  }
})

t.test('a store in a file says which', async (t) => {
  const path = join(t.testdir(), 'sessions.db')
  const database = new Database(path)
  t.teardown(() => database.close())
  t.equal(sqliteStore({ database }).location, path)
  t.equal(sqliteStore({ database: new Database(':memory:') }).location, '')
})

t.test('a node of an ioredis cluster that is a text without a protocol says its host', async (t) => {
  const nodes = ['10.0.0.5:7000', 'r.example:7000', '6380', 'rediss://s.example:1', 'no host']
  const cluster = new Cluster(nodes, { lazyConnect: true })
  t.teardown(() => cluster.disconnect())
  t.strictSame(redisConnections(cluster), [
    { host: '10.0.0.5', encrypted: false },
    { host: 'r.example', encrypted: false },
    { host: 'localhost', encrypted: false },
    { host: 's.example', encrypted: true },
    { host: 'localhost', encrypted: false },
  ])
})

t.test('a client that checks no certificate says so', async (t) => {
  const nodeRedis = createClient({ socket: { host: 'r.example', tls: true, rejectUnauthorized: false } })
  const ioRedis = new Redis({ host: 'r.example', lazyConnect: true, tls: { rejectUnauthorized: false } })
  for (const client of [nodeRedis, ioRedis]) {
    t.strictSame(redisConnections(client), [{ host: 'r.example', encrypted: true, verified: false }])
  }
  const unchecked = [{ host: 'db.example', ssl: { rejectUnauthorized: false } }]
  for (const options of [...unchecked, { connectionString: 'postgres://db.example/x?sslmode=no-verify' }]) {
    t.strictSame(postgresConnections(new Pool(options)), [{ host: 'db.example', encrypted: true, verified: false }])
  }
  t.strictSame(postgresConnections(new Pool({ host: 'db.example', ssl: {} })), [
    { host: 'db.example', encrypted: true },
  ])
})
