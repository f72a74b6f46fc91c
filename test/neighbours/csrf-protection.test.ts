import csrfProtection from '@fastify/csrf-protection'
import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { ordinary, route, world } from '../plugin/world.ts'
import type { World } from '../plugin/world.ts'

function guard(app: FastifyInstance): onRequestHookHandler {
  return (request, reply, done) => app.csrfProtection(request, reply, done)
}

const PLUGINS = ['@fastify/session', '@fastify/secure-session'] as const

for (const sessionPlugin of PLUGINS) {
  const csrfWorld = (t: Test): Promise<World> =>
    world(t, {
      routes: async (app) => {
        await app.register(csrfProtection, { sessionPlugin })
        ordinary(app)
        route(app, '/form', (_request, reply) => ({ token: reply.generateCsrf() }))
        app.post('/early', { onRequest: guard(app) }, async () => ({ done: true }))
        app.post('/transfer', { preHandler: guard(app) }, async () => ({ done: true }))
      },
    })

  t.test(`a token lives in the session and is asked for (sessionPlugin: '${sessionPlugin}')`, async (t) => {
    const it = await csrfWorld(t)
    const visitor = it.visitor()
    await visitor.post('/login')
    const { token } = (await visitor.get('/form')).json<{ token: string }>()
    t.match(await visitor.post('/transfer', { _csrf: token }), { statusCode: 200 })
    t.match(await visitor.post('/early', {}, { headers: { 'csrf-token': token } }), { statusCode: 200 })
    t.match(await visitor.post('/transfer', {}), { statusCode: 403 })
    t.match(await visitor.post('/transfer', { _csrf: 'x' }), { statusCode: 403 })
    const stranger = it.visitor()
    t.match(await stranger.post('/transfer', { _csrf: token }), { statusCode: 403 })
    t.equal(stranger.cookie, undefined, 'a refusal begins no session')
  })

  t.test(`a token from before the login is refused after the login (sessionPlugin: '${sessionPlugin}')`, async (t) => {
    const it = await csrfWorld(t)
    const visitor = it.visitor()
    await visitor.post('/note', { cart: ['tea'] })
    const { token } = (await visitor.get('/form')).json<{ token: string }>()
    await visitor.post('/login')
    t.match(await visitor.post('/transfer', { _csrf: token }), { statusCode: 403 })
    t.strictSame((await visitor.get('/me')).json<{ data: object }>().data, { cart: ['tea'] }, 'all else is kept')
    const { token: next } = (await visitor.get('/form')).json<{ token: string }>()
    t.match(await visitor.post('/transfer', { _csrf: next }), { statusCode: 200 })
    await visitor.post('/login')
    t.match(await visitor.post('/transfer', { _csrf: next }), { statusCode: 200 }, 'the same user goes on')
  })

  t.test(`a token survives a login where the app says so (sessionPlugin: '${sessionPlugin}')`, async (t) => {
    const it = await csrfWorld(t)
    const visitor = it.visitor()
    const { token } = (await visitor.get('/form')).json<{ token: string }>()
    await visitor.post('/login', { options: { keep: ['_csrf'] } })
    t.match(await visitor.post('/transfer', { _csrf: token }), { statusCode: 200 })
  })

  t.test(`a token and a login in one request (sessionPlugin: '${sessionPlugin}')`, async (t) => {
    const it = await world(t, {
      routes: async (app) => {
        await app.register(csrfProtection, { sessionPlugin })
        ordinary(app)
        app.post('/enter', async (request, reply) => {
          const early = reply.generateCsrf()
          await request.login({ id: 'ann' })
          return { early, late: reply.generateCsrf() }
        })
        app.post('/transfer', { preHandler: guard(app) }, async () => ({ done: true }))
      },
    })
    const visitor = it.visitor()
    const { early, late } = (await visitor.post('/enter')).json<{ early: string; late: string }>()
    t.match(await visitor.post('/transfer', { _csrf: early }), { statusCode: 403 })
    t.match(await visitor.post('/transfer', { _csrf: late }), { statusCode: 200 })
  })

  t.test(`a logout ends the token (sessionPlugin: '${sessionPlugin}')`, async (t) => {
    const it = await csrfWorld(t)
    const visitor = it.visitor()
    await visitor.post('/login')
    const { token } = (await visitor.get('/form')).json<{ token: string }>()
    await visitor.post('/logout')
    t.match(await visitor.post('/transfer', { _csrf: token }), { statusCode: 403 })
  })
}

t.test('a page from another origin is refused before the token is looked at', async (t) => {
  const it = await world(t, {
    routes: async (app) => {
      await app.register(csrfProtection, { sessionPlugin: '@fastify/session' })
      ordinary(app)
      route(app, '/form', (_request, reply) => ({ token: reply.generateCsrf() }))
      app.post('/transfer', { preHandler: guard(app) }, async () => ({ done: true }))
    },
  })
  const visitor = it.visitor()
  await visitor.post('/login')
  const { token } = (await visitor.get('/form')).json<{ token: string }>()
  const refused = await visitor.post('/transfer', { _csrf: token }, { headers: { 'sec-fetch-site': 'cross-site' } })
  t.match(refused.json(), { code: 'SESSION_CROSS_ORIGIN' })
})
