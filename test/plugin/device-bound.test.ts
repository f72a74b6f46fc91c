import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { checkConfig, memoryStore, secureSession } from '../../lib/index.ts'
import { boundClient } from '../../lib/testing/index.ts'
import type { SecureSessionOptions, SessionEvent } from '../../types/index.ts'
import { testClock } from '../support/clock.ts'
import { challengeOf, cookieIn, Device, identifierOf, offeredBy, refresh, register } from '../support/device.ts'
import { recordingStore } from './world.ts'

const SECRET = 'pJvQ0m3Xr9Wc5TzLk8Yd2NfHs6BgVu4E-aR7iCoMqwI'

type Routes = (app: FastifyInstance) => unknown

async function world(t: Test, session: SecureSessionOptions = {}, routes: Routes = () => undefined, first?: Routes) {
  const clock = testClock()
  const app = Fastify()
  t.teardown(() => app.close())
  await first?.(app)
  const options = {
    environment: 'test',
    secret: SECRET,
    deviceBound: true as const,
    store: memoryStore({ clock }),
    clock,
  }
  await app.register(secureSession, { ...options, ...session })
  const events: SessionEvent[] = []
  app.sessions.events.on('event', (event) => void events.push(event))
  app.post('/login', async (req) => {
    await req.login({ id: 'u1' })
    return { userId: req.user?.id }
  })
  app.post('/logout', async (req) => req.logout())
  app.get('/me', async (req) => ({
    userId: req.user?.id ?? null,
    isIn: req.isAuthenticated(),
    at: req.authenticatedAt,
  }))
  await routes(app)
  await app.ready()
  return { app, clock, events }
}

async function loggedIn(app: FastifyInstance): Promise<{ login: LightMyRequestResponse; cookie: string }> {
  const login = await app.inject({ method: 'POST', url: '/login' })
  return { login, cookie: `session=${cookieIn(login, 'session')}` }
}

async function boundByHand(app: FastifyInstance) {
  const { login, cookie } = await loggedIn(app)
  const device = new Device()
  const answer = await register(app, cookie, device.registration(offeredBy(login)))
  const both = `${cookie}; session-bound=${cookieIn(answer, 'session-bound')}`
  return { device, cookie, both, answer, id: identifierOf(answer), challenge: challengeOf(answer) }
}

t.test('without the option nothing is offered, and there are no routes', async (t) => {
  const { app } = await world(t, { deviceBound: false })
  const { login } = await loggedIn(app)
  t.equal(login.headers['secure-session-registration'], undefined)
  t.equal((await app.inject({ method: 'POST', url: '/.session/refresh' })).statusCode, 404)
  t.throws(() => app.requireLogin({ deviceBound: true }), {
    code: 'SESSION_OPTION_INVALID',
    message: /deviceBound of requireLogin needs the option deviceBound of register/,
  })
})

t.test('a login offers the binding, and other responses do not', async (t) => {
  const { app } = await world(t)
  const { login, cookie } = await loggedIn(app)
  t.match(
    login.headers['secure-session-registration'],
    /^\(ES256\);path="\/\.session\/register";challenge="[0-9a-z]+\.[\w-]{43}"$/,
  )
  const page = await app.inject({ url: '/me', headers: { cookie } })
  t.equal(page.headers['secure-session-registration'], undefined)
})

t.test('nothing is offered over plain http, unless the option says that a browser sees https', async (t) => {
  const offered = async (cookie: object, protocol: 'http' | 'https'): Promise<boolean> => {
    const app = Fastify({ trustProxy: true })
    t.teardown(() => app.close())
    await app.register(secureSession, { environment: 'development', secret: SECRET, deviceBound: true, cookie })
    app.post('/login', async (req) => req.login({ id: 'u1' }))
    const headers = { 'x-forwarded-proto': protocol }
    return 'secure-session-registration' in (await app.inject({ method: 'POST', url: '/login', headers })).headers
  }
  t.equal(await offered({}, 'http'), false)
  t.equal(await offered({}, 'https'), true)
  t.equal(await offered({ secure: true }, 'http'), true)
})

