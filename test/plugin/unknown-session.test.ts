import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { SessionStore } from '../../types/index.ts'
import { coreOnly } from './stores.ts'
import { ordinary, world } from './world.ts'

/** Adds an error page that greets the user, writes a flash message and redirects. */
function greeting(app: FastifyInstance): void {
  app.setErrorHandler((_error, request, reply) => {
    Object.assign(request.session, { flash: 'sorry' })
    return reply.redirect(`/sorry?${request.user?.id}`)
  })
}

t.test('after a store failure the error page finds the failure again, and the cookie stays', async (t) => {
  let isDown = false
  const it = await world(t, {
    store: (store) => ({
      ...coreOnly(store),
      get: async (handle): ReturnType<SessionStore['get']> => {
        if (isDown) throw new Error('down')
        return store.get(handle)
      },
    }),
    routes: (app) => {
      greeting(app)
      ordinary(app)
    },
  })
  const ann = it.visitor()
  await ann.post('/login')
  const { cookie } = ann
  isDown = true
  const response = await ann.get('/me')
  t.equal(response.statusCode, 503)
  t.match(response.json(), { code: 'SESSION_STORE_UNAVAILABLE' })
  t.equal(response.headers['set-cookie'], undefined)
  t.equal(response.headers.location, undefined)
  isDown = false
  t.equal(ann.cookie, cookie)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('after a refused request of another origin the error page begins nothing, and the user stays in', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      greeting(app)
      ordinary(app)
    },
  })
  const ann = it.visitor()
  await ann.post('/login')
  const { cookie } = ann
  const response = await ann.post('/note', {}, { headers: { 'sec-fetch-site': 'same-site' } })
  t.equal(response.statusCode, 403)
  t.equal(response.headers['set-cookie'], undefined)
  t.equal(ann.cookie, cookie)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('a hook that runs before the plugin cannot take anybody for anonymous', async (t) => {
  for (const read of ['user', 'session', 'isAuthenticated'] as const) {
    const it = await world(t, {
      before: (app) => {
        app.addHook('onRequest', async (request) => {
          const member = Reflect.get(request, read) as unknown
          if (typeof member === 'function') Reflect.apply(member, request, [])
        })
      },
      routes: ordinary,
    })
    const response = await it.visitor().get('/me')
    t.equal(response.statusCode, 500, read)
    t.match(response.json(), { code: 'SESSION_NOT_LOADED', message: /[Rr]egister/ })
  }
})
