import Fastify from 'fastify'
import { inspect } from 'node:util'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { memoryStore, secureSession } from '../../lib/index.ts'
import type { ManualClock } from '../../lib/testing/index.ts'
import { boundClient, loginAs, manualClock, peek } from '../../lib/testing/index.ts'
import type { SecureSessionOptions, SessionEvent } from '../../types/index.ts'

const SECRET = 'pJvQ0m3Xr9Wc5TzLk8Yd2NfHs6BgVu4E-aR7iCoMqwI'

interface Setting {
  app: FastifyInstance
  clock: ManualClock
  events: SessionEvent[]
  page: (url: string, cookie: string) => Promise<{ status: number; body: unknown; cookie: string | undefined }>
}

async function setUp(t: Test, options: SecureSessionOptions = {}): Promise<Setting> {
  const clock = manualClock()
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(secureSession, {
    environment: 'test',
    secret: SECRET,
    clock,
    store: memoryStore({ clock }),
    ...options,
  })
  const events: SessionEvent[] = []
  app.sessions.events.on('event', (event) => events.push(event))
  app.get('/me', async (request) => ({ user: request.user, data: request.session.data() }))
  app.get('/sudo', { preHandler: app.requireLogin({ within: '10m' }) }, async () => ({}))
  app.get('/logout', async (request) => request.logout())
  return {
    app,
    clock,
    events,
    page: async (url, cookie) => {
      const response = await app.inject({ url, headers: { cookie } })
      const set = response.headers['set-cookie']
      return {
        status: response.statusCode,
        body: response.body === '' ? undefined : response.json<unknown>(),
        cookie: set === undefined ? undefined : String(set),
      }
    },
  }
}

t.test('loginAs gives the cookie of a user who is logged in', async (t) => {
  const { app, page, events } = await setUp(t)
  const cookie = await loginAs(app, { id: 'ann', name: 'Ann' })
  t.match(cookie, /^session=[\w-]{22}\.[\w-]{43}\.[\w-]{43}$/)
  const { status, body } = await page('/me', cookie)
  t.strictSame({ status, body }, { status: 200, body: { user: { id: 'ann', name: 'Ann' }, data: {} } })
  t.match(await page('/sudo', cookie), { status: 200 })
  t.match(events, [{ type: 'login', userId: 'ann' }])
})

t.test('loginAs sets up data, remember and device facts', async (t) => {
  const { app, page } = await setUp(t)
  const cookie = await loginAs(
    app,
    { id: 'ann' },
    { remember: true, data: { cart: ['tea'] }, userAgent: 'Lynx', ip: '10.0.0.7' },
  )
  t.match(await page('/me', cookie), { body: { data: { cart: ['tea'] } } })
  t.match(await app.sessions.list('ann'), [{ remember: true, device: { userAgent: 'Lynx', ip: '10.0.0.7' } }])
})

t.test('loginAs uses the name that the cookie has in production', async (t) => {
  const { app, page } = await setUp(t, { environment: 'production', tls: 'direct', store: aStore() })
  const cookie = await loginAs(app, { id: 'ann' })
  t.match(cookie, /^__Host-session=/)
  t.match(await page('/me', cookie), { body: { user: { id: 'ann' } } })
})

/** Returns a plain object: to the guard, in production, a store of the user's own. */
function aStore(): NonNullable<SecureSessionOptions['store']> {
  const store = memoryStore()
  return {
    get: (handle) => store.get(handle),
    create: (record) => store.create(record),
    update: (record, version) => store.update(record, version),
    touch: (handle, version, seen) => store.touch(handle, version, seen),
    delete: (handle, version) => store.delete(handle, version),
  }
}

t.test('the app’s limits and checks hold for loginAs too', async (t) => {
  const { app } = await setUp(t, { maxSessions: { limit: 1, onLimit: 'refuse' } })
  await loginAs(app, { id: 'ann' })
  await t.rejects(loginAs(app, { id: 'ann' }), { code: 'SESSION_LIMIT_REACHED' })
  await t.rejects(loginAs(app, { id: '' }), { code: 'SESSION_USER_INVALID' })
  await t.rejects(loginAs(app, { id: 'bob' }, { data: { __proto__: null, constructor: 1 } }), {
    code: 'SESSION_KEY_RESERVED',
  })
})

t.test('two logins are two sessions', async (t) => {
  const { app, page } = await setUp(t)
  const [first, second] = [await loginAs(app, { id: 'ann' }), await loginAs(app, { id: 'ann' })]
  await page('/logout', first)
  t.match(await page('/me', first), { body: { user: null } })
  t.match(await page('/me', second), { body: { user: { id: 'ann' } } })
})

t.test('an app without the plugin is told so', async (t) => {
  const app = Fastify()
  await t.rejects(loginAs(app, { id: 'ann' }), TypeError)
  await t.rejects(peek(app, 'session=x'), { message: /not registered on this app/ })
})

