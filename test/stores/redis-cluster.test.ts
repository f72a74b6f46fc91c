import t from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName, recordAt } from '../../lib/testing/contract/check.ts'
import { storeContract } from '../../lib/testing/index.ts'
import { redisDrivers } from '../support/redis-drivers.ts'
import { startRedisCluster } from '../support/servers/redis.ts'

const cluster = await startRedisCluster(t)
const ports = cluster.nodes.map((node) => node.port)

for (const driver of redisDrivers) {
  t.test(`the store contract on ${driver.name} and a cluster`, async (t) => {
    const { client, close } = await driver.connectCluster(ports)
    t.teardown(close)
    const contract = storeContract((clock) => {
      const prefix = `${freshName()}:`
      const store = redisStore({ client, prefix, clock })
      const damage = async (handle: string): Promise<void> => {
        const key = `${prefix}s:${handle}`
        cluster.nodeOf(key).cli('setrange', key, 60, 'damage')
        // A round trip to the same node, after which a client with a cache has heard of it.
        await store.touch(handle, 0, { lastSeenAt: 0, idleDeadline: 0 })
      }
      return { store, damage }
    })
    for (const check of contract) if (check.part !== 'sweep') t.test(check.name, () => check.run())
  })

  t.test(`records of several nodes are read together, by ${driver.name}`, async (t) => {
    const { client, close } = await driver.connectCluster(ports)
    t.teardown(close)
    const store = redisStore({ client, prefix: `${freshName()}:` })
    const records = Array.from({ length: 12 }, () => recordAt(Date.now()))
    await Promise.all(records.map((record) => store.create(record)))
    t.strictSame(await store.getMany(records.map(({ handle }) => handle)), records)
  })
}