t.test('the answer to a registration tells the browser what is bound', async (t) => {
  const { app } = await world(t, {
    cookie: { secure: true, sameSite: 'none', partitioned: true, httpOnly: false, domain: 'app.example' },
  })
  const { answer, id } = await boundByHand(app)
  t.equal(answer.headers['cache-control'], 'no-store')
  const exclude = { type: 'exclude', domain: 'localhost' }
  t.strictSame(answer.json(), {
    session_identifier: id,
    refresh_url: '/.session/refresh',
    scope: {
      origin: 'https://localhost:80',
      include_site: false,
      scope_specification: [
        { ...exclude, path: '/favicon.ico' },
        { ...exclude, path: '/.session' },
      ],
    },
    credentials: [
      {
        type: 'cookie',
        name: 'session-bound',
        attributes: 'Domain=app.example; Path=/; Secure; SameSite=None; Partitioned',
      },
    ],
  })
  t.match(answer.headers['set-cookie'], /Max-Age=510;/, 'a browser drops the cookie before the server does')
})

t.test('the routes are below the path of the option, and below the prefix of the plugin', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(
    async (area) => {
      const deviceBound = { path: '/bound', lifetime: '2m' } as const
      await area.register(secureSession, { environment: 'test', secret: SECRET, deviceBound })
      area.post('/login', async (req) => req.login({ id: 'u1' }))
      area.get('/me', async (req) => ({ userId: req.user?.id ?? null }))
    },
    { prefix: '/area' },
  )
  const login = await app.inject({ method: 'POST', url: '/area/login' })
  t.match(login.headers['secure-session-registration'], /path="\/area\/bound\/register"/)
  const headers = {
    cookie: `session=${cookieIn(login, 'session')}`,
    'secure-session-response': `"${new Device().registration(offeredBy(login))}"`,
  }
  const answer = await app.inject({ method: 'POST', url: '/area/bound/register', headers })
  t.match(answer.json(), { refresh_url: '/area/bound/refresh' })
  t.match(answer.headers['set-cookie'], /Max-Age=90;/)
})

t.test(
  'malformed requests of the protocol are refused with 403 or an end, and never with another status',
  async (t) => {
    const { app } = await world(t)
    const { cookie, id, device, challenge } = await boundByHand(app)
    const proofs = ['', '"', '""', 'x', 'a.b.c', '\u00ff', 'x'.repeat(10_000), `"${device.proof('x')}`]
    for (const jws of proofs) {
      const answer = await refresh(app, cookie, id, jws)
      t.equal(answer.statusCode, 403, `a refresh with ${jws.slice(0, 20)}`)
      t.not(challengeOf(answer), '')
      t.equal((await register(app, cookie, jws)).statusCode, 403, `a registration with ${jws.slice(0, 20)}`)
    }
    for (const named of ['', '"', 'x'.repeat(500), '"a b"', '\u00ff']) {
      const headers = {
        cookie,
        'sec-secure-session-id': named,
        'secure-session-response': `"${device.proof(challenge)}"`,
      }
      const answer = await app.inject({ method: 'POST', url: '/.session/refresh', headers })
      t.equal([200, 403].includes(answer.statusCode), true, `an identifier like ${named.slice(0, 20)}`)
    }
  },
)

t.test('an identifier of another shape is not sent back, and does not stand in the way of a good proof', async (t) => {
  const { app } = await world(t)
  const ask = (named: string, headers = {}): PromiseLike<LightMyRequestResponse> =>
    app.inject({ method: 'POST', url: '/.session/refresh', headers: { 'sec-secure-session-id': named, ...headers } })
  for (const [named, known] of [
    ['"abc-1"', 'abc-1'],
    ['abc-1', 'abc-1'],
    ['"<b>"', ''],
    [`"${'x'.repeat(65)}"`, ''],
    ['"', ''],
  ] as const) {
    t.strictSame((await ask(named)).json(), { session_identifier: known, continue: false }, named)
  }
  const { cookie, device, challenge, id } = await boundByHand(app)
  const answer = await ask('"<b>"', { cookie, 'secure-session-response': `"${device.proof(challenge)}"` })
  t.match([answer.statusCode, answer.json()], [200, { session_identifier: id, refresh_url: '/.session/refresh' }])
  t.equal(challengeOf(await ask('"other"', { cookie })), '', 'another binding has ended')
})

