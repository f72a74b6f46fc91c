import t from 'tap'
import type { Test } from 'tap'
import { memoryStore } from '../../lib/index.ts'
import type { SecureSessionOptions, SessionUser } from '../../types/index.ts'
import { door } from '../support/gate-store.ts'
import { coreOnly } from './stores.ts'
import { ordinary, route, world } from './world.ts'
import type { World } from './world.ts'

interface Account extends SessionUser {
  role?: string
}

/** Returns an app whose users have roles, which an admin changes. */
async function roles(
  t: Test,
  session: SecureSessionOptions = {},
): Promise<World & { users: Map<string, Account>; loads: string[] }> {
  const users = new Map<string, Account>([['ann', { id: 'ann', role: 'admin' }]])
  const loads: string[] = []
  const made = await world(t, {
    session: {
      loadUser: async (id) => {
        loads.push(id)
        return users.get(id)
      },
      ...session,
    },
    routes: (server) => {
      ordinary(server)
      server.get('/stale', { config: { session: 'stale-user' } }, async (request) => request.user)
      server.get('/free', { config: { session: false } }, async (request) => ({ user: request.user }))
      server.get('/sudo', { onRequest: server.requireLogin({ within: '10m' }) }, async () => ({}))
      route(server, '/update', async (request) => {
        const { user } = request.body as { user: Account }
        await request.updateUser(user)
        return request.user
      })
      route(server, '/confirm', (request) => request.confirmLogin())
      route(server, '/login-updated', async (request) => {
        await request.login(LOGIN.user, { label: 'Desk' })
        await request.updateUser({ id: 'ann', role: 'guest' })
        return request.user
      })
    },
  })
  return { ...made, users, loads }
}

const LOGIN = { user: { id: 'ann', role: 'admin' } }

t.test('a role that was withdrawn is seen by the next request after userMaxAge', async (t) => {
  const { visitor, clock, users, loads } = await roles(t)
  const ann = visitor()
  await ann.post('/login', LOGIN)
  users.set('ann', { id: 'ann', role: 'guest' })
  clock.advance('59s')
  t.match((await ann.get('/me')).json(), { user: { role: 'admin' } })
  clock.advance('1s')
  for (let round = 0; round < 3; round += 1) t.match((await ann.get('/me')).json(), { user: { role: 'guest' } })
  t.same(loads, ['ann'])
})

t.test('a session that is opened outside of a request shows the user as they are now', async (t) => {
  const { visitor, clock, users, app } = await roles(t)
  const ann = visitor()
  await ann.post('/login', LOGIN)
  users.set('ann', { id: 'ann', role: 'guest' })
  clock.advance('1m')
  t.match((await app.sessions.open(`session=${ann.cookie}`))?.user, { id: 'ann', role: 'guest' })
})

t.test('a user is asked for once per userMaxAge, and an answer that is the same writes nothing', async (t) => {
  const it = await roles(t, { userMaxAge: '10s' })
  const ann = it.visitor()
  await ann.post('/login', LOGIN)
  it.asked()
  for (let round = 0; round < 6; round += 1) {
    it.clock.advance('5s')
    await ann.get('/me')
  }
  t.equal(it.loads.length, 3)
  t.same(new Set(it.asked()), new Set(['get']))
})

t.test('userMaxAge of zero asks on every request', async (t) => {
  const { visitor, users, loads } = await roles(t, { userMaxAge: '0s' })
  const ann = visitor()
  await ann.post('/login', LOGIN)
  for (const role of ['a', 'b', 'c']) {
    users.set('ann', { id: 'ann', role })
    t.match((await ann.get('/me')).json(), { user: { role } })
  }
  t.equal(loads.length, 3)
})

t.test('parallel requests of a session share one question', async (t) => {
  const answer = door()
  let count = 0
  const it = await roles(t, {
    loadUser: async (id) => {
      count += 1
      await answer.opened
      return { id, role: 'guest' }
    },
  })
  const ann = it.visitor()
  await ann.post('/login', LOGIN)
  it.clock.advance('1m')
  const pages = Array.from({ length: 10 }, () => ann.get('/me'))
  await new Promise((resolve) => setImmediate(resolve))
  answer.open()
  for (const page of await Promise.all(pages)) t.match(page.json(), { user: { role: 'guest' } })
  t.equal(count, 1)
})

t.test('routes without a session, and routes that take a stale user, never ask', async (t) => {
  const { visitor, clock, users, loads } = await roles(t)
  const ann = visitor()
  await ann.post('/login', LOGIN)
  users.set('ann', { id: 'ann', role: 'guest' })
  clock.advance('5m')
  t.match((await ann.get('/stale')).json(), { role: 'admin' })
  t.strictSame((await ann.get('/free')).json(), { user: null })
  t.same(loads, [])
  t.match((await ann.get('/me')).json(), { user: { role: 'guest' } })
  t.match((await ann.get('/stale')).json(), { role: 'guest' })
})

