import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import csrf from '@fastify/csrf-protection'
import helmet from '@fastify/helmet'
import { createRequire } from 'node:module'
import fastify from 'fastify'
import type { FastifyInstance, FastifyPluginAsync, FastifyServerOptions } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { probeNeighbours } from '../../lib/guard/probe/neighbours.ts'
import { showToProbe } from '../../lib/guard/probe/routing.ts'
import type { ProbeInput } from '../../lib/guard/probe/neighbours.ts'
import type { NeighbourFacts } from '../../lib/guard/read/phase-facts.ts'
import { checkNeighbours } from '../../lib/guard/phases.ts'
import { good, named, SECRET } from './configs.ts'
import { NEIGHBOURS } from './phase-facts.ts'

interface JwtOptions {
  secret: string | (() => Promise<string>)
  namespace?: string
  sign?: { algorithm: string }
}

// Its types would declare a `request.user` of their own for all files of this project.
const jwt = createRequire(import.meta.url)('@fastify/jwt') as FastifyPluginAsync<JwtOptions>

const INPUT: ProbeInput = {
  contexts: [],
  secrets: [SECRET],
  store: undefined,
  storeTimeout: 100,
  hasSudoRoute: false,
  servesTls: false,
  cookieNames: [],
  bringsCookies: false,
  clock: undefined,
  deviceRoute: undefined,
  guardedWithoutSession: [],
}

const OFF = { rule: 'cross-origin-off', reason: 'every form has a token' }

/** Returns what the probe sees from inside onReady, where the plugin runs it. */
async function look(
  t: Test,
  prepare: (app: FastifyInstance) => unknown,
  input: Partial<ProbeInput> = {},
  server: FastifyServerOptions = {},
): Promise<NeighbourFacts> {
  const app = fastify(server)
  t.teardown(() => app.close())
  const contexts: FastifyInstance[] = []
  app.addHook('onRegister', (context) => void contexts.push(context))
  await prepare(app)
  let facts: NeighbourFacts | undefined
  app.addHook('onReady', async () => {
    facts = await probeNeighbours(app, { ...INPUT, contexts, ...input })
  })
  await app.ready()
  if (facts === undefined) throw new Error('onReady did not run')
  return facts
}

function judge(facts: Partial<NeighbourFacts>, options: object = good(), environment = 'production'): string[] {
  return named(checkNeighbours(options, environment, { ...NEIGHBOURS, ...facts }))
}

t.test('an app on its own is met with silence', async (t) => {
  const facts = await look(t, () => undefined)
  t.strictSame(facts, NEIGHBOURS)
  t.strictSame(judge(facts), [])
})

t.test('CORS that lets any origin in with credentials refuses the boot', async (t) => {
  const facts = await look(t, (app) => app.register(cors, { origin: true, credentials: true }))
  t.strictSame(judge(facts), ['fatal cors-credentials-reflect'])
  t.strictSame(judge(facts, good(), 'development'), ['warning cors-credentials-reflect'])
})

t.test('CORS that answers everybody with credentials and * is a warning', async (t) => {
  const facts = await look(t, (app) => app.register(cors, { origin: '*', credentials: true }))
  t.strictSame(judge(facts), ['warning cors-credentials-wildcard'])
})

t.test('CORS with a list that trustedOrigins has too, or without credentials, is met with silence', async (t) => {
  const origin = ['https://app.example']
  for (const options of [{ origin, credentials: true }, { origin: true }, { origin: '*' }, { origin }]) {
    t.strictSame(judge(await look(t, (app) => app.register(cors, options)), good({ trustedOrigins: origin })), [])
  }
})

t.test('CORS that lets in with credentials what trustedOrigins lacks is a warning', async (t) => {
  const front = 'https://app.example'
  for (const origin of [front, [front], /app/]) {
    const facts = await look(t, (app) => app.register(cors, { origin, credentials: true }))
    t.strictSame(judge(facts), ['warning cors-trusted-mismatch'], String(origin))
    t.strictSame(judge(facts, good({ crossOriginProtection: false, silence: [OFF] })), [])
    const [asked] = checkNeighbours(good({ trustedOrigins: () => false }), 'production', facts)
    t.equal(asked?.fix.patch, undefined, 'a function is not edited')
  }
})

t.test('whether the hook of @fastify/cookie runs is open where another hook answers first', async (t) => {
  const close = (app: FastifyInstance): unknown => app.addHook('onRequest', async (_, reply) => reply.code(401).send())
  const closed = await look(t, close, { bringsCookies: true })
  t.equal(closed.readsCookies, null)
  const behind = (answer?: number) => (app: FastifyInstance) => {
    app.addHook('onRequest', async (request) => void showToProbe(request))
    if (answer !== undefined) app.addHook('onRequest', async (_, reply) => reply.code(answer).send())
  }
  t.equal((await look(t, behind(503), { bringsCookies: true })).readsCookies, null)
  t.equal((await look(t, behind(), { bringsCookies: true })).readsCookies, false, 'all hooks have run')
})

