/** Old sessions that would enter a second time, and first responses that would log a visitor out. */
import type { IncomingMessage } from 'node:http'
import { get } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { cookieSession } from '../../lib/migrate/cookie-session.ts'
import { hmacOf } from '../../lib/migrate/signature.ts'
import { newApp } from './new-app.ts'
import type { OldCookies } from './old-apps.ts'
import {
  cookieSessionApp,
  expressSessionApp,
  headerOf,
  ironSessionApp,
  memoryOf,
  OLD_SECRET,
  userOf,
} from './old-apps.ts'

const APPS = { 'a record on a server': expressSessionApp, 'a cookie': ironSessionApp }

const UPGRADE = { upgrade: 'h2c', connection: 'upgrade' }

for (const [kind, make] of Object.entries(APPS)) {
  t.test(`an ordinary response to an upgrade uses the old session up: ${kind}`, async (t) => {
    const old = make(t)
    const { bench, visitor } = await newApp(t, old)
    const origin = await bench.app.listen({ port: 0, host: '127.0.0.1' })
    const cookies = await old.open({ userId: 'ann' })
    const ask = (): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const headers = { ...UPGRADE, cookie: headerOf(cookies) }
        get(`${origin}/me`, { headers, agent: false }, (response) => resolve(response.resume())).on('error', reject)
      })
    const first = await ask()
    t.equal(first.statusCode, 200)
    t.match(first.headers['set-cookie'], [/^session=/, /Max-Age=0/])
    if (old.isStored) t.equal(await old.read(cookies), undefined, 'the old record is gone')
    t.equal((await visitor(cookies).visit()).userId, 'ann', 'a request that was sent at the same time')
    bench.clock.advance('31s')
    t.match((await ask()).headers['set-cookie'], [/Max-Age=0/])
    t.equal((await visitor(cookies).visit()).userId, null)
  })

  t.test(`a store that fails when an upgrade is answered is a 503, and the next request enters: ${kind}`, async (t) => {
    const old = make(t)
    const { bench, visitor } = await newApp(t, old)
    const ann = visitor(await old.open({ userId: 'ann' }))
    const caught = bench.gate.as('first', () => bench.gate.hold('update', { by: 'first', after: 1 }))
    void caught.arrived.then(() => caught.fail())
    const pages = [await bench.gate.as('first', () => ann.visit('/me', { headers: UPGRADE })), await ann.visit()]
    t.strictSame(
      pages.map(({ status }) => status),
      [503, 200],
    )
    t.equal(pages[1]?.userId, 'ann')
  })

  t.test(`a first response that fails late does not log the visitor out: ${kind}`, async (t) => {
    const old = make(t)
    const routes = (app: FastifyInstance): void => {
      app.addHook('onSend', async (request, reply) => {
        if (request.url.startsWith('/late')) reply.code(500)
      })
      app.get('/late/login', async (request) => {
        await request.login({ id: 'bob' })
        return {}
      })
      app.get('/late/confirm', async (request) => {
        await request.confirmLogin()
        return {}
      })
      app.get('/late/stream', async (request, reply) => {
        await request.login({ id: 'bob' })
        return reply.send(Readable.from(['{}']))
      })
    }
    const { bench, visitor } = await newApp(t, old, { routes })
    for (const url of ['/late/login', '/late/confirm', '/late/stream']) {
      const ann = visitor(await old.open({ userId: 'ann', cart: 1 }))
      t.equal((await ann.visit(url)).status, 500)
      t.strictSame([...ann.cookies.keys()], ['session'], url)
      bench.clock.advance('31s')
      t.match(await ann.visit(), { userId: 'ann', data: { cart: 1 } }, url)
    }
  })

  t.test(`a logout uses up each old session that comes with it: ${kind}`, async (t) => {
    const old = make(t)
    const { bench, visitor } = await newApp(t, old)
    const cookies = await old.open({ userId: 'ann' })
    const ann = visitor(new Map())
    await ann.visit('/login')
    for (const [name, value] of cookies) ann.cookies.set(name, value)
    t.equal((await ann.visit()).userId, 'somebody else', 'the session of this app goes first')
    await ann.visit('/logout')
    t.equal(ann.cookies.size, 0, 'the old cookie is cleared')
    t.equal((await visitor(cookies).visit()).userId, null)
    if (old.isStored) t.equal(await old.read(cookies), undefined)
    bench.clock.advance('20s')
    t.equal((await visitor(cookies).visit()).userId, null)
    t.equal(bench.takeEvents('migrate').length, 0)
  })

  t.test(`a logout closes an old session that another browser entered by a moment ago: ${kind}`, async (t) => {
    const old = make(t)
    const { visitor } = await newApp(t, old)
    const cookies = await old.open({ userId: 'ann' })
    const [ann, bob] = [visitor(cookies), visitor(new Map())]
    t.equal((await ann.visit()).userId, 'ann')
    await bob.visit('/login')
    for (const [name, value] of cookies) bob.cookies.set(name, value)
    await bob.visit('/logout')
    t.equal((await visitor(cookies).visit()).userId, null)
    t.equal((await ann.visit()).userId, 'ann', 'whoever entered goes on')
  })

  t.test(`with keepOld a logout leaves an old session to the old app, and it enters no more: ${kind}`, async (t) => {
    const old = make(t)
    const { visitor } = await newApp(t, old, { migration: { keepOld: true } })
    const cookies = await old.open({ userId: 'ann' })
    const ann = visitor(new Map())
    await ann.visit('/login')
    for (const [name, value] of cookies) ann.cookies.set(name, value)
    await ann.visit('/logout')
    t.match(await old.read(ann.cookies), { userId: 'ann' })
    t.equal((await ann.visit()).userId, null)
  })
}

