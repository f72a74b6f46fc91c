import Fastify from 'fastify'
import type { FastifyReply } from 'fastify'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { secureSession } from '../../lib/index.ts'
import { settle } from '../support/gate-store.ts'
import { ordinary, SECRET, world } from './world.ts'

t.test('a later hook that makes the response a failure takes the login and its cookie back', async (t) => {
  let isFailing = true
  const it = await world(t, {
    routes: (app) => {
      app.addHook('onSend', async (_request, reply) => {
        if (isFailing) reply.code(500)
      })
      ordinary(app)
    },
  })
  const ann = it.visitor()
  const failed = await ann.post('/login')
  t.equal(failed.statusCode, 500)
  t.equal(failed.headers['set-cookie'], undefined)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(it.store.size, 0)
  t.same(await it.store.listIndex('ann'), [])
  isFailing = false
  await ann.post('/login')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test(
  'a hook before the plugin that makes the response a failure leaves no data, and a later one leaves data',
  async (t) => {
    for (const isBefore of [true, false]) {
      const app = Fastify()
      t.teardown(() => app.close())
      const fail = (): void => {
        app.addHook('onSend', async (request, reply) => {
          if (request.url === '/fail') reply.code(500)
        })
      }
      if (isBefore) fail()
      await app.register(secureSession, { environment: 'test', secret: SECRET })
      if (!isBefore) fail()
      app.post('/login', async (request) => request.login({ id: 'ann' }))
      app.post('/fail', async ({ session }) => Object.assign(session, { note: 1 }))
      app.get('/data', async ({ session }) => session.data())
      const login = await app.inject({ method: 'POST', url: '/login' })
      const headers = { cookie: String(login.headers['set-cookie']).split(';', 1).join() }
      t.equal((await app.inject({ method: 'POST', url: '/fail', headers })).statusCode, 500)
      t.same((await app.inject({ url: '/data', headers })).json(), isBefore ? {} : { note: 1 })
    }
  },
)

t.test('data that is set after the response, and not saved, is told as a dropped write', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.addHook('onResponse', async (request) => {
        if (request.url === '/late') Object.assign(request.session, { late: 1, later: 2 })
      })
      app.get('/late', async () => ({}))
      app.get('/saved', async (request, reply) => {
        void reply.send({})
        Object.assign(request.session, { saved: true })
        await request.session.save()
        return reply
      })
    },
  })
  const ann = it.visitor()
  await ann.post('/login')
  it.events.length = 0
  await ann.get('/late')
  await settle()
  t.match(
    it.events.filter(({ type }) => type === 'dropped-write'),
    [{ reason: 'late' }],
  )
  it.events.length = 0
  await ann.get('/saved')
  await settle()
  t.strictSame(it.events, [])
  t.match((await ann.get('/me')).json(), { data: { saved: true } })
})

t.test('data cannot be set after the response where no session could keep it', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      app.addHook('onResponse', async (request) => {
        t.throws(() => Object.assign(request.session, { late: 1 }), { code: 'SESSION_RESPONSE_STARTED' })
      })
      app.get('/late', async () => ({}))
    },
  })
  await it.visitor().get('/late')
})

t.test(
  'a call that nobody awaits and that fails is the failure of its request, and no end of the process',
  async (t) => {
    const it = await world(t, {
      routes: (app) => {
        app.post('/confirm', (request, reply) => {
          void request.confirmLogin()
          void reply.send({})
        })
        app.post('/callback', (request, reply) => {
          Object.assign(request.session, { a: 1 })
          request.session.save(() => {
            throw new Error('the callback failed')
          })
          void reply.send({})
        })
        app.post('/after', (request, reply) => {
          void reply.send({})
          setImmediate(() => void request.login({ id: 'ann' }))
        })
      },
    })
    t.match((await it.visitor().post('/confirm')).json(), { code: 'SESSION_LOGIN_REQUIRED' })
    t.match((await it.visitor().post('/callback')).json(), { statusCode: 500, message: 'the callback failed' })
    t.equal((await it.visitor().post('/after')).statusCode, 200)
    await settle()
    t.match(it.log(), /nobody observed it/)
  },
)