t.test('a user who is gone ends the session', async (t) => {
  for (const nobody of [null, undefined]) {
    const { visitor, clock, events, app } = await roles(t, { loadUser: async () => nobody })
    const ann = visitor()
    await ann.post('/login', LOGIN)
    clock.advance('1m')
    t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false })
    t.equal(ann.cookie, undefined)
    t.match(events.at(-1), { type: 'revoke', userId: 'ann', reason: 'user-gone' })
    t.same(await app.sessions.list('ann'), [])
  }
})

t.test('loadUser that fails or takes too long is a 503, and never anonymity', async (t) => {
  // The timers of a deadline keep no process alive.
  const alive = setInterval(() => undefined, 1000)
  t.teardown(() => clearInterval(alive))
  const failures: NonNullable<SecureSessionOptions['loadUser']>[] = [
    () => {
      throw new Error('users: refused')
    },
    async () => {
      throw new Error('users: refused')
    },
    () => new Promise(() => undefined),
  ]
  for (const loadUser of failures) {
    const it = await roles(t, { storeTimeout: '20ms', loadUser })
    const ann = it.visitor()
    await ann.post('/login', LOGIN)
    it.clock.advance('1m')
    const response = await ann.get('/me')
    t.match(response.json(), { statusCode: 503, code: 'SESSION_USER_UNAVAILABLE' })
    t.equal(response.headers['retry-after'], '1')
    t.equal(response.headers['set-cookie'], undefined)
    t.not(ann.cookie, undefined)
  }
})

t.test('a user of loadUser without the id that was asked for lets nobody in', async (t) => {
  for (const wrong of [{ role: 'x' }, { id: 'bob' }, 'ann', { id: 7 }]) {
    const it = await roles(t, { loadUser: async () => wrong })
    const ann = it.visitor()
    await ann.post('/login', LOGIN)
    it.clock.advance('1m')
    t.match((await ann.get('/me')).json(), { statusCode: 500, code: 'SESSION_USER_INVALID', message: /loadUser/ })
  }
})

t.test('updateUser replaces the snapshot of this session, and nothing else', async (t) => {
  const it = await roles(t)
  const [ann, other] = [it.visitor(), it.visitor()]
  for (const one of [ann, other]) await one.post('/login', { ...LOGIN, options: { remember: true } })
  const handle = ann.cookie?.slice(0, 22) ?? ''
  const before = await it.record(handle)
  it.events.length = 0
  it.clock.advance('30s')
  const id = ann.cookie
  const answer = await ann.post('/update', { user: { id: 'ann', role: 'guest' } })
  t.match(answer.json(), { role: 'guest' }, 'at once')
  t.equal(ann.cookie, id)
  t.match((await ann.get('/me')).json(), { user: { role: 'guest' } })
  t.match((await other.get('/me')).json(), { user: { role: 'admin' } })
  t.match(it.events, [{ type: 'user-updated', handle, userId: 'ann' }])
  const after = await it.record(handle)
  const own = ['user', 'userAt', 'version', 'lastSeenAt']
  for (const [name, value] of Object.entries(before ?? {})) {
    if (!own.includes(name)) t.strictSame(Reflect.get(after ?? {}, name), value, name)
  }
})

t.test('updateUser in the request of a login replaces the snapshot of that login', async (t) => {
  const it = await roles(t)
  const ann = it.visitor()
  t.match((await ann.post('/login-updated')).json(), { role: 'guest' })
  t.match((await ann.get('/me')).json(), { user: { id: 'ann', role: 'guest' } })
  t.match(await it.app.sessions.list('ann'), [{ label: 'Desk' }])
})

t.test('updateUser without a user is refused', async (t) => {
  const it = await roles(t)
  const answer = await it.visitor().post('/update', { user: { id: 'ann', role: 'admin' } })
  t.match(answer.json(), { statusCode: 401, code: 'SESSION_LOGIN_REQUIRED' })
})

t.test('an updated user is not overruled by an older answer of loadUser, and grows old like any other', async (t) => {
  const it = await roles(t)
  const ann = it.visitor()
  await ann.post('/login', LOGIN)
  it.clock.advance('1m')
  await ann.get('/me')
  it.clock.advance('59s')
  await it.app.sessions.updateUser('ann', { id: 'ann', role: 'guest' })
  it.clock.advance('30s')
  t.match((await ann.get('/me')).json(), { user: { role: 'guest' } })
  it.clock.advance('30s')
  t.match((await ann.get('/me')).json(), { user: { role: 'admin' } })
})

