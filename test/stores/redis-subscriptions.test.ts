import type { EventEmitter } from 'node:events'
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis-5'
import { createClient, createClientPool } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName } from '../../lib/testing/contract/check.ts'
import { ended, hear, heardAgain } from '../support/hearing.ts'
import { ioRedis6, nodeRedis6, nodeRedisCached, redisDrivers } from '../support/redis-drivers.ts'
import type { RedisServer } from '../support/servers/redis.ts'
import { startRedis, startRedisCluster } from '../support/servers/redis.ts'
import { startRedisSentinel } from '../support/servers/sentinel.ts'

const server = await startRedis(t, { appendonly: 'no' })
const cluster = await startRedisCluster(t)
const sentinel = await startRedisSentinel(t)
const CLUSTER_PORTS = cluster.nodes.map(({ port }) => port)

/** Returns the number of connections of clients that these servers have, those of redis-cli included. */
function connections(...servers: readonly RedisServer[]): number {
  return servers.flatMap((one) => one.cli('client', 'list').split('\n')).length
}

/** Waits until the servers have so many connections. A server notices the end of a connection a moment later. */
async function expectConnections(t: Test, expected: number, ...servers: readonly RedisServer[]): Promise<void> {
  for (let look = 0; look < 100 && connections(...servers) !== expected; look += 1) await nextTurn()
  t.equal(connections(...servers), expected)
}

/** Returns the number of connections that listen to a channel. */
function listenersAt(channel: string, ...servers: readonly RedisServer[]): number {
  return servers.reduce((sum, one) => sum + Number(one.cli('pubsub', 'numsub', channel).split('\n')[1]), 0)
}

for (const driver of redisDrivers) {
  t.test(`the connection of a subscription is closed with it, by ${driver.name}`, async (t) => {
    const { client, close } = await driver.connect(server.port)
    t.teardown(close)
    const before = connections(server)
    const unsubscribe = await redisStore({ client }).subscribe(() => undefined)
    t.equal(connections(server), before + 1)
    await unsubscribe()
    await expectConnections(t, before, server)
  })
}

t.test('a pool subscribes by a connection beside its own', async (t) => {
  const pool = createClientPool({ url: server.url })
  await pool.connect()
  t.teardown(() => pool.destroy())
  await pool.ping()
  const before = connections(server)
  const hearing = await hear(t, redisStore({ client: pool, prefix: 'pool:' }))
  t.equal(connections(server), before + 1)
  server.cli('publish', 'pool:ends', 'ended h')
  await hearing.atLeast(1)
  await hearing.end()
  await expectConnections(t, before, server)
})

t.test('a subscription that the server refuses leaves no connection open', async (t) => {
  server.cli('acl', 'setuser', 'deaf', 'on', '>secret', '~*', '+@all', 'resetchannels')
  const nodeRedis = await createClient({ url: `redis://deaf:secret@127.0.0.1:${server.port}` }).connect()
  const ioRedis = new Redis(server.port, '127.0.0.1', { username: 'deaf', password: 'secret' })
  t.teardown(() => (nodeRedis.destroy(), ioRedis.disconnect()))
  await ioRedis.ping()
  const before = connections(server)
  for (const client of [nodeRedis, ioRedis]) {
    await t.rejects(
      redisStore({ client }).subscribe(() => undefined),
      /NOPERM/,
    )
    await expectConnections(t, before, server)
  }
})

t.test('a node-redis cluster subscribes by one connection, and is deaf once it has unsubscribed', async (t) => {
  const { client, close } = await nodeRedis6.connectCluster(CLUSTER_PORTS)
  t.teardown(close)
  const prefix = `${freshName()}:`
  const store = redisStore({ client, prefix })
  await Promise.all(Array.from({ length: 12 }, () => ended(store)))
  const before = connections(...cluster.nodes)
  const unsubscribe = await store.subscribe(() => undefined)
  t.equal(connections(...cluster.nodes), before + 1)
  t.equal(listenersAt(`${prefix}ends`, ...cluster.nodes), 1)
  await unsubscribe()
  t.equal(listenersAt(`${prefix}ends`, ...cluster.nodes), 0)
})

