import t from 'tap'
import type { SessionRecord } from '../../types/index.ts'
import { coreOnly } from './stores.ts'
import { isNobody, ordinary, route, world } from './world.ts'

type Bag = Record<string, unknown>

t.test(
  'a value that JSON cannot carry is an error that names the key, and nothing of the request is stored',
  async (t) => {
    const cycle: Bag = {}
    cycle['self'] = cycle
    const values: [path: string, value: unknown][] = [
      ['x', () => undefined],
      ['x', 10n],
      ['x', Symbol('s')],
      ['x', new Map()],
      ['x', Number.NaN],
      ['x.self', cycle],
      ['x.list.0.f', { list: [{ f: () => undefined }] }],
    ]
    let value: unknown
    const { visitor } = await world(t, {
      routes: (server) => {
        ordinary(server)
        route(server, '/put', (request) => {
          Object.assign(request.session, { before: 1, x: value })
        })
      },
    })
    const ann = visitor()
    await ann.post('/note', { cart: 1, x: { self: 0 } })
    for (const [path, next] of values) {
      value = next
      const response = await ann.post('/put')
      t.equal(response.statusCode, 500)
      t.match(response.json(), { code: 'SESSION_VALUE_UNSERIALIZABLE', message: new RegExp(`"${path}" is `) })
      t.equal(response.headers['set-cookie'], undefined)
      t.strictSame((await ann.get('/me')).json<{ data: Bag }>().data, { cart: 1, x: { self: 0 } })
    }
  },
)

t.test('data over maxRecordSize is a 413 before anything is lost, wherever it is put', async (t) => {
  const { visitor, store } = await world(t, { session: { maxRecordSize: 200 }, routes: ordinary })
  const ann = visitor()
  const first = await ann.post('/note', { text: 'x'.repeat(300) })
  t.match(first.json(), { statusCode: 413, code: 'SESSION_RECORD_TOO_LARGE' })
  t.equal(first.headers['set-cookie'], undefined)
  t.equal(store.size, 0)
  t.equal((await ann.post('/note', { text: 'x'.repeat(100) })).statusCode, 200)
  const more = await ann.post('/note', { more: 'ä'.repeat(50) })
  t.match(more.json(), { statusCode: 413, message: /221 bytes, 200 allowed/ }, 'bytes, not characters')
  t.strictSame((await ann.get('/me')).json<{ data: Bag }>().data, { text: 'x'.repeat(100) })
  t.equal((await ann.post('/login')).statusCode, 200)
  t.strictSame((await ann.get('/me')).json<{ data: Bag }>().data, { text: 'x'.repeat(100) })
})

t.test('an error page of the app that looks at the session does not meet the refusal again', async (t) => {
  const { visitor } = await world(t, {
    session: { maxRecordSize: 100 },
    routes: (server) => {
      ordinary(server)
      server.setErrorHandler(async (error, request, reply) => {
        reply.code((error as { statusCode: number }).statusCode)
        return {
          page: (error as { code: string }).code,
          user: request.user,
          size: JSON.stringify(request.session.data()).length,
        }
      })
    },
  })
  const ann = visitor()
  await ann.post('/login')
  await ann.post('/note', { a: 1 })
  const response = await ann.post('/note', { text: 'x'.repeat(300) })
  t.equal(response.statusCode, 413)
  t.match(response.json(), { page: 'SESSION_RECORD_TOO_LARGE', user: { id: 'ann' } })
  t.strictSame((await ann.get('/me')).json<{ data: Bag }>().data, { a: 1 })
})

