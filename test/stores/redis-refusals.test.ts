import { execFileSync } from 'node:child_process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { createClient } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName } from '../../lib/testing/contract/check.ts'
import { expectNoUnhandled, expectOutage, recovered, startTraffic } from '../support/outage.ts'
import type { RedisDriver } from '../support/redis-drivers.ts'
import { ioRedis6, nodeRedis6 } from '../support/redis-drivers.ts'
import { startRedis } from '../support/servers/redis.ts'
import { cookieOf, logIn, smallApp } from '../support/small-app.ts'

/** Milliseconds. */
const STORE_TIMEOUT = 400
const WITHIN = STORE_TIMEOUT + 1500

const server = await startRedis(t, { 'busy-reply-threshold': 20 })
const admin = await createClient({ url: server.url }).connect()
t.teardown(() => admin.destroy())
const ask = (...command: string[]): Promise<unknown> => admin.sendCommand(command)

interface Booted {
  readonly app: FastifyInstance
  /** Ann's session cookie. */
  readonly cookie: string
  readonly prefix: string
  readonly expectAnn: () => Promise<void>
}

async function bootApp(t: Test, driver: RedisDriver): Promise<Booted> {
  expectNoUnhandled(t)
  const { client, close } = await driver.connect(server.port)
  t.teardown(close)
  const prefix = `${freshName()}:`
  const app = await smallApp({ store: redisStore({ client, prefix }), storeTimeout: `${STORE_TIMEOUT}ms` })
  t.teardown(() => app.close())
  const cookie = await logIn(app, 'ann')
  return {
    app,
    cookie,
    prefix,
    expectAnn: async () => {
      const answer = await app.inject({ url: '/me', headers: { cookie } })
      t.strictSame(answer.json(), { user: 'ann', note: null }, 'the session is there')
    },
  }
}

for (const driver of [nodeRedis6, ioRedis6]) {
  t.test(`a server that answers nobody for a while holds nobody up, by ${driver.name}`, async (t) => {
    const { app, cookie, expectAnn } = await bootApp(t, driver)
    await ask('CLIENT', 'PAUSE', '3000', 'ALL')
    await expectOutage(t, app, { cookie, within: WITHIN })
    await ask('PING')
    await recovered(app, 'bob')
    await expectAnn()
  })

  t.test(`a server that runs a script without end is a server that is away, by ${driver.name}`, async (t) => {
    const { app, cookie, expectAnn } = await bootApp(t, driver)
    const other = await createClient({ url: server.url }).connect()
    const endless = other.eval('while true do end').catch((error: unknown) => error)
    t.teardown(() => other.destroy())
    while (!String(await ask('PING').catch((error: Error) => error.message)).startsWith('BUSY'));
    await expectOutage(t, app, { cookie, within: WITHIN })
    await ask('SCRIPT', 'KILL')
    t.match(await endless, /killed/i)
    await recovered(app, 'bob')
    await expectAnn()
  })

  t.test(`a server that asks for a password all at once is a server that is away, by ${driver.name}`, async (t) => {
    const { app, cookie, expectAnn } = await bootApp(t, driver)
    t.teardown(() => ask('CONFIG', 'SET', 'requirepass', ''))
    await ask('CONFIG', 'SET', 'requirepass', 'new')
    await ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await expectOutage(t, app, { cookie, within: WITHIN })
    await ask('CONFIG', 'SET', 'requirepass', '')
    await recovered(app, 'bob')
    await expectAnn()
  })

  t.test(`a user who may run no scripts any more reads, and logs nobody in, by ${driver.name}`, async (t) => {
    const { app, cookie, expectAnn } = await bootApp(t, driver)
    t.teardown(() => ask('ACL', 'SETUSER', 'default', '+@all'))
    await ask('ACL', 'SETUSER', 'default', '-@scripting')
    await expectOutage(t, app, { cookie, outage: 'writes', within: WITHIN })
    await ask('ACL', 'SETUSER', 'default', '+@all')
    await recovered(app, 'bob')
    await expectAnn()
  })

  t.test(`a server out of file descriptors is a server that is away, by ${driver.name}`, async (t) => {
    const { app, cookie, expectAnn } = await bootApp(t, driver)
    const [, pid = ''] = /process_id:(\d+)/.exec(server.cli('info', 'server')) ?? []
    const limit = (soft: number): void => void execFileSync('prlimit', ['--pid', pid, `--nofile=${soft}:`])
    t.teardown(() => limit(1000))
    limit(1)
    await ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await expectOutage(t, app, { cookie, within: WITHIN })
    limit(1000)
    await recovered(app, 'bob')
    await expectAnn()
  })

  t.test(`connections cut again and again lose nothing that was acknowledged, by ${driver.name}`, async (t) => {
    const { app, expectAnn } = await bootApp(t, driver)
    const traffic = startTraffic(t, app, 6)
    for (let cut = 0; cut < 20; cut += 1) {
      const { successes } = traffic
      while (traffic.successes < successes + 10) await nextTurn()
      await ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    }
    await recovered(app, 'bob')
    await traffic.stop()
    await expectAnn()
  })

  t.test(
    `a key of another type where a user's index belongs keeps out that user alone, by ${driver.name}`,
    async (t) => {
      const { app, prefix, expectAnn } = await bootApp(t, driver)
      await ask('SET', `${prefix}u:eve`, 'no set')
      const login = await app.inject({ method: 'POST', url: '/login', payload: { user: 'eve' } })
      t.equal(login.statusCode, 503)
      t.match(login.headers, { 'retry-after': /^\d+$/ })
      t.equal(cookieOf(login), undefined)
      await logIn(app, 'bob')
      await expectAnn()
      await ask('DEL', `${prefix}u:eve`)
      await logIn(app, 'eve')
    },
  )

  t.test(`a key of another type where a record was is a session that is over, by ${driver.name}`, async (t) => {
    const { app, cookie, prefix } = await bootApp(t, driver)
    const [key] = (await ask('KEYS', `${prefix}s:*`)) as [string]
    await ask('DEL', key)
    await ask('RPUSH', key, 'no record')
    const headers = { cookie }
    const seen = await app.inject({ url: '/me', headers })
    t.equal(seen.statusCode, 200)
    t.match(seen.json(), { user: null })
    t.equal((await app.inject({ method: 'POST', url: '/logout', headers })).statusCode, 200)
    t.match((await app.inject({ url: '/me', headers: { cookie: await logIn(app, 'ann') } })).json(), { user: 'ann' })
  })
}
