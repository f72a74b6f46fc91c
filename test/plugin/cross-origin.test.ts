import corsPlugin from '@fastify/cors'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as send } from 'node:http'
import { connect, constants } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { secureSession } from '../../lib/index.ts'
import { makeCertificate } from '../support/certificate.ts'
import { temporaryFolder } from '../support/sqlite.ts'
import type { Response, World } from './world.ts'
import { ordinary, route, SECRET, world } from './world.ts'

const ALIEN = 'https://evil.example'
const CROSS = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }

t.test('an unsafe request from another site is refused before any handler and any store', async (t) => {
  const { visitor, asked } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  asked()
  const response = await ann.post('/logout', {}, { headers: CROSS })
  t.match(response.json(), { statusCode: 403, code: 'SESSION_CROSS_ORIGIN' })
  t.notMatch(response.body, /evil/, 'nothing of the request comes back')
  t.same(asked(), [])
  t.match((await ann.get('/me', { headers: CROSS })).json(), { user: { id: 'ann' } }, 'a link may be followed')
  t.equal((await ann.post('/note', { a: 1 }, { headers: { 'sec-fetch-site': 'same-origin' } })).statusCode, 200)
  t.equal((await ann.post('/note', { a: 1 })).statusCode, 200, 'no browser')
})

t.test('trusted origins, routes and apps may be open to other sites', async (t) => {
  const { visitor } = await world(t, {
    session: { trustedOrigins: ['https://partner.example'] },
    routes: (server) => {
      ordinary(server)
      server.post('/webhook', { config: { crossOriginProtection: false } }, async () => ({ got: true }))
    },
  })
  const one = visitor()
  t.equal((await one.post('/note', {}, { headers: { ...CROSS, origin: 'https://partner.example' } })).statusCode, 200)
  t.equal((await one.post('/note', {}, { headers: CROSS })).statusCode, 403)
  t.equal((await one.post('/webhook', {}, { headers: CROSS })).statusCode, 200)
  const { visitor: open } = await world(t, { session: { crossOriginProtection: false }, routes: ordinary })
  t.equal((await open().post('/note', {}, { headers: CROSS })).statusCode, 200)
})

t.test('a request without a route, or with a broken URL, is judged too, and is never a 500', async (t) => {
  const { app } = await world(t, { routes: (server) => route(server, '/a/:id', () => ({})) })
  t.equal((await app.inject({ method: 'POST', url: '/nowhere', headers: CROSS })).statusCode, 403)
  t.equal((await app.inject({ method: 'POST', url: '/nowhere' })).statusCode, 404)
  for (const method of ['GET', 'POST'] as const) {
    for (const headers of [{}, CROSS, { cookie: 'session=x' }]) {
      const { statusCode } = await app.inject({ method, url: '/a/%zz', headers })
      t.ok([400, 403, 404].includes(statusCode), `${method} ${statusCode}`)
    }
  }
})

/** Returns the lines that the log has about refusals. */
function refusals(log: string): { crossOrigin: Record<string, string>; msg: string }[] {
  const lines = log.split('\n').filter((line) => line.includes('"crossOrigin"'))
  return lines.map((line) => JSON.parse(line) as { crossOrigin: Record<string, string>; msg: string })
}

