import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { ordinary, route, world } from './world.ts'

function routes(app: FastifyInstance): void {
  ordinary(app)
  route(app, '/confirm-as', (request) => request.confirmLogin(request.body as { label?: string }))
  route(app, '/login-confirmed', async (request) => {
    const { login, confirmation } = request.body as { login: object; confirmation: object }
    await request.login({ id: 'ann' }, login)
    await request.confirmLogin(confirmation)
  })
  route(app, '/confirm', async (request) => {
    await request.confirmLogin()
    return { authenticatedAt: request.authenticatedAt }
  })
  app.get('/account', { preHandler: app.requireLogin() }, async (request) => ({ user: request.user }))
  app.get('/transfer', { preHandler: app.requireLogin({ within: '10m' }) }, async () => ({ done: true }))
}

t.test('requireLogin lets users in and answers 401 to everybody else', async (t) => {
  const { visitor } = await world(t, { routes })
  const ann = visitor()
  const refused = await ann.get('/account')
  t.equal(refused.statusCode, 401)
  t.match(refused.json(), { statusCode: 401, code: 'SESSION_LOGIN_REQUIRED' })
  t.equal(refused.headers['set-cookie'], undefined)
  await ann.post('/login')
  t.match((await ann.get('/account')).json(), { user: { id: 'ann' } })
  await ann.post('/logout')
  t.equal((await ann.get('/account')).statusCode, 401)
})

t.test('requireLogin({ within }) answers 403 with a code of its own when the login is too old', async (t) => {
  const { visitor, clock } = await world(t, { routes })
  const ann = visitor()
  t.match((await ann.get('/transfer')).json(), { statusCode: 401, code: 'SESSION_LOGIN_REQUIRED' })
  await ann.post('/login')
  clock.advance('10m')
  clock.advance(-1)
  t.equal((await ann.get('/transfer')).statusCode, 200)
  clock.advance(1)
  const refused = await ann.get('/transfer')
  t.match(refused.json(), { statusCode: 403, code: 'SESSION_LOGIN_TOO_OLD' })
  t.notMatch(refused.json<{ message: string }>().message, /acting/)
  t.equal((await ann.get('/account')).statusCode, 200, 'elsewhere the login is good enough')
})

t.test('confirmLogin makes the login fresh, with a new id', async (t) => {
  const { app, visitor, clock, events } = await world(t, { routes })
  const ann = visitor()
  await ann.post('/login', { user: { id: 'ann', name: 'Ann' } })
  await ann.post('/note', { cart: 1 })
  const id = ann.cookie ?? ''
  clock.advance('20m')
  t.equal((await ann.get('/transfer')).statusCode, 403)
  const before = ann.cookie
  t.same((await ann.post('/confirm')).json(), { authenticatedAt: new Date(clock()).toISOString() })
  t.not(ann.cookie, before)
  t.equal((await ann.get('/transfer')).statusCode, 200)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann', name: 'Ann' }, data: { cart: 1 } })
  for (const session of [id, before ?? '']) {
    t.match((await app.inject({ url: '/me', cookies: { session } })).json(), { user: null, isAuthenticated: false })
  }
  t.match(events.at(-1), { type: 'rotate', reason: 'confirm' })
  t.match(await app.sessions.list('ann'), [{ device: { ip: '127.0.0.1' } }])
})

t.test('confirmLogin of nobody is a 401', async (t) => {
  const { visitor } = await world(t, { routes })
  const response = await visitor().post('/confirm')
  t.match(response.json(), { statusCode: 401, code: 'SESSION_LOGIN_REQUIRED' })
})

t.test('confirmLogin in the request of the login changes nothing more', async (t) => {
  const { visitor, events } = await world(t, {
    routes: (server) =>
      route(server, '/both', async (request) => {
        await request.login({ id: 'ann' }, { remember: true })
        await request.confirmLogin()
      }),
  })
  const ann = visitor()
  await ann.post('/both')
  t.ok(ann.maxAge)
  t.same(
    events.map((event) => event.type),
    ['login'],
  )
})

t.test('neither renewal nor remember-me nor a busy session makes a login fresh', async (t) => {
  const { visitor, clock } = await world(t, { routes })
  const ann = visitor()
  await ann.post('/login', { options: { remember: true } })
  const { authenticatedAt } = (await ann.get('/me')).json<{ authenticatedAt: string }>()
  const id = ann.cookie
  for (let round = 0; round < 10; round += 1) {
    clock.advance('5m')
    await ann.post('/note', { round })
  }
  t.not(ann.cookie, id, 'it was renewed')
  t.equal((await ann.get('/me')).json<{ authenticatedAt: string }>().authenticatedAt, authenticatedAt)
  t.equal((await ann.get('/transfer')).statusCode, 403)
})

t.test('a remembered session stays remembered when confirmed', async (t) => {
  const { visitor, clock } = await world(t, { routes })
  const ann = visitor()
  await ann.post('/login', { options: { remember: true } })
  clock.advance('13d')
  await ann.post('/confirm')
  t.equal(ann.maxAge, 14 * 86_400)
  clock.advance('13d')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('within is a duration, or the route is never built', async (t) => {
  const { app } = await world(t)
  for (const within of [600, '600', '10 m', '', null]) {
    t.throws(() => app.requireLogin({ within: within as never }), { code: 'SESSION_OPTION_INVALID' }, String(within))
  }
})

t.test('confirmLogin keeps the label of the session, unless it names another one', async (t) => {
  const { app, visitor } = await world(t, { routes })
  const ann = visitor()
  await ann.post('/login', { options: { label: 'Desk' } })
  await ann.post('/confirm-as', {})
  t.match(await app.sessions.list('ann'), [{ label: 'Desk' }])
  await ann.post('/confirm-as', { label: 'Kitchen' })
  t.match(await app.sessions.list('ann'), [{ label: 'Kitchen' }])
  t.match((await ann.post('/confirm-as', { label: '' })).json(), { code: 'SESSION_LABEL_INVALID' })
  t.match((await ann.post('/confirm-as', { labels: 'x' })).json(), {
    code: 'SESSION_OPTION_INVALID',
    message: /confirmLogin/,
  })
})

t.test('confirmLogin in the request of a login keeps the label that the login named', async (t) => {
  const { app, visitor } = await world(t, { routes })
  const cases: [login: object, confirmation: object, expected: object][] = [
    [{ label: 'Desk' }, {}, { label: 'Desk' }],
    [{ label: 'Desk' }, { label: 'Kitchen' }, { label: 'Kitchen' }],
    [{}, {}, { label: null }],
  ]
  for (const [login, confirmation, expected] of cases) {
    const ann = visitor()
    t.equal((await ann.post('/login-confirmed', { login, confirmation })).statusCode, 200)
    t.match((await ann.get('/account')).json(), { user: { id: 'ann' } })
    t.match((await app.sessions.list('ann')).at(-1), expected)
    await ann.post('/logout')
  }
})

t.test('confirmLogin without a user is refused', async (t) => {
  const { visitor } = await world(t, { routes })
  const anonymous = visitor()
  for (const body of [{ cart: 1 }, {}]) {
    t.match((await anonymous.post('/confirm-as', {})).json(), { statusCode: 401, code: 'SESSION_LOGIN_REQUIRED' })
    await anonymous.post('/note', body)
  }
})