t.test('a store that cannot write lets those in who only read', async (t) => {
  const it = await world(t, { routes: ordinary })
  const ann = it.visitor()
  await ann.post('/login')
  it.clock.advance('5m')
  it.store.touch = async () => Promise.reject(new Error('OOM command not allowed'))
  it.store.update = async () => Promise.reject(new Error('OOM command not allowed'))
  const { idleDeadline = 0 } = (await it.record(ann.cookie?.slice(0, 22) ?? '')) ?? {}
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  t.equal((await it.record(ann.cookie?.slice(0, 22) ?? ''))?.idleDeadline, idleDeadline, 'the deadline stays true')
  t.equal((await ann.post('/note', { a: 1 })).statusCode, 503, 'a write is refused')
  it.clock.advance('25m')
  t.match((await ann.get('/me')).json(), { user: null })
})

t.test('a slow answer to a dead cookie clears no cookie that a login set meanwhile', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.get('/slow', async (request) => {
        it.clock.advance('2s')
        return { user: request.user }
      })
    },
  })
  const ann = it.visitor()
  await ann.post('/login')
  const { cookie = '' } = ann
  await it.app.sessions.revokeUser('ann')
  const dead = { headers: { cookie: `session=${cookie}` } }
  t.equal((await it.visitor().get('/slow', dead)).headers['set-cookie'], undefined)
  t.match(String((await it.visitor().get('/me', dead)).headers['set-cookie']), /Max-Age=0/, 'a quick answer clears it')
  await ann.post('/login')
  t.equal((await it.visitor().get('/me', dead)).headers['set-cookie'], undefined, 'not after a login with it')
})

t.test('a stream that a refused write replaces is destroyed', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(secureSession, { environment: 'test', secret: SECRET, maxRecordSize: 100 })
  const streams: PassThrough[] = []
  app.get('/file', async (request, reply) => {
    Object.assign(request.session, { big: 'x'.repeat(200) })
    const stream = new PassThrough()
    streams.push(stream)
    return reply.send(stream)
  })
  t.equal((await app.inject('/file')).statusCode, 413)
  const [stream] = streams
  if (stream?.destroyed === false) await once(stream, 'close')
  t.ok(stream?.destroyed)
})

t.test('nothing is lost in silence when the app takes the reply over, or writes it by hand', async (t) => {
  const refused: string[] = []
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      await work()
    } catch (error) {
      refused.push((error as { code: string }).code)
    }
  }
  const begin = {
    hijack: (reply: FastifyReply) => reply.hijack(),
    head: (reply: FastifyReply) => void reply.hijack().raw.writeHead(200),
    raw: (reply: FastifyReply) => void reply.raw.end('by hand'),
  }
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.post<{ Body: { how: keyof typeof begin; what: string } }>('/after', async (request, reply) => {
        const { how, what } = request.body
        begin[how](reply)
        if (what === 'login') await attempt(() => request.login({ id: 'bob' }))
        if (what === 'user') await attempt(() => request.updateUser({ id: 'ann', after: how } as { id: string }))
        if (what === 'data') await attempt(() => Object.assign(request.session, { after: true }))
        if (what === 'saved') {
          Object.assign(request.session, { saved: true })
          await request.session.save()
        }
        if (!reply.raw.writableEnded) reply.raw.end('by hand')
      })
      app.post<{ Body: { what: string } }>('/before', async (request, reply) => {
        const { what } = request.body
        if (what === 'login') await request.login({ id: 'bob' })
        if (what === 'data') Object.assign(request.session, { before: true })
        if (what === 'user') await request.updateUser({ id: 'ann', name: 'Ann' } as { id: string })
        if (what === 'deep') (Reflect.get(request.session, 'cart') as string[]).push('cake')
        if (what === 'saved') Object.assign(request.session, { savedBefore: true })
        if (what === 'saved') await request.session.save()
        reply.hijack()
        reply.raw.end('by hand')
      })
    },
  })
  const lost = async (visit: Promise<unknown>): Promise<unknown[]> => {
    it.events.length = 0
    await visit
    await settle()
    return it.events.filter(({ type }) => type === 'dropped-write').map((event) => Reflect.get(event, 'reason'))
  }
  const ann = it.visitor()
  await ann.post('/login')
  for (const how of Object.keys(begin)) {
    t.strictSame(await lost(ann.post('/after', { how, what: 'login' })), [], how)
    t.strictSame(refused.splice(0), ['SESSION_RESPONSE_STARTED'], `${how}: a login is refused`)
    t.strictSame(await lost(ann.post('/after', { how, what: 'user' })), [], `${how}: a new user is stored at once`)
    t.match((await ann.get('/me')).json(), { user: { id: 'ann', after: how } })
    t.strictSame(await lost(ann.post('/after', { how, what: 'data' })), ['late'], `${how}: data is told`)
    t.strictSame(refused.splice(0), [])
    await lost(it.visitor().post('/after', { how, what: 'data' }))
    t.strictSame(refused.splice(0), ['SESSION_RESPONSE_STARTED'], `${how}: an anonymous request has no record to save`)
    t.strictSame(await lost(ann.post('/after', { how, what: 'saved' })), [], `${how}: what is saved is kept`)
  }
  t.strictSame(await lost(ann.post('/before', { what: 'login' })), ['late'], 'a login whose cookie never leaves')
  t.strictSame(await lost(ann.post('/before', { what: 'data' })), ['late'], 'data that nothing stores')
  t.strictSame(await lost(ann.post('/before', { what: 'user' })), ['late'], 'a user that nothing stores')
  t.strictSame(await lost(ann.post('/before', { what: 'saved' })), [], 'data that the app saved')
  await ann.post('/note', { cart: ['tea'] })
  t.strictSame(await lost(ann.post('/before', { what: 'deep' })), ['late'], 'a change deep inside the data')
  t.strictSame(await lost(ann.post('/before', { what: 'none' })), [], 'nothing')
  t.strictSame((await ann.get('/me')).json().data, { saved: true, savedBefore: true, cart: ['tea'] })
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('a change deep inside the data after the reply is told as a dropped write', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.post('/begin', async ({ session }) => Object.assign(session, { cart: { items: ['tea'] } }))
      app.addHook('onResponse', async ({ url, session }) => {
        if (url === '/deep') (Reflect.get(session, 'cart') as { items: string[] }).items.push('cake')
        if (url === '/saved') {
          ;(Reflect.get(session, 'cart') as { items: string[] }).items.push('milk')
          await session.save()
        }
      })
      for (const url of ['/deep', '/saved', '/read']) {
        app.get(url, async ({ session }) => ({ cart: Reflect.get(session, 'cart') as unknown }))
      }
    },
  })
  const ann = it.visitor()
  await ann.post('/login')
  await ann.post('/begin')
  const lost = async (url: string): Promise<unknown[]> => {
    it.events.length = 0
    await ann.get(url)
    await settle()
    return it.events.filter(({ type }) => type === 'dropped-write').map((event) => Reflect.get(event, 'reason'))
  }
  t.strictSame(await lost('/read'), [])
  t.strictSame(await lost('/deep'), ['late'])
  t.strictSame(await lost('/saved'), [])
  t.strictSame((await ann.get('/read')).json(), { cart: { items: ['tea', 'milk'] } })
})

