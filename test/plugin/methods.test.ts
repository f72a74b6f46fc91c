import t from 'tap'
import type { Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import type { LoginOptions, SecureSessionOptions } from '../../types/index.ts'
import { coreOnly } from './stores.ts'
import { ordinary, route, world } from './world.ts'
import type { Visitor, World } from './world.ts'

/** Returns an app with routes that ask for ways to log in. */
function stepUp(t: Test, session: SecureSessionOptions = {}): Promise<World> {
  return world(t, {
    session,
    routes: (server: FastifyInstance) => {
      ordinary(server)
      const guarded = (url: string, options: Parameters<FastifyInstance['requireLogin']>[0]): void => {
        server.get(url, { onRequest: server.requireLogin(options) }, async () => ({ ok: true }))
      }
      guarded('/pwd', { methods: ['pwd'] })
      guarded('/both', { methods: ['pwd', 'otp'] })
      guarded('/recent', { methods: ['pwd', 'otp'], within: '10m' })
      guarded('/sudo', { within: '10m' })
      guarded('/account', {})
      route(server, '/confirm', (request) => request.confirmLogin(request.body as object))
      route(server, '/confirm-both', async (request) => {
        await request.confirmLogin({ methods: ['pwd'] })
        await request.confirmLogin({ methods: ['otp'] })
      })
      route(server, '/twice', async (request) => {
        await request.login({ id: 'ann' }, { methods: ['pwd'] })
        await request.confirmLogin({ methods: ['otp'] })
      })
      route(server, '/pending', (request) => ({ pendingUser: request.pendingUser, user: request.user }))
      route(server, '/complete', async (request, reply) => {
        if (request.pendingUser === null) return reply.code(401).send({})
        await request.login(request.pendingUser, request.body ?? {})
        return { pendingUser: request.pendingUser, user: request.user }
      })
      route(server, '/half', async (request) => {
        await request.login({ id: 'ann' }, { pending: true })
        return { pendingUser: request.pendingUser, user: request.user }
      })
      route(server, '/switch', async (request) => {
        await request.login({ id: 'ann' })
        await request.login({ id: 'bob' }, { pending: true })
        return { pendingUser: request.pendingUser, user: request.user }
      })
      server.get('/free', { config: { session: false } }, async (request) => ({ pendingUser: request.pendingUser }))
    },
  })
}

const login = (options: LoginOptions): object => ({ user: { id: 'ann' }, options })

/** Logs in with two methods, and shows a replaced id beside the newer one. Returns the visitor with the newer id. */
async function forked({ clock, visitor }: World): Promise<Visitor> {
  const ann = visitor()
  await ann.post('/login', login({ methods: ['pwd', 'otp'] }))
  const copy = visitor()
  copy.cookies.set('session', ann.cookie ?? '')
  clock.advance('16m')
  await ann.get('/account')
  await ann.get('/account')
  await copy.get('/account')
  return ann
}

t.test('a way to log in that is missing is a 403 that names it', async (t) => {
  const { visitor } = await stepUp(t)
  const ann = visitor()
  t.match((await ann.get('/both')).json(), { statusCode: 401, code: 'SESSION_LOGIN_REQUIRED' })
  await ann.post('/login')
  const neither = await ann.get('/both')
  t.match(neither.json(), { statusCode: 403, code: 'SESSION_STEP_UP_REQUIRED', message: /missing: pwd, otp/ })
  await ann.post('/login', login({ methods: ['pwd'] }))
  t.equal((await ann.get('/pwd')).statusCode, 200)
  t.match((await ann.get('/both')).json(), { code: 'SESSION_STEP_UP_REQUIRED', message: /missing: otp\)/ })
  await ann.post('/confirm', { methods: ['otp'] })
  t.equal((await ann.get('/both')).statusCode, 200)
  await ann.post('/confirm')
  t.equal((await ann.get('/both')).statusCode, 200, 'a confirmation that names no way takes none away')
})

t.test('with within, each way to log in has to be recent', async (t) => {
  const { visitor, clock } = await stepUp(t)
  const ann = visitor()
  await ann.post('/twice')
  t.equal((await ann.get('/recent')).statusCode, 200)
  clock.advance('9m')
  await ann.post('/confirm', { methods: ['pwd'] })
  clock.advance('1m')
  t.match((await ann.get('/recent')).json(), { code: 'SESSION_STEP_UP_REQUIRED', message: /missing: otp\)/ })
  t.equal((await ann.get('/sudo')).statusCode, 200)
  t.equal((await ann.get('/both')).statusCode, 200, 'without within the session has both')
  clock.advance('9m')
  t.match((await ann.get('/recent')).json(), { message: /missing: pwd, otp\)/ })
})

