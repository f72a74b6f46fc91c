import cookiePlugin from '@fastify/cookie'
import corsPlugin from '@fastify/cors'
import csrfPlugin from '@fastify/csrf-protection'
import Database from 'better-sqlite3'
import type { FastifyInstance, FastifyServerOptions, LightMyRequestResponse } from 'fastify'
import Fastify from 'fastify'
import { join } from 'node:path'
import type { Test } from 'tap'
import t from 'tap'
import { secureSession } from '../../lib/index.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import type { SecureSessionOptions, SessionStore } from '../../types/index.ts'
import { SECRET } from './world.ts'

/** Returns an app whose log can be read as lines. */
function logged(t: Test, options: FastifyServerOptions = {}): { app: FastifyInstance; rules: () => unknown[] } {
  const lines: { rule?: unknown }[] = []
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as { rule?: unknown }) }
  const app = Fastify({ ...options, logger: { stream, level: 'warn' } })
  t.teardown(() => app.close())
  return { app, rules: () => lines.flatMap(({ rule }) => rule ?? []) }
}

/** Returns a store that production accepts. */
function durable(t: Test): SessionStore {
  const database = new Database(join(t.testdir(), 'sessions.db'))
  t.teardown(() => database.close())
  return Object.assign(sqliteStore({ database }), { location: '/srv/sessions.db' })
}

const PRODUCTION: SecureSessionOptions = {
  environment: 'production',
  secret: SECRET,
  tls: 'proxy',
  maxSessions: 5,
  sweepInterval: '1h',
}

t.test('requests are judged by the environment of the boot, whatever becomes of process.env', async (t) => {
  const { app, rules } = logged(t)
  const { NODE_ENV: before } = process.env
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  })
  process.env['NODE_ENV'] = 'test'
  await app.register(secureSession, { secret: SECRET })
  app.get('/', async (request) => ({ user: request.user }))
  process.env['NODE_ENV'] = 'production'
  await app.inject({ url: '/', headers: { host: 'shop.example.com', cookie: 'session=x' } })
  t.strictSame(rules(), [])
})

t.test('CORS that lets every origin in with credentials refuses ready and listen in production', async (t) => {
  const { app } = logged(t)
  app.register(corsPlugin, { origin: true, credentials: true })
  app.register(secureSession, { ...PRODUCTION, store: durable(t) })
  await t.rejects(
    async () => {
      await app.ready()
    },
    { code: 'SESSION_GUARD_REFUSED', message: /1 fatal/ },
  )
})

t.test('CORS that lets every origin in with credentials is a warning in development', async (t) => {
  const { app, rules } = logged(t)
  app.register(corsPlugin, { origin: true, credentials: true })
  app.register(secureSession, { environment: 'development', secret: SECRET })
  await app.ready()
  t.strictSame(rules(), ['session/cors-credentials-reflect'])
})

t.test('a store that does not answer refuses ready in production', async (t) => {
  const { app } = logged(t)
  const store = Object.assign(durable(t), { get: () => new Promise<undefined>(() => undefined) })
  app.register(secureSession, { ...PRODUCTION, store, storeTimeout: '20ms' })
  await t.rejects(
    async () => {
      await app.ready()
    },
    { code: 'SESSION_GUARD_REFUSED', message: /1 fatal/ },
  )
})

t.test('a proxy that speaks of https to an app that does not trust it is named once', async (t) => {
  const { app, rules } = logged(t)
  app.register(secureSession, { ...PRODUCTION, store: durable(t) })
  app.get('/', async () => 'ok')
  await app.ready()
  const before = rules().length
  for (let index = 0; index < 3; index += 1) {
    await app.inject({ url: '/', headers: { 'x-forwarded-proto': 'https', host: 'bank.example' } })
  }
  t.strictSame(rules().slice(before), ['session/trust-proxy-missing'])
})

t.test(
  'plain http in production is named once, by a session that is set or read over it, and the request is served',
  async (t) => {
    const store = durable(t)
    for (const way of ['set', 'read'] as const) {
      const { app, rules } = logged(t)
      app.register(secureSession, { ...PRODUCTION, store })
      app.get('/', async (request) => {
        if (way === 'set') await request.login({ id: 'ann' })
        return 'ok'
      })
      await app.ready()
      const before = rules().length
      const cookie = way === 'read' ? { cookie: '__Host-session=x' } : {}
      for (let index = 0; index < 3; index += 1) {
        const response = await app.inject({ url: '/?code=x', headers: { host: 'bank.example', ...cookie } })
        t.equal(response.statusCode, 200)
      }
      t.strictSame(rules().slice(before), ['session/plain-http-in-production'], way)
    }
  },
)

