import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { MemoryStore } from '../../lib/index.ts'
import type { SessionStore } from '../../types/index.ts'
import { settle } from '../support/gate-store.ts'
import { coreOnly } from './stores.ts'
import { ordinary, world } from './world.ts'

t.test('a login that the handler does not wait for is in its reply', async (t) => {
  const it = await world(t, {
    session: { maxSessions: 3 },
    routes: (app) => {
      ordinary(app)
      app.post('/enter', (request, reply) => {
        void request.login({ id: 'ann' })
        void reply.send({})
      })
    },
  })
  const visitor = it.visitor()
  const response = await visitor.post('/enter')
  t.match(response.headers, { 'set-cookie': /^session=/, 'cache-control': 'no-store' })
  t.match((await visitor.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('a login that the handler does not wait for is not in a reply that failed', async (t) => {
  const it = await world(t, {
    session: { maxSessions: 1 },
    routes: (app) => {
      ordinary(app)
      app.post('/enter', (request, reply) => {
        void request.login({ id: 'ann' })
        void reply.code(500).send({})
      })
    },
  })
  const visitor = it.visitor()
  t.equal((await visitor.post('/enter')).headers['set-cookie'], undefined)
  t.equal(it.store.size, 0)
  t.same(await it.store.listIndex('ann'), [], 'its place is given back')
  t.equal((await visitor.post('/login')).statusCode, 200)
  t.equal((await it.app.sessions.list('ann')).length, 1)
})

t.test('a logout or destroy that the handler does not wait for clears the cookie', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.post('/leave', (request, reply) => {
        void request.logout({ everywhere: true })
        void reply.send({})
      })
      app.post('/destroy', (request, reply) => {
        request.session.destroy(() => undefined)
        void reply.send({})
      })
    },
  })
  for (const url of ['/leave', '/destroy']) {
    const visitor = it.visitor()
    await visitor.post('/login')
    await visitor.post(url)
    t.equal(visitor.cookie, undefined, url)
    t.equal(it.store.size, 0)
  }
})

