import { inspect } from 'node:util'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import t from 'tap'
import { ordinary, route, world } from './world.ts'
import type { Visitor, World } from './world.ts'

type Bag = Record<string, unknown>

/** Returns one visitor, and a way to run code in a request of theirs. */
async function requests(
  t: Parameters<typeof world>[0],
): Promise<
  World & { ann: Visitor; within: (work: (request: FastifyRequest, session: Bag) => unknown) => Promise<number> }
> {
  let work: (request: FastifyRequest, session: Bag) => unknown = () => undefined
  const made = await world(t, {
    routes: (app: FastifyInstance) => {
      ordinary(app)
      // Data as properties, as JavaScript sees it; the types let only declared names through.
      route(app, '/within', async (request) => ({ value: await work(request, request.session as unknown as Bag) }))
    },
  })
  const ann = made.visitor()
  const within = async (given: typeof work): Promise<number> => {
    work = given
    const response = await ann.post('/within')
    if (response.statusCode !== 200) throw Object.assign(new Error(response.body), response.json())
    return response.statusCode
  }
  return { ...made, ann, within }
}

async function dataOf(visitor: Visitor): Promise<unknown> {
  return (await visitor.get('/me')).json<{ data: unknown }>().data
}

t.test('data goes in by property, set and assign, and comes out by property, get, data, spread and JSON', async (t) => {
  const { ann, within } = await requests(t)
  await within((request, session) => {
    session['a'] = 1
    request.session.set('b' as never, 2 as never)
    Object.assign(request.session, { c: 3 })
    Object.defineProperty(session, 'd', { value: 4 })
  })
  await within((request, session) => {
    t.equal(session['a'], 1)
    t.equal(request.session.get('b' as never), 2)
    t.strictSame(request.session.data(), { a: 1, b: 2, c: 3, d: 4 })
    t.strictSame({ ...session, cookie: undefined }, { a: 1, b: 2, c: 3, d: 4, cookie: undefined })
    t.match(JSON.parse(JSON.stringify(session)), { a: 1, b: 2, c: 3, d: 4 })
    t.ok('a' in session)
    t.notOk('z' in session)
    t.equal(request.session.get('z' as never), undefined)
    t.equal(request.session.get('toString' as never), undefined, 'what is inherited is no data')
    t.same(Object.keys(session).toSorted(), ['a', 'b', 'c', 'cookie', 'd'])
    delete session['a']
  })
  t.strictSame(await dataOf(ann), { b: 2, c: 3, d: 4 })
})

t.test('data() is a copy', async (t) => {
  const { ann, within } = await requests(t)
  await within((request, session) => {
    session['cart'] = { tea: 1 }
    const copy = request.session.data() as { cart: Bag }
    copy.cart['coffee'] = 1
  })
  t.strictSame(await dataOf(ann), { cart: { tea: 1 } })
})

t.test('a change deep inside is saved', async (t) => {
  const { ann, within } = await requests(t)
  await within((_request, session) => {
    session['cart'] = { items: [{ id: 1 }] }
  })
  await within((_request, session) => {
    const { items } = session['cart'] as { items: Bag[] }
    items.push({ id: 2 })
  })
  t.strictSame(await dataOf(ann), { cart: { items: [{ id: 1 }, { id: 2 }] } })
})

t.test('a read writes nothing, and neither does a change that is taken back', async (t) => {
  const { asked, within } = await requests(t)
  await within((_request, session) => {
    session['a'] = { deep: [1] }
  })
  asked()
  await within((request, session) => {
    t.equal(request.session.isModified(), false)
    t.same(session['a'], { deep: [1] })
    t.equal(request.session.isModified(), false)
    session['a'] = 2
    t.equal(request.session.isModified(), true)
    session['a'] = { deep: [1] }
    t.equal(request.session.isModified(), false)
  })
  t.same(asked(), ['get'])
})

t.test('a new session is not modified, has a handle for an id, and leaves no record and no cookie', async (t) => {
  const { ann, store, within } = await requests(t)
  await within((request) => {
    t.equal(request.session.isModified(), false)
    t.equal(request.session.isSaved(), false)
    t.match(request.session.sessionId, /^[\w-]{22}$/)
    t.strictSame(request.session.data(), {})
    t.equal(request.session, request.session)
  })
  t.equal(store.size, 0)
  t.equal(ann.cookie, undefined)
})

