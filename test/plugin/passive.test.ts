import Fastify from 'fastify'
import type { FastifyInstance, FastifyRequest, RouteShorthandOptions } from 'fastify'
import t from 'tap'
import { secureSession } from '../../lib/index.ts'
import { ordinary, route, world } from './world.ts'

t.test('ten hours of polling on a passive route do not keep a session alive', async (t) => {
  const it = await world(t, { routes: passiveRoutes })
  const ann = it.visitor()
  await ann.post('/login')
  const id = ann.cookie
  for (let minute = 1; minute < 30; minute += 1) {
    it.clock.advance('1m')
    t.match((await ann.get('/poll')).json(), { user: { id: 'ann' } })
  }
  t.equal(ann.cookie, id, 'the id is not renewed')
  it.clock.advance('1m')
  t.match((await ann.get('/poll')).json(), { user: null })
})

t.test('a prefetch and a prerender count as passive on every route', async (t) => {
  for (const purpose of ['prefetch', 'prefetch;prerender', 'prefetch;anonymous-client-ip', 'Prerender']) {
    const it = await world(t, { routes: passiveRoutes })
    const ann = it.visitor()
    await ann.post('/login')
    it.clock.advance('29m')
    t.match((await ann.get('/me', { headers: { 'sec-purpose': purpose } })).json(), { user: { id: 'ann' } })
    it.clock.advance('1m')
    t.match((await ann.get('/me')).json(), { user: null }, purpose)
  }
})

t.test('a read on a passive route writes nothing', async (t) => {
  const it = await world(t, { routes: passiveRoutes })
  const ann = it.visitor()
  await ann.post('/login')
  it.clock.advance('29m')
  it.asked()
  const response = await ann.get('/poll')
  t.same(it.asked(), ['get'])
  t.equal(response.headers['set-cookie'], undefined)
})

t.test('nothing but a proof of who the user is moves the deadline on a passive route', async (t) => {
  for (const url of ['/passive/touch', '/passive/note', '/passive/regenerate', '/passive/update']) {
    const it = await world(t, { routes: passiveRoutes })
    const ann = it.visitor()
    await ann.post('/login')
    it.clock.advance('29m')
    t.equal((await ann.post(url)).statusCode, 200, url)
    it.clock.advance('1m')
    t.match((await ann.get('/me')).json(), { user: null }, url)
  }
  const it = await world(t, { routes: passiveRoutes })
  const ann = it.visitor()
  await ann.post('/login')
  it.clock.advance('29m')
  await ann.post('/passive/confirm')
  it.clock.advance('29m')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('data that a passive route writes is kept', async (t) => {
  const it = await world(t, { routes: passiveRoutes })
  const ann = it.visitor()
  await ann.post('/login')
  await ann.post('/passive/note')
  t.match((await ann.get('/me')).json(), { data: { seen: true } })
})

t.test('a copied id is noticed on a passive route too', async (t) => {
  const it = await world(t, { routes: passiveRoutes })
  const [ann, thief] = [it.visitor(), it.visitor()]
  await ann.post('/login', {}, { headers: { 'user-agent': 'owner' } })
  thief.cookies.set('session', ann.cookie ?? '')
  it.clock.advance('15m')
  const owner = { headers: { 'user-agent': 'owner' } }
  for (const wait of ['0s', '61s', '61s'] as const) {
    it.clock.advance(wait)
    await ann.get('/me', owner)
  }
  await thief.get('/poll', { headers: { 'user-agent': 'thief' } })
  t.match(
    it.events.filter(({ type }) => type === 'replay'),
    [{ type: 'replay', isEnded: true }],
  )
})

t.test('req.session.expiresAt tells both deadlines, and reading them on a passive route moves none', async (t) => {
  const it = await world(t, { routes: passiveRoutes })
  const ann = it.visitor()
  t.equal((await ann.get('/deadlines')).body, '{}', 'nothing is stored yet')
  const start = it.clock()
  t.same((await ann.post('/login/deadlines')).json(), deadlines(start, '30m', '12h'))
  it.clock.advance('1m')
  t.same((await ann.get('/deadlines')).json(), deadlines(start, '30m', '12h'))
  t.same((await ann.get('/deadlines/active')).json(), deadlines(start, '30m', '12h'), 'a touch is not due yet')
  it.clock.advance('9m')
  t.same((await ann.get('/deadlines')).json(), deadlines(start, '30m', '12h'))
  t.same((await ann.get('/deadlines/active')).json(), deadlines(start, '40m', '12h'))
  t.same((await ann.get('/deadlines')).json(), deadlines(start, '40m', '12h'))
  const [info] = await it.app.sessions.list('ann')
  t.match(info, { idleDeadline: new Date(start + 2_400_000), absoluteDeadline: new Date(start + 43_200_000) })
})

function deadlines(start: number, idle: '30m' | '40m', absolute: '12h'): object {
  const at = { '30m': 1_800_000, '40m': 2_400_000, '12h': 43_200_000 }
  return { idle: new Date(start + at[idle]).toISOString(), absolute: new Date(start + at[absolute]).toISOString() }
}

t.test('expiresAt is a member of the session, and takes no data', async (t) => {
  const it = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/has', (request) => ({ has: 'expiresAt' in request.session }))
    },
  })
  const ann = it.visitor()
  t.match((await ann.post('/note', { expiresAt: 'never' })).json(), { code: 'SESSION_KEY_RESERVED' })
  t.strictSame((await ann.get('/has')).json(), { has: true })
})

