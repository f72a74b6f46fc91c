import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request as send } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { memoryStore, secureSession } from '../../lib/index.ts'
import type { TestClock } from '../support/clock.ts'
import { testClock } from '../support/clock.ts'
import { startCache } from '../support/servers/nginx.ts'
import { temporaryFolder } from '../support/sqlite.ts'
import { SECRET } from './world.ts'

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The word of the cache. `HIT` tells that the app was not asked. */
  readonly cache: string
}

/** A visitor on the other side of the cache. */
class Visitor {
  cookie = ''
  readonly #socketPath: string

  constructor(home: string) {
    this.#socketPath = join(home, 'cache.sock')
  }

  async get(path: string): Promise<Answer> {
    const headers = { host: 'app.test', ...(this.cookie !== '' && { cookie: this.cookie }) }
    const sent = send({ socketPath: this.#socketPath, path, headers }).end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    for (const line of response.headers['set-cookie'] ?? []) {
      const pair = line.slice(0, line.indexOf(';'))
      this.cookie = pair.endsWith('=') ? '' : pair
    }
    return {
      status: response.statusCode,
      headers: response.headers,
      body: await text(response),
      cache: String(response.headers['x-cache']),
    }
  }
}

/** Pages of an app whose author thinks that all of them may be cached by everybody. */
function addRoutes(app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'public, max-age=600')
  })
  app.get('/about', async () => 'about us')
  app.get('/hello', async (request) => `hello ${request.user?.id ?? 'stranger'}`)
  app.get('/cart', async (request) => ({ owner: request.session.data()['owner'] ?? 'nobody' }))
  app.get('/account', { preHandler: app.requireLogin() }, async (request) => `account of ${request.user?.id}`)
  app.get('/login/:id', async (request) => {
    await request.login({ id: (request.params as { id: string }).id })
    return 'welcome'
  })
  app.get('/fill', async (request) => {
    Object.assign(request.session, { owner: 'one' })
    return `a cart for ${request.user?.id ?? 'one'}`
  })
  app.get('/logout', async (request) => {
    await request.logout()
    return 'bye'
  })
}

/** Returns an app behind a cache, and visitors of it. */
async function behindCache(t: Test): Promise<{ visitor: () => Visitor; clock: TestClock }> {
  const home = temporaryFolder(t)
  const clock = testClock(Date.now())
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(secureSession, { environment: 'test', secret: SECRET, clock, store: memoryStore({ clock }) })
  addRoutes(app)
  await app.listen({ path: join(home, 'app.sock') })
  await startCache(t, home)
  return { visitor: () => new Visitor(home), clock }
}

async function loggedIn(visitor: Visitor, id: string): Promise<Visitor> {
  await visitor.get(`/login/${id}`)
  return visitor
}

t.test('a page that nobody looked at the session for is cached, and the same for all', async (t) => {
  const { visitor } = await behindCache(t)
  t.match(await visitor().get('/about'), { cache: 'MISS', body: 'about us' })
  t.match(await visitor().get('/about'), { cache: 'HIT', body: 'about us' })
  const ann = await loggedIn(visitor(), 'ann')
  t.match(await ann.get('/about'), { cache: 'HIT', body: 'about us' })
})

t.test("a page that names its reader is cached for that reader's cookie alone", async (t) => {
  const { visitor } = await behindCache(t)
  const [ann, bob] = [await loggedIn(visitor(), 'ann'), await loggedIn(visitor(), 'bob')]
  for (const cache of ['MISS', 'HIT']) {
    t.match(await ann.get('/hello'), { cache, body: 'hello ann' })
    t.match(await bob.get('/hello'), { cache, body: 'hello bob' })
    t.match(await visitor().get('/hello'), { cache, body: 'hello stranger' })
  }
})

t.test('a page with the data of one session is not shown to another visitor', async (t) => {
  const { visitor } = await behindCache(t)
  const one = visitor()
  await one.get('/fill')
  t.equal((await one.get('/cart')).body, '{"owner":"one"}')
  t.equal((await visitor().get('/cart')).body, '{"owner":"nobody"}')
})

t.test('a page behind a login is not shown to those who have none, nor their refusal to those who have', async (t) => {
  const { visitor } = await behindCache(t)
  t.equal((await visitor().get('/account')).status, 401)
  const ann = await loggedIn(visitor(), 'ann')
  t.match(await ann.get('/account'), { status: 200, body: 'account of ann' })
  t.equal((await visitor().get('/account')).status, 401)
  const bob = await loggedIn(visitor(), 'bob')
  t.match(await bob.get('/account'), { status: 200, body: 'account of bob' })
})

t.test('a response that sets a cookie is kept for nobody', async (t) => {
  const { visitor } = await behindCache(t)
  for (const path of ['/login/ann', '/fill']) {
    const [one, two] = [visitor(), visitor()]
    t.match(await one.get(path), { cache: 'MISS', headers: { 'cache-control': 'no-store' } })
    t.match(await two.get(path), { cache: 'MISS' }, path)
    t.match(one.cookie, /^session=/)
    t.match(two.cookie, /^session=/)
    t.not(one.cookie, two.cookie, 'everybody has a session of their own')
  }
})

t.test('a response that renews the id, or takes the cookie away, is kept for nobody either', async (t) => {
  const { visitor, clock } = await behindCache(t)
  const ann = await loggedIn(visitor(), 'ann')
  const [old, two] = [ann.cookie, visitor()]
  clock.advance('16m')
  t.match(await ann.get('/hello'), { cache: 'MISS', body: 'hello ann' })
  t.not(ann.cookie, old)
  two.cookie = old
  t.match(await two.get('/hello'), { cache: 'MISS' })

  const { cookie } = ann
  t.match(await ann.get('/logout'), { cache: 'MISS', body: 'bye' })
  two.cookie = cookie
  t.match(await two.get('/logout'), { cache: 'MISS', body: 'bye' })
  two.cookie = cookie
  t.match(await two.get('/hello'), { cache: 'MISS', body: 'hello stranger' })
})