t.test('health probes, a cleared cookie and routes without a session are no plain http in production', async (t) => {
  const { app, rules } = logged(t)
  app.register(secureSession, { ...PRODUCTION, store: durable(t) })
  app.get('/', async (_request, reply) =>
    reply.header('set-cookie', ['__Host-session=; Max-Age=0', 'other=1']).send('ok'),
  )
  app.get('/login', async (request) => request.login({ id: 'ann' }))
  app.get('/health', { config: { session: false } }, async () => 'ok')
  await app.ready()
  const before = rules().length
  await app.inject({ url: '/', headers: { host: 'bank.example' } })
  await app.inject({ url: '/', headers: { host: 'bank.example', cookie: 'x__Host-session=1' } })
  await app.inject({ url: '/health', headers: { host: 'bank.example', cookie: '__Host-session=x' } })
  for (const host of ['10.42.0.17:3000', 'app.default.svc.cluster.local', 'localhost']) {
    await app.inject({ url: '/login?code=x', headers: { host } })
  }
  t.strictSame(rules().slice(before), [])
})

t.test('a front end that CORS lets in and trustedOrigins does not is told before the app listens', async (t) => {
  const front = 'https://web.example'
  const cases: [origin: string | string[] | RegExp, options: SecureSessionOptions, isSaid: boolean][] = [
    [front, {}, true],
    [front, { trustedOrigins: ['https://other.example'] }, true],
    [front, { trustedOrigins: [front] }, false],
    [front, { trustedOrigins: [{ origin: front, reason: 'the front end' }] }, false],
    [front, { trustedOrigins: () => true }, false],
    [[front], {}, true],
    [/web\.example$/, {}, true],
    [[front], { trustedOrigins: [front] }, false],
  ]
  for (const [origin, options, isSaid] of cases) {
    const { app, rules } = logged(t)
    app.register(corsPlugin, { origin, credentials: true })
    app.register(secureSession, { environment: 'development', secret: SECRET, ...options })
    await app.ready()
    t.strictSame(rules(), isSaid ? ['session/cors-trusted-mismatch'] : [], String(origin))
  }
  const { app, rules } = logged(t)
  app.register(corsPlugin, { origin: front })
  app.register(secureSession, { environment: 'development', secret: SECRET })
  await app.ready()
  t.strictSame(rules(), [], 'without credentials no session is read')
})

t.test('two session cookies of one name are said once, with their likely cause', async (t) => {
  const { app, rules } = logged(t)
  app.register(secureSession, { environment: 'development', secret: SECRET })
  app.get('/', async () => 'ok')
  await app.ready()
  for (let index = 0; index < 3; index += 1) {
    await app.inject({ url: '/', headers: { cookie: `session=${index}; session=y` } })
  }
  t.strictSame(rules(), ['session/duplicate-cookie'])
})

t.test('after the first thousand requests the wire is not looked at any more', async (t) => {
  const { app, rules } = logged(t)
  app.register(secureSession, { ...PRODUCTION, store: durable(t) })
  app.get('/', async () => 'ok')
  await app.ready()
  const before = rules().length
  for (let index = 0; index < 1000; index += 1) await app.inject({ url: '/', headers: { host: 'localhost' } })
  await app.inject({ url: '/', headers: { host: 'bank.example', cookie: '__Host-session=x' } })
  t.strictSame(rules().slice(before), [])
})

t.test('a route that asks for a fresh login settles sudo-missing, whose silence is then unused', async (t) => {
  const store = durable(t)
  for (const [within, expected] of [
    [{}, []],
    [{ within: '5m' as const }, ['session/silence-unused']],
  ] as const) {
    const { app, rules } = logged(t)
    const silence = [{ rule: 'sudo-missing', reason: 'nothing here needs a fresh login' }]
    app.register(secureSession, { ...PRODUCTION, assurance: 'aal2', store, silence })
    app.after(() => app.get('/', { preHandler: app.requireLogin(within) }, async () => 'ok'))
    await app.ready()
    t.strictSame(
      rules().filter((rule) => rule === 'session/silence-unused'),
      expected,
    )
  }
})