t.test('a login whose payload cannot be sent is a clean 500, and leaves no session', async (t) => {
  const failing = {
    text: (reply: FastifyReply) => void reply.type('text/plain').send({ not: 'a text' }),
    stream: (reply: FastifyReply) => void reply.send(new PassThrough().destroy(new Error('no first byte'))),
    web: (reply: FastifyReply) =>
      void reply.send(new ReadableStream({ start: (control) => control.error(new Error('no first byte')) })),
    response: (reply: FastifyReply) => void reply.send(consumed()),
  }
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.post<{ Body: { how: keyof typeof failing } }>('/fail', async (request, reply) => {
        await request.login({ id: 'bob' })
        failing[request.body.how](reply)
        return reply
      })
    },
  })
  await it.app.listen({ host: '127.0.0.1', port: 0 })
  const origin = it.app.listeningOrigin
  const ann = it.visitor()
  await ann.post('/login')
  for (const how of Object.keys(failing)) {
    for (const cookie of ['', `session=${ann.cookie}`]) {
      const response = await fetch(`${origin}/fail`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(cookie !== '' && { cookie }) },
        body: JSON.stringify({ how }),
      })
      t.equal(response.status, 500, how)
      t.equal(response.headers.get('set-cookie'), null, how)
      t.match(await response.json(), { statusCode: 500 }, `${how}: the error has a body`)
    }
  }
  await settle()
  t.same(await it.store.listIndex('bob'), [])
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

/** Returns a response whose body was read already. */
function consumed(): Response {
  const response = new Response('once')
  void response.text()
  return response
}

t.test('a late answer clears no cookie of a login that ended its session first', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.post('/switch', async (request) => {
        await request.logout()
        await request.login({ id: 'bob' })
        return {}
      })
    },
  })
  const ann = it.visitor()
  await ann.post('/login')
  const first = `session=${ann.cookie ?? ''}`
  await ann.post('/switch')
  t.match((await ann.get('/me')).json(), { user: { id: 'bob' } })
  t.equal((await it.visitor().get('/me', { headers: { cookie: first } })).headers['set-cookie'], undefined)
})