t.test('a question that was put before an update does not undo it', async (t) => {
  const answer = door()
  const asked = door()
  let count = 0
  const it = await roles(t, {
    loadUser: async (id) => {
      count += 1
      asked.open()
      await answer.opened
      return { id, role: 'admin', count }
    },
  })
  const ann = it.visitor()
  await ann.post('/login', LOGIN)
  it.clock.advance('1m')
  const slow = ann.get('/me')
  await asked.opened
  await it.app.sessions.updateUser('ann', { id: 'ann', role: 'guest' })
  t.match((await ann.get('/me')).json(), { user: { role: 'guest' } }, 'and does not wait for the question')
  answer.open()
  await slow
  t.match((await ann.get('/me')).json(), { user: { role: 'guest' } })
  t.equal(count, 1)
})

t.test('a user who changed between two questions that overlap ends as the newer answer says', async (t) => {
  const answers: ((user: Account) => void)[] = []
  const it = await roles(t, { userMaxAge: '0s', loadUser: () => new Promise((resolve) => answers.push(resolve)) })
  const ann = it.visitor()
  await ann.post('/login', LOGIN)
  const pages = [ann.get('/me')]
  await new Promise((resolve) => setImmediate(resolve))
  await it.app.sessions.updateUser('ann', { id: 'ann', role: 'second' })
  it.clock.advance('1s')
  pages.push(ann.get('/me'))
  await new Promise((resolve) => setImmediate(resolve))
  answers[1]?.({ id: 'ann', role: 'third' })
  await pages[1]
  answers[0]?.({ id: 'ann', role: 'first' })
  await pages[0]
  t.match(JSON.parse((await it.record(ann.cookie?.slice(0, 22) ?? ''))?.user ?? ''), { role: 'third' })
})

t.test('sessions.updateUser is seen at once by all sessions of that user, and by no others', async (t) => {
  const it = await roles(t)
  const [phone, laptop, bob] = [it.visitor(), it.visitor(), it.visitor()]
  await phone.post('/login', LOGIN)
  await laptop.post('/login', LOGIN)
  await bob.post('/login', { user: { id: 'bob', role: 'admin' } })
  t.equal(await it.app.sessions.updateUser('ann', { id: 'ann', role: 'guest' }), 2)
  for (const one of [phone, laptop]) t.match((await one.get('/me')).json(), { user: { role: 'guest' } })
  t.match((await bob.get('/me')).json(), { user: { role: 'admin' } })
  t.equal(it.events.filter(({ type }) => type === 'user-updated').length, 2)
  await laptop.post('/logout')
  t.equal(await it.app.sessions.updateUser('ann', { id: 'ann' }), 1)
  t.equal(await it.app.sessions.updateUser('nobody', { id: 'nobody' }), 0)
})

t.test('sessions.updateUser takes the user it names', async (t) => {
  const { app } = await roles(t)
  await t.rejects(app.sessions.updateUser('', { id: '' }), { code: 'SESSION_OPTION_INVALID' })
  await t.rejects(app.sessions.updateUser('ann', { id: 'bob' }), { code: 'SESSION_USER_INVALID' })
  await t.rejects(app.sessions.updateUser('ann', null as never), { code: 'SESSION_USER_INVALID' })
  const bare = await world(t, { store: coreOnly })
  await t.rejects(bare.app.sessions.updateUser('ann', { id: 'ann' }), { code: 'SESSION_STORE_LACKS_INDEX' })
})

t.test('a session that is written again and again meanwhile is no endless loop', async (t) => {
  const it = await world(t, {
    routes: ordinary,
    store: (store) => Object.assign(store, { update: async () => false }),
  })
  await it.visitor().post('/login')
  await t.rejects(it.app.sessions.updateUser('ann', { id: 'ann' }), { code: 'SESSION_SUPERSEDED' })
})