t.test('the probe runs the hooks of the app as a request from this machine would', async (t) => {
  const seen: unknown[] = []
  await look(t, async (app) => {
    app.addHook(
      'onRequest',
      async ({ ip, protocol, headers }) =>
        void seen.push({
          ip,
          protocol,
          agent: headers['user-agent'],
          preflight: headers['access-control-request-method'],
        }),
    )
    await app.register(cors, { origin: true, credentials: true, hook: 'preHandler' })
  })
  const question = { ip: '127.0.0.1', protocol: 'https', agent: 'fastify-session-guard', preflight: undefined }
  t.strictSame(seen, [question, question], 'once from a made-up origin, once from the origin null')
})

t.test('CORS that lets in the origin null, which every sandboxed frame has, refuses the boot', async (t) => {
  const facts = await look(t, (app) =>
    app.register(cors, { origin: ['null', 'https://app.example'], credentials: true }),
  )
  t.strictSame(judge(facts), ['fatal cors-credentials-reflect'])
})

t.test('CORS in a context of its own is asked there', async (t) => {
  for (const prefix of ['/api', '/api/', '']) {
    const facts = await look(t, (app) =>
      app.register(
        async (api) => {
          await api.register(cors, { origin: true, credentials: true })
          api.get('/', async () => 'ok')
        },
        { prefix },
      ),
    )
    t.strictSame(judge(facts), ['fatal cors-credentials-reflect'], prefix)
  }
  const strict = await look(t, (app) =>
    app.register(async (api) => {
      await api.register(cors, { origin: ['https://a.example'], credentials: true })
    }),
  )
  t.equal(strict.cors.length, 2, 'it was asked')
  t.strictSame(judge(strict, good({ trustedOrigins: ['https://a.example'] })), [])
})

t.test('an app that cannot take a request boots all the same', async (t) => {
  const rewriteUrl = (): never => {
    throw new Error('no url is good enough')
  }
  const facts = await look(t, (app) => app.register(cors, { origin: true, credentials: true }), {}, { rewriteUrl })
  t.strictSame(facts.cors, [])
})

t.test('an app that does not answer the probe boots all the same', async (t) => {
  const facts = await look(t, async (app) => {
    app.addHook('onRequest', () => undefined)
    await app.register(cors, { origin: true, credentials: true })
  })
  t.strictSame(facts.cors, [])
})

t.test('@fastify/cookie and @fastify/jwt that sign with our secret are found, and nobody else', async (t) => {
  const shared = await look(t, async (app) => {
    await app.register(cookie, { secret: SECRET })
    await app.register(jwt, { secret: SECRET })
  })
  t.strictSame(shared.secretSharedWith, ['@fastify/cookie', '@fastify/jwt'])
  t.strictSame(judge(shared), ['warning secret-reused'])
  const apart = await look(t, async (app) => {
    await app.register(cookie, { secret: `${SECRET}x` })
    await app.register(jwt, { secret: `${SECRET}y` })
  })
  t.strictSame(apart.secretSharedWith, [])
  const old = await look(t, (app) => app.register(jwt, { secret: 'an old one' }), { secrets: [SECRET, 'an old one'] })
  t.strictSame(old.secretSharedWith, ['@fastify/jwt'])
  t.strictSame((await look(t, (app) => app.register(cookie, { secret: SECRET }), { secrets: [] })).secretSharedWith, [])
})

t.test('every key counts that verifies, on both sides', async (t) => {
  const keys = { secrets: [SECRET, 'an old one'] }
  for (const secret of [['a new one', SECRET], 'an old one']) {
    const facts = await look(t, (app) => app.register(cookie, { secret }), keys)
    t.strictSame(facts.secretSharedWith, ['@fastify/cookie'])
  }
})

t.test('a token is recognised by whatever hash, from whatever source, under whatever name it is signed', async (t) => {
  const ways: JwtOptions[] = [
    { secret: SECRET, sign: { algorithm: 'HS512' } },
    { secret: SECRET, namespace: 'staff' },
    { secret: async () => SECRET },
  ]
  for (const options of ways) {
    t.strictSame((await look(t, (app) => app.register(jwt, options))).secretSharedWith, ['@fastify/jwt'])
  }
  const below = await look(t, (app) =>
    app.register(async (api) => {
      await api.register(jwt, { secret: SECRET })
    }),
  )
  t.strictSame(below.secretSharedWith, ['@fastify/jwt'])
})

