import cookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import type { FastifySessionOptions } from '@fastify/session'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyRequest, Session } from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { expressStore } from '../../lib/stores/express.ts'
import { secureSession } from '../../lib/index.ts'
import { ordinary, recordingStore, route, SECRET, Visitor, world } from '../plugin/world.ts'

type Bag = Record<string, unknown>

/** Adds an app as its users write it for @fastify/session, with nothing of this plugin in it. */
function addTheirApp(app: FastifyInstance): void {
  const bag = (request: FastifyRequest): Bag => request.session as unknown as Bag
  const byCallback = (call: (done: (error?: unknown) => void) => void): Promise<unknown> =>
    new Promise((resolve) => call((error) => resolve(error ?? null)))
  route(app, '/see', (request) => ({ a: bag(request)['a'] ?? null, b: bag(request)['b'] ?? null }))
  route(app, '/property', (request) => void (bag(request)['a'] = { deep: [1] }))
  route(app, '/deeper', (request) => void (bag(request)['a'] as { deep: number[] }).deep.push(2))
  route(app, '/set', (request) => {
    request.session.set('b' as never, 'x' as never)
    return { b: request.session.get('b' as never), none: request.session.get('none' as never) ?? null }
  })
  route(app, '/delete', (request) => void delete bag(request)['b'])
  route(app, '/modified', async (request) => {
    const before = request.session.isModified()
    bag(request)['b'] = 'y'
    const after = request.session.isModified()
    await request.session.save()
    return { before, after, saved: request.session.isModified(), isSaved: request.session.isSaved() }
  })
  route(app, '/save', async (request) => {
    bag(request)['b'] = 'saved'
    const error = await byCallback((done) => request.session.save(done))
    bag(request)['b'] = 'not saved'
    const reloadError = await byCallback((done) => request.session.reload(done))
    return { error, reloadError, b: bag(request)['b'] }
  })
  route(app, '/regenerate', async (request) => {
    await request.session.regenerate(['b'])
    return { a: bag(request)['a'] ?? null, b: bag(request)['b'] }
  })
  route(app, '/touch', (request) => request.session.touch())
  route(app, '/destroy', async (request) => {
    const error = await byCallback((done) => request.session.destroy(done))
    return { error, session: request.session }
  })
  route(app, '/keys', (request) => ({ keys: Object.keys(request.session).filter((key) => key.length === 1) }))
  route(app, '/shape', ({ session }) => [typeof session.sessionId, typeof session.cookie, session.cookie.expires])
}

/** Returns everything that one visitor sees on their way through the app. */
async function journey(app: FastifyInstance): Promise<unknown[]> {
  const visitor = new Visitor(app)
  const seen: unknown[] = []
  const go = async (...urls: string[]): Promise<void> => {
    for (const url of urls) {
      const response = await visitor.post(url)
      seen.push([url, response.statusCode, response.json()])
    }
  }
  await go('/see')
  seen.push(['a cookie', visitor.cookie !== undefined])
  await go('/property', '/see', '/deeper', '/see', '/set', '/keys', '/modified', '/save', '/see', '/touch', '/shape')
  const old = visitor.cookie
  await go('/regenerate', '/see')
  seen.push(['a new cookie', visitor.cookie !== old])
  const copied = new Visitor(app)
  copied.cookies.set('session', old ?? '')
  seen.push(['the old one', (await copied.get('/see')).json()])
  await go('/delete', '/see')
  const last = visitor.cookie
  await go('/destroy')
  visitor.cookies.set('session', last ?? '')
  await go('/see')
  return seen
}

/**
 * Returns a store that keeps copies. Their own store in memory keeps the object itself, with changes after the save.
 */
function copyingStore(): NonNullable<FastifySessionOptions['store']> {
  const held = new Map<string, string>()
  return {
    set(id, session, done) {
      held.set(id, JSON.stringify(session))
      done()
    },
    get: (id, done) => done(null, JSON.parse(held.get(id) ?? 'null') as Session | null),
    destroy(id, done) {
      held.delete(id)
      done()
    },
  }
}

