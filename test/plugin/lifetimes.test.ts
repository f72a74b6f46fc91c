import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { coreOnly } from './stores.ts'
import { isNobody, ordinary, route, Visitor, world } from './world.ts'

t.test(
  'a read-only request within the interval is one read and no write; a touch is due every twentieth of the idle timeout',
  async (t) => {
    const { visitor, asked, clock } = await world(t, { session: { renewalTimeout: '0s' }, routes: ordinary })
    const ann = visitor()
    await ann.post('/login')
    asked()
    for (let round = 0; round < 5; round += 1) {
      await ann.get('/me')
      await ann.get('/plain')
      t.same(asked(), ['get', 'get'])
    }
    clock.advance(89_999)
    await ann.get('/me')
    t.same(asked(), ['get'])
    clock.advance(1)
    await ann.get('/plain')
    t.same(asked(), ['get', 'touch'], 'on any route')
    await ann.get('/me')
    t.same(asked(), ['get'])
  },
)

t.test('a touch that was saved is not written again', async (t) => {
  const { visitor, asked, clock } = await world(t, {
    routes: (app) => {
      ordinary(app)
      route(app, '/touch', async (request) => {
        request.session.touch()
        await request.session.save()
      })
    },
  })
  const ann = visitor()
  await ann.post('/login')
  clock.advance(1)
  asked()
  await ann.post('/touch')
  t.same(asked(), ['get', 'touch'])
})