t.test('a logout takes no notice of an old cookie that leads nowhere', async (t) => {
  const store = memoryOf()
  const old = expressSessionApp(t, store)
  const { visitor, living } = await newApp(t, old)
  const [used, gone] = [await old.open({ userId: 'ann' }), await old.open({ userId: 'ann' })]
  await visitor(used).visit('/logout')
  const [, id = ''] = /^s:([^.]+)\./.exec(decodeURIComponent(gone.get('connect.sid') ?? '')) ?? []
  await new Promise<void>((resolve) => void store.destroy(id, () => resolve()))
  for (const cookies of [used, gone, new Map([['connect.sid', 's%3Ax.y']])]) {
    const ann = visitor(new Map())
    await ann.visit('/login')
    for (const [name, value] of cookies) ann.cookies.set(name, value)
    t.equal((await ann.visit('/logout')).status, 200)
    t.equal(ann.cookies.size, 0)
  }
  t.equal((await living()).length, 1, 'the mark of the first one')
})

t.test('a response that clears an old cookie is for no cache', async (t) => {
  const old = expressSessionApp(t, memoryOf())
  const { visitor } = await newApp(t, old)
  const page = await visitor(new Map([['connect.sid', 's%3Ax.y']])).visit()
  t.match(page, { status: 200, setCookie: [/^connect\.sid=;/], headers: { 'cache-control': 'no-store' } })
})

t.test('an old session that has ended by the clock of the app does not enter', async (t) => {
  const old = ironSessionApp(t)
  const { bench, visitor, living } = await newApp(t, old)
  const ann = visitor(await old.open({ userId: 'ann' }))
  bench.clock.advance('15d')
  t.match(await ann.visit(), { status: 200, userId: null })
  t.strictSame(await living(), [])
})

t.test('an old store that fails at a logout is a 503, and the next logout ends the old session too', async (t) => {
  const store = memoryOf()
  const old = expressSessionApp(t, store)
  const { visitor } = await newApp(t, old)
  const cookies = await old.open({ userId: 'ann' })
  const ann = visitor(new Map())
  await ann.visit('/login')
  for (const [name, value] of cookies) ann.cookies.set(name, value)
  const { get: read } = store
  store.get = (_id, answer) => answer(new Error('the old store is down'))
  t.match(await ann.visit('/logout'), { status: 503, code: 'SESSION_STORE_UNAVAILABLE' })
  t.strictSame([...ann.cookies.keys()], ['connect.sid'])
  store.get = read
  await ann.visit('/logout')
  t.equal((await visitor(cookies).visit()).userId, null)
})

t.test('app.sessions.open follows an old cookie and does not use it up', async (t) => {
  for (const make of Object.values(APPS)) {
    const old = make(t)
    const { bench, visitor } = await newApp(t, old, { session: { headerTransport: {} } })
    const ann = visitor(await old.open({ userId: 'ann' }))
    const cookie = headerOf(ann.cookies)
    const opened = await bench.app.sessions.open({ headers: { cookie } })
    t.equal(opened?.user?.id, 'ann')
    opened?.close()
    t.equal(await bench.app.sessions.open({ headers: { cookie, authorization: 'Session x' } }), null)
    t.equal(await bench.app.sessions.open('connect.sid=x; iron=x'), null)
    t.equal(await bench.app.sessions.open('session=x; session=y'), null)
    bench.clock.advance('5m')
    t.match(await ann.visit(), { userId: 'ann', handle: opened?.handle })
    bench.clock.advance('31s')
    t.equal(await bench.app.sessions.open(cookie), null, 'used up by the request')
  }
})