async function appWith(t: Test, register: (app: FastifyInstance) => Promise<void>): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await register(app)
  addTheirApp(app)
  return app
}

t.test('an app written for @fastify/session sees the same here, step by step', async (t) => {
  const theirs = await appWith(t, async (app) => {
    await app.register(cookie)
    await app.register(fastifySession, {
      secret: SECRET,
      cookieName: 'session',
      cookie: { secure: false },
      store: copyingStore(),
      saveUninitialized: false,
      rolling: false,
    })
  })
  const ours = await appWith(t, async (app) => {
    await app.register(cookie)
    await app.register(secureSession, { environment: 'test', secret: SECRET })
  })
  const expected = await journey(theirs)
  t.ok(expected.length > 20)
  t.strictSame(await journey(ours), expected)
})

t.test('a store of @fastify/session goes on as the store here', async (t) => {
  const store = new fastifySession.MemoryStore() as unknown as Parameters<typeof expressStore>[0]
  const app = await appWith(t, async (it) => {
    await it.register(secureSession, { environment: 'test', secret: SECRET, store: expressStore(store) })
  })
  const visitor = new Visitor(app)
  await visitor.post('/property')
  t.strictSame((await visitor.get('/see')).json(), { a: { deep: [1] }, b: null })
})

t.test('a new id has the old handle', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      route(app, '/regenerate', (request) => request.session.regenerate(['a']))
    },
  })
  const visitor = it.visitor()
  await visitor.post('/note', { a: 1 })
  const handles = [(await visitor.get('/me')).json<{ handle: string }>().handle]
  await visitor.post('/regenerate')
  handles.push((await visitor.get('/me')).json<{ handle: string }>().handle)
  t.equal(handles[0], handles[1])
})

t.test('a regenerate that the store refuses is a 503 and leaves the session as it was', async (t) => {
  let isBroken = false
  const it = await world(t, {
    store: (store) => {
      const update = store.update.bind(store)
      return Object.assign(recordingStore(store, []), {
        update: async (...rest: Parameters<typeof update>) => {
          if (isBroken) throw new Error('no can do')
          return update(...rest)
        },
      })
    },
    routes: (app) => {
      ordinary(app)
      route(app, '/regenerate', (request) => request.session.regenerate())
    },
  })
  const visitor = it.visitor()
  await visitor.post('/note', { a: 1 })
  isBroken = true
  const refused = await visitor.post('/regenerate')
  t.match(refused, { statusCode: 503, headers: { 'retry-after': '1' } })
  t.notMatch(refused.body, /no can do/)
  isBroken = false
  t.match((await visitor.get('/me')).json(), { data: { a: 1 } })
})

t.test('a request outside the path of the cookie has a session, since a proxy may have changed the path', async (t) => {
  const it = await world(t, { session: { cookie: { path: '/app' } }, routes: ordinary })
  const visitor = it.visitor()
  const note = await visitor.post('/note', { a: 1 })
  t.match(note.headers['set-cookie'], /; Path=\/app;/)
  t.match((await visitor.get('/me')).json(), { data: { a: 1 } })
})

t.test('a cookie of another library is ignored and not cleared', async (t) => {
  const it = await world(t, { routes: ordinary })
  const visitor = it.visitor()
  visitor.cookies.set('session', 's%3AQk_XT2K7-clT-x1tVvoY6tIQ83iP72KN.B7fUDYXU9fXF9pNuL3qm4NVmSduLJ6kzCOPh5JhHGoE')
  const answer = await visitor.get('/me')
  t.match(answer, { statusCode: 200, body: /"user":null/ })
  t.notOk(answer.headers['set-cookie'])
  t.notOk(it.asked().includes('get'))
})
