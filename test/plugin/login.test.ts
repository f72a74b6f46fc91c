import t from 'tap'
import { coreOnly } from './stores.ts'
import { isNobody, ordinary, route, world } from './world.ts'

interface Me {
  user: { id: string } | null
  handle: string
  data: Record<string, unknown>
  authenticatedAt: string | null
}

t.test('login makes the request, and the ones after it, the user', async (t) => {
  const { visitor, clock } = await world(t, { routes: ordinary })
  const ann = visitor()
  t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false, authenticatedAt: null })
  const login = await ann.post('/login', { user: { id: 'ann', name: 'Ann', roles: ['admin'] } })
  t.match(login.json(), { user: { id: 'ann', name: 'Ann', roles: ['admin'] } }, 'at once')
  const me = await ann.get('/me')
  t.match(me.json(), {
    user: { id: 'ann', name: 'Ann', roles: ['admin'] },
    isAuthenticated: true,
    authenticatedAt: new Date(clock()).toISOString(),
  })
  t.equal(me.headers['set-cookie'], undefined, 'a read sets no cookie')
})

t.test('the user snapshot is a copy of the object that login was given', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/mutate', async (request) => {
        const user = { id: 'ann', name: 'Ann' }
        await request.login(user)
        user.name = 'changed afterwards'
        t.equal(request.user, request.user, 'one object per request')
        return request.user
      })
    },
  })
  const ann = visitor()
  t.match((await ann.post('/mutate')).json(), { id: 'ann', name: 'Ann' })
  t.match((await ann.get('/me')).json<Me>().user, { id: 'ann', name: 'Ann' })
})

t.test('login gives a new id in one write, and the old id opens nothing', async (t) => {
  const { app, visitor, asked, store } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/note', { cart: ['tea'] })
  const anonymousId = ann.cookie ?? ''
  asked()
  await ann.post('/login')
  t.same(
    asked().filter((name) => name === 'create' || name === 'update'),
    ['update'],
  )
  t.not(ann.cookie, anonymousId)
  t.equal(ann.cookie?.slice(0, 22), anonymousId.slice(0, 22), 'the handle stays')
  t.equal(store.size, 1)
  const replay = await app.inject({ url: '/me', cookies: { session: anonymousId } })
  isNobody(t, replay)
})

t.test('anonymous data comes along into the login', async (t) => {
  const { visitor } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/note', { cart: ['tea'], seen: 3 })
  await ann.post('/login')
  t.same((await ann.get('/me')).json<Me>().data, { cart: ['tea'], seen: 3 })
})

t.test('keep says what comes along: nothing, or the keys named', async (t) => {
  const { visitor } = await world(t, { routes: ordinary })
  for (const [keep, data] of [
    [true, { cart: 1, seen: 2 }],
    [false, {}],
    [[], {}],
    [['cart'], { cart: 1 }],
    [['cart', 'none', 'cookie', '__proto__', 'toString'], { cart: 1 }],
  ] as const) {
    const ann = visitor()
    await ann.post('/note', { cart: 1, seen: 2 })
    await ann.post('/login', { options: { keep } })
    t.same((await ann.get('/me')).json<Me>().data, data, JSON.stringify(keep))
  }
})

t.test('requireUser returns the very snapshot of req.user, and is a 401 for nobody', async (t) => {
  const { visitor } = await world(t, {
    routes: (app) => {
      ordinary(app)
      route(app, '/mine', (request) => ({ id: request.requireUser().id, same: request.requireUser() === request.user }))
    },
  })
  const ann = visitor()
  t.match(await ann.post('/mine'), { statusCode: 401 })
  await ann.post('/login', { user: { id: 'ann' } })
  t.same((await ann.post('/mine')).json(), { id: 'ann', same: true })
})

t.test('a second login of the same user gives a new id and keeps the data', async (t) => {
  const { app, visitor, events, clock } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  await ann.post('/note', { cart: 1 })
  const first = ann.cookie ?? ''
  clock.advance('5m')
  await ann.post('/login')
  t.not(ann.cookie, first)
  t.match((await app.inject({ url: '/me', cookies: { session: first } })).json(), {
    user: null,
    isAuthenticated: false,
  })
  t.match((await ann.get('/me')).json(), {
    user: { id: 'ann' },
    data: { cart: 1 },
    authenticatedAt: new Date(clock()).toISOString(),
  })
  t.same(
    events.map((event) => event.type),
    ['login', 'login', 'rotate'],
  )
})