t.test('a proof that is too long to be one is told as a bad one', async (t) => {
  const { app, events } = await world(t)
  const { cookie, id } = await boundByHand(app)
  t.equal((await refresh(app, cookie, id)).statusCode, 403)
  t.notOk(
    events.some(({ type }) => type === 'proof-failed'),
    'a browser that asks for a challenge sends none',
  )
  t.equal((await refresh(app, cookie, id, 'x'.repeat(5_000))).statusCode, 403)
  t.match(
    events.filter(({ type }) => type === 'proof-failed'),
    [{ reason: 'signature', userId: 'u1' }],
  )
})

t.test('a body of any kind is ignored', async (t) => {
  const { app } = await world(t)
  const { cookie, id } = await boundByHand(app)
  for (const type of ['application/json', 'text/plain', 'x/y', 'multipart/form-data']) {
    const headers = { cookie, 'sec-secure-session-id': id, 'content-type': type }
    const payload = '{'.repeat(2_000_000)
    const answer = await app.inject({ method: 'POST', url: '/.session/refresh', headers, payload })
    t.equal(answer.statusCode, 403, type)
    t.not(challengeOf(answer), '')
  }
})

t.test('a page of another origin has nothing to say in the protocol', async (t) => {
  const { app } = await world(t, { crossOriginProtection: false })
  const { cookie, id, device, challenge } = await boundByHand(app)
  const send = (headers: Record<string, string>): PromiseLike<LightMyRequestResponse> => {
    const own = { cookie, 'sec-secure-session-id': id, 'secure-session-response': device.proof(challenge) }
    return app.inject({ method: 'POST', url: '/.session/refresh', headers: { ...own, ...headers } })
  }
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]) {
    const answer = await send(headers)
    t.equal(answer.statusCode, 403)
    t.equal(challengeOf(answer), '')
    t.strictSame(answer.cookies, [])
  }
  t.equal((await send({ 'sec-fetch-site': 'same-origin', origin: 'https://localhost' })).statusCode, 200)
})

t.test('two session cookies in a refresh are no end: the browser comes again', async (t) => {
  const { app } = await world(t)
  const { cookie, id } = await boundByHand(app)
  t.equal((await refresh(app, `${cookie}; session=other`, id)).statusCode, 503)
})

t.test('a refresh without an id of this app is an end, and no store is asked', async (t) => {
  const operations: Parameters<typeof recordingStore>[1] = []
  const store = recordingStore(memoryStore({ clock: testClock() }), operations)
  const { app } = await world(t, { store })
  const { id } = await boundByHand(app)
  operations.length = 0
  for (const cookie of ['', 'other=1', 'session=x', 'session=']) {
    t.strictSame((await refresh(app, cookie, id)).json(), { session_identifier: id, continue: false }, cookie)
    t.equal((await register(app, cookie, new Device().registration('x'))).statusCode, 403)
  }
  t.strictSame(operations, [])
})

t.test('hooks that the app adds do not stand in the way of the protocol', async (t) => {
  const { app } = await world(t, {}, (server) => {
    server.addHook('onRequest', async (req, reply) => {
      if (req.url.startsWith('/.session')) await reply.code(401).send({})
    })
    server.addHook('preHandler', async (req, reply) => {
      if (req.url !== '/login') await server.requireLogin()(req, reply)
    })
  })
  const { cookie, id, device, challenge } = await boundByHand(app)
  t.equal((await refresh(app, cookie, id, device.proof(challenge))).statusCode, 200)
})

t.test('an app may ask for a login on every route, and the routes of the protocol are none of them', async (t) => {
  const { app } = await world(t, {}, (server) => {
    server.addHook('onRequest', server.requireLogin())
  })
  t.equal((await app.inject({ method: 'POST', url: '/.session/refresh' })).statusCode, 200)
  t.equal((await app.inject({ url: '/me' })).statusCode, 401)
})

