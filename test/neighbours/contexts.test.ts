import Fastify from 'fastify'
import t from 'tap'
import { secureSession } from '../../lib/index.ts'
import { ordinary, route, SECRET, world } from '../plugin/world.ts'

t.test('child contexts, with a prefix or without, share the session of the app', async (t) => {
  const it = await world(t, {
    routes: async (app) => {
      ordinary(app)
      await app.register(async (child) => ordinary(child), { prefix: '/api' })
      await app.register(
        async (child) => {
          await child.register(async (grandchild) => ordinary(grandchild), { prefix: '/deep' })
        },
        { prefix: '/very' },
      )
    },
  })
  const visitor = it.visitor()
  await visitor.post('/api/login')
  await visitor.post('/very/deep/note', { a: 1 })
  t.match((await visitor.get('/me')).json(), { user: { id: 'ann' }, data: { a: 1 } })
  await visitor.post('/very/deep/logout')
  t.match((await visitor.get('/api/me')).json(), { user: null })
})

t.test('registered inside a child context, sessions are there and nowhere else', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(
    async (child) => {
      await child.register(secureSession, { environment: 'test', secret: SECRET })
      ordinary(child)
    },
    { prefix: '/app' },
  )
  app.get('/outside', async (request) => ({ has: 'session' in request }))
  t.strictSame((await app.inject('/outside')).json(), { has: false })
  const login = await app.inject({ method: 'POST', url: '/app/login' })
  const cookie = String(login.headers['set-cookie']).split(';', 1).join()
  t.match((await app.inject({ url: '/app/me', headers: { cookie } })).json(), { user: { id: 'ann' } })
})

t.test('two contexts may have sessions of their own, each under its cookie', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  for (const area of ['shop', 'staff']) {
    await app.register(
      async (child) => {
        await child.register(secureSession, { environment: 'test', secret: SECRET, cookie: { name: area } })
        ordinary(child)
      },
      { prefix: `/${area}` },
    )
  }
  const login = await app.inject({ method: 'POST', url: '/shop/login' })
  const cookie = String(login.headers['set-cookie']).split(';', 1).join()
  t.match((await app.inject({ url: '/shop/me', headers: { cookie } })).json(), { user: { id: 'ann' } })
  t.match((await app.inject({ url: '/staff/me', headers: { cookie } })).json(), { user: null })
})

t.test('a page that is not found may say who is asking, and changes nothing unasked', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.setNotFoundHandler(async (request, reply) => {
        Object.assign(request.session, { lost: request.url })
        return reply.code(404).send({ user: request.user?.id ?? null })
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/login')
  t.match(await visitor.get('/nowhere'), { statusCode: 404, body: '{"user":"ann"}' })
  t.match((await visitor.get('/me')).json(), { data: { lost: '/nowhere' } })
})

t.test('the default page that is not found leaves a stranger without a cookie', async (t) => {
  const it = await world(t, { routes: ordinary })
  const answer = await it.app.inject('/nowhere')
  t.equal(answer.statusCode, 404)
  t.notOk(answer.headers['set-cookie'])
  t.notOk(answer.headers.vary)
  t.strictSame(it.asked(), [])
})

t.test('an error handler may read the session, and an error that it makes a 4xx keeps what was written', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.setErrorHandler(async (_error, request, reply) => {
        Object.assign(request.session, { failed: true })
        return reply.code(400).send({ user: request.user?.id ?? null })
      })
      route(app, '/fail', () => {
        throw new Error('no')
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/login')
  t.match(await visitor.get('/fail'), { statusCode: 400, body: '{"user":"ann"}' })
  t.match((await visitor.get('/me')).json(), { data: { failed: true } })
})

t.test('an error handler that throws is a 500, and a login before it did not happen', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.setErrorHandler(async () => {
        throw new Error('the error page is broken too')
      })
      route(app, '/fail', async (request) => {
        await request.login({ id: 'bob' })
        throw new Error('after the login')
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/note', { cart: ['tea'] })
  const before = visitor.cookie
  const answer = await visitor.post('/fail')
  t.equal(answer.statusCode, 500)
  t.notOk(answer.headers['set-cookie'])
  t.equal(visitor.cookie, before)
  t.match((await visitor.get('/me')).json(), { user: null, data: { cart: ['tea'] } })
  t.strictSame(await it.app.sessions.list('bob'), [])
})

t.test('a child context with an error handler of its own answers for the store too, without its text', async (t) => {
  const it = await world(t, {
    store: (store) => Object.assign(store, { get: async () => Promise.reject(new Error('password=hunter2')) }),
    routes: async (app) => {
      await app.register(
        async (child) => {
          child.setErrorHandler(async (error: Error & { code?: string }, _request, reply) =>
            reply.code(503).send({ code: error.code, message: error.message }),
          )
          ordinary(child)
        },
        { prefix: '/api' },
      )
    },
  })
  const visitor = it.visitor()
  await visitor.post('/api/login')
  const answer = await visitor.get('/api/me')
  t.match(answer, { statusCode: 503 })
  t.match(answer.json(), { code: 'SESSION_STORE_UNAVAILABLE' })
  t.notMatch(answer.body, /hunter2/)
})