t.test('an id that has ended keeps no old session out, and two ids at once do', async (t) => {
  const old = expressSessionApp(t, memoryOf())
  const { bench, visitor } = await newApp(t, old)
  const { sessions } = bench.app
  const ended = visitor(new Map())
  await ended.visit('/login')
  await sessions.revokeUser('somebody else')
  const ann = visitor(new Map([...(await old.open({ userId: 'ann' })), ...ended.cookies]))
  const cookie = headerOf(ann.cookies)
  t.equal(await sessions.open(`session=x; ${cookie}`), null, 'one of them may be planted')
  const opened = await sessions.open(cookie)
  t.equal(opened?.user?.id, 'ann')
  opened?.close()
  t.equal((await ann.visit()).userId, 'ann')
})

t.test('an id that another one replaced a moment ago keeps an old session out of a handshake', async (t) => {
  const old = expressSessionApp(t, memoryOf())
  const { bench, visitor } = await newApp(t, old)
  const { sessions } = bench.app
  const bob = visitor(new Map())
  await bob.visit('/login')
  const replaced = bob.cookies.get('session')
  await bob.visit('/login')
  const cookie = headerOf(await old.open({ userId: 'ann' }))
  t.equal(await sessions.open(`session=${replaced}; ${cookie}`), null, 'the browser still has a session here')
  const opened = await sessions.open({
    headers: { cookie, 'user-agent': 'Firefox/140.0' },
    socket: { remoteAddress: '10.0.0.1' },
  })
  opened?.close()
  t.match(await sessions.list('ann'), [{ device: { userAgent: 'Firefox/140.0', ip: '10.0.0.1' } }])
})

t.test('of several old libraries each one lets its own sessions in', async (t) => {
  const [first, second] = [expressSessionApp(t, memoryOf()), ironSessionApp(t)]
  const session = { migrateFrom: [first.migration(), second.migration()] }
  const { visitor } = await newApp(t, first, { session })
  for (const old of [first, second]) t.equal((await visitor(await old.open({ userId: 'ann' })).visit()).userId, 'ann')
})

t.test('at the instant of until the way in is closed', async (t) => {
  const old = ironSessionApp(t)
  const end = Date.now() + 3_600_000
  const { bench, visitor } = await newApp(t, old, { migration: { until: new Date(end).toISOString() } })
  const cookies = await old.open({ userId: 'ann' })
  bench.clock.advance(end - bench.clock() - 1)
  const opened = await bench.app.sessions.open(headerOf(cookies))
  t.equal(opened?.user?.id, 'ann', 'a millisecond before')
  opened?.close()
  bench.clock.advance(1)
  const late = visitor(cookies)
  t.equal((await late.visit()).userId, null)
  t.strictSame(late.cookies, cookies, 'the old cookie is left alone')
})

t.test('a stream that a logout cannot send, because the old store fails, is closed', async (t) => {
  const store = memoryOf()
  const old = expressSessionApp(t, store)
  const body = new PassThrough()
  const routes = (app: FastifyInstance): void => {
    app.get('/logout/stream', async (request, reply) => {
      await request.logout()
      return reply.send(body)
    })
  }
  const { visitor } = await newApp(t, old, { routes })
  const ann = visitor(new Map())
  await ann.visit('/login')
  for (const [name, value] of await old.open({ userId: 'ann' })) ann.cookies.set(name, value)
  store.get = (_id, answer) => answer(new Error('the old store is down'))
  t.equal((await ann.visit('/logout/stream')).status, 503)
  t.ok(body.destroyed)
})

t.test(
  'an old cookie of our own name is cleared by the error that a later hook puts in the place of a page',
  async (t) => {
    const old = expressSessionApp(t, memoryOf(), { name: 'session' })
    const met = new WeakSet<object>()
    const routes = (app: FastifyInstance): void => {
      app.get('/app/page', async () => ({}))
      app.addHook('onSend', async (request) => {
        if (met.has(request)) return
        met.add(request)
        throw new Error('a later hook')
      })
    }
    const migration = { cookieName: 'session', cookie: { path: '/app' } } as object
    const { visitor } = await newApp(t, old, { migration, routes })
    const page = await visitor(new Map([['session', 's%3Ax.y']])).visit('/app/page')
    t.match(page, { status: 500, setCookie: [/^session=; .*Path=\/app; .*HttpOnly/] })
  },
)

