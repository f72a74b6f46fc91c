import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { ordinary, route, world } from './world.ts'
import type { World } from './world.ts'

interface User {
  id: string
  passwordHash?: string | number
}

/** Returns an app whose users can change their password. */
async function passwords(
  t: Parameters<typeof world>[0],
  users: Map<string, User>,
): Promise<World & { loads: string[]; fail: { next?: Error } }> {
  const loads: string[] = []
  const fail: { next?: Error } = {}
  const made = await world(t, {
    session: {
      loadUser: async (id) => {
        loads.push(id)
        if (fail.next !== undefined) throw fail.next
        return users.get(id)
      },
      authHash: (user: User) => user.passwordHash as string | undefined,
    },
    routes: (server: FastifyInstance) => {
      ordinary(server)
      route(server, '/login-as', async (request) => {
        const { id } = request.body as User
        const user = users.get(id)
        await request.login({ id }, { ...(typeof user?.passwordHash === 'string' && { authHash: user.passwordHash }) })
      })
      route(server, '/password', async (request) => {
        const { id, passwordHash } = request.body as User
        users.set(id, { id, ...(passwordHash !== undefined && { passwordHash }) })
        await request.updateAuthHash()
      })
      route(server, '/hash', async (request) => {
        await request.updateAuthHash((request.body as { hash?: string }).hash)
      })
    },
  })
  return { ...made, loads, fail }
}

t.test('credentials that did not change keep the session, and are looked at once per interval', async (t) => {
  const { visitor, clock, loads } = await passwords(t, new Map([['ann', { id: 'ann', passwordHash: 'one' }]]))
  const ann = visitor()
  await ann.post('/login-as', { id: 'ann' })
  for (let round = 0; round < 5; round += 1) await ann.get('/me')
  t.same(loads, [], 'a login is a look')
  clock.advance('1m')
  for (let round = 0; round < 5; round += 1) t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  t.same(loads, ['ann'])
})

t.test('changed credentials end the older sessions, all of them, within the interval', async (t) => {
  const users = new Map<string, User>([['ann', { id: 'ann', passwordHash: 'one' }]])
  const { app, visitor, clock, events } = await passwords(t, users)
  const [phone, laptop] = [visitor(), visitor()]
  await phone.post('/login-as', { id: 'ann' })
  await laptop.post('/login-as', { id: 'ann' })
  users.set('ann', { id: 'ann', passwordHash: 'two' })
  clock.advance('59s')
  t.match((await phone.get('/me')).json(), { user: { id: 'ann' } })
  clock.advance('1s')
  for (const device of [phone, laptop]) {
    t.match((await device.get('/me')).json(), { user: null, isAuthenticated: false })
    t.equal(device.cookie, undefined)
  }
  t.same(await app.sessions.list('ann'), [])
  t.same(
    events.filter((event) => event.type === 'revoke').map((event) => event.reason),
    ['auth-hash', 'auth-hash'],
  )
})

t.test('whoever has just changed their own password stays, the others go', async (t) => {
  const users = new Map<string, User>([['ann', { id: 'ann', passwordHash: 'one' }]])
  const { app, visitor, clock } = await passwords(t, users)
  const [phone, laptop] = [visitor(), visitor()]
  await phone.post('/login-as', { id: 'ann' })
  await laptop.post('/login-as', { id: 'ann' })
  const id = phone.cookie ?? ''
  t.equal((await phone.post('/password', { id: 'ann', passwordHash: 'two' })).statusCode, 200)
  t.not(phone.cookie, id, 'with a new id')
  clock.advance('1m')
  t.match((await phone.get('/me')).json(), { user: { id: 'ann' } })
  t.match((await laptop.get('/me')).json(), { user: null, isAuthenticated: false })
  t.match((await app.inject({ url: '/me', cookies: { session: id } })).json(), { user: null, isAuthenticated: false })
})

t.test('a missing hash does not count as unchanged', async (t) => {
  const cases: [name: string, after: User | undefined, reason: string][] = [
    ['no such user any more', undefined, 'user-gone'],
    ['no hash any more', { id: 'ann' }, 'auth-hash'],
    ['an empty hash', { id: 'ann', passwordHash: '' }, 'auth-hash'],
    ['a hash that is no string', { id: 'ann', passwordHash: 7 }, 'auth-hash'],
  ]
  for (const [name, after, reason] of cases) {
    const users = new Map<string, User>([['ann', { id: 'ann', passwordHash: 'one' }]])
    const { visitor, clock, events } = await passwords(t, users)
    const ann = visitor()
    await ann.post('/login-as', { id: 'ann' })
    if (after === undefined) users.delete('ann')
    else users.set('ann', after)
    clock.advance('1m')
    t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false }, name)
    t.match(events.at(-1), { type: 'revoke', userId: 'ann', reason }, name)
  }
})