t.test('a login of another user drops the data, except the keys named', async (t) => {
  const { visitor } = await world(t, { routes: ordinary })
  for (const [keep, data] of [
    [undefined, {}],
    [true, {}],
    [false, {}],
    [['theme'], { theme: 'dark' }],
  ] as const) {
    const both = visitor()
    await both.post('/login', { user: { id: 'ann' } })
    await both.post('/note', { balance: 100, theme: 'dark' })
    const login = await both.post('/login', { user: { id: 'bob' }, options: { keep } })
    t.match(login.json(), { user: { id: 'bob' } })
    t.match((await both.get('/me')).json(), { user: { id: 'bob' } })
    t.same((await both.get('/me')).json<Me>().data, data, JSON.stringify(keep))
  }
})

t.test('the session of the user before leaves that user’s device list', async (t) => {
  const { app, visitor } = await world(t, { routes: ordinary })
  const both = visitor()
  await both.post('/login', { user: { id: 'ann' } })
  await both.post('/login', { user: { id: 'bob' } })
  t.same(await app.sessions.list('ann'), [])
  t.equal((await app.sessions.list('bob')).length, 1)
})

t.test('a user is an object with a non-empty string id that JSON carries', async (t) => {
  const { visitor, store } = await world(t, {
    routes: (server) => {
      ordinary(server)
      const users: Record<string, unknown> = {
        null: null,
        undefined,
        text: 'ann',
        number: 7,
        empty: {},
        'empty id': { id: '' },
        'number id': { id: 7 },
        'object id': { id: { toString: () => 'ann' } },
        'String id': { id: new String('ann') },
        array: ['ann'],
        'changing id': { id: 'ann', toJSON: () => ({ id: 'bob' }) },
        'not an object in JSON': { id: 'ann', toJSON: () => 'ann' },
        'nothing in JSON': { id: 'ann', toJSON: () => undefined },
        poison: { id: 'ann', profile: JSON.parse('{"__proto__":{"admin":true}}') as unknown },
      }
      server.get('/as/all', async (request) => {
        for (const [name, user] of Object.entries(users)) {
          await t.rejects(request.login(user as never), { code: 'SESSION_USER_INVALID', statusCode: 500 }, name)
          t.equal(request.user, null)
        }
        return {}
      })
    },
  })
  const response = await visitor().get('/as/all')
  t.equal(response.statusCode, 200)
  t.equal(response.headers['set-cookie'], undefined)
  t.equal(store.size, 0)
})

t.test('a user with what JSON cannot carry is refused by the path to it', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) =>
      route(server, '/login', async (request) => {
        await request.login({ id: 'ann', helpers: { greet: () => 'hi' } } as never)
      }),
  })
  const response = await visitor().post('/login')
  t.equal(response.statusCode, 500)
  t.match(response.json(), { code: 'SESSION_USER_INVALID', message: /"user\.helpers\.greet" is a function/ })
})

t.test('a user snapshot larger than a record may be is refused before anything changes', async (t) => {
  const { visitor, store } = await world(t, { session: { maxRecordSize: 1000 }, routes: ordinary })
  const ann = visitor()
  const response = await ann.post('/login', { user: { id: 'ann', bio: 'x'.repeat(1000) } })
  t.equal(response.statusCode, 413)
  t.match(response.json(), { code: 'SESSION_RECORD_TOO_LARGE' })
  t.equal(store.size, 0)
})

