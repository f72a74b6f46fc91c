import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { coreOnly } from './stores.ts'
import { isNobody, ordinary, route, world } from './world.ts'

t.test('list shows a user’s sessions, the most recently used first, without a secret', async (t) => {
  const { app, clock, visitor } = await world(t, { routes: ordinary })
  const start = clock()
  const [phone, laptop] = [visitor(), visitor()]
  await phone.post('/login', {}, { headers: { 'user-agent': 'Phone' } })
  clock.advance('1m')
  await laptop.post('/login', { options: { remember: true } }, { headers: { 'user-agent': 'Laptop' } })
  await visitor().post('/login', { user: { id: 'bob' } })
  clock.advance('4m')
  await phone.get('/me')
  const list = await app.sessions.list('ann')
  t.same(list, [
    {
      handle: phone.cookie?.slice(0, 22),
      userId: 'ann',
      createdAt: new Date(start),
      authenticatedAt: new Date(start),
      lastSeenAt: new Date(start + 300_000),
      idleDeadline: new Date(start + 300_000 + 1_800_000),
      absoluteDeadline: new Date(start + 43_200_000),
      remember: false,
      device: { userAgent: 'Phone', ip: '127.0.0.1' },
      label: null,
      isDeviceBound: false,
      acting: null,
      current: false,
    },
    {
      handle: laptop.cookie?.slice(0, 22),
      userId: 'ann',
      createdAt: new Date(start + 60_000),
      authenticatedAt: new Date(start + 60_000),
      lastSeenAt: new Date(start + 60_000),
      idleDeadline: new Date(start + 60_000 + 14 * 86_400_000),
      absoluteDeadline: new Date(start + 60_000 + 14 * 86_400_000),
      remember: true,
      device: { userAgent: 'Laptop', ip: '127.0.0.1' },
      label: null,
      isDeviceBound: false,
      acting: null,
      current: false,
    },
  ])
  t.same(await app.sessions.list('nobody'), [])
})

t.test('expired sessions and entries without a record are not listed, and are removed on the way', async (t) => {
  const { app, clock, store, visitor } = await world(t, { routes: ordinary })
  const [first, second] = [visitor(), visitor()]
  await first.post('/login')
  await second.post('/login')
  await store.delete(first.cookie?.slice(0, 22) ?? '')
  t.equal((await store.listIndex('ann')).length, 2)
  t.equal((await app.sessions.list('ann')).length, 1)
  t.equal((await store.listIndex('ann')).length, 1)
  clock.advance('30m')
  t.same(await app.sessions.list('ann'), [])
  t.same(await store.listIndex('ann'), [])
})

t.test('the entry of a login on its way is left alone', async (t) => {
  const { app, clock, store } = await world(t)
  await store.addToIndex('ann', 'A'.repeat(22), clock() + 60_000)
  t.same(await app.sessions.list('ann'), [])
  t.equal((await store.listIndex('ann')).length, 1)
})

t.test('revoke ends one session of that user, and no other’s', async (t) => {
  const { app, events, visitor } = await world(t, { routes: ordinary })
  const [ann, bob] = [visitor(), visitor()]
  await ann.post('/login')
  await bob.post('/login', { user: { id: 'bob' } })
  const handle = ann.cookie?.slice(0, 22) ?? ''
  t.equal(await app.sessions.revoke(handle, { userId: 'bob' }), false)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  t.equal(await app.sessions.revoke(handle, { userId: 'ann' }), true)
  t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false })
  t.equal(await app.sessions.revoke(handle, { userId: 'ann' }), false, 'once')
  t.match((await bob.get('/me')).json(), { user: { id: 'bob' } })
  t.match(
    events.filter((event) => event.type === 'revoke'),
    [{ handle, userId: 'ann', reason: 'revoked' }],
  )
})

t.test('a handle that cannot be one reaches no store', async (t) => {
  const { app, asked } = await world(t)
  for (const handle of ['', 'x', '../../etc/passwd', '\0', 'A'.repeat(23), 'A'.repeat(21) + 'é', 'A'.repeat(100_000)]) {
    t.equal(await app.sessions.revoke(handle, { userId: 'ann' }), false)
  }
  for (const handle of [undefined, null, {}, 7]) {
    await t.rejects(app.sessions.revoke(handle as string, { userId: 'ann' }), { code: 'SESSION_OPTION_INVALID' })
  }
  t.same(asked(), [])
})

