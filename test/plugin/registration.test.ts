import { mkdtempSync, rmSync } from 'node:fs'
import { request as open } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fastifySession from '@fastify/session'
import Fastify from 'fastify'
import t from 'tap'
import defaultExport, { memoryStore, secureSession } from '../../lib/index.ts'
import { cookiePlugin, ordinary, OTHER_SECRET, route, SECRET, Visitor, world } from './world.ts'

const OPTIONS = { environment: 'test', secret: SECRET } as const

t.test('default and named export are one', async (t) => {
  t.equal(defaultExport, secureSession)
})

t.test('every decorator can have another name', async (t) => {
  const decorators = {
    login: 'signIn',
    logout: 'signOut',
    user: 'account',
    requireUser: 'demandAccount',
    isAuthenticated: 'isSignedIn',
    authenticatedAt: 'signedInAt',
    confirmLogin: 'confirm',
    updateAuthHash: 'updateHash',
    requireLogin: 'requireSignIn',
    sessions: 'visits',
  }
  const { app, visitor } = await world(t, {
    session: { decorators },
    routes: (server) => {
      const renamed = server as unknown as { requireSignIn(): never; visits: { list(id: string): Promise<unknown[]> } }
      server.get('/members', { preHandler: renamed.requireSignIn() }, async () => ({
        visits: (await renamed.visits.list('ann')).length,
      }))
      route(server, '/all', async (request) => {
        const one = request as unknown as Record<string, (...rest: unknown[]) => Promise<unknown>> & {
          account: unknown
          signedInAt: unknown
        }
        await one['signIn']?.({ id: 'ann' })
        await one['confirm']?.()
        await one['updateHash']?.('hash')
        return {
          account: one.account,
          demanded: one['demandAccount']?.(),
          is: one['isSignedIn']?.(),
          at: one.signedInAt,
        }
      })
      route(server, '/out', (request) => (request as unknown as { signOut(): Promise<void> }).signOut())
    },
  })
  for (const name of Object.keys(decorators)) t.notOk(app.hasRequestDecorator(name) || app.hasDecorator(name), name)
  const ann = visitor()
  t.match((await ann.post('/all')).json(), { account: { id: 'ann' }, demanded: { id: 'ann' }, is: true, at: String })
  t.same((await ann.get('/members')).json(), { visits: 1 })
  await ann.post('/out')
  t.equal((await ann.get('/members')).statusCode, 401)
})

t.test(
  'a route with session: false reads no cookie, asks no store, and says so to whoever asks for the session',
  async (t) => {
    const { visitor, asked } = await world(t, {
      routes: (server) => {
        ordinary(server)
        server.get('/static', { config: { session: false } }, async () => ({ ok: true }))
        server.get('/confused', { config: { session: false } }, async (request) => request.session.data())
      },
    })
    const ann = visitor()
    await ann.post('/login')
    asked()
    const response = await ann.get('/static')
    t.equal(response.statusCode, 200)
    t.same(asked(), [])
    t.equal(response.headers['vary'], undefined)
    t.match((await ann.get('/confused')).json(), { statusCode: 500, code: 'SESSION_ROUTE_OPTED_OUT' })
  },
)

t.test(
  'an error handler that answers for a route with session: false has no session either, and replaces no cookie',
  async (t) => {
    const { visitor } = await world(t, {
      routes: (server) => {
        ordinary(server)
        server.get('/static', { config: { session: false } }, (_request, reply) => reply.callNotFound())
        server.setNotFoundHandler(async (request) => {
          Object.assign(request.session, { seen: true })
          return { user: request.user }
        })
      },
    })
    const ann = visitor()
    await ann.post('/login')
    const before = ann.cookie
    const { statusCode, headers } = await ann.get('/static')
    t.equal(statusCode, 500)
    t.equal(headers['set-cookie'], undefined)
    t.equal(ann.cookie, before)
    t.match((await ann.get('/nowhere')).json(), { user: { id: 'ann' } })
  },
)

t.test('two registrations of one store and one secret do not take each other’s cookies', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const store = memoryStore()
  for (const area of ['customer', 'admin']) {
    await app.register(async (child) => {
      await child.register(secureSession, { ...OPTIONS, store, cookie: { name: area } })
      child.post(`/${area}/login`, async (request) => request.login({ id: 'ann' }))
      child.get(`/${area}/me`, async (request) => ({ user: request.user }))
    })
  }
  const login = await app.inject({ method: 'POST', url: '/customer/login' })
  const value = login.cookies[0]?.value ?? ''
  const me = async (area: string): Promise<unknown> =>
    (await app.inject({ url: `/${area}/me`, cookies: { [area]: value } })).json()
  t.match(await me('customer'), { user: { id: 'ann' } })
  t.same(await me('admin'), { user: null })
})

t.test('a login over a unix socket, where nobody has an address, is a login', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'session-guard-socket-'))
  const { app, visitor } = await world(t, { routes: ordinary })
  await app.listen({ path: join(folder, 'app.sock') })
  t.teardown(() => rmSync(folder, { recursive: true }))
  const cookie = await new Promise<string>((resolve, reject) => {
    const request = open({ socketPath: join(folder, 'app.sock'), path: '/login', method: 'POST' }, (response) => {
      response.resume()
      resolve(String(response.headers['set-cookie']).split(';')[0] ?? '')
    })
    request.on('error', reject).end()
  })
  t.match(await app.sessions.list('ann'), [{ device: { ip: '' } }])
  t.match((await visitor().get('/me', { headers: { cookie } })).json(), { user: { id: 'ann' } })
})