t.test(
  'a refusal by a plugin in front of the protocol becomes a 503, because a 429 would end the binding',
  async (t) => {
    let refusal = 0
    const { app } = await world(t, {}, undefined, (server) => {
      server.addHook('onRequest', async (_req, reply) => {
        if (refusal !== 0) await reply.code(refusal).send({})
      })
    })
    const { cookie, id } = await boundByHand(app)
    for (const [given, sent] of [
      [499, 503],
      [500, 500],
    ] as const) {
      refusal = given
      t.equal((await refresh(app, cookie, id)).statusCode, sent)
    }
    refusal = 429
    const limited = await refresh(app, cookie, id)
    t.strictSame([limited.statusCode, limited.headers['retry-after']], [503, '1'])
    t.equal((await app.inject({ url: '/me' })).statusCode, 429, 'other routes are not concerned')
  },
)

t.test('a route can ask for a device', async (t) => {
  const { app, clock } = await world(t, {}, (server) => {
    server.get('/safe', { onRequest: server.requireLogin({ deviceBound: true }) }, async () => 'safe')
  })
  t.equal((await app.inject({ url: '/safe' })).statusCode, 401)
  const { cookie } = await loggedIn(app)
  const refused = await app.inject({ url: '/safe', headers: { cookie } })
  t.match([refused.statusCode, refused.json()], [403, { code: 'SESSION_DEVICE_REQUIRED' }])
  const { both, cookie: own } = await boundByHand(app)
  t.equal((await app.inject({ url: '/safe', headers: { cookie: own } })).statusCode, 403, 'without the bound cookie')
  t.equal((await app.inject({ url: '/safe', headers: { cookie: both } })).statusCode, 200)
  clock.advance('10m')
  t.equal((await app.inject({ url: '/safe', headers: { cookie: both } })).statusCode, 401)
})

t.test("with 'require', a session without a device counts as nobody's", async (t) => {
  for (const deviceBound of ['require', { require: true }] as const) {
    const { app } = await world(t, { deviceBound }, (server) => {
      server.get('/guarded', { onRequest: server.requireLogin() }, async (req) => ({ userId: req.requireUser().id }))
      server.get('/user', async (req) => req.requireUser())
      server.post('/confirm', async (req) => req.confirmLogin())
    })
    const { login, cookie } = await loggedIn(app)
    t.strictSame(login.json(), { userId: 'u1' }, 'the request of the login knows its user')
    const me = await app.inject({ url: '/me', headers: { cookie } })
    t.strictSame(me.json(), { userId: null, isIn: false, at: null })
    for (const url of ['/guarded', '/user']) {
      const refused = await app.inject({ url, headers: { cookie } })
      t.match([refused.statusCode, refused.json()], [403, { code: 'SESSION_DEVICE_REQUIRED' }], url)
    }
    const confirm = await app.inject({ method: 'POST', url: '/confirm', headers: { cookie } })
    t.match(confirm.json(), { code: 'SESSION_DEVICE_REQUIRED' })
    const client = await boundClient(app)
    await client.inject({ method: 'POST', url: '/login' })
    t.strictSame((await client.inject({ url: '/guarded' })).json(), { userId: 'u1' })
    t.equal((await client.inject({ url: '/me' })).json<{ userId: string }>().userId, 'u1')
    const out = await app.inject({ method: 'POST', url: '/logout', headers: { cookie } })
    t.equal(cookieIn(out, 'session'), '', 'who has no device can log out')
  }
})

t.test('a page that comes before the binding is done loads again', async (t) => {
  const { app, clock } = await world(t, { deviceBound: 'require' }, (server) => {
    server.get('/page', { onRequest: server.requireLogin() }, async () => 'page')
  })
  const { cookie } = await loggedIn(app)
  const page = { 'sec-fetch-mode': 'navigate', accept: 'text/html' }
  const early = await app.inject({ url: '/page', headers: { cookie, ...page } })
  t.strictSame([early.statusCode, early.headers['refresh']], [403, '1'])
  t.equal((await app.inject({ url: '/page', headers: { cookie } })).headers['refresh'], undefined, 'no page')
  clock.advance('10s')
  const late = await app.inject({ url: '/page', headers: { cookie, ...page } })
  t.strictSame([late.statusCode, late.headers['refresh']], [403, undefined], 'this browser does not bind')
})

t.test('a session outside of a request is opened with the proof alone', async (t) => {
  const { app, clock } = await world(t)
  const { cookie, both } = await boundByHand(app)
  await app.inject({ url: '/me', headers: { cookie: both } })
  t.equal(await app.sessions.open(cookie), null)
  const opened = await app.sessions.open({ headers: { cookie: both } })
  t.match(opened, { isDeviceBound: true, user: { id: 'u1' } })
  opened?.close()
  clock.advance('10m')
  t.equal(await app.sessions.open(both), null)
})