t.test('login twice in one request: the last one counts, one write is made', async (t) => {
  const { app, visitor, asked, events } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/twice', async (request) => {
        await request.login({ id: 'ann' })
        Object.assign(request.session, { secret: 'of ann' })
        await request.login({ id: 'bob' })
        return { user: request.user, data: request.session.data() }
      })
    },
  })
  const both = visitor()
  t.strictSame((await both.post('/twice')).json(), { user: { id: 'bob' }, data: {} })
  t.same(
    asked().filter((name) => name === 'create' || name === 'update'),
    ['create'],
  )
  const { user, data } = (await both.get('/me')).json<{ user: unknown; data: unknown }>()
  t.strictSame({ user, data }, { user: { id: 'bob' }, data: {} })
  t.same(await app.sessions.list('ann'), [])
  t.same(
    events.map((event) => event.type),
    ['login'],
  )
})

t.test('login then logout in one request: nobody, and no record', async (t) => {
  const { app, visitor, store } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/both', async (request) => {
        await request.login({ id: 'ann' })
        await request.logout()
        return { user: request.user, isAuthenticated: request.isAuthenticated() }
      })
    },
  })
  const ann = visitor()
  const response = await ann.post('/both')
  t.same(response.json(), { user: null, isAuthenticated: false })
  t.equal(response.headers['set-cookie'], undefined)
  t.equal(store.size, 0)
  t.same(await app.sessions.list('ann'), [])
  await ann.post('/login')
  await ann.post('/both')
  t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false })
  t.equal(store.size, 0, 'a session that was there before is gone too')
})

t.test('logout then login in one request: a session that shares nothing with the one before', async (t) => {
  const { visitor, store } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/switch', async (request) => {
        await request.logout()
        await request.login({ id: 'bob' })
        Object.assign(request.session, { by: 'bob' })
        return { user: request.user }
      })
    },
  })
  const both = visitor()
  const first = (await both.post('/login')).json<Me>().handle
  await both.post('/note', { balance: 100 })
  t.match((await both.post('/switch')).json(), { user: { id: 'bob' } })
  const me = (await both.get('/me')).json<Me>()
  t.match(me, { user: { id: 'bob' } })
  t.same(me.data, { by: 'bob' })
  t.not(me.handle, first)
  t.equal(store.size, 1)
})

t.test('remember: a cookie that outlives the browser, as long as the session can', async (t) => {
  const { visitor, clock } = await world(t, { session: { rememberTimeout: '7d' }, routes: ordinary })
  const ann = visitor()
  await ann.post('/login', { options: { remember: true } })
  t.equal(ann.maxAge, 7 * 86_400)
  clock.advance('6d')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } }, 'idle for six days')
  t.equal(ann.maxAge, 86_400, 'a renewed cookie lasts no longer than the first')
  clock.advance('1d')
  t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false }, 'at its deadline it is over')
})

t.test('without remember the cookie ends with the browser', async (t) => {
  const { visitor } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  t.equal(ann.maxAge, undefined)
  await ann.post('/login', { options: { remember: true } })
  t.equal(ann.maxAge, 14 * 86_400)
  await ann.post('/login')
  t.equal(ann.maxAge, undefined, 'a later login decides anew')
})

t.test('a login notes the device it came from, cut to a size', async (t) => {
  const { app, visitor } = await world(t, { routes: ordinary })
  await visitor().post('/login', {}, { headers: { 'user-agent': 'Browser/1.0' } })
  await visitor().post('/login', { user: { id: 'bob' } }, { headers: { 'user-agent': 'x'.repeat(5000) } })
  await visitor().post('/login', { user: { id: 'cid' } }, { headers: { 'user-agent': undefined } as never })
  t.match(await app.sessions.list('ann'), [{ device: { userAgent: 'Browser/1.0', ip: '127.0.0.1' } }])
  t.equal((await app.sessions.list('bob'))[0]?.device?.userAgent.length, 256)
  t.ok((await app.sessions.list('cid'))[0]?.device)
})

t.test('an option that is not what its type says is refused, and takes no place', async (t) => {
  const { app, visitor } = await world(t, {
    session: { maxSessions: { limit: 1, onLimit: 'refuse' } },
    routes: ordinary,
  })
  for (const options of [{ remember: 'on' }, { remember: 1 }, { keep: 'cart' }, { keep: [1] }, { authHash: 7 }]) {
    t.match((await visitor().post('/login', { options })).json(), { code: 'SESSION_OPTION_INVALID' })
    t.match((await visitor().post('/login', { user: { id: '' } })).json(), { code: 'SESSION_USER_INVALID' })
  }
  t.equal((await visitor().post('/login')).statusCode, 200)
  t.equal((await app.sessions.list('ann')).length, 1)
})