t.test('sessions reach into encapsulated contexts, and routes under a prefix', async (t) => {
  const { visitor } = await world(t, {
    routes: async (server) => {
      ordinary(server)
      await server.register(
        async (child) => {
          child.addHook('preHandler', child.requireLogin())
          child.get('/home', async (request) => ({ user: request.user }))
        },
        { prefix: '/members' },
      )
    },
  })
  const ann = visitor()
  t.equal((await ann.get('/members/home')).statusCode, 401)
  await ann.post('/login')
  t.match((await ann.get('/members/home')).json(), { user: { id: 'ann' } })
})

t.test('registered in a context of its own, it stays there', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (child) => {
    await child.register(secureSession, OPTIONS)
    ordinary(child)
  })
  app.get('/outside', async (request) => ({ has: 'user' in request }))
  await app.ready()
  const ann = new Visitor(app)
  await ann.post('/login')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  const outside = await ann.get('/outside')
  t.same(outside.json(), { has: false })
  t.equal(outside.headers['vary'], undefined)
})

t.test('two contexts may have sessions of their own, under two cookies', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cookiePlugin)
  for (const [name, secret] of [
    ['shop', SECRET],
    ['staff', OTHER_SECRET],
  ] as const) {
    await app.register(
      async (child) => {
        await child.register(secureSession, { ...OPTIONS, secret, cookie: { name } })
        ordinary(child)
      },
      { prefix: `/${name}` },
    )
  }
  await app.ready()
  const both = new Visitor(app)
  await both.post('/shop/login', { user: { id: 'customer' } })
  await both.post('/staff/login', { user: { id: 'clerk' } })
  t.match((await both.get('/shop/me')).json(), { user: { id: 'customer' } })
  t.match((await both.get('/staff/me')).json(), { user: { id: 'clerk' } })
})

t.test('the handlers for errors and for what is not found know the session', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      server.setNotFoundHandler(async (request, reply) => reply.code(404).send({ lost: request.user }))
      server.setErrorHandler(async (error, request, reply) =>
        reply.code(500).send({ failed: request.user, code: (error as { code?: string }).code }),
      )
      server.get('/boom', async () => {
        throw new Error('boom')
      })
    },
  })
  const ann = visitor()
  t.same((await ann.get('/nowhere')).json(), { lost: null })
  await ann.post('/login')
  t.match((await ann.get('/nowhere')).json(), { lost: { id: 'ann' } })
  t.match((await ann.get('/boom')).json(), { failed: { id: 'ann' } })
})

t.test('a login in an error handler that answers 2xx is a login', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      server.setErrorHandler(async (_error, request, reply) => {
        await request.login({ id: 'ann' })
        return reply.code(200).send({})
      })
      server.get('/boom', async () => {
        throw new Error('boom')
      })
    },
  })
  const ann = visitor()
  await ann.get('/boom')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('a status that a web Response brings decides, as any other does', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      server.get('/response/:status', async (request) => {
        await request.login({ id: 'ann' })
        return new Response('{}', { status: Number((request.params as { status: string }).status) })
      })
    },
  })
  const [ann, bob] = [visitor(), visitor()]
  await ann.get('/response/201')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  await bob.get('/response/502')
  t.equal(bob.cookie, undefined)
})

t.test('@fastify/cookie is registered unless the app has done so', async (t) => {
  const { app } = await world(t)
  t.ok(app.hasReplyDecorator('setCookie'))
  const { visitor } = await world(t, {
    before: (server) => server.register(cookiePlugin, { hook: 'preHandler' }),
    routes: ordinary,
  })
  const ann = visitor()
  await ann.post('/login')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('the app cannot start with @fastify/cookie registered afterwards, or with sessions twice', async (t) => {
  const after = Fastify()
  after.register(secureSession, OPTIONS)
  after.register(cookiePlugin)
  await t.rejects(async () => after.ready(), { code: 'FST_ERR_DEC_ALREADY_PRESENT' })

  const twice = Fastify()
  twice.register(secureSession, OPTIONS)
  twice.register(secureSession, { ...OPTIONS, cookie: { name: 'other' } })
  await t.rejects(async () => twice.ready())

  const beside = Fastify()
  beside.register(cookiePlugin)
  beside.register(fastifySession, { secret: SECRET })
  beside.register(secureSession, OPTIONS)
  await t.rejects(async () => beside.ready())
})

t.test('without a store option sessions are kept in memory, by the app’s clock', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  let now = Date.UTC(2026, 0, 1)
  await app.register(secureSession, { ...OPTIONS, clock: () => now })
  ordinary(app)
  const ann = new Visitor(app)
  await ann.post('/login')
  now += 29 * 60_000
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  now += 31 * 60_000
  t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false })
})

t.test('a streamed response carries the cookie', async (t) => {
  const { Readable } = await import('node:stream')
  const { visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/stream', async (request, reply) => {
        await request.login({ id: 'ann' })
        return reply.send(Readable.from(['a', 'b']))
      })
    },
  })
  const ann = visitor()
  t.equal((await ann.get('/stream')).body, 'ab')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('options are judged and used alike, through getters, prototypes and proxies', async (t) => {
  class Config {
    readonly environment = 'test'
    #reads = 0
    get idleTimeout(): unknown {
      this.#reads += 1
      return this.#reads === 1 ? 5 : '5m'
    }
  }
  await t.rejects(async () => await Fastify().register(secureSession, new Config() as object), {
    code: 'SESSION_GUARD_REFUSED',
  })
  class Named {
    readonly environment = 'test'
    get cookie(): object {
      return { name: 'inherited' }
    }
  }
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(secureSession, new Named())
  app.get('/', async (request) => request.login({ id: 'u1' }))
  const { cookies } = await app.inject('/')
  t.match(cookies, [{ name: 'inherited' }])
})
