import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName } from '../../lib/testing/contract/check.ts'
import { Gate } from '../support/gate-store.ts'
import { ioRedis6, nodeRedis6 } from '../support/redis-drivers.ts'
import { startRedis } from '../support/servers/redis.ts'
import { cookieOf, logIn, smallApp } from '../support/small-app.ts'
import { twoProcesses } from '../support/two-processes.ts'

const server = await startRedis(t, { appendonly: 'no' })
await twoProcesses(t, server.url)

interface Held {
  readonly app: FastifyInstance
  readonly gate: Gate
}

/**
 * Starts two apps that share nothing but the server, each with a driver of its own; their store can be held in
 * mid-request.
 */
async function twoApps(t: Test): Promise<[Held, Held]> {
  const prefix = `${freshName()}:`
  const boot = async (driver: typeof nodeRedis6): Promise<Held> => {
    const { client, close } = await driver.connect(server.port)
    const gate = new Gate(redisStore({ client, prefix }))
    const app = await smallApp({ store: gate.store, renewalTimeout: '1ms', storeTimeout: '60s' })
    t.teardown(async () => {
      await app.close()
      await close()
    })
    return { app, gate }
  }
  return [await boot(nodeRedis6), await boot(ioRedis6)]
}

const post = (app: FastifyInstance, url: string, cookie?: string, payload: object = {}) =>
  app.inject({ method: 'POST', url, payload, ...(cookie && { headers: { cookie } }) })

async function userOf(app: FastifyInstance, cookie: string): Promise<unknown> {
  return (await app.inject({ url: '/me', headers: { cookie } })).json<{ user: unknown }>().user
}

t.test('a logout elsewhere between the read and the write of a request ends the session for good', async (t) => {
  const [one, other] = await twoApps(t)
  const cookie = await logIn(one.app, 'ann')
  const held = one.gate.hold('update')
  const writing = post(one.app, '/note', cookie, { note: 'late' })
  await held.arrived
  t.equal((await post(other.app, '/logout', cookie)).statusCode, 200)
  held.release()
  const late = await writing
  t.equal(cookieOf(late), undefined, 'no new cookie either')
  for (const { app } of [one, other]) t.equal(await userOf(app, cookie), null)
})

for (const operation of ['addToIndex', 'create', 'keepInIndex']) {
  t.test(
    `a user revoked elsewhere while a login waits for ${operation} is found by that or by the next revocation`,
    async (t) => {
      const [one, other] = await twoApps(t)
      const user = freshName()
      const held = one.gate.hold(operation)
      const login = post(one.app, '/login', undefined, { user })
      await held.arrived
      await post(other.app, '/revoke', undefined, { user })
      held.release()
      const answer = await login
      const cookie = cookieOf(answer)
      if (operation === 'addToIndex') {
        t.equal(answer.statusCode, 200, 'the login began after the revocation')
        t.equal(await userOf(other.app, cookie ?? ''), user)
      } else {
        t.equal(answer.statusCode, 503)
        t.equal(cookie, undefined)
      }
      t.strictSame((await post(other.app, '/revoke', undefined, { user })).json(), {
        ended: cookie === undefined ? 0 : 1,
      })
    },
  )
}

t.test('renewals that are asked for at once are two ids, and both tabs stay in', async (t) => {
  const [one, other] = await twoApps(t)
  const cookie = await logIn(one.app, 'ann')
  await new Promise((resolve) => setTimeout(resolve, 2))
  const visits = [one, other].map(({ app }) => app.inject({ url: '/me', headers: { cookie } }))
  const answers = await Promise.all(visits)
  for (const answer of answers) t.match(answer.json(), { user: 'ann' })
  const renewed = answers.flatMap((answer) => cookieOf(answer) ?? [])
  t.equal(new Set(renewed).size, 2)
  const holds = [one.gate.hold('update'), other.gate.hold('update')]
  const shows = [one, other].map(({ app }, index) =>
    app.inject({ url: '/me', headers: { cookie: renewed[index] ?? '' } }),
  )
  await Promise.all(holds.map((held) => held.arrived))
  for (const held of holds) held.release()
  for (const answer of await Promise.all(shows)) t.match(answer.json(), { user: 'ann' })
  for (const value of [...renewed, cookie]) t.equal(await userOf(other.app, value), 'ann')
})

t.test('two writes that meet keep what each of them changed', async (t) => {
  const [one, other] = await twoApps(t)
  const cookie = await logIn(one.app, 'ann')
  const holds = [one.gate.hold('update'), other.gate.hold('update')]
  const writes = [post(one.app, '/note', cookie, { note: 'one' }), post(other.app, '/note', cookie, { note: 'other' })]
  await Promise.all(holds.map((held) => held.arrived))
  for (const held of holds) held.release()
  t.strictSame(
    (await Promise.all(writes)).map(({ statusCode }) => statusCode),
    [200, 200],
  )
  const { note } = (await one.app.inject({ url: '/me', headers: { cookie } })).json<{ note: string }>()
  t.ok(['one', 'other'].includes(note))
})
