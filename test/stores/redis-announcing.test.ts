import { createClient, createClientPool } from 'redis'
import t from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName, nextOf, recordAt } from '../../lib/testing/contract/check.ts'
import { ended, hear, heardAgain } from '../support/hearing.ts'
import { ioRedis6, nodeRedis6, redisDrivers } from '../support/redis-drivers.ts'
import { startRedis, startRedisCluster } from '../support/servers/redis.ts'
import { startRedisSentinel } from '../support/servers/sentinel.ts'

const server = await startRedis(t, { appendonly: 'no' })
const cluster = await startRedisCluster(t)
const sentinel = await startRedisSentinel(t)

for (const driver of redisDrivers) {
  t.test(`another process hears of an end, by ${driver.name}`, async (t) => {
    const prefix = `${freshName()}:`
    const [one, other] = [await driver.connect(server.port), await driver.connect(server.port)]
    t.teardown(() => Promise.all([one.close(), other.close()]))
    const hearing = await hear(t, redisStore({ client: other.client, prefix }))
    const store = redisStore({ client: one.client, prefix })
    const { handle } = await ended(store)
    await store.raiseCutoff(70)
    await hearing.atLeast(2)
    t.strictSame(hearing.heard, [{ handle }, { cutoff: 70 }])
  })

  t.test(`a subscription outlives a restart of the server, by ${driver.name}`, async (t) => {
    const { client, close } = await driver.connect(server.port)
    t.teardown(close)
    const store = redisStore({ client, prefix: `${freshName()}:` })
    const hearing = await hear(t, store)
    await server.kill()
    await server.start()
    await heardAgain(hearing, store)
  })

  t.test(
    `on a cluster an end on any node is heard, also after the node of the listener was away, by ${driver.name}`,
    async (t) => {
      const { client, close } = await driver.connectCluster(cluster.nodes.map(({ port }) => port))
      t.teardown(close)
      const store = redisStore({ client, prefix: `${freshName()}:` })
      await joined(redisStore({ client, prefix: `${freshName()}:` }))
      const hearing = await hear(t, store)
      // Handles spread these sessions over all nodes.
      const sessions = await Promise.all(Array.from({ length: 12 }, () => ended(store)))
      await hearing.atLeast(12)
      t.strictSame(new Set(hearing.heard), new Set(sessions.map(({ handle }) => ({ handle }))))
      for (const node of cluster.nodes) {
        await node.kill()
        await node.start()
        await heardAgain(hearing, store)
      }
    },
  )
}

for (const driver of [nodeRedis6, ioRedis6]) {
  t.test(`a subscription follows a Sentinel to the new primary, by ${driver.name}`, async (t) => {
    const { client, close } = await driver.connectSentinel(sentinel.port, sentinel.name)
    t.teardown(close)
    const store = redisStore({ client, prefix: `${freshName()}:` })
    const hearing = await hear(t, store)
    await heardAgain(hearing, store)
    await sentinel.replicated()
    await sentinel.failover()
    await heardAgain(hearing, store)
  })
}

t.test('a pool of clients lists and announces as one client does', async (t) => {
  const pool = createClientPool({ url: server.url }).on('error', () => undefined)
  await pool.connect()
  t.teardown(() => pool.destroy())
  const store = redisStore({ client: pool, prefix: `${freshName()}:` })
  const hearing = await hear(t, store)
  const { handle } = await ended(store)
  await hearing.atLeast(1)
  t.strictSame(hearing.heard, [{ handle }])
  const record = recordAt(Date.now())
  await store.create(record)
  t.strictSame(await store.listAll({ limit: 10 }), { records: [record] })
})

t.test('a user who may not publish still ends sessions, and a user who may not listen is told so', async (t) => {
  server.cli('acl', 'setuser', 'quiet', 'on', '>secret', '~*', '+@all', 'resetchannels')
  const client = createClient({ url: `redis://quiet:secret@127.0.0.1:${server.port}` }).on('error', () => undefined)
  await client.connect()
  t.teardown(() => client.destroy())
  const store = redisStore({ client, prefix: `${freshName()}:` })
  const record = recordAt(Date.now())
  await store.create(record)
  t.equal(await store.update({ ...nextOf(record, {}), epoch: 9 }, record.version), true)
  t.equal(await store.delete(record.handle), true)
  t.equal(await store.raiseCutoff(70), 70)
  await t.rejects(
    store.subscribe(() => undefined),
    /NOPERM/,
  )
})

t.test('a server that answers nothing refuses a subscription in time, and the next one is tried anew', async (t) => {
  for (const driver of [nodeRedis6, ioRedis6]) {
    const { client, close } = await driver.connect(server.port)
    t.teardown(close)
    const store = redisStore({ client, prefix: `${freshName()}:` })
    server.pause()
    const refused = store.subscribe(() => undefined)
    await t.rejects(refused, /no subscription in/)
    server.resume()
    const hearing = await hear(t, store)
    await heardAgain(hearing, store)
  }
})

t.test('a record written by a version that named no epoch is announced with its first update', async (t) => {
  const client = await createClient({ url: server.url }).connect()
  t.teardown(() => client.destroy())
  const store = redisStore({ client, prefix: 'old:' })
  const hearing = await hear(t, store)
  const record = recordAt(Date.now())
  await store.create(record)
  const value = (await client.get(`old:s:${record.handle}`)) ?? ''
  await client.set(`old:s:${record.handle}`, value.replace(/ \d+\.\S+\n/, ' olderwrite1\n'))
  const next = nextOf(record, {})
  t.equal(await store.update(next, record.version), true)
  await hearing.atLeast(1)
  t.equal(await store.update(nextOf(next, {}), next.version), true)
  await heardAgain(hearing, store)
  t.equal(hearing.heard.filter((what) => 'handle' in what && what.handle === record.handle).length, 1)
})

t.test('a message that is no announcement is passed over', async (t) => {
  const client = await createClient({ url: server.url }).connect()
  t.teardown(() => client.destroy())
  const store = redisStore({ client, prefix: 'noise:' })
  const hearing = await hear(t, store)
  for (const message of ['', 'hello', 'cutoff', 'cutoff x', 'cutoff Infinity', '{"handle":"h"}']) {
    server.cli('publish', 'noise:ends', message)
  }
  const { handle } = await ended(store)
  await hearing.atLeast(1)
  t.strictSame(hearing.heard, [{ handle }])
})

t.test('a cutoff that cannot be read is no cutoff of 0', async (t) => {
  const client = await createClient({ url: server.url }).connect()
  t.teardown(() => client.destroy())
  const store = redisStore({ client, prefix: 'broken:' })
  for (const value of ['', 'x', 'Infinity']) {
    server.cli('set', 'broken:cutoff', value)
    await t.rejects(store.readCutoff(), /no number/)
  }
  server.cli('del', 'broken:cutoff')
  server.cli('lpush', 'broken:cutoff', 'x')
  await t.rejects(store.readCutoff(), /no number/)
  server.cli('set', 'broken:cutoff', 'x')
  t.equal(await store.raiseCutoff(70), 70, 'raising it anew repairs it')
})

/** Resolves once all nodes of a cluster serve again. An earlier test killed some of them. */
async function joined(store: ReturnType<typeof redisStore>): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    try {
      await Promise.all(Array.from({ length: 24 }, () => ended(store)))
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
