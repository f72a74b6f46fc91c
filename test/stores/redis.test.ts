import t from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName } from '../../lib/testing/contract/check.ts'
import { storeContract } from '../../lib/testing/index.ts'
import { redisDrivers } from '../support/redis-drivers.ts'
import { startRedis } from '../support/servers/redis.ts'

const server = await startRedis(t)

for (const driver of redisDrivers) {
  t.test(`the store contract on ${driver.name}`, async (t) => {
    const { client, close } = await driver.connect(server.port)
    t.teardown(close)
    const contract = storeContract((clock) => {
      const prefix = `${freshName()}:`
      const store = redisStore({ client, prefix, clock })
      const damage = async (handle: string): Promise<void> => {
        t.equal(
          server.cli('setrange', `${prefix}s:${handle}`, 60, 'damage'),
          server.cli('strlen', `${prefix}s:${handle}`),
        )
        // A round trip, after which a client with a cache has heard of it.
        await store.delete(freshName())
      }
      return { store, damage }
    })
    for (const check of contract) if (check.part !== 'sweep') t.test(check.name, () => check.run())
  })
}