t.test('a route without a session has nobody, and writes there throw', async (t) => {
  const it = await world(t, {
    routes: (server) => {
      ordinary(server)
      // A rate limiter by user, for example.
      server.addHook('onRequest', async (request) => void request.user?.id)
      const free = { config: { session: false } } as const
      server.get('/facts', free, async (request) => ({
        user: request.user,
        isAuthenticated: request.isAuthenticated(),
        authenticatedAt: request.authenticatedAt,
      }))
      server.post('/write', free, async (request) => void Object.assign(request.session, { a: 1 }))
      server.post('/enter', free, (request) => request.login({ id: 'ann' }))
      server.post('/leave', free, (request) => request.logout())
      server.post('/updating', free, (request) => request.updateUser({ id: 'ann' }))
    },
  })
  const ann = it.visitor()
  await ann.post('/login')
  it.asked()
  const facts = await ann.get('/facts')
  t.strictSame(facts.json(), { user: null, isAuthenticated: false, authenticatedAt: null })
  t.equal(facts.headers['vary'], undefined)
  for (const url of ['/write', '/enter', '/leave', '/updating']) {
    t.match((await ann.post(url)).json(), { statusCode: 500, code: 'SESSION_ROUTE_OPTED_OUT' }, url)
  }
  t.same(it.asked(), [])
})

/** Boots an app with one route, and says what happens. */
async function bootWith(add: (app: FastifyInstance) => unknown): Promise<unknown> {
  const app = Fastify()
  await app.register(secureSession, { environment: 'test', secret: 'x'.repeat(16) + 'y'.repeat(16) })
  try {
    await add(app)
    await app.ready()
    return 'boots'
  } catch (error) {
    return error
  } finally {
    await app.close()
  }
}

t.test('requireLogin on a route without a session refuses to boot', async (t) => {
  const refused = { code: 'SESSION_GUARD_REFUSED', findings: [{ rule: 'session/requirelogin-opted-out' }] }
  const free = (rest: RouteShorthandOptions = {}): RouteShorthandOptions => ({ config: { session: false }, ...rest })
  const handler = async (): Promise<object> => ({})
  for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
    const alone = await bootWith((app) => app.get('/free', free({ [hook]: app.requireLogin() }), handler))
    t.match(alone, refused, hook)
    const listed = await bootWith((app) => app.get('/free', free({ [hook]: [app.requireLogin()] }), handler))
    t.match(listed, refused, hook)
  }
  const global = await bootWith((app) => {
    app.get('/free', free(), handler)
    app.addHook('onRequest', app.requireLogin())
  })
  t.match(global, refused, 'a hook of the whole context')
  const inherited = await bootWith(async (app) => {
    app.addHook('preHandler', app.requireLogin())
    await app.register(async (child) => void child.get('/free', free(), handler))
  })
  t.match(inherited, refused, 'a hook of a context above')
  const beside = await bootWith(async (app) => {
    await app.register(async (child) => void child.addHook('onRequest', child.requireLogin()))
    app.get('/free', free({ onRequest: async () => undefined }), handler)
    app.get('/guarded', { onRequest: app.requireLogin() }, handler)
  })
  t.equal(beside, 'boots')
})

t.test('a session setting of a route that is unknown refuses to boot', async (t) => {
  for (const [session, hint] of [
    ['pasive', /did you mean 'passive'/],
    [true, /one of false, 'passive', 'stale-user'\)$/],
    [null, /one of/],
  ] as const) {
    const error = await bootWith((app) => app.get('/x', { config: { session: session as never } }, async () => ({})))
    t.match(error, { code: 'SESSION_OPTION_INVALID', message: hint })
  }
})

function passiveRoutes(server: FastifyInstance): void {
  ordinary(server)
  const config = { session: 'passive' } as const
  server.get('/poll', { config }, async (request) => ({ user: request.user }))
  server.get('/deadlines', { config }, async (request) => request.session.expiresAt ?? {})
  server.get('/deadlines/active', async (request) => request.session.expiresAt)
  server.post('/login/deadlines', async (request) => {
    await request.login({ id: 'ann' })
    return request.session.expiresAt
  })
  const acts = {
    touch: (request) => request.session.touch(),
    note: (request) => void Object.assign(request.session, { seen: true }),
    regenerate: (request) => request.session.regenerate(),
    update: (request) => request.updateUser({ id: 'ann' }),
    confirm: (request) => request.confirmLogin(),
  } satisfies Record<string, (request: FastifyRequest) => unknown>
  for (const [name, act] of Object.entries(acts)) {
    server.post(`/passive/${name}`, { config }, async (request) => (await act(request)) ?? {})
  }
}