t.test(
  'a session larger than a bound that was lowered later can be read, renewed, logged out of, and made smaller',
  async (t) => {
    const large = await world(t, { routes: ordinary })
    const ann = large.visitor()
    await ann.post('/note', { text: 'x'.repeat(500), a: 1 })
    const small = await world(t, {
      session: { maxRecordSize: 200, store: large.store, clock: large.clock },
      routes: (server) => {
        ordinary(server)
        route(server, '/drop', (request) => {
          delete (request.session as unknown as Bag)['text']
        })
      },
    })
    const later = small.visitor()
    later.cookies.set('session', ann.cookie ?? '')
    large.clock.advance('16m')
    const read = await later.get('/me')
    t.equal(read.statusCode, 200)
    t.not(later.cookie, ann.cookie, 'renewed')
    t.equal((await later.post('/note', { b: 1 })).statusCode, 413)
    t.equal((await later.post('/drop')).statusCode, 200)
    t.strictSame((await later.get('/me')).json<{ data: Bag }>().data, { a: 1 })
  },
)

t.test('names from a form that reach for a prototype are refused at any depth', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      server.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body))
      route(server, '/raw', (request) => {
        Object.assign(request.session, JSON.parse(request.body as string))
      })
    },
  })
  const ann = visitor()
  await ann.post('/note', { a: 1 })
  for (const body of [
    '{"__proto__":{"x":1}}',
    '{"p":{"__proto__":{"x":1}}}',
    '{"p":[{"constructor":{"prototype":{}}}]}',
    '{"cookie":{"maxAge":1}}',
    '{"constructor":1}',
  ]) {
    const response = await ann.post('/raw', body, { headers: { 'content-type': 'text/plain' } })
    t.match(response.json(), { statusCode: 400, code: 'SESSION_KEY_RESERVED' }, body)
    t.strictSame((await ann.get('/me')).json<{ data: Bag }>().data, { a: 1 })
  }
})