t.test('a save that is under way when the reply is sent succeeds, and its cookie is in the reply', async (t) => {
  let error: unknown = 'never called'
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.post('/save', (request, reply) => {
        Object.assign(request.session, { cart: ['tea'] })
        request.session.save((outcome) => (error = outcome))
        void reply.send({})
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/save')
  t.equal(error, undefined)
  t.match((await visitor.get('/me')).json(), { data: { cart: ['tea'] } })
  t.same(
    it.asked().filter((name) => name !== 'get'),
    ['create'],
  )
})

t.test('a save that waits behind a login succeeds, and its cookie is in the reply', async (t) => {
  let error: unknown = 'never called'
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.post('/save', (request, reply) => {
        void request.login({ id: 'ann' })
        request.session.save((outcome) => (error = outcome))
        void reply.send({})
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/save')
  t.equal(error, undefined)
  t.match((await visitor.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('new credentials that the handler does not wait for are in the reply', async (t) => {
  const passwords = new Map([['ann', 'first']])
  const it = await world(t, {
    session: {
      loadUser: async (id) => ({ id, password: passwords.get(id) }),
      authHash: (user: { id: string }) => passwords.get(user.id),
    },
    routes: (app) => {
      ordinary(app)
      app.post('/password', (request, reply) => {
        passwords.set('ann', 'second')
        void request.updateAuthHash()
        void reply.send({})
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/login')
  const before = visitor.cookie
  await visitor.post('/password')
  t.not(visitor.cookie, before)
  it.clock.advance('2m')
  t.match((await visitor.get('/me')).json(), { user: { id: 'ann' } })
})

/** Returns a store whose operation of that name fails, once told to. */
function failing(name: 'addToIndex' | 'update' | 'delete') {
  let isBroken = false
  return {
    break: () => (isBroken = true),
    around: (store: MemoryStore): SessionStore =>
      new Proxy(store, {
        get(_target, key) {
          if (key === name && isBroken) return () => Promise.reject(new Error('away'))
          const member = Reflect.get(store, key) as unknown
          return typeof member === 'function' ? member.bind(store) : member
        },
      }),
  }
}

for (const [what, name, act] of [
  ['login', 'addToIndex', (request: FastifyRequest) => void request.login({ id: 'ann' })],
  ['logout', 'delete', (request: FastifyRequest) => void request.logout()],
  [
    'save',
    'update',
    (request: FastifyRequest) => {
      Object.assign(request.session, { cart: ['tea'] })
      void request.session.save()
    },
  ],
] as const) {
  for (const wait of ['at once', 'later'] as const) {
    t.test(
      `a ${what} that fails and that nobody waits for is no success, answered ${wait}, and no crash`,
      async (t) => {
        const unhandled: unknown[] = []
        const note = (error: unknown): void => void unhandled.push(error)
        process.on('unhandledRejection', note)
        t.teardown(() => process.off('unhandledRejection', note))
        const store = failing(name)
        const it = await world(t, {
          store: store.around,
          session: { maxSessions: 3 },
          routes: (app) => {
            ordinary(app)
            app.post('/act', async (request) => {
              act(request)
              if (wait === 'later') await settled()
              return { done: true }
            })
          },
        })
        const visitor = it.visitor()
        await visitor.post('/login')
        store.break()
        const response = await visitor.post('/act')
        t.equal(response.statusCode, 503)
        t.notMatch(response.body, /done|away/)
        await settled()
        t.same(unhandled, [])
      },
    )
  }
}

t.test('a failure that the handler looks at is the handler’s', async (t) => {
  const store = failing('addToIndex')
  const it = await world(t, {
    store: store.around,
    session: { maxSessions: 3 },
    routes: (app) => {
      ordinary(app)
      app.post('/caught', (request, reply) => {
        request.login({ id: 'ann' }).catch(() => reply.send({ sorry: true }))
      })
      app.post('/awaited', async (request) => {
        const login = request.login({ id: 'ann' })
        await settled()
        try {
          await login
        } catch {
          return { sorry: true }
        }
        return {}
      })
    },
  })
  store.break()
  for (const url of ['/caught', '/awaited']) {
    const response = await it.visitor().post(url)
    t.equal(response.statusCode, 200, url)
    t.same(response.json(), { sorry: true })
  }
})

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

t.test('a call of app.sessions that fails and that nobody awaits is logged, and ends no process', async (t) => {
  const calls = ['list', 'revoke', 'revokeUser', 'updateUser', 'get', 'update', 'rename', 'revokeAll', 'open']
  const it = await world(t, {
    routes: (app) => {
      const sessions = app.sessions as unknown as Record<string, (...rest: unknown[]) => Promise<unknown>>
      app.get('/forgotten', async () => {
        for (const call of calls) void sessions[call]?.(7, 7)
        return {}
      })
      app.get('/awaited', async () => sessions['get']?.(7))
    },
  })
  const logged = (): number => it.log().split('nobody observed').length - 1
  t.equal((await it.visitor().get('/forgotten')).statusCode, 200)
  await settle()
  t.equal(logged(), calls.length)
  t.match((await it.visitor().get('/awaited')).json(), { code: 'SESSION_OPTION_INVALID' })
  await settle()
  t.equal(logged(), calls.length, 'a failure that the app observes is the app’s')
})

t.test('requireLogin called by hand and not awaited fails the request of nobody', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      const requireLogin = app.requireLogin()
      app.get('/by-hand', async (request) => {
        void requireLogin(request)
        return { secret: true }
      })
      app.get('/caught', async (request) => {
        try {
          await requireLogin(request)
        } catch (error) {
          return { code: (error as { code: string }).code }
        }
        return { secret: true }
      })
      app.get('/opted-out', { config: { session: false } }, async (request) => {
        void requireLogin(request)
        return {}
      })
    },
  })
  const nobody = it.visitor()
  const refused = await nobody.get('/by-hand')
  t.equal(refused.statusCode, 401)
  t.match(refused.json(), { code: 'SESSION_LOGIN_REQUIRED' })
  t.strictSame((await nobody.get('/caught')).json(), { code: 'SESSION_LOGIN_REQUIRED' })
  t.strictSame((await nobody.get('/opted-out')).json(), {}, 'a route without a session ends no process')
  await settle()
  t.equal(it.log().split('nobody observed').length, 2, 'and the log tells of it')
  const ann = it.visitor()
  await ann.post('/login')
  t.strictSame((await ann.get('/by-hand')).json(), { secret: true })
})

t.test('a refusal behind work of the session that is under way ends no process', async (t) => {
  const unhandled: unknown[] = []
  const hear = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', hear)
  t.teardown(() => process.off('unhandledRejection', hear))
  const it = await world(t, {
    store: (store) => ({
      ...coreOnly(store),
      create: async (record) => {
        await settle()
        return store.create(record)
      },
    }),
    routes: (app) => {
      ordinary(app)
      const requireLogin = app.requireLogin()
      app.get('/save-first', async (request) => {
        Object.assign(request.session, { cart: 1 })
        void request.session.save()
        void requireLogin(request)
        return { secret: true }
      })
      app.get('/callback-first', async ({ session }) => {
        Object.assign(session, { cart: 1 })
        session.touch()
        session.save(() => {
          throw new Error('the callback failed')
        })
        void session.save()
        return {}
      })
    },
  })
  t.equal((await it.visitor().get('/save-first')).statusCode, 401)
  t.equal((await it.visitor().get('/callback-first')).statusCode, 500)
  await settle()
  t.strictSame(unhandled, [])
})
