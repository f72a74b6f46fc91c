import type { FastifyInstance } from 'fastify'
import { createClient } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName } from '../../lib/testing/contract/check.ts'
import { expectNoUnhandled, expectOutage, recovered, startTraffic } from '../support/outage.ts'
import type { RedisDriver } from '../support/redis-drivers.ts'
import { ioRedis6, nodeRedis6 } from '../support/redis-drivers.ts'
import type { RedisServer } from '../support/servers/redis.ts'
import { startRedis } from '../support/servers/redis.ts'
import { logIn, smallApp } from '../support/small-app.ts'

/** Milliseconds. Short, for each fault lasts longer. */
const STORE_TIMEOUT = 400
/** The longest time to an answer, because a busy machine may add to the store's limit. */
const WITHIN = STORE_TIMEOUT + 1500

const server = await startRedis(t)

async function bootApp(t: Test, driver: RedisDriver, at: RedisServer = server): Promise<FastifyInstance> {
  expectNoUnhandled(t)
  const { client, close } = await driver.connect(at.port)
  t.teardown(close)
  const store = redisStore({ client, prefix: `${freshName()}:` })
  const maxSessions = { limit: 100, onLimit: 'refuse' as const }
  const app = await smallApp({ store, storeTimeout: `${STORE_TIMEOUT}ms`, maxSessions })
  t.teardown(() => app.close())
  return app
}

async function expectAnn(t: Test, app: FastifyInstance, cookie: string): Promise<void> {
  const answer = await app.inject({ url: '/me', headers: { cookie } })
  t.strictSame(answer.json(), { user: 'ann', note: null }, 'the session is there')
}

for (const driver of [nodeRedis6, ioRedis6]) {
  t.test(
    `killed in the middle of traffic and back again, a server has all it acknowledged, by ${driver.name}`,
    async (t) => {
      const app = await bootApp(t, driver)
      const before = await logIn(app, 'ann')
      const traffic = startTraffic(t, app, 8)
      while (traffic.successes < 50) await new Promise((resolve) => setImmediate(resolve))
      await server.kill()
      await expectOutage(t, app, { cookie: before, within: WITHIN })
      // A driver may hold what it has sent until the server is back; the outage lasts until somebody has felt it.
      while (!traffic.statuses.has(503)) await new Promise((resolve) => setImmediate(resolve))
      await server.start()
      await recovered(app, 'bob')
      const successes = traffic.successes
      while (traffic.successes < successes + 50) await new Promise((resolve) => setImmediate(resolve))
      await traffic.stop()
      await expectAnn(t, app, before)
    },
  )

  t.test(`a server that stands still holds nobody up, and goes on where it was, by ${driver.name}`, async (t) => {
    const app = await bootApp(t, driver)
    const cookie = await logIn(app, 'ann')
    server.pause()
    try {
      for (let round = 0; round < 2; round += 1) await expectOutage(t, app, { cookie, within: WITHIN })
    } finally {
      server.resume()
    }
    await recovered(app, 'bob')
    await expectAnn(t, app, cookie)
  })

  t.test(`a server with too few replicas serves readers, and logs nobody in, by ${driver.name}`, async (t) => {
    const app = await bootApp(t, driver)
    const cookie = await logIn(app, 'ann')
    server.cli('config', 'set', 'min-replicas-to-write', 1)
    t.teardown(() => void server.cli('config', 'set', 'min-replicas-to-write', 0))
    await expectOutage(t, app, { cookie, outage: 'writes', within: WITHIN })
    server.cli('config', 'set', 'min-replicas-to-write', 0)
    await recovered(app, 'bob')
    await expectAnn(t, app, cookie)
  })

  t.test(`a server that has become a replica serves readers, and logs nobody in, by ${driver.name}`, async (t) => {
    const [primary, own] = [await startRedis(t), await startRedis(t)]
    const app = await bootApp(t, driver, own)
    const cookie = await logIn(app, 'ann')
    // The replica has its own data for as long as it has not found the primary.
    primary.pause()
    own.cli('replicaof', '127.0.0.1', primary.port)
    await expectOutage(t, app, { cookie, outage: 'writes', within: WITHIN })
    own.cli('replicaof', 'no', 'one')
    primary.resume()
    await recovered(app, 'bob')
    await expectAnn(t, app, cookie)
  })

  t.test(`a server that is full serves readers, and logs nobody in, by ${driver.name}`, async (t) => {
    const app = await bootApp(t, driver)
    const cookie = await logIn(app, 'ann')
    server.cli('config', 'set', 'maxmemory-policy', 'noeviction', 'maxmemory', 1)
    t.teardown(() => void server.cli('config', 'set', 'maxmemory', 0))
    await expectOutage(t, app, { cookie, outage: 'writes', within: WITHIN })
    const logout = await app.inject({ method: 'POST', url: '/logout', headers: { cookie } })
    t.equal(logout.statusCode, 200, 'a logout frees memory')
    server.cli('config', 'set', 'maxmemory', 0)
    await recovered(app, 'bob')
    const after = await app.inject({ url: '/me', headers: { cookie } })
    t.match(after.json(), { user: null })
  })

  t.test(`a server without a connection to spare is a server that is away, by ${driver.name}`, async (t) => {
    const app = await bootApp(t, driver)
    const cookie = await logIn(app, 'ann')
    const admin = createClient({ url: server.url })
    await admin.connect()
    t.teardown(() => admin.destroy())
    await admin.sendCommand(['CONFIG', 'SET', 'maxclients', '1'])
    await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    await expectOutage(t, app, { cookie, within: WITHIN })
    await admin.sendCommand(['CONFIG', 'SET', 'maxclients', '1000'])
    await recovered(app, 'bob')
    await expectAnn(t, app, cookie)
  })

  t.test(`scripts flushed in the middle of traffic are not noticed, by ${driver.name}`, async (t) => {
    const app = await bootApp(t, driver)
    const traffic = startTraffic(t, app, 4)
    for (let round = 0; round < 10; round += 1) {
      const successes = traffic.successes
      while (traffic.successes < successes + 10) await new Promise((resolve) => setImmediate(resolve))
      server.cli('script', 'flush')
    }
    await traffic.stop()
    t.strictSame([...traffic.statuses.keys()], [200])
  })
}