t.test('two registrations in contexts of their own may share a cookie only if each can read it', async (t) => {
  const boot = async (one: SecureSessionOptions, other: SecureSessionOptions): Promise<unknown> => {
    const { app } = logged(t)
    for (const options of [one, other]) {
      app.register(async (context) => {
        await context.register(secureSession, { ...PRODUCTION, ...options })
      })
    }
    return await app.ready().then(
      () => 'ready',
      (error: unknown) => (error as { findings: { rule: string }[] }).findings.map(({ rule }) => rule),
    )
  }
  const [store, another] = [durable(t), durable(t)]
  t.equal(await boot({ store }, { store }), 'ready')
  t.strictSame(await boot({ store }, { store: another }), ['session/duplicate-plugin'])
  t.strictSame(await boot({ store }, { store, secret: SECRET.toUpperCase() }), ['session/duplicate-plugin'])
  t.equal(await boot({ store }, { store: another, cookie: { name: '__Host-staff' } }), 'ready')
  const narrow = { cookie: { name: '__Secure-app', path: '/staff' } }
  t.equal(await boot({ store, cookie: { name: '__Secure-app' } }, { store: another, ...narrow }), 'ready')
})

t.test('@fastify/cookie whose hook would lose the cookie of a login refuses the boot', async (t) => {
  for (const boot of ['register', 'default'] as const) {
    const { app } = logged(t)
    await app.register(cookiePlugin, { hook: false })
    if (boot === 'register') app.setNotFoundHandler(async (_request, reply) => reply.code(404).send('gone'))
    app.register(secureSession, { environment: 'development', secret: SECRET })
    const refused = await app.ready().then(
      () => [],
      (error: unknown) => (error as { findings: { rule: string }[] }).findings.map(({ rule }) => rule),
    )
    t.strictSame(refused, ['session/cookie-hook-off'], boot)
  }
  for (const options of [{}, { hook: 'onRequest' }, { hook: 'preParsing' }, { hook: 'preHandler' }] as const) {
    const { app, rules } = logged(t)
    await app.register(cookiePlugin, options)
    app.register(secureSession, { environment: 'development', secret: SECRET })
    app.post('/login', async (request) => request.login({ id: 'u1' }))
    await app.ready()
    t.equal((await app.inject({ method: 'POST', url: '/login' })).cookies.length, 1)
    t.strictSame(rules(), [])
  }
})

t.test('a route that asks for a login and has opted out of sessions refuses ready in production', async (t) => {
  for (const place of ['onRequest', 'preHandler'] as const) {
    const { app } = logged(t)
    app.register(secureSession, { ...PRODUCTION, store: durable(t) })
    app.after(() => {
      app.get('/open', { config: { session: false } }, async () => 'ok')
      app.get('/me', { config: { session: false }, [place]: [app.requireLogin()] }, async () => 'ok')
    })
    await t.rejects(
      async () => {
        await app.ready()
      },
      {
        code: 'SESSION_GUARD_REFUSED',
        findings: [{ rule: 'session/requirelogin-opted-out', at: [{ value: 'GET /me' }] }],
      },
    )
  }
})

t.test('a login and a logout by GET are named once, and a callback of an identity provider is not', async (t) => {
  const { app, rules } = logged(t)
  app.register(secureSession, { ...PRODUCTION, store: durable(t) })
  app.get('/login', async (request) => {
    await request.login({ id: 'u1' })
    return 'in'
  })
  app.get('/logout', async (request) => {
    await request.logout()
    return 'out'
  })
  await app.ready()
  const before = rules().length
  const get = async (url: string, cookie = ''): Promise<LightMyRequestResponse> =>
    app.inject({ url, headers: { host: 'localhost', cookie } })
  await get('/login?code=5&state=6')
  t.strictSame(rules().slice(before), [])
  for (let index = 0; index < 2; index += 1) {
    const [cookie] = (await get('/login')).cookies
    await get('/logout', `${cookie?.name}=${cookie?.value}`)
  }
  t.strictSame(rules().slice(before), ['session/login-by-get', 'session/logout-by-get'])
})

t.test('a CSRF cookie without Secure, and an origin that only CORS knows, are named once', async (t) => {
  const { app, rules } = logged(t)
  await app.register(corsPlugin, { origin: ['https://app.example', 'https://b.example'], credentials: true })
  app.register(secureSession, { ...PRODUCTION, store: durable(t) })
  await app.register(csrfPlugin)
  app.get('/form', async (_request, reply) => reply.generateCsrf())
  await app.ready()
  const before = rules().length
  for (let index = 0; index < 2; index += 1) {
    await app.inject({ url: '/form', headers: { host: 'localhost', origin: 'https://app.example' } })
  }
  t.strictSame(rules().slice(before), ['session/cors-trusted-mismatch', 'session/csrf-cookie-insecure'])
})