t.test('an old cookie of our own name is not reported as a forged one', async (t) => {
  const old = expressSessionApp(t, memoryOf(), { name: 'session' })
  const { bench, visitor } = await newApp(t, old, { migration: { cookieName: 'session' } as object })
  t.equal((await visitor(await old.open({ userId: 'ann' })).visit()).userId, 'ann')
  t.equal(bench.takeEvents('forged').length, 0)
  t.equal((await bench.app.inject('/me')).headers['set-cookie'], undefined, 'a visitor without a cookie')
})

t.test('a planted prototype in old data makes nobody somebody else', async (t) => {
  const sealed = (text: string): OldCookies => {
    const value = Buffer.from(text).toString('base64')
    const signature = hmacOf('sha1', OLD_SECRET, `old=${value}`).replaceAll('+', '-').replaceAll('/', '_')
    return new Map([
      ['old', value],
      ['old.sig', signature],
    ])
  }
  const merging = (data: object): ReturnType<typeof userOf> => userOf(Object.assign({}, data))
  const migrateFrom = [cookieSession({ keys: [OLD_SECRET], cookieName: 'old', user: merging })]
  const { visitor } = await newApp(t, cookieSessionApp(t), { session: { migrateFrom } })
  for (const text of ['{"__proto__":{"userId":"admin"},"x":1}', '{"constructor":{"prototype":{"userId":"a"}},"x":1}']) {
    t.match(await visitor(sealed(text)).visit(), { status: 200, userId: null, data: { x: 1 } })
  }
})

t.test('old data that no session could write again is dropped, and the session can be written', async (t) => {
  const old = expressSessionApp(t)
  const routes = (app: FastifyInstance): void => {
    app.get('/count', async (request) => {
      Object.assign(request.session, { count: 1 })
      return {}
    })
  }
  const { visitor } = await newApp(t, old, { routes })
  const deep: unknown = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`)
  const ann = visitor(await old.open({ userId: 'ann', deep, cart: ['tea'] }))
  t.equal((await ann.visit('/count')).status, 200)
  t.match(await ann.visit(), { userId: 'ann', data: { userId: 'ann', cart: ['tea'], count: 1 } })
})

t.test('an old record that its store cannot parse lets nobody in, and its cookie is left alone', async (t) => {
  const store = memoryOf()
  const old = expressSessionApp(t, store)
  const { bench, visitor } = await newApp(t, old)
  const ann = visitor(await old.open({ userId: 'ann' }))
  const { get: read } = store
  store.get = (_id, answer) => answer(new SyntaxError('Unexpected token'))
  t.match(await ann.visit(), { status: 200, userId: null })
  t.strictSame([...ann.cookies.keys()], ['connect.sid'])
  t.equal(await bench.app.sessions.open(headerOf(ann.cookies)), null)
  await ann.copy().visit('/login')
  store.get = read
  t.equal((await ann.visit()).userId, 'ann', 'when the store reads it again')
})

t.test('an old store may take as long as storeTimeout says', async (t) => {
  const store = memoryOf()
  const old = expressSessionApp(t, store)
  const { visitor } = await newApp(t, old, { session: { storeTimeout: '50ms' } })
  const ann = visitor(await old.open({ userId: 'ann' }))
  store.get = () => undefined
  t.match(await ann.visit(), { status: 503, code: 'SESSION_STORE_UNAVAILABLE' })
})

for (const [kind, make] of Object.entries(APPS)) {
  t.test(`in a trial an old session enters once, and once more in another namespace: ${kind}`, async (t) => {
    const old = make(t)
    const first = await newApp(t, old, { migration: { keepOld: true } })
    const cookies = await old.open({ userId: 'ann' })
    t.equal((await first.visitor(cookies).visit()).userId, 'ann')
    first.bench.clock.advance('31s')
    t.equal((await first.visitor(cookies).visit()).userId, null)
    const makeStore = (): typeof first.bench.gate.store => first.bench.gate.store
    const session = { namespace: 'second trial' }
    const second = await newApp(t, old, { migration: { keepOld: true }, makeStore, session })
    t.equal((await second.visitor(cookies).visit()).userId, 'ann')
    t.match(await old.read(cookies), { userId: 'ann' }, 'and the old app still serves its visitor')
    const end = await newApp(t, old, { makeStore, session })
    end.bench.clock.advance('31s')
    const late = end.visitor(cookies)
    t.equal((await late.visit()).userId, null)
    t.equal(late.cookies.size, 0, 'without keepOld the old cookie is cleared')
    if (old.isStored) t.equal(await old.read(cookies), undefined, 'and the old record is deleted')
  })
}