t.test('the test helpers add no route, and an app that is logged does not show them', async (t) => {
  const { app } = await setUp(t)
  await app.ready()
  t.strictSame(app.printRoutes({ commonPrefix: false }).match(/\/\w+/g), ['/me', '/sudo', '/logout'])
  t.notMatch(inspect(app, { depth: 4, getters: true, showHidden: true }), SECRET)
})

t.test('a manual clock moves a session to its end', async (t) => {
  const { app, clock, page } = await setUp(t)
  const cookie = await loginAs(app, { id: 'ann' })
  clock.advance('11m')
  t.match(await page('/sudo', cookie), { status: 403 })
  clock.advance('31m')
  t.match(await page('/me', cookie), { body: { user: null } })
})

t.test('a manual clock stands still, starts where it is told to, and takes no number', async (t) => {
  const clock = manualClock(new Date('2030-01-01T00:00:00Z'))
  t.equal(clock(), Date.UTC(2030, 0, 1))
  clock.advance('90s')
  t.equal(clock(), Date.UTC(2030, 0, 1, 0, 1, 30))
  t.equal(manualClock(7)(), 7)
  const before = Date.now()
  t.ok(manualClock()() >= before)
  // @ts-expect-error -- a number has no unit
  t.throws(() => clock.advance(90), TypeError)
})

t.test('peek shows what a cookie leads to', async (t) => {
  const { app, clock } = await setUp(t)
  const cookie = await loginAs(app, { id: 'ann', name: 'Ann' }, { data: { cart: ['tea'] } })
  const session = await peek(app, `theme=dark; ${cookie}; a=b`)
  t.strictSame(session, {
    handle: cookie.slice('session='.length, 'session='.length + 22),
    user: { id: 'ann', name: 'Ann' },
    authenticatedAt: new Date(clock()),
    remember: false,
    data: { cart: ['tea'] },
    deadlines: { idle: new Date(clock() + 30 * 60_000), absolute: new Date(clock() + 12 * 3_600_000) },
  })
})

t.test('peek reads a set-cookie line, also of an anonymous session', async (t) => {
  const { app, page } = await setUp(t)
  app.get('/note', async (request) => {
    Object.assign(request.session, { cart: ['tea'] })
    return {}
  })
  const { cookie } = await page('/note', '')
  t.match(await peek(app, cookie ?? ''), { user: null, authenticatedAt: null, data: { cart: ['tea'] } })
})

t.test('peek shows nothing where the cookie opens nothing', async (t) => {
  const { app, clock, page } = await setUp(t)
  const cookie = await loginAs(app, { id: 'ann' })
  t.equal(await peek(app, ''), undefined)
  t.equal(await peek(app, 'session=forged'), undefined)
  t.equal(await peek(app, `${cookie}; ${cookie}`), undefined, 'two of them')
  await page('/logout', cookie)
  t.equal(await peek(app, cookie), undefined, 'ended')
  const late = await loginAs(app, { id: 'ann' })
  clock.advance('30m')
  t.equal(await peek(app, late), undefined, 'expired')
})

t.test('peek shows nothing for an id that a login has replaced', async (t) => {
  const { app, page } = await setUp(t)
  app.get('/again', async (request) => request.login({ id: 'ann' }))
  const cookie = await loginAs(app, { id: 'ann' })
  const { cookie: next } = await page('/again', cookie)
  t.equal(await peek(app, cookie), undefined)
  t.match(await peek(app, next ?? ''), { user: { id: 'ann' } })
})

t.test('peek shows what an id opens that a renewal has replaced, and nothing once it opens nothing', async (t) => {
  const { app, clock, page } = await setUp(t)
  const cookie = await loginAs(app, { id: 'ann' })
  clock.advance('16m')
  const next = (await page('/me', cookie)).cookie ?? ''
  t.match(await peek(app, next), { user: { id: 'ann' } }, 'before its first show')
  t.match(await peek(app, cookie), { user: { id: 'ann' } }, 'no peek is a show')
  await page('/me', next)
  clock.advance('61s')
  await page('/me', next)
  t.equal(await peek(app, cookie), undefined)
  t.match(await peek(app, next), { user: { id: 'ann' } }, 'no peek ends the session')
})

t.test('peek needs no proof of the device of a bound session', async (t) => {
  const { app } = await setUp(t, { deviceBound: true })
  app.post('/login', async (request) => request.login({ id: 'ann' }))
  const client = await boundClient(app)
  await client.inject({ method: 'POST', url: '/login' })
  t.match(await app.sessions.list('ann'), [{ isDeviceBound: true }])
  client.cookies.delete('session-bound')
  t.match(await peek(app, client.cookie), { user: { id: 'ann' } })
})

t.test('peek shows nothing for an expired record that its store still hands out, and changes nothing', async (t) => {
  const store = memoryStore()
  const { app, clock, events } = await setUp(t, { store })
  const cookie = await loginAs(app, { id: 'ann' })
  events.length = 0
  clock.advance('30m')
  t.equal(await peek(app, cookie), undefined)
  t.equal(store.size, 1)
  t.strictSame(events, [])
})