t.test('a shorter lifetime holds for cookies from before, and a new secret leaves them valid', async (t) => {
  const clock = testClock()
  const store = memoryStore({ clock })
  const before = await world(t, { store, clock, deviceBound: { lifetime: '1h' }, idleTimeout: '2h' })
  const { both } = await boundByHand(before.app)
  const rotated = await world(t, { store, clock, secret: [`${SECRET}-new`, SECRET], deviceBound: { lifetime: '1h' } })
  t.equal((await rotated.app.inject({ url: '/me', headers: { cookie: both } })).json<{ userId: string }>().userId, 'u1')
  const shorter = await world(t, { store, clock, deviceBound: { lifetime: '5m' } })
  t.equal((await shorter.app.inject({ url: '/me', headers: { cookie: both } })).json<{ userId: string }>().userId, null)
})

t.test(
  'a bound cookie that a server no longer takes is cleared, so that the browser proves its key at once',
  async (t) => {
    const clock = testClock()
    const store = memoryStore({ clock })
    const before = await world(t, { store, clock, deviceBound: { lifetime: '1h' }, idleTimeout: '2h' })
    const { cookie, both, device, id, challenge } = await boundByHand(before.app)
    await before.app.inject({ url: '/me', headers: { cookie: both } })
    const { app } = await world(t, { store, clock, deviceBound: { lifetime: '10m' } })
    const refused = await app.inject({ url: '/me', headers: { cookie: both } })
    t.strictSame(
      refused.cookies.map(({ name, value, path }) => ({ name, value, path })),
      [{ name: 'session-bound', value: '', path: '/' }],
      'the session cookie stays',
    )
    t.equal(refused.headers['cache-control'], 'no-store')
    const late = await app.inject({ url: '/me', headers: { cookie } })
    t.strictSame(late.cookies, [], 'a browser without the cookie has nothing to drop')
    const answer = await refresh(app, cookie, id, device.proof(challenge))
    const next = `${cookie}; session-bound=${cookieIn(answer, 'session-bound')}`
    const served = await app.inject({ url: '/me', headers: { cookie: next } })
    t.equal(served.json<{ userId: string }>().userId, 'u1')
    t.strictSame(served.cookies, [])
    clock.advance(-20 * 60_000)
    const setBack = await app.inject({ url: '/me', headers: { cookie: next } })
    t.equal(cookieIn(setBack, 'session-bound'), '', 'the clock of the server was set back')
  },
)

t.test('an app that switches the option off lets bound sessions go on', async (t) => {
  const clock = testClock()
  const store = memoryStore({ clock })
  const on = await world(t, { store, clock })
  const { cookie, both } = await boundByHand(on.app)
  await on.app.inject({ url: '/me', headers: { cookie: both } })
  const off = await world(t, { store, clock, deviceBound: false })
  t.equal((await off.app.inject({ url: '/me', headers: { cookie } })).json<{ userId: string }>().userId, 'u1')
})

t.test('the client for tests speaks for a browser', async (t) => {
  const { app, clock } = await world(t)
  const client = await boundClient(app, { headers: { 'user-agent': 'a browser' } })
  t.equal(client.cookie, '')
  t.throws(() => client.proofOf('x'), TypeError)
  await t.rejects(client.refresh(), TypeError)
  await client.inject({ method: 'POST', url: '/login' })
  t.ok(client.isBound)
  t.match(await app.sessions.list('u1'), [{ isDeviceBound: true, device: { userAgent: 'a browser' } }])
  // The client answers the challenge that takes the place of an old one.
  clock.advance('25m')
  t.equal((await client.refresh()).statusCode, 200)
  await app.sessions.revokeUser('u1')
  t.match((await client.refresh()).json(), { continue: false })
  t.notOk(client.isBound)
})

