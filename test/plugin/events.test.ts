import { createHmac } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import { cookieSession } from '../../lib/migrate/cookie-session.ts'
import { boundClient } from '../../lib/testing/index.ts'
import type { BoundClient } from '../../lib/testing/index.ts'
import type { SessionEvent } from '../../types/index.ts'
import { coreOnly } from './stores.ts'
import { ordinary, route, Visitor, world } from './world.ts'
import type { World } from './world.ts'

/** A cookie of cookie-session, with the signature of its own. */
const OLD_KEY = 'kQ2vR8tYw5Zb1Nc7Xd4Mf9Lg6Hj3Ps0AuEiToBxVqWy'
const OLD_COOKIE = Buffer.from('{"userId":"bob"}').toString('base64')
const OLD_SIGNATURE = createHmac('sha1', OLD_KEY).update(`old=${OLD_COOKIE}`).digest('base64url')
const OLD = cookieSession({ keys: [OLD_KEY], cookieName: 'old', user: ({ userId }) => ({ id: userId as string }) })

type Type = SessionEvent['type']

const HANDLE = /^[\w-]{22}$/

/** The cause of each event, and the one event that the cause brings about. */
const CAUSES: Record<Type, { make: (made: World, ann: Visitor) => Promise<unknown>; also?: Type[]; event: object }> = {
  login: {
    make: (_made, ann) => ann.post('/login', { user: { id: 'bob' }, options: { remember: true } }),
    also: ['rotate'],
    event: {
      handle: HANDLE,
      previousHandle: HANDLE,
      userId: 'bob',
      remember: true,
      device: { userAgent: 'lightMyRequest', ip: '127.0.0.1' },
      label: null,
      isNewDevice: true,
    },
  },
  'revoke-all': {
    make: ({ app, clock }) => app.sessions.revokeAll({ before: new Date(clock() - 1) }),
    event: { before: Number, except: null },
  },
  logout: { make: (_made, ann) => ann.post('/logout'), event: { handle: HANDLE, userId: 'ann' } },
  rotate: { make: (_made, ann) => ann.post('/regenerate'), event: { handle: HANDLE, reason: 'regenerate' } },
  act: {
    make: (_made, ann) => ann.post('/act'),
    also: ['rotate'],
    event: { handle: HANDLE, userId: 'bob', actorId: 'ann', reason: 'a ticket', until: Number },
  },
  'stop-acting': {
    make: async (_made, ann) => {
      await ann.post('/act')
      await ann.post('/stop')
    },
    also: ['act', 'rotate', 'rotate'],
    event: { handle: HANDLE, userId: 'bob', actorId: 'ann' },
  },
  renew: {
    make: async ({ clock }, ann) => {
      clock.advance('15m')
      await ann.get('/me')
    },
    event: { handle: HANDLE },
  },
  'user-updated': {
    make: ({ app }) => app.sessions.updateUser('ann', { id: 'ann' }),
    event: { handle: HANDLE, userId: 'ann' },
  },
  expire: {
    make: async ({ clock }, ann) => {
      clock.advance('30m')
      await ann.get('/me')
    },
    event: { handle: HANDLE, userId: 'ann', reason: 'idle' },
  },
  revoke: {
    make: ({ app }) => app.sessions.revokeUser('ann'),
    event: { handle: HANDLE, userId: 'ann', reason: 'revoked' },
  },
  migrate: {
    make: async ({ app }) => {
      const old = new Visitor(app)
      old.cookies.set('old', OLD_COOKIE).set('old.sig', OLD_SIGNATURE)
      await old.get('/me')
    },
    event: { handle: HANDLE, userId: 'bob', from: 'cookie-session' },
  },
  replay: {
    make: async ({ app, clock }, ann) => {
      const copy = new Visitor(app)
      copy.cookies.set('session', ann.cookie ?? '')
      clock.advance('15m')
      await ann.get('/me')
      await ann.get('/me')
      clock.advance('30s')
      await copy.get('/me', { headers: { 'user-agent': 'curl/8.0' } })
    },
    also: ['renew', 'revoke'],
    event: {
      handle: HANDLE,
      userId: 'ann',
      isEnded: true,
      behind: 0,
      sign: 'replaced',
      device: { userAgent: 'lightMyRequest', ip: '127.0.0.1' },
      client: { userAgent: 'curl/8.0', ip: '127.0.0.1' },
    },
  },
  fork: {
    make: async ({ app, clock }, ann) => {
      const copy = new Visitor(app)
      copy.cookies.set('session', ann.cookie ?? '')
      clock.advance('15m')
      await ann.get('/me')
      await ann.get('/me')
      await copy.get('/me')
    },
    also: ['renew'],
    event: {
      handle: HANDLE,
      userId: 'ann',
      isServed: true,
      behind: 0,
      device: { userAgent: 'lightMyRequest', ip: '127.0.0.1' },
      client: { userAgent: 'lightMyRequest', ip: '127.0.0.1' },
    },
  },
  bound: {
    make: async ({ app }) => void (await boundClientOf(app)),
    also: ['login'],
    event: { handle: HANDLE, userId: 'ann' },
  },
  refreshed: {
    make: async ({ app }) => {
      const client = await boundClientOf(app)
      await client.refresh()
    },
    also: ['login', 'bound'],
    event: { handle: HANDLE, userId: 'ann' },
  },
  'proof-failed': {
    make: async ({ app }) => {
      const client = await boundClientOf(app)
      await client.inject({ url: '/me' })
      const cookie = `session=${client.cookies.get('session')?.value}`
      await app.inject({ url: '/me', headers: { cookie, 'user-agent': 'curl/8.0' } })
    },
    also: ['login', 'bound'],
    event: {
      handle: HANDLE,
      userId: 'ann',
      reason: 'missing',
      device: { userAgent: 'lightMyRequest', ip: '127.0.0.1' },
      client: { userAgent: 'curl/8.0', ip: '127.0.0.1' },
    },
  },
  forged: {
    make: ({ app }) => app.inject({ url: '/me', headers: { cookie: 'session=x' } }),
    event: { reason: 'malformed' },
  },
  duplicate: {
    make: ({ app }) => app.inject({ url: '/me', headers: { cookie: 'session=x; session=y' } }),
    event: { count: 2 },
  },
  'dropped-write': {
    make: (_made, ann) => ann.post('/write-after-revoke'),
    also: ['revoke'],
    event: { handle: HANDLE, reason: 'gone' },
  },
  damaged: {
    make: ({ store }, ann) => {
      store.get = async () => ({}) as never
      return ann.get('/me')
    },
    event: { handle: HANDLE },
  },
  'upkeep-skipped': {
    make: async ({ clock, store }, ann) => {
      clock.advance('5m')
      store.touch = async () => Promise.reject(new Error('full'))
      await ann.get('/me')
    },
    also: ['store-failure'],
    event: { handle: HANDLE },
  },
  'store-failure': {
    make: ({ store }, ann) => {
      store.get = async () => Promise.reject(new Error('down'))
      return ann.get('/me')
    },
    event: { operation: 'get' },
  },
}