t.test('the session id that apps see is the handle, and never the whole id', async (t) => {
  const { ann, within } = await requests(t)
  await within((_request, session) => {
    session['a'] = 1
  })
  await within((request) => {
    t.equal(request.session.sessionId, ann.cookie?.slice(0, 22))
    t.equal(request.session.encryptedSessionId, ann.cookie?.slice(0, 22))
  })
})

t.test('the output of inspect and console.log holds no secret', async (t) => {
  const { ann, within, record } = await requests(t)
  await within((_request, session) => {
    session['a'] = 1
  })
  const [handle = '', secret = '?', signature = '?'] = ann.cookie?.split('.') ?? []
  const hash = (await record(handle))?.secretHash ?? '?'
  await within((request, session) => {
    for (const shown of [
      inspect(session, { depth: 9, showHidden: true, showProxy: true }),
      inspect(request.session),
      JSON.stringify(session),
    ]) {
      for (const hidden of [secret, signature, hash]) t.notOk(shown.includes(hidden))
    }
  })
})

t.test('save writes at once, by promise and by callback', async (t) => {
  const { asked, store, within } = await requests(t)
  await within(async (request, session) => {
    session['a'] = 1
    await request.session.save()
    t.equal(store.size, 1)
    t.equal(request.session.isModified(), false)
    t.equal(request.session.isSaved(), true)
    session['b'] = 2
    const error = await new Promise((resolve) => request.session.save(resolve))
    t.equal(error, undefined)
    t.same(
      asked().filter((name) => name !== 'get'),
      ['create', 'update'],
    )
  })
  t.same(asked(), [], 'nothing is left for the end')
})

t.test('a callback gets the error that a promise would reject with', async (t) => {
  const { within } = await requests(t)
  await within(async (request, session) => {
    session['f'] = () => undefined
    await t.rejects(request.session.save(), { code: 'SESSION_VALUE_UNSERIALIZABLE' })
    t.match(await new Promise((resolve) => request.session.save(resolve)), { code: 'SESSION_VALUE_UNSERIALIZABLE' })
    delete session['f']
  })
})

t.test('destroy ends the session at once and leaves null, by promise and by callback', async (t) => {
  for (const style of ['promise', 'callback']) {
    const { ann, events, store, within } = await requests(t)
    await ann.post('/login')
    await within(async (request) => {
      if (style === 'promise') await request.session.destroy()
      else t.equal(await new Promise((resolve) => request.session.destroy(resolve)), undefined)
      t.equal(request.session, null)
      t.equal(request.user, null)
      t.equal(store.size, 0)
    })
    t.equal(ann.cookie, undefined)
    t.same(
      events.map((event) => event.type),
      ['login', 'logout'],
    )
  }
})

t.test('a login after destroy begins a new session', async (t) => {
  const { ann, within } = await requests(t)
  await ann.post('/login')
  await ann.post('/note', { old: 1 })
  await within(async (request) => {
    await request.session.destroy()
    await request.login({ id: 'bob' })
    t.strictSame(request.session.data(), {})
  })
  t.match((await ann.get('/me')).json(), { user: { id: 'bob' } })
})

t.test('regenerate on an object whose session is gone begins anew', async (t) => {
  const { ann, store, within } = await requests(t)
  await ann.post('/note', { a: 1 })
  await within(async (request) => {
    const { session } = request
    await session.destroy()
    await session.regenerate()
    t.strictSame(request.session.data(), {})
    Object.assign(request.session, { b: 2 })
  })
  t.strictSame(await dataOf(ann), { b: 2 })
  t.equal(store.size, 1)
})

t.test('destroying an anonymous session is no logout', async (t) => {
  const { ann, events, store, within } = await requests(t)
  await ann.post('/note', { a: 1 })
  await within((request) => request.session.destroy())
  t.equal(store.size, 0)
  t.equal(ann.cookie, undefined)
  t.same(events, [])
})

