import t from 'tap'
import type { World } from './world.ts'
import { ordinary, Visitor, world } from './world.ts'

/** Logs in on so many new devices, one after the other, `apart` milliseconds from each other. */
async function logins({ app, clock }: World, count: number, apart = 1000): Promise<Visitor[]> {
  const devices: Visitor[] = []
  for (let index = 0; index < count; index += 1) {
    const device = new Visitor(app)
    await device.post('/login')
    devices.push(device)
    clock.advance(apart)
  }
  return devices
}

async function alive(devices: readonly Visitor[]): Promise<boolean[]> {
  const found: boolean[] = []
  for (const device of devices) {
    const response = await device.get('/me')
    found.push(response.json<{ user: unknown }>().user !== null)
  }
  return found
}

t.test('without maxSessions a user may have many', async (t) => {
  const made = await world(t, { routes: ordinary })
  await logins(made, 12)
  t.equal((await made.app.sessions.list('ann')).length, 12)
})

t.test('a login beyond the limit ends the least recently used session', async (t) => {
  const made = await world(t, { session: { maxSessions: 2 }, routes: ordinary })
  const [first, second] = await logins(made, 2)
  made.clock.advance('5m')
  await first?.get('/me')
  made.clock.advance('1m')
  const third = made.visitor()
  await third.post('/login')
  t.same(await alive([first, second, third] as Visitor[]), [true, false, true])
  t.match(
    made.events.filter((event) => event.type === 'revoke'),
    [{ userId: 'ann', reason: 'evicted' }],
  )
  t.equal(made.events.filter((event) => event.type === 'revoke').length, 1)
})

t.test('the newest login is never the one that goes, though all of them fall into one instant', async (t) => {
  for (let round = 0; round < 8; round += 1) {
    const made = await world(t, { session: { maxSessions: 1 }, routes: ordinary })
    const devices = await logins(made, 4, 0)
    t.same(await alive(devices), [false, false, false, true])
  }
})

t.test('the newest login stays though an older session is used while it logs in', async (t) => {
  const made = await world(t, { session: { maxSessions: 1 }, routes: ordinary })
  const [old] = await logins(made, 1)
  made.clock.advance('5m')
  const fresh = made.visitor()
  const confirm = made.store.keepInIndex.bind(made.store)
  made.store.keepInIndex = async (...rest) => {
    // This happens between the write of the new session and the look at the others.
    made.clock.advance(10)
    await old?.get('/me')
    return confirm(...rest)
  }
  await fresh.post('/login')
  t.same(await alive([old as Visitor, fresh]), [false, true])
})

/** Holds calls back until so many have come. */
function together<Rest extends unknown[], Answer>(
  count: number,
  call: (...rest: Rest) => Promise<Answer>,
): (...rest: Rest) => Promise<Answer> {
  const waiting: (() => void)[] = []
  return async (...rest) => {
    if (waiting.length + 1 < count) await new Promise<void>((resolve) => waiting.push(resolve))
    else for (const proceed of waiting) proceed()
    return call(...rest)
  }
}

t.test('simultaneous logins leave as many sessions as allowed, and neither more nor none', async (t) => {
  for (let round = 0; round < 8; round += 1) {
    const made = await world(t, { session: { maxSessions: 1 }, routes: ordinary })
    const [old] = await logins(made, 1)
    const create = together(3, made.store.create.bind(made.store))
    made.store.create = (record) => {
      made.clock.advance(round % 2)
      return create(record)
    }
    const devices = [made.visitor(), made.visitor(), made.visitor()]
    await Promise.all(devices.map((device) => device.post('/login')))
    t.equal((await alive(devices)).filter(Boolean).length, 1)
    t.same(await alive([old as Visitor]), [false])
  }
})