t.test('a login that yields no hash is refused, and the error says what to do', async (t) => {
  const cases: [user: User | undefined, detail: RegExp][] = [
    [undefined, /loadUser found no such user/],
    [{ id: 'ann' }, /authHash returned no text/],
    [{ id: 'ann', passwordHash: '' }, /authHash of login is empty/],
    [{ id: 'ann', passwordHash: 7 }, /authHash returned no text/],
  ]
  for (const [user, message] of cases) {
    const { visitor, store } = await passwords(t, new Map(user === undefined ? [] : [['ann', user]]))
    const ann = visitor()
    const response = await ann.post('/login-as', { id: 'ann' })
    t.match(response.json(), { statusCode: 500, code: 'SESSION_AUTH_HASH_UNSET', message })
    t.equal(ann.cookie, undefined)
    t.equal(store.size, 0)
  }
  const { visitor } = await passwords(t, new Map([['ann', { id: 'ann', passwordHash: 'one' }]]))
  const empty = await visitor().post('/login', { user: { id: 'ann' }, options: { authHash: '' } })
  t.match(empty.json(), { code: 'SESSION_AUTH_HASH_UNSET', message: /authHash of login is empty/ })
})

t.test('authHash gets the object of loadUser at the login too', async (t) => {
  const seen: unknown[] = []
  const it = await world(t, {
    session: {
      loadUser: async (id) => ({ id, passwordHash: 'one' }),
      authHash: (user: User) => {
        seen.push(user)
        return user.passwordHash as string | undefined
      },
    },
    routes: ordinary,
  })
  const ann = it.visitor()
  t.equal((await ann.post('/login', { user: { id: 'ann', name: 'Ann' } })).statusCode, 200)
  t.strictSame(seen, [{ id: 'ann', passwordHash: 'one' }])
  for (let round = 0; round < 5; round += 1) {
    it.clock.advance('61s')
    t.match((await ann.get('/me')).json(), { user: { id: 'ann' }, isAuthenticated: true })
  }
})

t.test('the credential itself never gets into the session', async (t) => {
  const it = await world(t, {
    session: {
      loadUser: async (id) => ({ id, name: 'Ann', passwordHash: 'the hash' }),
      authHash: (user: User) => user.passwordHash as string | undefined,
    },
    routes: ordinary,
  })
  const ann = it.visitor()
  await ann.post('/login', { user: { id: 'ann', name: 'Ann', passwordHash: 'the hash' } })
  const kept = async (): Promise<string> => JSON.stringify(await it.record(ann.cookie?.slice(0, 22) ?? ''))
  t.notMatch(await kept(), /the hash/)
  it.clock.advance('61s')
  t.strictSame((await ann.get('/me')).json().user, { id: 'ann', name: 'Ann' })
  t.notMatch(await kept(), /the hash/)
})

t.test('a user who cannot be loaded is a 503, not a logout and not a pass', async (t) => {
  const { visitor, clock, fail, log } = await passwords(t, new Map([['ann', { id: 'ann', passwordHash: 'one' }]]))
  const ann = visitor()
  await ann.post('/login-as', { id: 'ann' })
  clock.advance('1m')
  fail.next = new Error('users: connection refused')
  for (const [method, url] of [
    ['get', '/me'],
    ['post', '/password'],
    ['post', '/hash'],
  ] as const) {
    const response = await ann[method](url, (method === 'post' ? { id: 'ann', passwordHash: 'one' } : {}) as never)
    t.equal(response.statusCode, 503, url)
    t.equal(response.headers['retry-after'], '1')
    t.match(response.json(), { code: 'SESSION_USER_UNAVAILABLE' })
    t.notMatch(response.body, /connection refused/)
    t.equal(response.headers['set-cookie'], undefined)
  }
  t.match(log(), /connection refused/, 'whoever runs the app can read why')
  delete fail.next
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  fail.next = new Error('users: connection refused')
  t.match((await ann.post('/password', { id: 'ann' })).json(), { code: 'SESSION_USER_UNAVAILABLE' })
})

