/** Responses that become failures, or stop being the last word, after the hooks of the plugin. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import t from 'tap'
import { ordinary, world } from './world.ts'

/** Lets a later hook give each response the status that the request asks for. */
function failing(app: FastifyInstance): void {
  ordinary(app)
  app.addHook('onSend', async (request, reply) => {
    const status = request.headers['x-status']
    if (status !== undefined) reply.code(Number(status))
  })
}

/** Lets a later hook throw at the first attempt at a response, if the request asks for it. */
function throwing(app: FastifyInstance): void {
  ordinary(app)
  const met = new WeakSet<FastifyRequest>()
  app.addHook('onSend', async (request) => {
    if (request.headers['x-throw'] === undefined || met.has(request)) return
    met.add(request)
    throw new Error('a later hook')
  })
}

t.test('a status below 500 that a later hook gives is no failure of the login', async (t) => {
  const { visitor } = await world(t, { routes: failing })
  const ann = visitor()
  t.equal((await ann.post('/login', {}, { headers: { 'x-status': '499' } })).statusCode, 499)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  const bob = visitor()
  t.equal((await bob.post('/login', { id: 'bob' }, { headers: { 'x-status': '500' } })).statusCode, 500)
  t.match((await bob.get('/me')).json(), { user: null })
})

t.test('a response that a later hook fails takes back the id that it would have renewed in a header', async (t) => {
  const { app, clock } = await world(t, {
    session: { headerTransport: {} },
    routes: (server) => {
      failing(server)
      server.post('/token', async (request) => {
        await request.login({ id: 'ann' }, { transport: 'header' })
        return { token: request.sessionToken }
      })
      server.post('/again', async (request) => {
        await request.login({ id: 'ann' }, { transport: 'header' })
        return {}
      })
    },
  })
  const { token } = (await app.inject({ method: 'POST', url: '/token' })).json<{ token: string }>()
  const authorization = `Session ${token}`
  clock.advance('16m')
  const failed = await app.inject({ url: '/me', headers: { authorization, 'x-status': '500' } })
  t.equal(failed.statusCode, 500)
  const renewed = await app.inject({ url: '/me', headers: { authorization } })
  t.match(renewed.json(), { user: { id: 'ann' } }, 'the id still counts')
  t.type(renewed.headers['session-renewed'], 'string')
  const relogged = await app.inject({
    method: 'POST',
    url: '/again',
    headers: { authorization, 'x-status': '503' },
  })
  t.equal(relogged.statusCode, 503)
  t.equal(relogged.headers['session-renewed'], undefined)
})

t.test('a login whose response a later hook fails offers no registration of a device', async (t) => {
  const { visitor } = await world(t, {
    session: { deviceBound: true, cookie: { secure: true } },
    routes: failing,
  })
  const headers = { 'x-forwarded-proto': 'https' }
  const login = await visitor().post('/login', {}, { headers })
  t.type(login.headers['secure-session-registration'], 'string')
  const failed = await visitor().post('/login', {}, { headers: { ...headers, 'x-status': '500' } })
  t.equal(failed.statusCode, 500)
  t.equal(failed.headers['secure-session-registration'], undefined)
})

t.test('a status below 500 that the handler gives is no failure of the login', async (t) => {
  const { visitor } = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.post('/odd', async (request, reply) => {
        await request.login({ id: 'ann' })
        return reply.code(499).send({})
      })
    },
  })
  const ann = visitor()
  t.equal((await ann.post('/odd')).statusCode, 499)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('a response whose session cannot be written still tells caches that it depends on the cookie', async (t) => {
  const { store, visitor } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  store.update = () => Promise.reject(new Error('connection refused'))
  const failed = await ann.post('/note', { a: 1 })
  t.match(failed, { statusCode: 503, headers: { vary: /cookie/i } })
})

t.test('a login whose response a later hook replaces by an error offers no registration of a device', async (t) => {
  const { visitor } = await world(t, {
    session: { deviceBound: true, cookie: { secure: true } },
    routes: throwing,
  })
  const failed = await visitor().post('/login', {}, { headers: { 'x-throw': '1' } })
  t.equal(failed.statusCode, 500)
  t.strictSame([failed.headers['secure-session-registration'], failed.headers['set-cookie']], [undefined, undefined])
})

t.test(
  'cookies that other settings left are cleared once, also where a later hook replaces the response',
  async (t) => {
    const { app } = await world(t, { routes: throwing })
    const cleared = async (more: Record<string, string>): Promise<unknown> => {
      const headers = { host: 'www.app.example', cookie: 'session=a; session=b', ...more }
      return (await app.inject({ url: '/plain', headers })).headers['set-cookie']
    }
    const lines = await cleared({})
    t.match(lines, [/^session=;/])
    t.strictSame(await cleared({ 'x-throw': '1' }), lines)
  },
)

t.test(
  'once the response has started, a request without a session and a refused one stay what they were',
  async (t) => {
    const seen: unknown[] = []
    const { app } = await world(t, {
      routes: (server) => {
        server.post('/free', { config: { session: false } }, async () => ({}))
        server.post('/page', async () => ({}))
        server.addHook('onResponse', async (request) => {
          try {
            seen.push(request.session.data())
          } catch (error) {
            seen.push((error as { code: string }).code)
          }
        })
      },
    })
    const headers = { origin: 'https://evil.example' }
    await app.inject({ method: 'POST', url: '/free' })
    await app.inject({ method: 'POST', url: '/page', headers })
    await app.inject({ method: 'POST', url: '/page' })
    t.strictSame(seen, ['SESSION_ROUTE_OPTED_OUT', 'SESSION_CROSS_ORIGIN', {}])
  },
)
