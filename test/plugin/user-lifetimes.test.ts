import t from 'tap'
import type { Test } from 'tap'
import type { Duration, SecureSessionOptions, SessionUser } from '../../types/index.ts'
import { ordinary, route, world } from './world.ts'
import type { World } from './world.ts'

interface Account extends SessionUser {
  idle?: unknown
  absolute?: unknown
  remembered?: unknown
}

/** Lifetimes that a user brings along, so that each test can choose them. */
function perUser(t: Test, options: SecureSessionOptions = {}): Promise<World> {
  const of =
    (name: 'idle' | 'absolute' | 'remembered', fallback: Duration) =>
    (user: SessionUser): Duration =>
      ((user as Account)[name] ?? fallback) as Duration
  return world(t, {
    session: {
      idleTimeout: of('idle', '30m'),
      absoluteTimeout: of('absolute', '12h'),
      rememberTimeout: of('remembered', '14d'),
      ...options,
    },
    routes: (server) => {
      ordinary(server)
      route(server, '/confirm', (request) => request.confirmLogin())
      route(server, '/update', (request) => request.updateUser({ id: 'ann', idle: '8h', absolute: '30d' }))
      route(server, '/ends', (request) => request.session.expiresAt)
      route(server, '/enter', async (request) => {
        await request.login(request.body as Account)
        return request.session.expiresAt
      })
    },
  })
}

async function lifetimesOf(
  it: World,
  user: Account,
  options: object = {},
): Promise<{ idle: number; absolute: number }> {
  const visitor = it.visitor()
  const response = await visitor.post('/login', { user, options })
  if (response.statusCode !== 200) throw new Error(response.body)
  const record = await it.record(visitor.cookie?.slice(0, 22) ?? '')
  const minutes = (deadline = 0): number => (deadline - it.clock()) / 60_000
  return { idle: minutes(record?.idleDeadline), absolute: minutes(record?.absoluteDeadline) }
}

t.test('no function gives a session more than the 400 days for which a browser keeps a cookie', async (t) => {
  const it = await perUser(t)
  const { absolute } = await lifetimesOf(it, { id: 'ann', remembered: '500d' }, { remember: true })
  t.equal(absolute, 400 * 24 * 60)
})

t.test('each lifetime can be a function of the user who logs in', async (t) => {
  const it = await perUser(t)
  t.strictSame(await lifetimesOf(it, { id: 'ann' }), { idle: 30, absolute: 720 })
  t.strictSame(await lifetimesOf(it, { id: 'ann', idle: '10m' }), { idle: 10, absolute: 720 })
  t.strictSame(await lifetimesOf(it, { id: 'ann', idle: '10m', absolute: '1h' }), { idle: 10, absolute: 60 })
  const remembered = { id: 'ann', remembered: '2d' }
  t.strictSame(await lifetimesOf(it, remembered, { remember: true }), { idle: 2880, absolute: 2880 })
})

t.test('the lifetimes of a login hold for the whole session', async (t) => {
  const it = await perUser(t)
  const admin = it.visitor()
  const answer = await admin.post('/enter', { id: 'ann', idle: '10m', absolute: '1h' })
  const inMinutes = (minutes: number): string => new Date(it.clock() + minutes * 60_000).toISOString()
  t.same(answer.json(), { idle: inMinutes(10), absolute: inMinutes(60) })
  for (let round = 0; round < 2; round += 1) {
    it.clock.advance('9m')
    t.same(
      (await admin.get('/ends')).json().idle,
      inMinutes(10),
      'a use moves the deadline by the lifetime of this user',
    )
  }
  await admin.post('/update')
  it.clock.advance('9m')
  t.match((await admin.get('/me')).json(), { isAuthenticated: true })
  await admin.post('/confirm')
  t.same((await admin.get('/ends')).json(), { idle: inMinutes(10), absolute: inMinutes(60) })
  it.clock.advance('10m')
  t.match((await admin.get('/me')).json(), { isAuthenticated: false })
})

t.test('a touch is written once per twentieth of the lifetime of this user', async (t) => {
  const it = await perUser(t)
  const visitor = it.visitor()
  await visitor.post('/enter', { id: 'ann', idle: '8h' })
  it.clock.advance('14m')
  it.asked()
  await visitor.get('/me')
  t.same(it.asked(), ['get'])
})

t.test('another login in the same session brings its own lifetimes', async (t) => {
  const it = await perUser(t)
  const visitor = it.visitor()
  await visitor.post('/enter', { id: 'ann', idle: '10m' })
  await visitor.post('/enter', { id: 'bob' })
  it.clock.advance('29m')
  t.match((await visitor.get('/me')).json(), { user: { id: 'bob' } })
})

t.test('an anonymous session has the default, and so has one from before the functions', async (t) => {
  const it = await perUser(t)
  const visitor = it.visitor()
  await visitor.post('/note', { a: 1 })
  it.clock.advance('29m')
  t.match((await visitor.get('/me')).json(), { data: { a: 1 } })
  it.clock.advance('30m')
  t.strictSame((await visitor.get('/me')).json<{ data: object }>().data, {})
})

t.test('the assurance level bounds what a function returns', async (t) => {
  const it = await perUser(t, { assurance: 'aal2' })
  const greedy = { id: 'ann', idle: '8h', absolute: '30d', remembered: '90d' }
  t.strictSame(await lifetimesOf(it, greedy), { idle: 60, absolute: 1440 })
  t.strictSame(await lifetimesOf(it, greedy, { remember: true }), { idle: 1440, absolute: 1440 })
  t.strictSame(await lifetimesOf(it, { id: 'ann', idle: '5m', remembered: '1d' }), { idle: 5, absolute: 720 })
})

t.test('a function that returns no lifetime refuses the login', async (t) => {
  const it = await perUser(t)
  const wrong: [user: Account, message: RegExp][] = [
    ...[15, '15', '0s', '-5m', null, {}, 'soon'].map((idle): [Account, RegExp] => [
      { id: 'ann', idle: idle === null ? '' : idle },
      /idleTimeout of a user is a duration/,
    ]),
    [{ id: 'ann', absolute: 'x' }, /absoluteTimeout of a user is a duration/],
    [{ id: 'ann', remembered: 7 }, /rememberTimeout of a user is a duration/],
    [{ id: 'ann', idle: '13h' }, /idleTimeout is longer than absoluteTimeout/],
    [{ id: 'ann', absolute: '20d' }, /absoluteTimeout is longer than rememberTimeout/],
  ]
  for (const [user, message] of wrong) {
    const visitor = it.visitor()
    const response = await visitor.post('/login', { user })
    t.match(response.json(), { statusCode: 500, code: 'SESSION_OPTION_INVALID', message })
    t.equal(visitor.cookie, undefined)
  }
  t.equal(it.store.size, 0)
})