t.test('a nest too deep is a 413', async (t) => {
  const { visitor } = await world(t, { routes: ordinary })
  const response = await visitor().post('/note', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`, {
    headers: { 'content-type': 'application/json' },
  })
  t.match(response.json(), { statusCode: 413, code: 'SESSION_RECORD_TOO_LARGE' })
})

/** Returns values that a store may hand back in place of a record. */
function damages(record: SessionRecord): Record<string, unknown> {
  const { userId: _userId, ...withoutUser } = record
  return {
    text: 'record',
    number: 7,
    null: null,
    list: [record],
    empty: {},
    'a field gone': withoutUser,
    'another handle': { ...record, handle: 'A'.repeat(22) },
    'a deadline as text': { ...record, idleDeadline: '9999-01-01' },
    'no deadline': { ...record, absoluteDeadline: Number.NaN },
    'an endless deadline': { ...record, idleDeadline: Infinity },
    'a broken version': { ...record, version: 1.5 },
    'data that is no JSON': { ...record, data: '{' },
    'data that is no object': { ...record, data: '[]' },
    'data with a poisoned key': { ...record, data: '{"__proto__":{"admin":true}}' },
    'data with a poisoned key below': { ...record, data: '{"a":{"constructor":{"prototype":1}}}' },
    'a user of another id': { ...record, user: '{"id":"admin"}' },
    'a user that is no JSON': { ...record, user: 'ann' },
    'a user without id': { ...record, user: null },
    'an id without a login': { ...record, authenticatedAt: null },
    'a user without an id': { ...record, userId: null },
    'a tip of text': { ...record, tip: 'x' },
    'a tip without an instant': { ...record, tip: { secretHash: 'x', issuedAt: 1 } },
    'rivals as text': { ...record, rivals: 'x' },
    'rivals of text': { ...record, rivals: ['x'] },
    'rivals without an instant': { ...record, rivals: [{ secretHash: 'x' }] },
    'a generation of text': { ...record, generation: '1' },
    'a device of text': { ...record, device: 'Phone' },
    'remember as text': { ...record, remember: 'false' },
  }
}

t.test('a damaged record is an absent one: anonymous, the cookie cleared, an event, never a 500', async (t) => {
  let damage: ((record: SessionRecord) => unknown) | undefined
  const { app, visitor, events, clock } = await world(t, {
    store: (store) => ({
      ...coreOnly(store),
      get: async (handle) => {
        const record = await store.get(handle)
        return (record === undefined || damage === undefined ? record : damage(record)) as SessionRecord | undefined
      },
    }),
    routes: ordinary,
  })
  const ann = visitor()
  await ann.post('/login')
  clock.advance('1m')
  const session = ann.cookie ?? ''
  const names = Object.keys(damages({} as SessionRecord))
  for (const name of names) {
    events.length = 0
    damage = (record) => damages(record)[name]
    const response = await app.inject({ url: '/me', cookies: { session } })
    t.equal(response.statusCode, 200, name)
    isNobody(t, response, name)
    t.match(response.cookies, [{ name: 'session', value: '', maxAge: 0 }], name)
    t.match(events, [{ type: 'damaged', handle: session.slice(0, 22) }], name)
    t.equal(events.length, 1)
  }
  t.equal(({} as Bag)['admin'], undefined)
  damage = undefined
  t.match((await app.inject({ url: '/me', cookies: { session } })).json(), { user: { id: 'ann' } })
})

t.test('a store that finds damage by itself says so through the same event', async (t) => {
  let isDamaged = false
  const { events, visitor } = await world(t, {
    store: (store) => ({
      ...coreOnly(store),
      get: async (handle, reports) => {
        if (!isDamaged) return store.get(handle, reports)
        reports?.onDamaged?.(handle)
        return undefined
      },
    }),
    routes: ordinary,
  })
  const ann = visitor()
  await ann.post('/login')
  events.length = 0
  isDamaged = true
  const handle = ann.cookie?.slice(0, 22)
  await ann.get('/me')
  t.match(events, [{ type: 'damaged', handle }])
})

t.test('a damaged record is not listed', async (t) => {
  const { app, visitor, store } = await world(t, { routes: ordinary })
  await visitor().post('/login')
  store.get = async (handle) => ({ userId: 'ann', handle }) as SessionRecord
  store.getMany = async (handles) => handles.map((handle) => ({ userId: 'ann', handle }) as SessionRecord)
  t.same(await app.sessions.list('ann'), [])
})

t.test('data that is far too large is refused after work that the limit bounds', async (t) => {
  let reads = 0
  const counted = <Value extends object>(value: Value): Value =>
    new Proxy(value, {
      get: (target, key) => {
        reads += 1
        return Reflect.get(target, key) as unknown
      },
    })
  const shapes = {
    list: () => counted(Array.from({ length: 500_000 }, () => 1)),
    object: () => counted(Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`k${at}`, 1]))),
    texts: () => counted(Array.from({ length: 10_000 }, () => 'x'.repeat(100))),
    nested: () => Array.from({ length: 10_000 }, () => counted([[[[[[[[[[]]]]]]]]]])),
  }
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      for (const [name, make] of Object.entries(shapes)) {
        route(app, `/${name}`, (request) => void Object.assign(request.session, { big: make() }))
      }
    },
  })
  for (const name of Object.keys(shapes)) {
    reads = 0
    const refused = await it.visitor().post(`/${name}`)
    t.match(refused.json(), { statusCode: 413, code: 'SESSION_RECORD_TOO_LARGE' }, name)
    t.ok(reads < 50_000, `${name}: ${reads} reads`)
  }
})

t.test('data that was stored under a larger limit can still be read and made smaller', async (t) => {
  const large = await world(t, { routes: ordinary })
  const small = await world(t, {
    session: { clock: large.clock, maxRecordSize: 1_000 },
    store: () => large.store,
    routes: ordinary,
  })
  const ann = large.visitor()
  await ann.post('/note', { a: 'x'.repeat(2_000), b: 1 })
  const headers = { cookie: `session=${ann.cookie}` }
  const read = await small.app.inject({ url: '/me', headers })
  t.equal(read.statusCode, 200)
  t.equal((await small.app.inject({ method: 'POST', url: '/note', headers, payload: { a: 'y' } })).statusCode, 200)
  t.match((await ann.get('/me')).json(), { data: { a: 'y', b: 1 } })
})