t.test('a key that cannot be fetched, or takes too long, breaks no boot', async (t) => {
  const fail = async (): Promise<string> => {
    throw new Error('the vault is sealed')
  }
  t.strictSame((await look(t, (app) => app.register(jwt, { secret: fail }))).secretSharedWith, [])
  const never = await look(t, (app) => void Object.assign(app, { jwt: { sign: () => new Promise(() => undefined) } }))
  t.strictSame(never.secretSharedWith, [])
})

t.test('a plugin that signs in another way is no neighbour to worry about', async (t) => {
  const facts = await look(t, (app) => {
    app.decorate('unsignCookie', () => ({ valid: true, renew: false, value: 'anything goes' }))
    Object.assign(app, { jwt: { sign: () => 5 } })
  })
  t.strictSame(facts.secretSharedWith, [])
  const none = await look(t, (app) => void Object.assign(app, { jwt: null, unsignCookie: 5 }))
  t.strictSame(none.secretSharedWith, [])
})

t.test('SameSite=None without any defence is a warning', async (t) => {
  const options = good({
    cookie: { sameSite: 'none' },
    crossOriginProtection: false,
    silence: [{ rule: 'cross-origin-off', reason: 'tokens' }],
  })
  t.strictSame(judge(await look(t, () => undefined), options), ['warning samesite-none-exposed'])
  const defended = await look(t, async (app) => {
    await app.register(cookie)
    await app.register(csrf)
  })
  t.strictSame(judge(defended, options), [])
  const below = await look(t, (app) =>
    app.register(async (pages) => {
      await pages.register(cookie)
      await pages.register(csrf)
    }),
  )
  t.strictSame(judge(below, options), [], 'a plugin in a context of its own counts')
  t.strictSame(judge(NEIGHBOURS, good({ cookie: { sameSite: 'none' } })), [])
})

t.test('an app that serves https itself is asked for HSTS', async (t) => {
  const direct = { servesTls: true }
  t.equal((await look(t, (app) => app.register(helmet), direct)).sendsHsts, true)
  const without = await look(t, (app) => app.register(helmet, { strictTransportSecurity: false }), direct)
  t.strictSame(judge(without), ['info hsts-missing'])
  t.strictSame(judge(without, good(), 'development'), [])
  t.equal((await look(t, (app) => app.register(helmet))).sendsHsts, null, 'behind a proxy, who knows')
  const mute = await look(t, (app) => void app.addHook('onRequest', () => undefined), direct)
  t.equal(mute.sendsHsts, null)
})

t.test('a high assurance level asks for a route that asks again', async (t) => {
  for (const assurance of ['aal2', 'aal3']) t.strictSame(judge({}, good({ assurance })), ['info sudo-missing'])
  t.strictSame(judge({}, good({ assurance: 'aal1' })), [])
  t.strictSame(judge(await look(t, () => undefined, { hasSudoRoute: true }), good({ assurance: 'aal2' })), [])
})

t.test('a cookie of the same name refuses the boot', async (t) => {
  const facts = await look(t, () => undefined, { cookieNames: ['__Host-session'] })
  t.strictSame(judge(facts), ['fatal duplicate-plugin'])
})

t.test('a store that answers is met with silence', async (t) => {
  const handles: string[] = []
  const store = { get: async (handle: string) => void handles.push(handle) }
  const facts = await look(t, () => undefined, { store })
  t.strictSame(facts.store, { answers: true, detail: '' })
  t.match(handles, [/^[\w-]{22}$/], 'a handle that cannot exist')
  t.strictSame(judge(facts), [])
})

t.test('a store that does not answer refuses the boot', async (t) => {
  const silent = await look(t, () => undefined, {
    store: { get: () => new Promise(() => undefined) },
    storeTimeout: 10,
  })
  t.strictSame(silent.store, { answers: false, detail: 'no answer within 10 ms' })
  t.strictSame(judge(silent), ['fatal store-unreachable'])
  t.strictSame(judge(silent, good(), 'development'), ['warning store-unreachable'])
})

t.test('a store that fails is named by its code, never by its message', async (t) => {
  const failWith = async (error: unknown): Promise<string | undefined> => {
    const get = async (): Promise<never> => {
      throw error
    }
    return (await look(t, () => undefined, { store: { get } })).store?.detail
  }
  const url = 'redis://app:hunter2@redis.internal'
  t.equal(await failWith(Object.assign(new Error(url), { code: 'ECONNREFUSED' })), 'ECONNREFUSED')
  t.equal(
    await failWith(
      Object.assign(new Error('x'), {
        code: 'SESSION_STORE_UNAVAILABLE',
        cause: Object.assign(new Error(url), { code: '28P01' }),
      }),
    ),
    '28P01',
  )
  t.equal(await failWith(new TypeError(url)), 'TypeError')
  t.equal(await failWith(Object.assign(new Error(url), { name: url, code: url })), 'it failed')
  t.equal(await failWith(undefined), 'it failed')
  const [one, other] = [new TypeError('x'), new RangeError('x')]
  one.cause = other
  other.cause = one
  t.match(await failWith(one), /^(Type|Range)Error$/, 'causes that go in a circle')
})

