import { join } from 'node:path'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import staticFiles from '@fastify/static'
import t from 'tap'
import { ROOT } from '../support/imports.ts'
import { ordinary, route, world } from '../plugin/world.ts'

const root = join(ROOT, 'test/neighbours/public')

t.test('files of a context that opted out are served without a look at the store', async (t) => {
  const it = await world(t, {
    routes: async (app) => {
      ordinary(app)
      await app.register(async (assets) => {
        assets.addHook('onRoute', (options) => {
          options.config = { ...options.config, session: false }
        })
        await assets.register(staticFiles, { root, prefix: '/assets/' })
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/login')
  it.asked()
  const file = await visitor.get('/assets/style.css')
  t.match(file, { statusCode: 200, body: /color/ })
  t.strictSame(it.asked(), [])
  t.notOk(file.headers.vary, 'a cache may share it')
  t.notOk(file.headers['set-cookie'])
  t.equal((await visitor.get('/assets/none.css')).statusCode, 404)
  t.strictSame(it.asked(), [])
})

t.test('files of an app that did not opt out cost one read, and stay cacheable', async (t) => {
  const it = await world(t, {
    routes: async (app) => {
      ordinary(app)
      await app.register(staticFiles, { root })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/login')
  it.asked()
  const file = await visitor.get('/style.css')
  t.strictSame(it.asked(), ['get'])
  t.match(file.headers, { 'cache-control': 'public, max-age=0' })
  t.notOk(file.headers.vary)
})

t.test('the headers of @fastify/helmet and those of a login stand side by side', async (t) => {
  const it = await world(t, {
    session: { clearSiteData: true },
    routes: async (app) => {
      await app.register(helmet)
      ordinary(app)
    },
  })
  const visitor = it.visitor()
  t.match((await visitor.post('/login')).headers, {
    'strict-transport-security': /max-age/,
    'content-security-policy': /default-src/,
    'cache-control': 'no-store',
    'set-cookie': /^session=/,
  })
  t.match((await visitor.post('/logout')).headers, {
    'x-content-type-options': 'nosniff',
    'clear-site-data': '"cache", "storage"',
  })
})

t.test('a limit may be counted by user, and what it refuses begins no session', async (t) => {
  const it = await world(t, {
    routes: async (app) => {
      await app.register(rateLimit, {
        max: 2,
        hook: 'preHandler',
        keyGenerator: (request) => request.user?.id ?? request.ip,
      })
      ordinary(app)
      route(app, '/write', (request) => void Object.assign(request.session, { a: 1 }))
    },
  })
  const ann = it.visitor()
  await ann.post('/login', { user: { id: 'ann' } })
  t.equal((await ann.get('/me')).statusCode, 200)
  t.equal((await ann.get('/me')).statusCode, 200)
  t.equal((await ann.get('/me')).statusCode, 429)
  const stranger = it.visitor()
  await stranger.get('/me')
  const refused = await stranger.post('/write')
  t.equal(refused.statusCode, 429)
  t.notOk(refused.headers['set-cookie'])
})