t.test('behind a trusted proxy the address is cut to a size too', async (t) => {
  const { app, visitor } = await world(t, { fastify: { trustProxy: true }, routes: ordinary })
  await visitor().post('/login', {}, { headers: { 'x-forwarded-for': 'x'.repeat(5000) } })
  t.equal((await app.sessions.list('ann'))[0]?.device?.ip, 'x'.repeat(64))
})

t.test('a login after the response has begun is refused', async (t) => {
  const outcomes: unknown[] = []
  const { app, visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      server.addHook('onResponse', async (request) => {
        if (request.url !== '/plain') return
        outcomes.push(request.user)
        for (const late of [
          () => request.login({ id: 'ann' }),
          () => request.session.regenerate(),
          () => request.session.save(),
        ]) {
          outcomes.push(await Promise.resolve(late()).catch((error: unknown) => (error as { code: string }).code))
        }
      })
    },
  })
  await visitor().get('/plain')
  await app.close()
  t.same(outcomes, [null, 'SESSION_RESPONSE_STARTED', 'SESSION_RESPONSE_STARTED', 'SESSION_RESPONSE_STARTED'])
})

t.test('every change of the id is refused after the response has begun', async (t) => {
  const outcomes: Record<string, unknown[]> = { '/me': [], '/note': [] }
  const { app, visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      server.addHook('onResponse', async (request) => {
        for (const late of [
          () => request.login({ id: 'bob' }),
          () => request.session.regenerate(),
          () => request.confirmLogin(),
          () => request.updateAuthHash('new'),
        ]) {
          const outcome = await Promise.resolve(late()).catch((error: unknown) => (error as { code: string }).code)
          outcomes[request.url]?.push(outcome)
        }
      })
    },
  })
  const ann = visitor()
  await ann.post('/login')
  await ann.get('/me')
  await ann.post('/note', { cart: 1 })
  await app.close()
  const refused = Array.from({ length: 4 }, () => 'SESSION_RESPONSE_STARTED')
  t.same(outcomes, { '/me': refused, '/note': refused })
})

t.test('the client of the login is the owner of its ids, whoever began the session before', async (t) => {
  const { clock, visitor } = await world(t, { routes: ordinary })
  const ann = visitor()
  const owner = { headers: { 'user-agent': 'owner' } }
  await ann.post('/note', { cart: 1 }, { headers: { 'user-agent': 'who planted the session' } })
  await ann.post('/login', {}, owner)
  clock.advance('16m')
  const old = ann.cookie ?? ''
  await ann.get('/me', owner)
  await ann.get('/me', owner)
  clock.advance('2m')
  await ann.get('/me', owner)
  t.not(ann.cookie, old, 'renewed')
  ann.cookies.set('session', old)
  t.match((await ann.get('/me', owner)).json(), { user: { id: 'ann' } }, 'a browser was killed and lost its cookie')
})

t.test('a response that fails leaves the session as it was, whatever was done to it', async (t) => {
  const { app, visitor, store, events } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/fail', async (request) => {
        Object.assign(request.session, { lost: true })
        await request.login({ id: 'bob' })
        throw new Error('later')
      })
    },
  })
  const ann = visitor()
  await ann.post('/login')
  await ann.post('/note', { cart: 1 })
  const id = ann.cookie
  events.length = 0
  const failed = await ann.post('/fail')
  t.equal(failed.statusCode, 500)
  t.equal(failed.headers['set-cookie'], undefined)
  t.equal(ann.cookie, id)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' }, data: { cart: 1 } })
  t.same(await app.sessions.list('bob'), [])
  const nobody = await visitor().post('/fail')
  t.equal(nobody.statusCode, 500)
  t.equal(store.size, 1, 'no orphan')
  t.same(events, [])
})