t.test("a clock of the store's server that is off by more than five seconds is a warning", async (t) => {
  const skewOf = async (ahead: unknown): Promise<NeighbourFacts> => {
    const now = async (): Promise<number> => (typeof ahead === 'number' ? Date.now() + ahead : (ahead as number))
    return look(t, () => undefined, { store: { get: async () => undefined, now }, storeTimeout: 1000, clock: Date.now })
  }
  t.strictSame(judge(await skewOf(60_000)), ['warning clock-skew'])
  t.strictSame(judge(await skewOf(-60_000)), ['warning clock-skew'])
  t.strictSame(judge(await skewOf(0)), [])
  for (const nothing of [Number.NaN, 'noon', undefined]) t.equal((await skewOf(nothing)).clockSkew, null)
  const far = { get: async () => undefined, now: async () => 0 }
  t.equal((await look(t, () => undefined, { store: far, storeTimeout: 1000 })).clockSkew, null, 'a clock of the app')
  const slow = { get: async () => undefined, now: () => new Promise<number>(() => undefined) }
  t.equal((await look(t, () => undefined, { store: slow, storeTimeout: 10, clock: Date.now })).clockSkew, null)
  let time = 0
  const traveller = { get: async () => undefined, now: async () => 4000 }
  const travelled = await look(t, () => undefined, { store: traveller, clock: () => (time += 10_000) })
  t.equal(travelled.clockSkew, -6000, 'what the way took is no difference')
  const ahead = { get: async () => undefined, now: async () => time + 60_000 }
  const further = await look(t, () => undefined, { store: ahead, clock: () => (time += 10_000) })
  t.equal(further.clockSkew, 50_000, 'half of the way there, and half of it in doubt')
  for (const [after, skew] of [
    [9000, 0],
    [1000, 0],
    [13_000, 3000],
    [-3000, -3000],
  ] as const) {
    const near = { get: async () => undefined, now: async () => time + after }
    const seen = await look(t, () => undefined, { store: near, clock: () => (time += 10_000) })
    t.equal(seen.clockSkew, skew, `${after} ms after the question`)
  }
})

t.test('a store that drops what has not expired is a warning', async (t) => {
  const policyOf = async (evictionPolicy: () => Promise<string | null>): Promise<NeighbourFacts> =>
    look(t, () => undefined, { store: { get: async () => undefined, evictionPolicy }, storeTimeout: 1000 })
  t.strictSame(judge(await policyOf(async () => 'allkeys-lru')), ['warning redis-evicts'])
  t.strictSame(judge(await policyOf(async () => null)), [])
  t.strictSame(judge(await policyOf(async () => 'rediss://app:hunter2@host')), [])
  const failing = async (): Promise<never> => {
    throw new Error('NOPERM')
  }
  t.strictSame(judge(await policyOf(failing)), [])
})

t.test('Fastify that trusts every proxy is a note', async (t) => {
  for (const trustProxy of [true, () => true]) {
    t.strictSame(
      judge(await look(t, () => undefined, {}, { trustProxy })),
      ['info trust-proxy-all'],
      String(trustProxy),
    )
  }
  const failing = (): boolean => {
    throw new Error('no such proxy')
  }
  const isFirst = (_address: string, hop: number): boolean => hop === 0
  const isLocal = (address: string): boolean => address === undefined || address.startsWith('10.')
  for (const trustProxy of [false, ['10.0.0.0/8'], '10.0.0.1', isFirst, isLocal, failing]) {
    t.strictSame(judge(await look(t, () => undefined, {}, { trustProxy })), [], String(trustProxy))
  }
})

t.test('a proxy in front of device-bound sessions is told of as a note, and other ways of TLS are not', async (t) => {
  const facts = { answersDevices: true }
  t.strictSame(judge(facts, good({ deviceBound: true })), ['info device-bound-blocked'])
  t.strictSame(judge(facts, good({ deviceBound: true, tls: 'direct' })), [])
  t.strictSame(judge(facts, good()), [])
  t.strictSame(judge({ answersDevices: false }, good({ deviceBound: true })), ['warning device-bound-blocked'])
  const [told] = checkNeighbours(good({ deviceBound: true }), 'production', { ...NEIGHBOURS, ...facts })
  t.match(told?.message, /Secure-Session-\*/)
})