t.test('revokeUser ends them all, or all but one, and counts them', async (t) => {
  const { app, visitor } = await world(t, { routes: ordinary })
  const devices = [visitor(), visitor(), visitor()]
  for (const device of devices) await device.post('/login')
  const except = devices[1]?.cookie?.slice(0, 22) ?? ''
  t.equal(await app.sessions.revokeUser('ann', { except }), 2)
  const users = await Promise.all(
    devices.map(async (device) => (await device.get('/me')).json<{ user: unknown }>().user),
  )
  t.match(users, [null, { id: 'ann' }, null])
  t.equal(await app.sessions.revokeUser('ann'), 1)
  t.equal(await app.sessions.revokeUser('ann'), 0)
})

t.test('a session revoked by its own request ends with it, cookie and all', async (t) => {
  const { app, visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/close-account', async (request) => {
        await server.sessions.revokeUser(request.user?.id ?? '')
        Object.assign(request.session, { note: 'too late' })
      })
    },
  })
  const ann = visitor()
  await ann.post('/login')
  t.equal((await ann.post('/close-account')).statusCode, 200)
  isNobody(t, await ann.get('/me'))
  t.equal(ann.cookie, undefined)
  t.same(await app.sessions.list('ann'), [])
})

t.test('sweep removes what has expired, and nothing else', async (t) => {
  const { app, clock, store, visitor } = await world(t, { routes: ordinary })
  for (let index = 0; index < 3; index += 1) await visitor().post('/login')
  clock.advance('20m')
  await visitor().post('/login')
  clock.advance('20m')
  t.equal(store.size, 4)
  t.equal(await app.sessions.sweep(), 3)
  t.equal(store.size, 1)
  t.equal(await app.sessions.sweep(), 0)
})

t.test(
  'without index and sweep in the store: list and revokeUser say so, revoke works, sweep finds nothing',
  async (t) => {
    const { app, visitor } = await world(t, { store: coreOnly, routes: ordinary })
    const ann = visitor()
    await ann.post('/login')
    await t.rejects(app.sessions.list('ann'), { code: 'SESSION_STORE_LACKS_INDEX', statusCode: 500 })
    await t.rejects(app.sessions.revokeUser('ann'), { code: 'SESSION_STORE_LACKS_INDEX' })
    t.equal(await app.sessions.sweep(), 0)
    t.equal(await app.sessions.revoke(ann.cookie?.slice(0, 22) ?? '', { userId: 'ann' }), true)
    t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false })
  },
)

t.test('a sweep that fails is a store failure like any other: an event, and no words of the store', async (t) => {
  const { app, events } = await world(t, {
    store: (store) => ({ ...coreOnly(store), sweep: async () => Promise.reject(new Error('password=hunter2')) }),
  })
  await t.rejects(app.sessions.sweep(), { code: 'SESSION_STORE_UNAVAILABLE', cause: { message: 'password=hunter2' } })
  t.match(events, [{ type: 'store-failure', operation: 'sweep' }])
})

t.test('a session that cannot be caught is a 503, not a promise that it ended', async (t) => {
  const { app, store, visitor } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  store.delete = async () => false
  await t.rejects(app.sessions.revoke(ann.cookie?.slice(0, 22) ?? '', { userId: 'ann' }), {
    code: 'SESSION_SUPERSEDED',
    statusCode: 503,
  })
})

t.test('with sweepInterval the app sweeps by itself until it closes', async (t) => {
  let sweeps = 0
  let told: () => void
  const twice = new Promise<void>((resolve) => (told = resolve))
  const store = memoryStore()
  store.sweep = async () => {
    sweeps += 1
    if (sweeps === 2) told()
    return 0
  }
  const { app } = await world(t, { session: { sweepInterval: '1ms', store } })
  // The sweeper keeps no process alive; this does, until it has swept twice.
  const keepAlive = setInterval(() => undefined, 1000)
  await twice
  clearInterval(keepAlive)
  await app.close()
  const after = sweeps
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(sweeps <= after + 1)
})

t.test('what cannot be a handle does not reach the store', async (t) => {
  const { app, asked } = await world(t, { routes: ordinary })
  asked()
  for (const handle of ['', 'x', 'x'.repeat(100_000), '../../etc']) {
    t.equal(await app.sessions.get(handle), undefined)
    t.equal(await app.sessions.update(handle, () => ({})), false)
    t.equal(await app.sessions.rename(handle, 'desk', { userId: 'ann' }), false)
    t.equal(await app.sessions.revoke(handle, { userId: 'ann' }), false)
  }
  t.strictSame(asked(), [])
})