t.test('a client takes an address alone, as app.inject does, and headers of one request', async (t) => {
  const { app } = await world(t, {}, (server) => {
    server.get('/seen', async ({ headers }) => ({ agent: headers['user-agent'], note: headers['x-note'] }))
  })
  const client = await boundClient(app, { headers: { 'user-agent': 'a browser', 'x-note': 'all' } })
  t.strictSame((await client.inject('/seen')).json(), { agent: 'a browser', note: 'all' })
  const one = await client.inject({ url: '/seen', headers: { 'x-note': 'one' } })
  t.strictSame(one.json(), { agent: 'a browser', note: 'one' })
})

t.test('a client refuses what it would ignore, and says what it takes', async (t) => {
  const { app } = await world(t)
  const wrong: [unknown, RegExp][] = [
    [null, /takes its options as an object: \{ headers \}/],
    ['x', /takes its options as an object/],
    [[], /takes its options as an object/],
    [{ header: {} }, /has no option "header"; known are: headers/],
    [{ headers: null }, /headers of boundClient is an object of texts/],
    [{ headers: 'x' }, /headers of boundClient is an object of texts/],
    [{ headers: { host: 7 } }, /headers of boundClient is an object of texts/],
  ]
  for (const [options, message] of wrong) {
    await t.rejects(boundClient(app, options as object), { name: 'TypeError', message }, JSON.stringify(options))
  }
  t.ok(await boundClient(app, {}))
  t.ok(await boundClient(app, { headers: undefined }))
  for (const noApp of [undefined, null, {}, 'app', 7]) {
    await t.rejects(boundClient(noApp as FastifyInstance), {
      name: 'TypeError',
      message: /takes a Fastify app as its first argument/,
    })
  }
  await t.rejects(boundClient(Fastify()), { name: 'TypeError', message: /not registered on this app/ })
})

t.test('a client whose registration is refused or postponed goes on without a binding', async (t) => {
  let isLimited = true
  const { app } = await world(t, {}, undefined, (server) => {
    server.addHook('onRequest', async (req, reply) => {
      if (isLimited && req.url.endsWith('/register')) await reply.code(429).send({})
    })
  })
  const client = await boundClient(app)
  await client.inject({ method: 'POST', url: '/login' })
  t.notOk(client.isBound)
  t.equal((await client.inject({ url: '/me' })).json<{ userId: string }>().userId, 'u1')
  isLimited = false
  await client.inject({ method: 'POST', url: '/login' })
  t.ok(client.isBound, 'the next login offers it again')
})

t.test('a client that never got a challenge asks for one', async (t) => {
  const { app, clock } = await world(t, {}, undefined, (server) => {
    server.addHook('onSend', async (_req, reply) => {
      if (reply.statusCode === 200) reply.removeHeader('secure-session-challenge')
    })
  })
  const client = await boundClient(app)
  await client.inject({ method: 'POST', url: '/login' })
  clock.advance('11m')
  t.equal((await client.inject({ url: '/me' })).json<{ userId: string }>().userId, 'u1')
  t.ok(client.isBound)
})

t.test('a client gives its binding up when it is refused without a challenge', async (t) => {
  const { app } = await world(t)
  const client = await boundClient(app, { headers: { 'sec-fetch-site': 'same-origin' } })
  await client.inject({ method: 'POST', url: '/login' })
  const stranger = await boundClient(app, { headers: { 'sec-fetch-site': 'cross-site' } })
  t.equal((await stranger.inject({ method: 'POST', url: '/login' })).statusCode, 403)
  t.notOk(stranger.isBound)
  const { app: closed } = await world(t, {}, undefined, (server) => {
    server.addHook('onSend', async (req, reply) => {
      if (req.url.endsWith('/refresh')) reply.code(403).removeHeader('secure-session-challenge')
    })
  })
  const refused = await boundClient(closed)
  await refused.inject({ method: 'POST', url: '/login' })
  t.equal((await refused.refresh()).statusCode, 403)
  t.notOk(refused.isBound)
})

t.test('a client drops cookies at the end of their lives, however the app says it', async (t) => {
  const { app, clock } = await world(t, {}, (server) => {
    server.get('/cookies', async (_req, reply) => {
      reply.setCookie('until', '1', { expires: new Date(clock() + 60_000) })
      reply.setCookie('age', '1', { maxAge: 60 })
      reply.setCookie('browser', '1')
    })
    server.get('/clear', async (_req, reply) => void reply.clearCookie('browser').send())
  })
  const client = await boundClient(app)
  await client.inject({ url: '/cookies' })
  t.equal(client.cookie, 'until=1; age=1; browser=1')
  clock.advance('1m')
  t.equal(client.cookie, 'browser=1')
  await client.inject({ url: '/clear' })
  t.equal(client.cookie, '')
})