t.test('updateUser needs a login, and the same user', async (t) => {
  const { visitor } = await roles(t)
  const ann = visitor()
  const user = { id: 'ann' }
  t.match((await ann.post('/update', { user })).json(), { statusCode: 401, code: 'SESSION_LOGIN_REQUIRED' })
  await ann.post('/login', LOGIN)
  const other = await ann.post('/update', { user: { id: 'bob' } })
  t.match(other.json(), { statusCode: 500, code: 'SESSION_USER_INVALID', message: /req\.login\(user\)/ })
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test(
  'an update goes the way of the other changes: undone by a 5xx, late by itself, with a login in one',
  async (t) => {
    const it = await world(t, {
      routes: (server) => {
        ordinary(server)
        route(server, '/failing', async (request) => {
          await request.updateUser({ id: 'ann', role: 'guest' })
          throw new Error('failed')
        })
        route(server, '/both', async (request) => {
          await request.login({ id: 'ann', role: 'admin' })
          await request.updateUser({ id: 'ann', role: 'guest' })
          return request.user
        })
        route(server, '/confirming', async (request) => {
          await request.updateUser({ id: 'ann', role: 'confirmed' })
          await request.confirmLogin()
        })
        route(server, '/late', async (request, reply) => {
          await reply.send({})
          await request.updateUser({ id: 'ann', role: 'late' })
        })
      },
    })
    const ann = it.visitor()
    await ann.post('/login', LOGIN)
    t.equal((await ann.post('/failing')).statusCode, 500)
    t.match((await ann.get('/me')).json(), { user: { role: 'admin' } })
    t.match((await ann.post('/both')).json(), { role: 'guest' })
    t.match((await ann.get('/me')).json(), { user: { role: 'guest' } })
    await ann.post('/confirming')
    t.match((await ann.get('/me')).json(), { user: { role: 'confirmed' } })
    await ann.post('/late')
    t.match((await ann.get('/me')).json(), { user: { role: 'late' } })
  },
)

t.test('a confirmation keeps the newest user', async (t) => {
  const { visitor, clock, users } = await roles(t)
  const ann = visitor()
  await ann.post('/login', LOGIN)
  users.set('ann', { id: 'ann', role: 'guest' })
  clock.advance('1m')
  await ann.post('/confirm')
  clock.advance('30s')
  t.match((await ann.get('/me')).json(), { user: { role: 'guest' } })
})

t.test('an assignment to req.user or to a member of it is an error that names the right call', async (t) => {
  const it = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/assign', (request) => {
        ;(request as { user: unknown }).user = { id: 'bob' }
      })
      route(server, '/change', (request) => Object.assign(request.user ?? {}, { role: 'admin' }))
    },
  })
  const ann = it.visitor()
  await ann.post('/login', { user: { id: 'ann', role: 'guest' } })
  for (const url of ['/assign', '/change']) {
    const message = /req\.updateUser\(user\).*req\.login\(user\)/
    t.match((await ann.post(url)).json(), { statusCode: 500, code: 'SESSION_OPTION_INVALID', message })
  }
  t.match((await ann.get('/me')).json(), { user: { id: 'ann', role: 'guest' } })
})

t.test('an answer that the store refused to take is shown all the same, and written later', async (t) => {
  let isFull = false
  const it = await world(t, {
    session: { loadUser: async (id) => ({ id, role: 'guest' }) },
    store: (store) => {
      const update = store.update.bind(store)
      return Object.assign(store, {
        update: async (...args: Parameters<typeof update>) => {
          if (isFull) throw new Error('full')
          return update(...args)
        },
      })
    },
    routes: ordinary,
  })
  const ann = it.visitor()
  await ann.post('/login', LOGIN)
  const user = async (): Promise<string> => (await it.record(ann.cookie?.slice(0, 22) ?? ''))?.user ?? ''
  it.clock.advance('1m')
  isFull = true
  for (let round = 0; round < 2; round += 1) t.match((await ann.get('/me')).json(), { user: { role: 'guest' } })
  t.match(await user(), /admin/)
  isFull = false
  t.match((await ann.get('/me')).json(), { user: { role: 'guest' } })
  t.match(await user(), /guest/)
})

t.test('two processes on one store see an update at once, and each keeps its own age of the user', async (t) => {
  const shared = memoryStore()
  const users = new Map<string, Account>([['ann', { id: 'ann', role: 'admin' }]])
  let count = 0
  const made = await Promise.all(
    [0, 1].map(() =>
      world(t, {
        session: {
          loadUser: async (id) => {
            count += 1
            return users.get(id)
          },
        },
        store: () => shared,
        routes: ordinary,
      }),
    ),
  )
  const [first, second] = made
  if (first === undefined || second === undefined) throw new Error('two apps')
  const advance = (by: '30s' | '1m'): void => {
    for (const { clock } of made) clock.advance(by)
  }
  for (const { clock } of made) clock.set(Date.now())
  const [here, there] = [first.visitor(), second.visitor()]
  await here.post('/login', LOGIN)
  there.cookies.set('session', here.cookie ?? '')
  advance('1m')
  for (const one of [here, there]) t.match((await one.get('/me')).json(), { user: { role: 'admin' } })
  t.equal(count, 2)
  advance('30s')
  await first.app.sessions.updateUser('ann', { id: 'ann', role: 'guest' })
  for (const one of [there, here]) t.match((await one.get('/me')).json(), { user: { role: 'guest' } })
  users.set('ann', { id: 'ann', role: 'owner' })
  advance('1m')
  for (const one of [there, here]) t.match((await one.get('/me')).json(), { user: { role: 'owner' } })
  t.equal(count, 3, 'a change that one process wrote is fresh in the other')
})
