import { createReadStream, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { testClock } from '../support/clock.ts'
import { Gate } from '../support/gate-store.ts'
import type { Visitor, World } from './world.ts'
import { ordinary, world } from './world.ts'

const FILE = fileURLToPath(import.meta.url)
const BIG = 'x'.repeat(70_000)

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/** Returns an app whose store can be told to fail, and a visitor who is logged in. */
async function failing(t: Test, handler: Handler, routes?: (app: FastifyInstance) => void): Promise<Failing> {
  const gate = new Gate(memoryStore({ clock: testClock() }))
  const it = await world(t, {
    store: () => gate.store,
    routes: (server) => {
      ordinary(server)
      routes?.(server)
      server.post('/act', async (request, reply) => {
        Object.assign(request.session, { n: Math.random() })
        return handler(request, reply)
      })
    },
  })
  const ann = it.visitor()
  await ann.post('/login')
  return { ...it, gate, ann }
}

interface Failing extends World {
  readonly gate: Gate
  readonly ann: Visitor
}

t.test('a refused write ends the stream that the reply was to be', async (t) => {
  const payloads: [name: string, make: (ended: () => void) => unknown][] = [
    ['a file', (ended) => createReadStream(FILE).once('close', ended)],
    ['a web stream', (ended) => new ReadableStream({ cancel: ended })],
    ['a Response', (ended) => new Response(new ReadableStream({ cancel: ended }))],
  ]
  for (const [name, make] of payloads) {
    for (const status of [413, 503]) {
      let ended: () => void = () => undefined
      const over = new Promise<void>((resolve) => (ended = resolve))
      const { ann, gate } = await failing(t, (request) => {
        if (status === 413) Object.assign(request.session, { big: BIG })
        return make(ended)
      })
      if (status === 503) gate.hold('update').fail()
      const response = await ann.post('/act')
      t.equal(response.statusCode, status, name)
      await over
      t.match(response.headers['content-type'], 'application/json', name)
    }
  }
})

t.test('three hundred refused writes leave no file open', async (t) => {
  const { ann } = await failing(t, (request) => {
    Object.assign(request.session, { big: BIG })
    return createReadStream(FILE)
  })
  const files = (): number => readdirSync('/proc/self/fd').length
  t.equal((await ann.post('/act')).statusCode, 413)
  await new Promise((resolve) => setImmediate(resolve))
  const before = files()
  for (let index = 0; index < 300; index += 1) await ann.post('/act')
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(files() < before + 20, 'no more than a few that are just being closed')
})

t.test('a response that cannot be written ends its stream too', async (t) => {
  let ended: () => void = () => undefined
  const over = (): Promise<void> => new Promise<void>((resolve) => (ended = resolve))
  const broken = (): unknown => {
    const response = new Response(new ReadableStream({ cancel: ended }))
    // A header that is no text: what it throws comes after the write.
    return new Proxy(response, {
      get: (target, key) => {
        if (key === 'headers') throw new Error('no headers today')
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }
  const { ann } = await failing(t, broken, (server) =>
    server.get('/look', async (request) => (request.isAuthenticated() ? broken() : 'nobody')),
  )
  for (const send of [() => ann.post('/act'), () => ann.get('/look')]) {
    const isOver = over()
    t.match(await send(), { statusCode: 500 })
    await isOver
  }
})

const LEFT = {
  'cache-control': 'public, max-age=600',
  'cdn-cache-control': 'max-age=600',
  'content-disposition': 'attachment',
  'content-encoding': 'gzip',
  'content-language': 'de',
  'content-range': 'bytes 0-1/2',
  'content-security-policy': "default-src 'none'",
  etag: '"1"',
  expires: 'Thu, 01 Jan 2099 00:00:00 GMT',
  'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
  location: '/welcome',
  'set-cookie': 'theme=dark',
  'www-authenticate': 'Basic',
  'x-request-id': '7',
}

const ANSWERS: [name: string, handler: Handler][] = [
  ['a page', (_request, reply) => reply.headers(LEFT).send({ ok: true })],
  ['a redirect', (_request, reply) => reply.headers(LEFT).redirect('/welcome')],
  ['a 401', (_request, reply) => reply.headers(LEFT).code(401).send({ error: 'who?' })],
  ['a 404', (_request, reply) => reply.headers(LEFT).code(404).send('nothing')],
  ['a Response', () => new Response('moved', { status: 302, headers: LEFT })],
  [
    'a thrown 401',
    (_request, reply) => {
      reply.headers(LEFT)
      throw Object.assign(new Error('log in'), { statusCode: 401, headers: { location: '/login' } })
    },
  ],
]

for (const [name, handler] of ANSWERS) {
  t.test(`a store that fails while ${name} is being written makes a clean 503`, async (t) => {
    const { ann, gate, visitor } = await failing(t, handler)
    gate.hold('update').fail()
    const { cookie } = ann
    const response = await ann.post('/act')
    t.equal(response.statusCode, 503)
    t.match(response.json(), { statusCode: 503, error: 'Service Unavailable', code: 'SESSION_STORE_UNAVAILABLE' })
    const { headers } = response
    t.match(headers, { 'retry-after': '1', 'cache-control': 'no-store', 'content-type': /json/, vary: /cookie/i })
    for (const left of Object.keys(LEFT).filter((one) => !/^(cache-control|set-cookie|x-|content-sec)/.test(one))) {
      t.equal(headers[left], undefined, left)
    }
    if (name !== 'a Response') {
      t.match(headers, { 'x-request-id': '7', 'set-cookie': 'theme=dark', 'content-security-policy': /none/ })
    }
    t.equal(ann.cookie, cookie, 'the session is as it was')
    t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
    t.equal((await visitor().get('/me')).statusCode, 200)
  })
}

t.test(
  'a 503 of a request whose session could not be loaded carries nothing that an earlier hook set for the page',
  async (t) => {
    const { gate, ann } = await failing(
      t,
      () => ({}),
      (server) => server.addHook('onRequest', async () => undefined),
    )
    gate.hold('get').fail()
    const response = await ann.get('/me')
    t.match(response, { statusCode: 503, headers: { 'retry-after': '1', 'cache-control': 'no-store' } })
  },
)

t.test('an error that is no HTTP error becomes a 500 whatever status the reply had', async (t) => {
  const { ann } = await failing(t, (request, reply) => {
    const circle: Record<string, unknown> = {}
    Object.assign(request.session, { circle })
    circle['self'] = circle
    return reply.code(302).header('location', '/welcome').send('moved')
  })
  const response = await ann.post('/act')
  t.equal(response.statusCode, 500)
  t.equal(response.headers.location, undefined)
})

t.test("the app's own error handler gets the 503 and may answer it in its own way", async (t) => {
  const { ann, gate } = await failing(
    t,
    (_request, reply) => reply.redirect('/welcome'),
    (server) => server.setErrorHandler(async (error, _request, reply) => reply.send({ own: (error as Error).name })),
  )
  gate.hold('update').fail()
  const response = await ann.post('/act')
  t.equal(response.statusCode, 503)
  t.match(response.json(), { own: 'SecureSessionError' })
  t.match(response.headers, { 'retry-after': '1', 'cache-control': 'no-store' })
  t.equal(response.headers.location, undefined)
})

t.test('a login whose response is a 499 stays, because only a 5xx is a failure of the server', async (t) => {
  const { visitor } = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.post('/login-and-refuse', async (request, reply) => {
        await request.login({ id: 'ann' })
        return reply.code(499).send('')
      })
    },
  })
  const ann = visitor()
  t.equal((await ann.post('/login-and-refuse')).statusCode, 499)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})