t.test('refuse: the login beyond the limit is a 403, and everybody stays as they are', async (t) => {
  const made = await world(t, { session: { maxSessions: { limit: 2, onLimit: 'refuse' } }, routes: ordinary })
  const devices = await logins(made, 2)
  const third = made.visitor()
  await third.post('/note', { cart: 1 })
  const refused = await third.post('/login')
  t.match(refused.json(), { statusCode: 403, code: 'SESSION_LIMIT_REACHED' })
  t.match((await third.get('/me')).json(), { user: null, isAuthenticated: false, data: { cart: 1 } })
  t.same(await alive(devices), [true, true])
  t.equal(
    (await third.post('/login', { user: { id: 'bob' } })).statusCode,
    200,
    'another user has a limit of their own',
  )
  await devices[0]?.post('/logout')
  const fourth = made.visitor()
  t.equal((await fourth.post('/login')).statusCode, 200, 'a logout makes room')
})

t.test('refuse: logging in again in a session of the same user needs no second place', async (t) => {
  const made = await world(t, { session: { maxSessions: { limit: 1, onLimit: 'refuse' } }, routes: ordinary })
  const ann = made.visitor()
  await ann.post('/login')
  t.equal((await ann.post('/login')).statusCode, 200)
  t.equal((await ann.post('/login')).statusCode, 200)
})

t.test('refuse: two simultaneous logins cannot both pass the limit', async (t) => {
  const made = await world(t, { session: { maxSessions: { limit: 1, onLimit: 'refuse' } }, routes: ordinary })
  made.store.addToIndex = together(3, made.store.addToIndex.bind(made.store))
  const answers = await Promise.all([1, 2, 3].map(() => made.visitor().post('/login')))
  t.same(
    answers.map((answer) => answer.statusCode).toSorted((a, b) => a - b),
    [200, 403, 403],
  )
})

t.test('refuse: a login that failed gives its place back', async (t) => {
  const made = await world(t, {
    session: { maxSessions: { limit: 1, onLimit: 'refuse' } },
    routes: (server) => {
      ordinary(server)
      server.get('/fail', async (request) => {
        await request.login({ id: 'ann' })
        throw new Error('later')
      })
    },
  })
  t.equal((await made.visitor().get('/fail')).statusCode, 500)
  t.equal((await made.visitor().post('/login')).statusCode, 200)
})

t.test('refuse: sessions that expired or went hold no place', async (t) => {
  const made = await world(t, { session: { maxSessions: { limit: 1, onLimit: 'refuse' } }, routes: ordinary })
  await logins(made, 1)
  made.clock.advance('31m')
  const [second] = await logins(made, 1)
  await made.store.delete(second?.cookie?.slice(0, 22) ?? '')
  t.equal((await made.visitor().post('/login')).statusCode, 200, 'a record that went without its entry')
})

t.test('refuse: a place that is not used is given away before a session ends whose id nobody has shown', async (t) => {
  const made = await world(t, { session: { maxSessions: { limit: 2, onLimit: 'refuse' } }, routes: ordinary })
  const [first, second] = await logins(made, 2)
  t.equal((await first?.post('/login', { user: { id: 'bob' } }))?.statusCode, 200)
  made.clock.advance('61s')
  const third = made.visitor()
  t.equal((await third.post('/login')).statusCode, 200)
  t.same(await alive([first, second, third] as Visitor[]), [true, true, true])
})

t.test('the limit may depend on the user', async (t) => {
  const seen: unknown[] = []
  const made = await world(t, {
    session: {
      maxSessions: (user) => {
        seen.push(user)
        return user.id === 'kiosk' ? Infinity : 1
      },
    },
    routes: ordinary,
  })
  await logins(made, 3)
  t.equal((await made.app.sessions.list('ann')).length, 1)
  t.match(seen[0], { id: 'ann' })
  for (let index = 0; index < 3; index += 1) await made.visitor().post('/login', { user: { id: 'kiosk' } })
  t.equal((await made.app.sessions.list('kiosk')).length, 3)
})

t.test('a limit function that gives no limit is an error of the app, before anything changes', async (t) => {
  for (const limit of [Number.NaN, 0, -1, 1.5, '2', undefined]) {
    for (const onLimit of ['evict', 'refuse'] as const) {
      const made = await world(t, {
        session: { maxSessions: { limit: () => limit as number, onLimit } },
        routes: ordinary,
      })
      const response = await made.visitor().post('/login')
      t.match(response.json(), { statusCode: 500, code: 'SESSION_OPTION_INVALID' }, `${limit} ${onLimit}`)
      t.equal(made.store.size, 0)
    }
  }
})