t.test(
  'a page that a link of another site leads to loads again, because a browser gives no proof for the link',
  async (t) => {
    const { app } = await world(t, {}, (server) => {
      server.get('/page', { onRequest: server.requireLogin({ redirect: '/login' }) }, async () => 'page')
      server.get('/guarded', { onRequest: server.requireLogin() }, async () => 'page')
    })
    const { cookie, both } = await boundByHand(app)
    await app.inject({ url: '/me', headers: { cookie: both } })
    const link = { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' }
    const linked = await app.inject({ url: '/page', headers: { cookie, ...link } })
    t.strictSame([linked.statusCode, linked.headers['refresh']], [401, '0'])
    const again = await app.inject({ url: '/page', headers: { cookie, ...link, 'sec-fetch-site': 'same-origin' } })
    t.strictSame([again.statusCode, again.headers.location], [302, '/login?next=%2Fpage'], 'once')
    const visitor = await app.inject({ url: '/page', headers: link })
    t.equal(visitor.statusCode, 302, 'who has no session logs in')
    for (const headers of [link, { cookie, ...link, 'sec-fetch-site': 'same-origin' }]) {
      const refused = await app.inject({ url: '/guarded', headers })
      t.strictSame([refused.statusCode, refused.headers['refresh']], [401, undefined], 'no page loads again for ever')
    }
  },
)

t.test('the default lifetime is never longer than the idle timeout', async (t) => {
  const { app } = await world(t, { idleTimeout: '4m' })
  const { answer } = await boundByHand(app)
  t.match(answer.headers['set-cookie'], /Max-Age=180;/)
})

t.test('the guard tells before the app listens that another plugin answers in place of the routes', async (t) => {
  const lines: string[] = []
  for (const isBlocked of [true, false]) {
    lines.length = 0
    const app = Fastify({ logger: { level: 'warn', stream: { write: (line) => void lines.push(line) } } })
    t.teardown(() => app.close())
    app.addHook('onRequest', async (_req, reply) => {
      if (isBlocked) await reply.code(401).send({})
    })
    await app.register(secureSession, { environment: 'test', secret: SECRET, deviceBound: true })
    await app.ready()
    t.equal(lines.join('').includes('device-bound-blocked'), isBlocked)
  }
})

t.test('a path that a browser would shorten is refused at register', async (t) => {
  const rules = (path: string): string[] =>
    checkConfig({ secret: SECRET, deviceBound: { path } }, 'test').map(({ rule }) => rule)
  for (const path of ['/..', '/.', '/a/../b', '/a/.', '//a', '/a/']) {
    t.strictSame(rules(path), ['session/option-type'], path)
  }
  for (const path of ['/.session', '/..a', '/a.b/c', '/a/...']) t.strictSame(rules(path), [], path)
})

t.test('the guard judges lifetime, store and header ids of device-bound sessions', async (t) => {
  const found = (options: SecureSessionOptions): string[] => {
    const all = checkConfig({ secret: SECRET, ...options }, 'production')
    return all.map(({ rule }) => rule).filter((rule) => rule.startsWith('session/device-bound'))
  }
  const lifetime = ['session/device-bound-lifetime']
  t.strictSame(found({ deviceBound: { lifetime: '5m' } }), lifetime)
  t.strictSame(found({ deviceBound: { lifetime: '2h' }, idleTimeout: '3h' }), lifetime)
  t.strictSame(found({ deviceBound: { lifetime: '8m' }, idleTimeout: '7m' }), lifetime)
  t.strictSame(found({ deviceBound: { lifetime: '6m' }, idleTimeout: '7m' }), [])
  t.strictSame(found({ deviceBound: { require: true }, headerTransport: {} }), ['session/device-bound-header'])
  t.strictSame(found({ deviceBound: true, cookie: { path: '/app', secure: false } }), ['session/device-bound-cookie'])
  t.strictSame(found({ cookie: { path: '/app' }, deviceBound: false }), [])
})