t.test('the log says what was compared with what, and holds no cookie', async (t) => {
  const { app, visitor, log } = await world(t, { fastify: { trustProxy: ['10.0.0.1'] }, routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  const said = async (headers: Record<string, string>, remoteAddress = '10.0.0.1'): Promise<string> => {
    const cookie = `session=${ann.cookie}`
    const options = {
      method: 'POST',
      url: '/note',
      remoteAddress,
      headers: { host: 'app.example', cookie, ...headers },
    }
    t.equal((await app.inject({ ...options, method: 'POST' })).statusCode, 403)
    return refusals(log()).at(-1)?.msg ?? ''
  }
  const origin = 'https://shop.example.com'
  t.match(
    await said({ ...CROSS, 'sec-fetch-site': 'same-site' }),
    /Sec-Fetch-Site is same-site.*https:\/\/evil\.example/,
  )
  t.match(await said({ 'sec-fetch-site': 'cross-site' }), /none sent/)
  t.match(await said({ origin }), /Origin https:\/\/shop\.example\.com was compared with http:\/\/app\.example,/)
  t.match(await said({ origin }), /has to send X-Forwarded-Host/)
  const forwarded = { 'x-forwarded-host': 'shop.example.com' }
  t.match(await said({ origin, ...forwarded }, '10.0.0.9'), /trustProxy lacks 10\.0\.0\.9/)
  t.match(await said({ origin, 'x-forwarded-host': 'shop.example.com, inner' }), /takes the last entry/)
  t.match(
    await said({ origin: ALIEN, ...forwarded }),
    /compared with http:\/\/shop\.example\.com, host and protocol as/,
  )
  const https = { ...forwarded, 'x-forwarded-proto': 'https' }
  t.match(await said({ origin: 'http://shop.example.com', ...https }), /page over plain http may not/)
  t.match(await said({ origin: `https://${'x'.repeat(5000)}` }), /^.{1,800}$/)
  t.match(refusals(log())[0]?.crossOrigin, {
    reason: 'site',
    site: 'same-site',
    origin: 'https://evil.example',
    own: 'http://app.example',
  })
  t.notOk(JSON.stringify(refusals(log())).includes(ann.cookie ?? '?'))
})

t.test('without trustProxy the log says that it is off', async (t) => {
  const { app, log } = await world(t, { routes: ordinary })
  const headers = { host: 'inner', origin: 'https://shop.example.com', 'x-forwarded-host': 'shop.example.com' }
  t.equal((await app.inject({ method: 'POST', url: '/note', headers })).statusCode, 403)
  t.match(refusals(log())[0]?.msg, /does not believe X-Forwarded-Host: trustProxy is off/)
})

t.test('over a unix socket, which no address names, the log and the guard say so', async (t) => {
  const { app, log } = await world(t, { fastify: { trustProxy: ['127.0.0.1'] }, routes: ordinary })
  const socketPath = join(temporaryFolder(t), 'app.sock')
  await app.listen({ path: socketPath })
  const headers = {
    host: 'inner',
    origin: 'https://shop.example.com',
    'x-forwarded-host': 'shop.example.com',
    'x-forwarded-proto': 'https',
  }
  const [response] = (await once(send({ socketPath, path: '/note', method: 'POST', headers }).end(), 'response')) as [
    IncomingMessage,
  ]
  response.resume()
  t.equal(response.statusCode, 403)
  t.match(refusals(log())[0]?.msg, /trustProxy lacks the unix socket/)
  t.match(log(), /https from a unix socket, which Fastify's trustProxy does not name/)
})

t.test('a page that hides its own origin over plain http is told so, in the answer and in the log', async (t) => {
  const { visitor, log } = await world(t, { routes: ordinary })
  const response = await visitor().post('/note', {}, { headers: { origin: 'null' } })
  t.equal(response.statusCode, 403)
  t.match(response.json<{ message: string }>().message, /Origin: null.*Referrer-Policy: no-referrer/)
  t.match(refusals(log())[0]?.msg, /Referrer-Policy: same-origin/)
})

t.test('a refusal comes before every hook of the app, says nothing of null, and blames no CORS', async (t) => {
  const seen: string[] = []
  const { app, log } = await world(t, {
    routes: (server) => {
      server.addHook('onRequest', async ({ url }) => void seen.push(url))
      ordinary(server)
    },
  })
  const response = await app.inject({ method: 'POST', url: '/note', headers: CROSS, payload: {} })
  t.equal(response.statusCode, 403)
  t.notMatch(response.json<{ message: string }>().message, /null|Referrer-Policy/)
  t.strictSame(seen, [])
  t.notMatch(log(), 'cors-trusted-mismatch')
})

t.test('an origin in the list is let in whatever its scheme, and null only with a reason', async (t) => {
  const apps = [
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'chrome-extension://abcdefgh',
    'app://.',
  ]
  const { visitor } = await world(t, { session: { trustedOrigins: apps }, routes: ordinary })
  for (const origin of apps) {
    const sent = await visitor().post('/note', {}, { headers: { ...CROSS, origin } })
    t.equal(sent.statusCode, 200, origin)
  }
  t.equal((await visitor().post('/note', {}, { headers: { ...CROSS, origin: 'null' } })).statusCode, 403)
  const reason = 'the reports page posts from a sandboxed frame'
  const { visitor: framed } = await world(t, {
    session: {
      trustedOrigins: [
        { origin: 'null', reason },
        { origin: 'https://a.example', reason: 'our front end' },
      ],
    },
    routes: ordinary,
  })
  for (const [origin, status] of [
    ['null', 200],
    ['https://a.example', 200],
    ['https://b.example', 403],
  ] as const) {
    t.equal((await framed().post('/note', {}, { headers: { ...CROSS, origin } })).statusCode, status, origin)
  }
})

t.test(
  'a function decides for each origin and request, is never asked about null, and must answer at once',
  async (t) => {
    const asked: string[] = []
    const answers: Record<string, unknown> = {
      'https://a.example': true,
      'https://b.example': false,
      'https://c.example': 1,
    }
    const { app } = await world(t, {
      session: {
        trustedOrigins: (origin, request) => {
          asked.push(`${origin} ${request.headers['x-tenant'] as string}`)
          if (origin === 'https://e.example') throw new Error('no such tenant')
          return (origin === 'https://d.example' ? Promise.resolve(false) : answers[origin]) as boolean
        },
      },
      routes: (server) => {
        ordinary(server)
        server.post('/webhook', { config: { crossOriginProtection: false } }, async () => ({ got: true }))
      },
    })
    const ask = async (origin: string, url = '/note'): Promise<[number, unknown]> => {
      const headers = { ...CROSS, origin, 'x-tenant': 't1' }
      const response = await app.inject({ method: 'POST', url, headers, payload: {} })
      return [response.statusCode, response.json<{ message?: string }>().message]
    }
    t.match(await ask('https://a.example'), [200])
    t.match(await ask('https://b.example'), [403])
    t.match(await ask('https://c.example'), [500, /no boolean: number/])
    t.match(await ask('https://d.example'), [500, /a promise/])
    t.match(await ask('https://e.example'), [500, 'no such tenant'])
    t.match(await ask('null'), [403])
    t.match(await ask('https://f.example', '/webhook'), [200])
    t.strictSame(asked.map((one) => one.slice(8, 9)).join(''), 'abcde')
    t.match(asked[0], / t1$/)
  },
)

/** Registers CORS before or after the plugin, and asks from an origin that CORS lets in. */
async function withCors(t: Test, place: 'before' | 'after' | 'below'): Promise<World> {
  const cors = { origin: ['https://web.example'], credentials: true }
  const below = async (context: FastifyInstance): Promise<void> => {
    await context.register(corsPlugin, cors)
    route(context, '/api/note', (request) => ({ user: request.user }))
  }
  return world(t, {
    before: (server) => (place === 'before' ? server.register(corsPlugin, cors) : undefined),
    routes: async (server) => {
      if (place === 'after') await server.register(corsPlugin, cors)
      if (place === 'below') await server.register(below)
      else route(server, '/api/note', (request) => ({ user: request.user }))
    },
  })
}

for (const place of ['before', 'after', 'below'] as const) {
  t.test(`the 403 of an origin that CORS lets in carries the headers of CORS: CORS ${place} this plugin`, async (t) => {
    const { app, log } = await withCors(t, place)
    const ask = async (origin: string): Promise<Response> =>
      app.inject({ method: 'POST', url: '/api/note', headers: { 'sec-fetch-site': 'cross-site', origin }, payload: {} })
    for (let index = 0; index < 2; index += 1) {
      const allowed = await ask('https://web.example')
      t.match(allowed, {
        statusCode: 403,
        headers: {
          'access-control-allow-origin': 'https://web.example',
          'access-control-allow-credentials': 'true',
          'cache-control': 'no-store',
        },
      })
      t.match(allowed.json(), { code: 'SESSION_CROSS_ORIGIN' })
    }
    t.match(refusals(log())[0]?.msg, /CORS lets this origin in: list it in trustedOrigins too/)
    const conflicts = log()
      .split('\n')
      .filter((line) => line.includes('CORS lets \\"https://web.example\\" in with credentials'))
    t.equal(conflicts.length, 1, 'the guard says it once')
    t.match(conflicts[0], 'session/cors-trusted-mismatch')
    const alien = await ask('https://evil.example')
    t.equal(alien.statusCode, 403)
    t.equal(alien.headers['access-control-allow-origin'], undefined)
    t.notMatch(refusals(log()).at(-1)?.msg, /CORS lets/)
  })
}

t.test('an origin that CORS lets in and this plugin refuses is told of after any number of answers', async (t) => {
  const { app, log } = await withCors(t, 'before')
  for (let count = 0; count < 1000; count += 1) await app.inject('/')
  const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://web.example' }
  t.equal((await app.inject({ method: 'POST', url: '/api/note', headers, payload: {} })).statusCode, 403)
  t.match(log(), /cors-trusted-mismatch.*https:\/\/web\.example|https:\/\/web\.example.*cors-trusted-mismatch/)
})

t.test('until a refusal that waits for CORS is sent, nobody can read the session', async (t) => {
  const seen: unknown[] = []
  const { visitor, asked } = await world(t, {
    routes: async (server) => {
      server.addHook('onRequest', async (request) => {
        if (request.headers['x-look'] === undefined) return
        try {
          seen.push(request.user)
        } catch (error) {
          seen.push((error as { code: string }).code)
        }
      })
      await server.register(corsPlugin, { origin: 'https://web.example', credentials: true })
      ordinary(server)
    },
  })
  const ann = visitor()
  await ann.post('/login')
  asked()
  t.equal((await ann.post('/logout', {}, { headers: { ...CROSS, 'x-look': '1' } })).statusCode, 403)
  t.strictSame(seen, ['SESSION_CROSS_ORIGIN'])
  t.strictSame(asked(), [])
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('over HTTP/2 the Origin is compared with :authority, and a host field does not win over it', async (t) => {
  const { cert, key } = makeCertificate()
  const app = Fastify({ http2: true, https: { cert, key } })
  t.teardown(() => app.close())
  await app.register(secureSession, { environment: 'test', secret: SECRET })
  app.post('/note', async () => ({}))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const client = connect(`https://127.0.0.1:${(app.server.address() as AddressInfo).port}`, {
    rejectUnauthorized: false,
  })
  t.teardown(() => client.destroy())
  const ask = async (headers: Record<string, string>): Promise<unknown> => {
    const stream = client.request({ ':method': 'POST', ':path': '/note', ':authority': 'app.example', ...headers })
    stream.end()
    const [answer] = (await once(stream, 'response')) as [Record<string, unknown>]
    stream.close(constants.NGHTTP2_NO_ERROR)
    return answer[':status']
  }
  t.equal(await ask({ origin: 'https://app.example' }), 200)
  t.equal(await ask({ origin: 'https://app.example', host: 'evil.example' }), 200)
  t.equal(await ask({ origin: 'https://evil.example', host: 'evil.example' }), 403)
})