t.test('updateAuthHash needs a user and a hash', async (t) => {
  const users = new Map<string, User>([['ann', { id: 'ann', passwordHash: 'one' }]])
  const { visitor } = await passwords(t, users)
  const ann = visitor()
  t.match((await ann.post('/hash', {})).json(), { statusCode: 401, code: 'SESSION_LOGIN_REQUIRED' })
  await ann.post('/login-as', { id: 'ann' })
  t.match((await ann.post('/hash', { hash: '' })).json(), { statusCode: 500, code: 'SESSION_AUTH_HASH_UNSET' })
  users.delete('ann')
  t.match((await ann.post('/hash', {})).json(), { statusCode: 500, code: 'SESSION_AUTH_HASH_UNSET' })
  const { visitor: other } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/hash', (request) => request.updateAuthHash())
    },
  })
  const bob = other()
  await bob.post('/login')
  t.match((await bob.post('/hash')).json(), { code: 'SESSION_AUTH_HASH_UNSET' }, 'without the options too')
})

t.test('updateAuthHash takes a hash, also in the request of the login and of a confirmation', async (t) => {
  const users = new Map<string, User>([['ann', { id: 'ann', passwordHash: 'two' }]])
  const { visitor, clock } = await world(t, {
    session: { loadUser: async (id) => users.get(id), authHash: (user: User) => user.passwordHash as string },
    routes: (server) => {
      ordinary(server)
      route(server, '/reset', async (request) => {
        await request.login({ id: 'ann' }, { authHash: 'one' })
        await request.updateAuthHash('two')
      })
      route(server, '/confirm', async (request) => {
        await request.updateAuthHash('three')
        await request.confirmLogin()
      })
    },
  })
  const ann = visitor()
  await ann.post('/reset')
  clock.advance('1m')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  users.set('ann', { id: 'ann', passwordHash: 'three' })
  await ann.post('/confirm')
  clock.advance('1m')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('confirming a login is no look at the credentials', async (t) => {
  const users = new Map<string, User>([['ann', { id: 'ann', passwordHash: 'one' }]])
  const { visitor, clock } = await world(t, {
    session: { loadUser: async (id) => users.get(id), authHash: (user: User) => user.passwordHash as string },
    routes: (server) => {
      ordinary(server)
      route(server, '/confirm', (request) => request.confirmLogin())
    },
  })
  const ann = visitor()
  await ann.post('/login', { user: { id: 'ann' }, options: { authHash: 'one' } })
  users.set('ann', { id: 'ann', passwordHash: 'two' })
  clock.advance('40s')
  await ann.post('/confirm')
  clock.advance('40s')
  t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false })
})

t.test('the hash of one user does not serve another user, and is not stored as it is', async (t) => {
  const users = new Map<string, User>([
    ['ann', { id: 'ann', passwordHash: 'same' }],
    ['bob', { id: 'bob', passwordHash: 'same' }],
  ])
  const { visitor, record } = await passwords(t, users)
  const [ann, bob] = [visitor(), visitor()]
  await ann.post('/login-as', { id: 'ann' })
  await bob.post('/login-as', { id: 'bob' })
  const kept = await Promise.all([ann, bob].map((one) => record(one.cookie?.slice(0, 22) ?? '')))
  t.match(kept[0]?.authHash, /^[\w-]{43}$/)
  t.not(kept[0]?.authHash, kept[1]?.authHash)
})

t.test('an anonymous session is never compared', async (t) => {
  const { visitor, clock, loads } = await passwords(t, new Map())
  const nobody = visitor()
  await nobody.post('/note', { cart: 1 })
  clock.advance('5m')
  t.match((await nobody.get('/me')).json(), { data: { cart: 1 } })
  t.same(loads, [])
})

t.test('a credential check that changes nothing costs no write, also when the handler saves', async (t) => {
  const users = new Map([['ann', { id: 'ann', passwordHash: 'one' }]])
  const it = await world(t, {
    session: { loadUser: async (id) => users.get(id), authHash: (user: User) => user.passwordHash as string },
    routes: (server) => {
      ordinary(server)
      route(server, '/enter', (request) => request.login({ id: 'ann' }, { authHash: 'one' }))
      route(server, '/save', (request) => request.session.save())
    },
  })
  const ann = it.visitor()
  await ann.post('/enter')
  it.clock.advance('61s')
  it.asked()
  await ann.get('/save')
  t.same(it.asked(), ['get'])
  await ann.get('/save')
  t.same(it.asked(), ['get'])
})
