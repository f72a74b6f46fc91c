import t from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName, nextOf, recordAt } from '../../lib/testing/contract/check.ts'
import { expectNoUnhandled, expectOutage, recovered } from '../support/outage.ts'
import { ioRedis6, nodeRedis6, redisDrivers } from '../support/redis-drivers.ts'
import { startRedisSentinel } from '../support/servers/sentinel.ts'
import { logIn, smallApp } from '../support/small-app.ts'

/** Milliseconds. */
const STORE_TIMEOUT = 400
const WITHIN = STORE_TIMEOUT + 1500

const sentinel = await startRedisSentinel(t)

for (const driver of redisDrivers) {
  t.test(`a store behind a sentinel reads and writes by ${driver.name}`, async (t) => {
    const { client, close } = await driver.connectSentinel(sentinel.port, sentinel.name)
    t.teardown(close)
    const store = redisStore({ client, prefix: `${freshName()}:` })
    const record = recordAt(Date.now())
    t.equal(await store.create(record), true)
    t.equal(await store.update(nextOf(record, {}), 7), true)
    t.strictSame(await store.get(record.handle), nextOf(record, {}))
    t.equal(await store.delete(record.handle), true)
  })
}

for (const driver of [nodeRedis6, ioRedis6]) {
  t.test(`when the primary is lost there is a 503 until the replica has taken over, by ${driver.name}`, async (t) => {
    expectNoUnhandled(t)
    const { client, close } = await driver.connectSentinel(sentinel.port, sentinel.name)
    t.teardown(close)
    const store = redisStore({ client, prefix: `${freshName()}:` })
    const app = await smallApp({ store, storeTimeout: `${STORE_TIMEOUT}ms` })
    t.teardown(() => app.close())
    const isAnn = async (cookie: string): Promise<void> => {
      t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ann' })
    }
    const cookie = await logIn(app, 'ann')
    await sentinel.replicated()
    const lost = sentinel.primary()
    await lost.kill()
    await expectOutage(t, app, { cookie, within: WITHIN })
    await recovered(app, 'bob')
    t.not(sentinel.primary(), lost)
    await isAnn(cookie)

    await lost.start()
    await sentinel.replicated()
    // The old primary is read-only from here on, and tells clients that still write to it.
    await sentinel.failover()
    await recovered(app, 'eve')
    await isAnn(cookie)
    await sentinel.replicated()
  })
}
