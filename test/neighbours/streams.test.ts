import { once } from 'node:events'
import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import compress from '@fastify/compress'
import multipart from '@fastify/multipart'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import type { World } from '../plugin/world.ts'
import { ordinary, route, world } from '../plugin/world.ts'

/** Returns the beginning of a response, whose body is still on its way. */
async function begin(app: FastifyInstance, url: string): Promise<IncomingMessage> {
  const { port } = app.server.address() as AddressInfo
  const [response] = (await once(get({ host: '127.0.0.1', port, path: url }), 'response')) as [IncomingMessage]
  return response
}

function cookieIn(response: { headers: Record<string, unknown> }): string {
  return String(response.headers['set-cookie']).split(';', 1).join()
}

t.test('a session is stored, and its cookie sent, before the first byte of a stream', async (t) => {
  const body = new PassThrough()
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.get('/stream', async (request, reply) => {
        await request.login({ id: 'ann' })
        body.write('first ')
        return reply.send(body)
      })
    },
  })
  await it.app.listen({ host: '127.0.0.1', port: 0 })
  const response = await begin(it.app, '/stream')
  t.equal(String((await once(response, 'data'))[0]), 'first ')
  const cookie = cookieIn(response)
  const me = await it.app.inject({ url: '/me', headers: { cookie } })
  t.match(me.json(), { user: { id: 'ann' } }, 'logged in while the body is still on its way')
  body.end('last')
  await once(response.resume(), 'end')
})

t.test('a change that a handler makes after its stream has begun is refused, not lost', async (t) => {
  const body = new PassThrough()
  const late: { error?: unknown } = {}
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.get('/stream', (request, reply) => {
        void reply.send(body)
        body.once('resume', () => {
          request.login({ id: 'ann' }).catch((error: unknown) => {
            late.error = error
            body.end('done')
          })
        })
      })
    },
  })
  const visitor = it.visitor()
  t.equal((await visitor.get('/stream')).body, 'done')
  t.match(late.error, { code: 'SESSION_RESPONSE_STARTED' })
  t.equal(visitor.cookie, undefined)
})

t.test('a stream that fails half-way leaves the login that its headers announced', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.get('/stream', async (request, reply) => {
        await request.login({ id: 'ann' })
        const body = new PassThrough()
        body.write('first ')
        setImmediate(() => body.destroy(new Error('the disk is gone')))
        return reply.send(body)
      })
    },
  })
  await it.app.listen({ host: '127.0.0.1', port: 0 })
  const response = await begin(it.app, '/stream')
  response.on('error', () => undefined)
  const me = await it.app.inject({ url: '/me', headers: { cookie: cookieIn(response) } })
  t.match(me.json(), { user: { id: 'ann' } })
})

t.test('a web stream and a web Response carry the cookie like any other reply', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.get('/web', async (request) => {
        await request.login({ id: 'ann' })
        return new Response(Readable.toWeb(Readable.from(['hello'])) as ReadableStream, { status: 201 })
      })
    },
  })
  const visitor = it.visitor()
  t.match(await visitor.get('/web'), { statusCode: 201, body: 'hello' })
  t.match((await visitor.get('/me')).json(), { user: { id: 'ann' } })
})

/** Returns an app that answers around Fastify, as event streams do. */
async function hijackWorld(t: Test): Promise<World> {
  return world(t, {
    routes: (app) => {
      ordinary(app)
      app.post('/events', async (request, reply) => {
        Object.assign(request.session, request.body)
        if (request.url.endsWith('?save')) await request.session.save()
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: hello\n\n')
      })
    },
  })
}

t.test('data that a hijacked reply saves is stored, and data that the reply does not save is not', async (t) => {
  const it = await hijackWorld(t)
  const visitor = it.visitor()
  await visitor.post('/login')
  t.equal((await visitor.post('/events?save', { read: 7 })).body, 'data: hello\n\n')
  await visitor.post('/events', { read: 8 })
  t.match((await visitor.get('/me')).json(), { user: { id: 'ann' }, data: { read: 7 } })
})

t.test('a hijacked reply carries no cookie, and a session whose id it would have renewed goes on', async (t) => {
  const it = await hijackWorld(t)
  const visitor = it.visitor()
  await visitor.post('/login')
  const before = visitor.cookie
  it.clock.advance('16m')
  t.notOk((await visitor.post('/events?save', { read: 7 })).headers['set-cookie'])
  it.clock.advance('1m')
  t.match((await visitor.get('/me')).json(), { user: { id: 'ann' }, data: { read: 7 } })
  t.not(visitor.cookie, before, 'renewed by a reply that can say so')
  t.match((await visitor.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('an upload sees its session, and what it writes is there afterwards', async (t) => {
  const it = await world(t, {
    routes: async (app) => {
      await app.register(multipart)
      ordinary(app)
      app.post('/upload', async (request) => {
        const file = await request.file()
        const size = (await file?.toBuffer())?.length
        Object.assign(request.session, { size })
        return { size, user: request.user }
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/login')
  const head =
    '--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\n'
  const upload = await visitor.post('/upload', `${head}${'a'.repeat(10_000)}\r\n--x--\r\n`, {
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
  })
  t.match(upload.json(), { size: 10_000, user: { id: 'ann' } })
  t.match((await visitor.get('/me')).json(), { data: { size: 10_000 } })
})

for (const order of ['before', 'after'] as const) {
  t.test(`a compressed reply has its cookie and tells caches of both (@fastify/compress ${order})`, async (t) => {
    const options = { global: true, threshold: 0, encodings: ['gzip' as const] }
    const it = await world(t, {
      before: async (app) => (order === 'before' ? app.register(compress, options) : undefined),
      routes: async (app) => {
        if (order === 'after') await app.register(compress, options)
        ordinary(app)
        route(app, '/text', (request) => ({ text: 'tea '.repeat(1000), user: request.user }))
      },
    })
    const visitor = it.visitor()
    const headers = { 'accept-encoding': 'gzip' }
    await visitor.post('/login', {}, { headers })
    const text = await visitor.get('/text', { headers })
    t.equal(text.headers['content-encoding'], 'gzip')
    t.match(JSON.parse(gunzipSync(text.rawPayload).toString()), { user: { id: 'ann' } })
    const vary = String(text.headers.vary).toLowerCase().split(/, */)
    t.ok(vary.includes('cookie') && vary.includes('accept-encoding'), { vary })
  })
}