t.test('regenerate gives a new id and keeps only the keys named, in all its calling styles', async (t) => {
  const styles: [name: string, kept: Bag, call: (request: FastifyRequest) => Promise<unknown>][] = [
    ['promise', {}, (request) => request.session.regenerate()],
    ['keys', { a: 1 }, async (request) => request.session.regenerate(['a', 'none', 'cookie', '__proto__'] as never)],
    ['callback', {}, (request) => new Promise((resolve) => request.session.regenerate(resolve))],
    [
      'keys and callback',
      { a: 1 },
      (request) => new Promise((resolve) => request.session.regenerate(['a'] as never, resolve)),
    ],
  ]
  for (const [name, kept, call] of styles) {
    const { app, ann, events, within } = await requests(t)
    await ann.post('/note', { a: 1, b: 2 })
    const old = ann.cookie ?? ''
    await within(async (request) => {
      t.equal(await call(request), undefined, name)
      t.strictSame(request.session.data(), kept)
    })
    t.not(ann.cookie, old)
    t.strictSame(await dataOf(ann), kept)
    const replay = await app.inject({ url: '/me', cookies: { session: old } })
    t.strictSame(replay.json<{ data: unknown }>().data, {}, 'the old id opens nothing')
    t.match(events, [{ type: 'rotate', reason: 'regenerate' }])
  }
})