t.test('a login whose record vanished meanwhile gets a new record with the data of its own request only', async (t) => {
  for (const wrap of [undefined, coreOnly]) {
    const { app, visitor, store } = await world(t, {
      ...(wrap !== undefined && { store: wrap }),
      routes: (server) => {
        ordinary(server)
        route(server, '/overtaken', async (request) => {
          const { keep } = request.body as { keep: string[] | true }
          if (keep === true) Object.assign(request.session, { own: 1 })
          await request.login({ id: 'bob' }, { keep })
          await store.delete(request.session.sessionId)
        })
      },
    })
    for (const [keep, data] of [
      [['cart'], {}],
      [true, { own: 1 }],
    ] as const) {
      const both = visitor()
      await both.post('/note', { cart: 1 })
      const old = both.cookie ?? ''
      t.equal((await both.post('/overtaken', { keep })).statusCode, 200)
      t.not(both.cookie?.slice(0, 22), old.slice(0, 22))
      const me = (await both.get('/me')).json<Me>()
      t.match(me, { user: { id: 'bob' } })
      t.strictSame(me.data, data, JSON.stringify(keep))
    }
    if (wrap === undefined) t.equal((await app.sessions.list('bob')).length, 2)
  }
})

t.test('a login whose new record cannot be put down is a 503', async (t) => {
  const { visitor, store } = await world(t, { routes: ordinary })
  store.create = async () => false
  const response = await visitor().post('/login')
  t.match(response.json(), { statusCode: 503, code: 'SESSION_SUPERSEDED' })
  t.equal(response.headers['set-cookie'], undefined)
  t.same(await store.listIndex('ann'), [])
})

t.test('a failed response whose clean-up fails is the same failure', async (t) => {
  const { visitor, store } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/fail', async (request) => {
        await request.login({ id: 'bob' })
        store.removeFromIndex = () => Promise.reject(new Error('down'))
        throw new Error('the app’s own')
      })
    },
  })
  const response = await visitor().post('/fail')
  t.match(response.json(), { statusCode: 500, message: 'the app’s own' })
  t.equal(response.headers['set-cookie'], undefined)
})

t.test('a refused write leaves the session as it was, also when the app answers it as it likes', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      server.setErrorHandler((_error, _request, reply) => reply.code(200).send({ isRefused: true }))
      ordinary(server)
      route(server, '/fail', async (request) => {
        await request.session.regenerate(['cart'])
        Object.assign(request.session, { size: 'x'.repeat(1_000_000) })
      })
    },
  })
  const ann = visitor()
  await ann.post('/login')
  await ann.post('/note', { cart: 1 })
  const id = ann.cookie
  const refused = await ann.post('/fail')
  t.same(refused.json(), { isRefused: true })
  t.equal(refused.headers['set-cookie'], undefined)
  t.equal(ann.cookie, id)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' }, data: { cart: 1 } })
})

t.test('save makes a login stand, whatever the response becomes', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/save', async (request) => {
        await request.login({ id: 'ann' })
        await request.session.save()
        throw new Error('later')
      })
    },
  })
  const ann = visitor()
  await ann.post('/note', { cart: 1 })
  const failed = await ann.post('/save')
  t.equal(failed.statusCode, 500)
  t.match(
    (await ann.get('/me')).json(),
    { user: { id: 'ann' }, data: { cart: 1 } },
    'the cookie went out with the error',
  )
})

t.test('a user that was read before a login is another one after it, in the same request', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/switch', async (request) => {
        const before = request.user
        await request.login({ id: 'bob' })
        const staged = request.user
        await request.logout()
        return { before, staged, after: request.user }
      })
    },
  })
  const ann = visitor()
  t.same((await ann.post('/switch')).json(), { before: null, staged: { id: 'bob' }, after: null })
  await ann.post('/login')
  t.same((await ann.post('/switch')).json(), { before: { id: 'ann' }, staged: { id: 'bob' }, after: null })
})

t.test('regenerate reads the record and writes it, and asks for nothing more', async (t) => {
  const { visitor, asked } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/regenerate', (request) => request.session.regenerate())
    },
  })
  const ann = visitor()
  await ann.post('/login')
  asked()
  t.equal((await ann.post('/regenerate')).statusCode, 200)
  t.strictSame(asked(), ['get', 'update'])
})