t.test('a new login begins with no way of the login before', async (t) => {
  const { visitor } = await stepUp(t)
  const ann = visitor()
  await ann.post('/twice')
  await ann.post('/login')
  t.match((await ann.get('/pwd')).json(), { code: 'SESSION_STEP_UP_REQUIRED' })
})

t.test('after a replaced id came back, the ways of the login no longer count', async (t) => {
  const { visitor, clock, store, record } = await stepUp(t)
  const ann = visitor()
  await ann.post('/twice')
  const kept = await record(ann.cookie?.slice(0, 22) ?? '')
  if (kept === undefined) throw new Error('no record')
  await store.update({ ...kept, isForked: true, version: kept.version + 1 }, kept.version)
  t.match((await ann.get('/recent')).json(), { message: /missing: pwd, otp\)/ })
  clock.advance('1m')
  await ann.post('/confirm', { methods: ['otp'] })
  t.match((await ann.get('/recent')).json(), { message: /missing: pwd\)/ })
  t.match((await ann.get('/both')).json(), { message: /missing: pwd\)/ })
})

t.test('a half login is nobody with a pending user, until the second factor', async (t) => {
  const { visitor, events, app } = await stepUp(t)
  const ann = visitor()
  await ann.post('/note', { cart: 1, _csrf: 'planted' })
  const planted = ann.cookie
  await ann.post('/login', login({ pending: true, methods: ['pwd'] }))
  t.not(ann.cookie, planted, 'the id changes')
  t.strictSame((await ann.get('/pending')).json(), { pendingUser: { id: 'ann' }, user: null })
  t.match((await ann.get('/me')).json(), { isAuthenticated: false, authenticatedAt: null, data: { cart: 1 } })
  t.notMatch((await ann.get('/me')).json().data, { _csrf: 'planted' })
  t.equal((await ann.get('/account')).statusCode, 401)
  t.same(await app.sessions.list('ann'), [])
  t.same(
    events.map(({ type }) => type),
    ['rotate'],
  )
  const half = ann.cookie
  t.strictSame((await ann.post('/complete', { methods: ['otp'] })).json(), { pendingUser: null, user: { id: 'ann' } })
  t.not(ann.cookie, half)
  t.equal((await ann.get('/recent')).statusCode, 200)
  t.strictSame((await ann.get('/pending')).json(), { pendingUser: null, user: { id: 'ann' } })
  const old = await app.inject({ url: '/pending', cookies: { session: half ?? '' } })
  t.strictSame(old.json(), { pendingUser: null, user: null })
})

t.test('a half login makes a session of its own where there is none, and needs no index', async (t) => {
  const it = await world(t, {
    store: coreOnly,
    routes: (server) => {
      ordinary(server)
      route(server, '/pending', (request) => ({ pendingUser: request.pendingUser }))
    },
  })
  const ann = it.visitor()
  await ann.post('/login', login({ pending: true }))
  t.strictSame((await ann.get('/pending')).json(), { pendingUser: { id: 'ann' } })
  await ann.post('/logout')
  t.strictSame((await ann.get('/pending')).json(), { pendingUser: null })
  t.equal(it.store.size, 0)
})

t.test('a half login is seen at once in its own request', async (t) => {
  const { visitor } = await stepUp(t)
  const ann = visitor()
  for (let round = 0; round < 2; round += 1) {
    t.strictSame((await ann.post('/half')).json(), { pendingUser: { id: 'ann' }, user: null })
  }
})

t.test('a half login ends after ten minutes, and gives its ways to nobody else', async (t) => {
  const { visitor, clock } = await stepUp(t)
  const ann = visitor()
  await ann.post('/login', login({ pending: true, methods: ['pwd'] }))
  clock.advance('10m')
  t.strictSame((await ann.get('/pending')).json(), { pendingUser: null, user: null })
  t.equal((await ann.post('/complete')).statusCode, 401)
  await ann.post('/login', login({ methods: ['otp'] }))
  t.match((await ann.get('/both')).json(), { message: /missing: pwd\)/ })
  const bob = visitor()
  await bob.post('/login', login({ pending: true, methods: ['pwd'] }))
  await bob.post('/login', { user: { id: 'bob' }, options: { methods: ['otp'] } })
  t.match((await bob.get('/both')).json(), { message: /missing: pwd\)/ })
  t.strictSame((await bob.get('/pending')).json(), { pendingUser: null, user: { id: 'bob' } })
})