t.test('regenerate keeps the user', async (t) => {
  const { ann, within } = await requests(t)
  await ann.post('/login')
  await within((request) => request.session.regenerate())
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('reload forgets what this request did and reads the store again', async (t) => {
  for (const style of ['promise', 'callback']) {
    const { app, ann, within } = await requests(t)
    await ann.post('/note', { a: 1 })
    await within(async (request, session) => {
      session['a'] = 'mine'
      await app.inject({
        method: 'POST',
        url: '/note',
        cookies: { session: ann.cookie ?? '' },
        payload: { b: 'theirs' },
      })
      if (style === 'promise') await request.session.reload()
      else await new Promise((resolve) => request.session.reload(resolve))
      t.strictSame(request.session.data(), { a: 1, b: 'theirs' })
      t.equal(request.session.isModified(), false)
    })
    t.strictSame(await dataOf(ann), { a: 1, b: 'theirs' })
  }
})

t.test('reload after a login brings nothing back that the login dropped', async (t) => {
  const { ann, within } = await requests(t)
  const cases: [work: (request: FastifyRequest) => Promise<void>, data: object][] = [
    [(request) => request.login({ id: 'bob' }), {}],
    [(request) => request.login({ id: 'bob' }, { keep: ['a'] }), { a: 1 }],
    [(request) => request.login({ id: 'ann' }, { keep: false }), {}],
    [(request) => request.session.regenerate(['a']), { a: 1 }],
    [(request) => request.login({ id: 'ann' }), { a: 1, b: 2 }],
  ]
  for (const [work, data] of cases) {
    await ann.post('/login')
    await ann.post('/note', { a: 1, b: 2 })
    await within(async (request, session) => {
      session['a'] = 'mine'
      await work(request)
      await request.session.reload()
      t.strictSame(request.session.data(), data)
    })
    t.strictSame(await dataOf(ann), data)
  }
})

t.test('reload after the login of a guest brings no token back that somebody planted', async (t) => {
  const { ann, within } = await requests(t)
  await ann.post('/note', { _csrf: 'planted', cart: 1 })
  await within(async (request) => {
    await request.login({ id: 'ann' })
    await request.session.reload()
  })
  t.strictSame(await dataOf(ann), { cart: 1 })
})

t.test('reload of a session that has no record empties it', async (t) => {
  const { store, within } = await requests(t)
  await within(async (request, session) => {
    session['a'] = 1
    await request.session.reload()
    t.strictSame(request.session.data(), {})
  })
  t.equal(store.size, 0)
})

t.test('touch moves the idle deadline, whether one is due or not', async (t) => {
  const { ann, asked, clock, record, within } = await requests(t)
  await ann.post('/note', { a: 1 })
  clock.advance(1)
  asked()
  await within((request) => {
    request.session.touch()
  })
  t.same(asked(), ['get', 'touch'])
  t.equal((await record(ann.cookie?.slice(0, 22) ?? ''))?.idleDeadline, clock() + 1_800_000)
})

t.test('the cookie of the session can be read, not changed', async (t) => {
  const { ann, within } = await requests(t)
  await within((request, session) => {
    session['a'] = 1
    t.match(request.session.cookie, { path: '/', httpOnly: true, sameSite: 'lax', secure: false })
    const cookie = request.session.cookie as unknown as Bag
    const refused = { code: 'SESSION_OPTION_INVALID' }
    t.throws(() => (cookie['maxAge'] = 1), refused)
    t.throws(() => Object.defineProperty(cookie, 'path', { value: '/x' }), refused)
    t.throws(() => Object.assign(cookie, { secure: false }), refused)
    t.throws(() => delete cookie['httpOnly'], refused)
    t.throws(() => request.session.options({ maxAge: 1 }), refused)
  })
  t.equal(ann.maxAge, undefined)
})

t.test('the cookie that the session shows has the SameSite that the browser gets, over http too', async (t) => {
  const made = await world(t, {
    session: { cookie: { sameSite: 'strict' } },
    routes: (app) =>
      route(app, '/cookie', (request) => ({
        cookie: request.session.cookie,
        ...(Object.assign(request.session, { a: 1 }), {}),
      })),
  })
  const response = await made.visitor().get('/cookie')
  t.match(response.json(), { cookie: { sameSite: 'strict', secure: false } })
  t.match(response.cookies, [{ sameSite: 'Strict' }])
})

t.test('the cookie that the session shows is as secure as the option says, behind a proxy too', async (t) => {
  for (const secure of [true, false]) {
    const { app } = await world(t, {
      fastify: { trustProxy: true },
      session: { cookie: { secure } },
      routes: (inner) => route(inner, '/cookie', ({ session }) => ({ cookie: session.cookie })),
    })
    for (const protocol of ['http', 'https']) {
      const response = await app.inject({ url: '/cookie', headers: { 'x-forwarded-proto': protocol } })
      t.match(response.json(), { cookie: { secure } }, `${protocol} with secure: ${secure}`)
    }
  }
})

t.test("with secure: 'auto' the session shows the cookie that this connection gets", async (t) => {
  const { app } = await world(t, {
    fastify: { trustProxy: true },
    session: { cookie: { secure: 'auto', sameSite: 'strict' } },
    routes: (inner) => route(inner, '/cookie', ({ session }) => ({ cookie: session.cookie })),
  })
  for (const [protocol, secure] of [
    ['https', true],
    ['http', false],
  ] as const) {
    const response = await app.inject({ url: '/cookie', headers: { 'x-forwarded-proto': protocol } })
    t.match(response.json(), { cookie: { sameSite: 'strict', secure } }, protocol)
  }
})

t.test(
  'with secure: true the session shows a secure cookie, also behind a proxy that Fastify does not know',
  async (t) => {
    const { app } = await world(t, {
      session: { cookie: { secure: true } },
      routes: (inner) => route(inner, '/cookie', ({ session }) => ({ cookie: session.cookie })),
    })
    t.match((await app.inject('/cookie')).json(), { cookie: { secure: true } })
  },
)

t.test('names of the session object hold no data, whichever way they come', async (t) => {
  const { ann, within } = await requests(t)
  const refused = { code: 'SESSION_KEY_RESERVED', statusCode: 400 }
  await within((request, session) => {
    for (const name of [
      'cookie',
      'sessionId',
      'save',
      'destroy',
      'regenerate',
      'constructor',
      'hasOwnProperty',
      '__proto__',
    ]) {
      t.throws(() => (session[name] = 1), refused, name)
      t.throws(() => request.session.set(name as never, 1 as never), refused, name)
      t.throws(() => Object.defineProperty(session, name, { value: 1 }), refused, name)
      t.throws(() => Object.assign(session, JSON.parse(`{"${name}":{"admin":true}}`)), refused, name)
      t.throws(() => delete session[name], refused, name)
    }
    t.throws(() => Object.setPrototypeOf(session, null), { ...refused, message: /the prototype/ })
    t.throws(() => Reflect.set(session, Symbol('s'), 1), refused)
    t.throws(() => Object.freeze(session), TypeError)
    session['fine'] = 1
  })
  t.strictSame(await dataOf(ann), { fine: 1 })
  t.equal(({} as Bag)['admin'], undefined)
})

t.test('the object holds data and its cookie, and no way around its members to a store', async (t) => {
  const { ann, within } = await requests(t)
  await ann.post('/note', { a: 1 })
  await within((_request, session) => {
    t.equal(Object.getPrototypeOf(session), Object.prototype)
    t.same(Reflect.ownKeys(session), ['cookie', 'a'])
    t.match(Object.getOwnPropertyDescriptors(session), {
      cookie: { value: { path: '/', httpOnly: true }, enumerable: true, writable: false },
      a: { value: 1, enumerable: true, writable: true },
    })
    t.match(JSON.parse(JSON.stringify(session)), { cookie: { path: '/' }, a: 1 })
    for (const name of ['cookie', 'sessionId', 'save', 'a']) t.ok(name in session, name)
    for (const name of ['toString', 'constructor', 'hasOwnProperty', '__proto__']) {
      t.notOk(name in session, name)
      t.equal(session[name as 'cookie'], undefined, `${name} leads to nothing that all objects share`)
    }
    t.notOk('b' in session)
  })
})

t.test('a body assigned to the session makes nobody somebody else', async (t) => {
  const { ann } = await requests(t)
  await ann.post('/login')
  const body = {
    user: { id: 'admin' },
    userId: 'admin',
    handle: 'x',
    epoch: 9,
    authenticatedAt: 0,
    record: {},
    remember: true,
  }
  t.equal((await ann.post('/note', body)).statusCode, 200)
  const { user, data } = (await ann.get('/me')).json<{ user: unknown; data: unknown }>()
  t.strictSame({ user, data }, { user: { id: 'ann' }, data: body })
})

t.test('req.session and req.user are not assigned', async (t) => {
  const { within } = await requests(t)
  await within((request) => {
    t.throws(() => ((request as unknown as Bag)['session'] = {}), {
      code: 'SESSION_OPTION_INVALID',
      message: /req\.session is not assigned.*req\.logout\(\).*req\.session\.destroy\(\)/,
    })
    t.throws(() => ((request as unknown as Bag)['user'] = { id: 'admin' }), { code: 'SESSION_OPTION_INVALID' })
    t.equal(request.user, null)
  })
})

t.test('an object that login, logout or regenerate has replaced takes no more data', async (t) => {
  const { ann, within } = await requests(t)
  await within(async (request, session) => {
    session['a'] = 1
    await request.session.regenerate()
    t.equal(session['a'], 1, 'it can still be read')
    t.throws(() => (session['b'] = 2), { code: 'SESSION_ENDED' })
    t.throws(() => delete session['a'], { code: 'SESSION_ENDED' })
    Object.assign(request.session, { c: 3 })
  })
  t.strictSame(await dataOf(ann), { c: 3 })
  await ann.post('/login')
  await within(async (request, session) => {
    await request.logout()
    t.throws(() => Object.assign(session, { d: 4 }), { code: 'SESSION_ENDED' })
  })
  t.strictSame(await dataOf(ann), {})
})

t.test('a key from the client leads to no prototype, and what is written behind it reaches nothing', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      route(server, '/put', (request) => {
        const { key, name, value } = request.body as { key: string; name: string; value: unknown }
        const session = request.session as unknown as Record<string, Record<string, unknown>>
        session[key] ??= {}
        const inner = session[key]
        inner[name] = value
      })
    },
  })
  const response = await visitor().post('/put', '{"key":"__proto__","name":"polluted","value":1}', {
    headers: { 'content-type': 'application/json' },
  })
  t.match(response.json(), { code: 'SESSION_KEY_RESERVED' })
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

t.test('names that are no members of the session object are data, whatever they mean elsewhere', async (t) => {
  const text = '{"data":{"rows":3},"then":"later","toJSON":"no","prototype":1}'
  const { ann, within } = await requests(t)
  await within((_request, session) => {
    Object.assign(session, JSON.parse(text))
  })
  await within((_request, session) => {
    t.match(session, JSON.parse(text) as object)
  })
  t.ok(ann.cookie)
})

t.test('a getter that is defined on the session is refused and not lost', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      app.post('/getter', async ({ session }) => Object.defineProperty(session, 'now', { get: () => 1 }))
      app.post('/setter', async ({ session }) => Object.defineProperty(session, 'now', { set() {} }))
    },
  })
  for (const url of ['/getter', '/setter']) {
    t.match((await it.visitor().post(url)).json(), { code: 'SESSION_VALUE_UNSERIALIZABLE', message: /"now"/ })
  }
})