t.test('a session that cannot be judged is an error, not an anonymous visit', async (t) => {
  const start = Date.now()
  let isBroken = false
  const clock = (): number => {
    if (isBroken) throw new Error('no time')
    return start
  }
  const { visitor } = await world(t, { session: { clock, store: memoryStore() }, routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  isBroken = true
  t.equal((await ann.get('/plain')).statusCode, 500)
  t.equal((await visitor().get('/plain')).statusCode, 200, 'who has no session is not concerned')
})

t.test('a request without a session asks no store', async (t) => {
  const { visitor, asked } = await world(t, { routes: ordinary })
  await visitor().get('/me')
  await visitor().get('/plain')
  t.same(asked(), [])
})

t.test(
  'a session that is used lives on until its absolute deadline, one that is not ends after its idle timeout',
  async (t) => {
    const { visitor, clock, events } = await world(t, { routes: ordinary })
    const [busy, idle] = [visitor(), visitor()]
    const begun = clock()
    await busy.post('/login')
    await idle.post('/login', { user: { id: 'bob' } })
    while (clock() - begun < 12 * 3_600_000 - 1_500_000) {
      clock.advance('25m')
      t.match((await busy.get('/me')).json(), { user: { id: 'ann' } })
    }
    clock.set(begun + 12 * 3_600_000)
    t.match((await busy.get('/me')).json(), { user: null, isAuthenticated: false })
    t.match((await idle.get('/me')).json(), { user: null, isAuthenticated: false })
    t.match(
      events.filter((event) => event.type === 'expire'),
      [
        { userId: 'ann', reason: 'absolute' },
        { userId: 'bob', reason: 'absolute' },
      ],
    )
  },
)

t.test('an expired session is reported once, with what ended it', async (t) => {
  const { visitor, clock, events } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  clock.advance('30m')
  await ann.get('/me', { headers: {} })
  await ann.get('/me')
  const expired = events.filter((event) => event.type === 'expire')
  t.match(expired, [{ userId: 'ann', reason: 'idle', at: clock() }])
  t.equal(expired.length, 1)
})

t.test('an expired record that another process wrote to a moment ago stays, and so does its entry', async (t) => {
  const real = memoryStore({ clock: () => 0 })
  let isRacing = false
  const racing = {
    ...coreOnly(real),
    ...indexOf(real),
    get: async (handle: string) => {
      const found = await real.get(handle)
      if (isRacing && found !== undefined) await real.update({ ...found, version: found.version + 1 }, found.version)
      return found
    },
  }
  const { visitor, clock, events } = await world(t, { session: { store: racing }, routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  clock.advance('30m')
  isRacing = true
  t.match((await ann.get('/me')).json(), { user: null })
  t.equal(real.size, 1)
  t.equal((await real.listIndex('ann')).length, 1)
  t.same(
    events.filter(({ type }) => type === 'expire'),
    [],
  )
})

t.test('a store that hands out expired records changes nothing: they are removed, and reported', async (t) => {
  const forgetful = memoryStore({ clock: () => 0 })
  const made = await world(t, {
    session: { store: { ...coreOnly(forgetful), ...indexOf(forgetful) } },
    routes: ordinary,
  })
  const ann = made.visitor()
  await ann.post('/login')
  const nobody = made.visitor()
  await nobody.post('/note', { a: 1 })
  made.clock.advance('30m')
  for (const one of [ann, nobody]) {
    const response = await one.get('/me')
    isNobody(t, response)
    t.equal(one.cookie, undefined)
  }
  t.equal(forgetful.size, 0)
  t.same(await forgetful.listIndex('ann'), [])
  t.match(
    made.events.filter((event) => event.type === 'expire'),
    [
      { userId: 'ann', reason: 'idle' },
      { userId: null, reason: 'idle' },
    ],
  )
})

t.test('an expired record that another process keeps alive meanwhile is nobody here, and no event', async (t) => {
  const forgetful = memoryStore({ clock: () => 0 })
  const store = { ...coreOnly(forgetful), delete: async () => false }
  const { visitor, clock, events } = await world(t, { session: { store }, routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  clock.advance('30m')
  t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false })
  t.same(
    events.map((event) => event.type),
    ['login'],
  )
})

function indexOf(
  store: ReturnType<typeof memoryStore>,
): Pick<typeof store, 'addToIndex' | 'keepInIndex' | 'removeFromIndex' | 'listIndex'> {
  return {
    addToIndex: (...rest) => store.addToIndex(...rest),
    keepInIndex: (...rest) => store.keepInIndex(...rest),
    removeFromIndex: (...rest) => store.removeFromIndex(...rest),
    listIndex: (...rest) => store.listIndex(...rest),
  }
}

t.test('an anonymous session has the same lifetimes, counted from its first write', async (t) => {
  const { visitor, clock } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/note', { cart: 1 })
  clock.advance('29m')
  t.match((await ann.get('/me')).json(), { data: { cart: 1 } })
  clock.advance('30m')
  t.strictSame((await ann.get('/me')).json<{ data: object }>().data, {})
})

t.test('an id is renewed by age; the handle, the data and the login stay', async (t) => {
  const { visitor, clock, events } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  await ann.post('/note', { cart: 1 })
  const id = ann.cookie ?? ''
  clock.advance('14m')
  await ann.get('/me')
  t.equal(ann.cookie, id)
  clock.advance('1m')
  const response = await ann.get('/plain')
  t.equal(response.headers['cache-control'], 'no-store')
  t.not(ann.cookie, id)
  t.equal(ann.cookie?.slice(0, 22), id.slice(0, 22))
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' }, data: { cart: 1 } })
  t.same(events.filter((event) => event.type === 'renew').length, 1)
})

t.test('renewal off: the id stays as long as the session', async (t) => {
  const { visitor, clock } = await world(t, { session: { renewalTimeout: '0s' }, routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  const id = ann.cookie
  for (let round = 0; round < 20; round += 1) {
    clock.advance('25m')
    await ann.get('/me')
  }
  t.equal(ann.cookie, id)
})

t.test(
  'a copied cookie shows when it comes back after its renewal: the session ends for both, with a replay and a revoke',
  async (t) => {
    for (const user of [{ id: 'ann' }, undefined]) {
      const { app, visitor, clock, events } = await world(t, { routes: ordinary })
      const ann = visitor()
      await (user === undefined ? ann.post('/note', { a: 1 }) : ann.post('/login', { user }))
      const copy = new Visitor(app)
      copy.cookies.set('session', ann.cookie ?? '')
      clock.advance('15m')
      await ann.get('/me')
      await ann.get('/me')
      clock.advance('31s')
      const other = { headers: { 'user-agent': 'curl/8.0' } }
      t.strictSame((await copy.get('/me', other)).json<{ data: object }>().data, {})
      isNobody(t, await ann.get('/me'))
      const userId = user?.id ?? null
      t.match(
        events.filter((event) => event.type === 'replay'),
        [{ userId }],
      )
      t.equal(events.filter((event) => event.type === 'revoke').length, user === undefined ? 0 : 1)
    }
  },
)

t.test('a clock that jumps back ends nothing, and the deadline comes down to the true one', async (t) => {
  const { visitor, clock, record } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  const handle = ann.cookie?.slice(0, 22) ?? ''
  clock.advance('10m')
  await ann.get('/me')
  clock.advance(-600_000)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  t.equal((await record(handle))?.idleDeadline, clock() + 1_800_000)
})

t.test('assurance sets the limits that are enforced', async (t) => {
  for (const [assurance, idle] of [
    ['aal1', '24h'],
    ['aal2', '1h'],
    ['aal3', '15m'],
  ] as const) {
    const { visitor, clock } = await world(t, { session: { assurance }, routes: ordinary })
    const ann = visitor()
    await ann.post('/login')
    clock.advance(idle)
    clock.advance(-1)
    t.match((await ann.get('/me')).json(), { user: { id: 'ann' } }, assurance)
    clock.advance(idle)
    t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false }, assurance)
  }
})

t.test('a store that cannot answer is a 503 for whoever has a cookie, and nothing to anybody else', async (t) => {
  let isDown = false
  const { visitor, events, log } = await world(t, {
    store: (store) => ({
      ...coreOnly(store),
      get: async (handle) => (isDown ? Promise.reject(new Error('redis://:hunter2@db down')) : store.get(handle)),
    }),
    routes: (server) => {
      ordinary(server)
      route(server, '/open', () => ({ ok: true }))
      server.get('/static', { config: { session: false } }, async () => ({ ok: true }))
    },
  })
  const ann = visitor()
  await ann.post('/login')
  isDown = true
  const response = await ann.get('/open')
  t.equal(response.statusCode, 503)
  t.equal(response.headers['retry-after'], '1')
  t.match(response.json(), { code: 'SESSION_STORE_UNAVAILABLE' })
  t.notMatch(response.body, /hunter2/)
  t.equal(response.headers['set-cookie'], undefined)
  t.match(events.at(-1), { type: 'store-failure', operation: 'get' })
  t.equal((await ann.get('/static')).statusCode, 200)
  t.equal((await visitor().get('/open')).statusCode, 200)
  t.match(log(), /session store-failure/)
})

t.test('a store that fails when a login is written is a 503, never a success page', async (t) => {
  const { visitor } = await world(t, {
    store: (store) => ({ ...coreOnly(store), create: () => Promise.reject(new Error('read only')) }),
    routes: ordinary,
  })
  const ann = visitor()
  const response = await ann.post('/login')
  t.equal(response.statusCode, 503)
  t.equal(response.headers['set-cookie'], undefined)
  t.match(response.json(), { code: 'SESSION_STORE_UNAVAILABLE' })
})