async function boundClientOf(app: World['app']): Promise<BoundClient> {
  const client = await boundClient(app)
  await client.inject({ method: 'POST', url: '/login' })
  return client
}

async function prepared(t: Parameters<typeof world>[0]): Promise<{ made: World; ann: Visitor }> {
  const made = await world(t, {
    session: { migrateFrom: [OLD], deviceBound: true },
    routes: (server) => {
      ordinary(server)
      route(server, '/regenerate', (request) => request.session.regenerate())
      route(server, '/act', (request) => request.actAs({ id: 'bob' }, { reason: 'a ticket' }))
      route(server, '/stop', (request) => request.stopActing())
      route(server, '/write-after-revoke', async (request) => {
        await server.sessions.revokeUser('ann')
        Object.assign(request.session, { a: 1 })
      })
    },
  })
  const ann = made.visitor()
  await ann.post('/login')
  made.events.length = 0
  return { made, ann }
}

for (const [type, { make, also = [], event }] of Object.entries(CAUSES)) {
  t.test(
    `${type}: once, to its listeners, to those of all events and to the channel, with nothing secret`,
    async (t) => {
      const { made, ann } = await prepared(t)
      const heard: SessionEvent[] = []
      const published: unknown[] = []
      const publish = (message: unknown): void => void published.push(message)
      made.app.sessions.events.on(type as Type, (one: SessionEvent) => void heard.push(one))
      subscribe('fastify-session-guard', publish)
      t.teardown(() => unsubscribe('fastify-session-guard', publish))
      const secrets = [ann.cookie?.split('.')[1] ?? '?']
      await make(made, ann)
      secrets.push(ann.cookie?.split('.')[1] ?? '?')
      t.match(heard, [{ type, at: made.clock(), ...event }])
      t.equal(heard.length, 1)
      t.same(made.events.map((one) => one.type).toSorted(), [...also, type].toSorted())
      t.same(published, made.events)
      for (const secret of secrets) t.notOk(JSON.stringify(published).includes(secret))
    },
  )
}

t.test('security events leave an audit line in the app’s log, with the handle and without the id', async (t) => {
  const { made, ann } = await prepared(t)
  const id = ann.cookie ?? ''
  await ann.post('/logout')
  await made.app.inject({ url: '/me', headers: { cookie: 'session=x' } })
  const lines = made
    .log()
    .split('\n')
    .filter((line) => line.includes('"audit"'))
    .map((line) => JSON.parse(line) as { level: number; msg: string; audit: object })
  t.match(lines, [
    { level: 30, msg: 'session login', audit: { type: 'login', userId: 'ann', handle: id.slice(0, 22) } },
    { level: 30, msg: 'session logout', audit: { type: 'logout', userId: 'ann' } },
    { level: 40, msg: 'session forged', audit: { type: 'forged' } },
  ])
  t.notOk(made.log().includes(id.split('.')[1] ?? '?'))
})

t.test('a listener that throws or rejects decides nothing', async (t) => {
  const { made, ann } = await prepared(t)
  made.app.sessions.events.on('login', () => {
    throw new Error('my bug')
  })
  // oxlint-disable-next-line typescript/no-misused-promises -- an async listener is what people write all the same
  made.app.sessions.events.on('login', async () => Promise.reject(new Error('my other bug')))
  t.equal((await ann.post('/login', { user: { id: 'bob' } })).statusCode, 200)
  t.match((await ann.get('/me')).json(), { user: { id: 'bob' } })
  t.match(made.log(), /a listener of session events threw/)
})

t.test('a first login has no handle before it', async (t) => {
  const { made } = await prepared(t)
  await made.visitor().post('/login')
  t.match(made.events, [{ type: 'login', previousHandle: null }])
})

t.test('an event of a store that fails names the operation, not the reason', async (t) => {
  const made = await world(t, {
    store: (store) => ({ ...coreOnly(store), create: () => Promise.reject(new Error('hunter2')) }),
    routes: ordinary,
  })
  await made.visitor().post('/login')
  t.match(made.events, [{ type: 'store-failure', operation: 'create' }])
  t.notMatch(JSON.stringify(made.events), /hunter2/)
})

t.test('a store that is frozen is a store all the same', async (t) => {
  const { visitor } = await world(t, { store: (store) => Object.freeze(coreOnly(store)), routes: ordinary })
  const ann = visitor()
  t.equal((await ann.post('/login')).statusCode, 200)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})