t.test('a half login does not survive changed credentials', async (t) => {
  let passwordHash = 'one'
  const { visitor } = await stepUp(t, {
    loadUser: async (id) => ({ id, passwordHash }),
    authHash: (user: { passwordHash: string }) => user.passwordHash,
  })
  const ann = visitor()
  await ann.post('/login', login({ pending: true, methods: ['pwd'] }))
  passwordHash = 'two'
  const refused = await ann.post('/complete', { methods: ['otp'] })
  t.match(refused.json(), { statusCode: 401, code: 'SESSION_LOGIN_REQUIRED', message: /credentials changed/ })
  passwordHash = 'one'
  t.equal((await ann.post('/complete', { methods: ['otp'] })).statusCode, 200)
})

t.test('a half login is refused where somebody is logged in, and takes no options of a whole login', async (t) => {
  const { visitor } = await stepUp(t)
  const ann = visitor()
  for (const options of [
    { pending: true, remember: true },
    { pending: true, keep: false },
  ]) {
    t.match((await ann.post('/login', login(options))).json(), {
      code: 'SESSION_OPTION_INVALID',
      message: /completes it/,
    })
  }
  await ann.post('/login')
  const message = /req\.logout\(\) first, or req\.confirmLogin\(\)/
  t.match((await ann.post('/login', login({ pending: true }))).json(), { code: 'SESSION_OPTION_INVALID', message })
  t.match((await visitor().post('/switch')).json(), { code: 'SESSION_OPTION_INVALID', message })
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  t.strictSame((await ann.get('/free')).json(), { pendingUser: null })
})

t.test('ways to log in are names of RFC 8176', async (t) => {
  const { visitor, app } = await stepUp(t)
  const ann = visitor()
  for (const methods of [['password'], ['pwd', 5], 'pwd', []]) {
    const response = await ann.post('/login', { user: { id: 'ann' }, options: { methods } })
    t.match(response.json(), { code: 'SESSION_OPTION_INVALID', message: /RFC 8176: .*pwd/ })
    t.throws(() => app.requireLogin({ methods: methods as never }), { code: 'SESSION_OPTION_INVALID' })
  }
  await ann.post('/login')
  t.match((await ann.post('/confirm', { methods: ['x'] })).json(), { code: 'SESSION_OPTION_INVALID' })
  t.match((await ann.post('/confirm', { method: ['otp'] })).json(), { message: /did you mean methods/ })
})

t.test('a replaced id that comes back confirms no way to log in but its own', async (t) => {
  const { app, clock, visitor } = await stepUp(t)
  const ann = visitor()
  await ann.post('/login', login({ methods: ['pwd'] }))
  const copy = visitor()
  copy.cookies.set('session', ann.cookie ?? '')
  clock.advance('16m')
  await ann.get('/account')
  await ann.get('/account')
  t.equal((await copy.post('/confirm', { methods: ['otp'] })).statusCode, 200)
  t.match((await copy.get('/both')).json(), { code: 'SESSION_STEP_UP_REQUIRED', message: /missing: pwd\)/ })
  t.equal((await app.sessions.list('ann')).length, 1)
})

t.test(
  'a way that is confirmed again counts after the clock was set back, also where a replaced id came back',
  async (t) => {
    const it = await stepUp(t)
    const ann = await forked(it)
    it.clock.advance(-20 * 60_000)
    t.equal((await ann.post('/confirm', { methods: ['pwd'] })).statusCode, 200)
    t.equal((await ann.get('/pwd')).statusCode, 200)
    t.match((await ann.get('/both')).json(), { code: 'SESSION_STEP_UP_REQUIRED', message: /missing: otp\)/ })
  },
)

t.test(
  'two confirmations of one request count together, also where a replaced id comes back beside them',
  async (t) => {
    const ann = await forked(await stepUp(t))
    t.equal((await ann.post('/confirm-both')).statusCode, 200)
    t.equal((await ann.get('/both')).statusCode, 200)
  },
)

t.test('a login that fails leaves a session as it was whose half login is over', async (t) => {
  const { clock, visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      server.addHook('onSend', async (request) => {
        if (request.query !== null && 'fails' in (request.query as object)) throw new Error('too late')
      })
    },
  })
  const ann = visitor()
  await ann.post('/note', { cart: 1 })
  await ann.post('/login', login({ pending: true }))
  clock.advance('11m')
  t.equal((await ann.post('/login?fails')).statusCode, 500)
  t.strictSame((await ann.get('/me')).json<{ data: object }>().data, { cart: 1 })
})