t.test('a node-redis sentinel subscribes by one connection, and is deaf once it has unsubscribed', async (t) => {
  const { client, close } = await nodeRedis6.connectSentinel(sentinel.port, sentinel.name)
  t.teardown(close)
  const prefix = `${freshName()}:`
  const store = redisStore({ client, prefix })
  await ended(store)
  const before = connections(sentinel.primary())
  const unsubscribe = await store.subscribe(() => undefined)
  t.equal(connections(sentinel.primary()), before + 1)
  t.equal(listenersAt(`${prefix}ends`, sentinel.primary()), 1)
  await unsubscribe()
  t.equal(listenersAt(`${prefix}ends`, sentinel.primary()), 0)
})

t.test('a client that the app has closed is unsubscribed without an error', async (t) => {
  const { client, close } = await nodeRedis6.connectCluster(CLUSTER_PORTS)
  const unsubscribe = await redisStore({ client }).subscribe(() => undefined)
  await close()
  await t.resolves(unsubscribe())
})

t.test('the connection of a subscription shares no cache with its client', async (t) => {
  const { client, close } = await nodeRedisCached.connect(server.port)
  t.teardown(close)
  const tracking = (): string => /tracking_clients:(\d+)/.exec(server.cli('info', 'clients'))?.[1] ?? ''
  t.equal(tracking(), '1')
  await hear(t, redisStore({ client }))
  t.equal(tracking(), '1')
})

for (const driver of [nodeRedis6, ioRedis6]) {
  t.test(`a lost subscription ends no process, and writes nothing to the console, by ${driver.name}`, async (t) => {
    const { client, close } = await driver.connect(server.port)
    t.teardown(close)
    const store = redisStore({ client, prefix: `${freshName()}:` })
    const hearing = await hear(t, store)
    const written = t.capture(console, 'error')
    await server.kill()
    // The type of a client names only what every store needs.
    const emitter = client as unknown as EventEmitter
    // The connection of the subscription fails as often as the client's.
    for (let failure = 0; failure < 3; failure += 1) await once(emitter, 'error')
    await server.start()
    await heardAgain(hearing, store)
    t.strictSame(written(), [])
  })
}

for (const [version, Many] of [
  ['6', Cluster],
  // Its types differ where the store does not look.
  ['5', Cluster5 as never],
] as [string, typeof Cluster][]) {
  t.test(`a cluster of ioredis ${version} subscribes as its user, and waits until it is connected`, async (t) => {
    for (const node of cluster.nodes) node.cli('acl', 'setuser', 'app', 'on', '>secret', '~*', '&*', '+@all')
    const client = new Many(
      CLUSTER_PORTS.map((port) => ({ host: '127.0.0.1', port })),
      { enableOfflineQueue: false, redisOptions: { username: 'app', password: 'secret' } },
    )
    t.teardown(() => client.disconnect())
    await new Promise((resolve) => client.once('ready', resolve))
    const prefix = `${freshName()}:`
    await hear(t, redisStore({ client, prefix }))
    t.equal(listenersAt(`${prefix}ends`, ...cluster.nodes), 1)
    const listeners = cluster.nodes.flatMap(
      (node) => node.cli('client', 'list', 'type', 'pubsub').match(/user=\S+/g) ?? [],
    )
    t.ok(listeners.includes('user=app'))
  })
}

t.test('the channel is named by the prefix and "ends", for processes of every version', async (t) => {
  const { client, close } = await nodeRedis6.connect(server.port)
  t.teardown(close)
  const prefix = `${freshName()}:`
  const hearing = await hear(t, redisStore({ client, prefix }))
  server.cli('publish', `${prefix}ends`, 'no announcement')
  server.cli('publish', `${prefix}ends`, 'ended h')
  server.cli('publish', `${prefix}ends`, 'cutoff 70')
  await hearing.atLeast(2)
  t.strictSame(hearing.heard, [{ handle: 'h' }, { cutoff: 70 }])
})
