import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName } from '../../lib/testing/contract/check.ts'
import { expectNoUnhandled, expectOutage, recovered, startTraffic } from '../support/outage.ts'
import type { RedisDriver } from '../support/redis-drivers.ts'
import { ioRedis6, nodeRedis6 } from '../support/redis-drivers.ts'
import type { RedisServer } from '../support/servers/redis.ts'
import { startRedisCluster } from '../support/servers/redis.ts'
import { logIn, smallApp } from '../support/small-app.ts'

/** Milliseconds. */
const STORE_TIMEOUT = 500
const WITHIN = STORE_TIMEOUT + 1500

const cluster = await startRedisCluster(t, { appendonly: 'yes' })

async function bootApp(t: Test, driver: RedisDriver, prefix: string): Promise<FastifyInstance> {
  expectNoUnhandled(t)
  const { client, close } = await driver.connectCluster(cluster.nodes.map((node) => node.port))
  t.teardown(close)
  const app = await smallApp({ store: redisStore({ client, prefix }), storeTimeout: `${STORE_TIMEOUT}ms` })
  t.teardown(() => app.close())
  return app
}

/** Begins to move the slot of a key; what is there stays until `finish`, in which clients are redirected. */
function moveSlot(key: string): { from: RedisServer; to: RedisServer; moveKeys(): void; finish(): void } {
  const from = cluster.nodeOf(key)
  const to = cluster.nodes.find((node) => node !== from) ?? from
  const slot = from.cli('cluster', 'keyslot', key)
  const [fromId, toId] = [from.cli('cluster', 'myid'), to.cli('cluster', 'myid')]
  to.cli('cluster', 'setslot', slot, 'importing', fromId)
  from.cli('cluster', 'setslot', slot, 'migrating', toId)
  return {
    from,
    to,
    moveKeys() {
      const keys = from.cli('cluster', 'getkeysinslot', slot, 1000).split('\n').filter(Boolean)
      for (const name of keys) from.cli('migrate', '127.0.0.1', to.port, name, 0, 5000)
    },
    finish() {
      for (const node of [to, ...cluster.nodes.filter((one) => one !== to)]) {
        node.cli('cluster', 'setslot', slot, 'node', toId)
      }
    },
  }
}

for (const driver of [nodeRedis6, ioRedis6]) {
  t.test(`a slot that moves to another node takes its sessions along, by ${driver.name}`, async (t) => {
    // The braces put all keys into one slot: the one that moves.
    const prefix = `{${freshName()}}:`
    const app = await bootApp(t, driver, prefix)
    const cookie = await logIn(app, 'ann')
    const traffic = startTraffic(t, app, 4)
    const someMore = async (): Promise<void> => {
      const { successes } = traffic
      while (traffic.successes < successes + 20) await new Promise((resolve) => setImmediate(resolve))
    }
    await someMore()
    const move = moveSlot(`${prefix}s:`)
    await someMore()
    // New ones are made at the other end meanwhile.
    for (let round = 0; round < 3; round += 1) {
      move.moveKeys()
      await someMore()
    }
    move.moveKeys()
    move.finish()
    await someMore()
    await traffic.stop()
    t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ann' })
    t.equal(Number(move.from.cli('cluster', 'countkeysinslot', move.from.cli('cluster', 'keyslot', `${prefix}s:`))), 0)
  })

  t.test(`while the node of a session is away its requests get a 503, by ${driver.name}`, async (t) => {
    const prefix = `{${freshName()}}:`
    const app = await bootApp(t, driver, prefix)
    const cookie = await logIn(app, 'ann')
    const node = cluster.nodeOf(`${prefix}s:`)
    node.pause()
    try {
      await expectOutage(t, app, { cookie, within: WITHIN })
    } finally {
      node.resume()
    }
    await recovered(app, 'bob')
    t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ann' })
    await node.kill()
    await expectOutage(t, app, { cookie, within: WITHIN })
    await node.start()
    await recovered(app, 'bob')
    t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ann' })
  })
}
