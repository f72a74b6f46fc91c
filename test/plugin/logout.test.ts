import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { boot, loginAs, logOut, someone } from '../support/app.ts'
import { coreOnly } from './stores.ts'
import { isNobody, ordinary, route, world } from './world.ts'

t.test('logout ends the session at once, clears the cookie, and the old id opens nothing', async (t) => {
  const { app, visitor, store, events } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  await ann.post('/note', { cart: 1 })
  const id = ann.cookie ?? ''
  const response = await ann.post('/logout')
  t.same(response.json(), { user: null })
  t.equal(ann.cookie, undefined)
  t.equal(store.size, 0)
  isNobody(t, await app.inject({ url: '/me', cookies: { session: id } }))
  t.same(
    events.map((event) => event.type),
    ['login', 'logout'],
  )
  t.same(await app.sessions.list('ann'), [])
})

t.test('the record is gone when logout resolves, and the cookie is cleared, even if the response fails', async (t) => {
  const { visitor, store } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/logout-and-fail', async (request) => {
        await request.logout()
        t.equal(store.size, 0)
        throw new Error('later')
      })
    },
  })
  const ann = visitor()
  await ann.post('/login')
  t.equal((await ann.post('/logout-and-fail')).statusCode, 500)
  t.equal(ann.cookie, undefined)
})

t.test('logout of nobody does nothing and does not throw', async (t) => {
  const { visitor, asked, events } = await world(t, { routes: ordinary })
  const nobody = visitor()
  for (const options of [{}, { everywhere: true }, { others: true }]) {
    const response = await nobody.post('/logout', options)
    t.equal(response.statusCode, 200)
    t.equal(response.headers['set-cookie'], undefined)
  }
  t.same(asked(), [])
  t.same(events, [])
})

t.test('a logout ends a session that has data and no user', async (t) => {
  const { visitor } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/note', { cart: 1 })
  const cookie = ann.cookie ?? ''
  await ann.post('/logout')
  t.equal(ann.cookie, undefined)
  ann.cookies.set('session', cookie)
  t.strictSame((await ann.get('/me')).json<{ data: object }>().data, {})
})

t.test('after a logout in the same request the session is empty, and what is put in begins a new one', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/farewell', async (request) => {
        await request.logout()
        t.same(request.session.data(), {})
        request.session.set('flash' as never, 'bye' as never)
      })
    },
  })
  const ann = visitor()
  await ann.post('/login')
  await ann.post('/note', { balance: 100 })
  const id = ann.cookie
  await ann.post('/farewell')
  t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false, data: { flash: 'bye' } })
  t.strictSame((await ann.get('/me')).json<{ data: object }>().data, { flash: 'bye' })
  t.not(ann.cookie?.slice(0, 22), id?.slice(0, 22))
})

t.test('logout everywhere ends all sessions of the user, and of nobody else', async (t) => {
  const { app, visitor } = await world(t, { routes: ordinary })
  const [phone, laptop, bob] = [visitor(), visitor(), visitor()]
  await phone.post('/login')
  await laptop.post('/login')
  await bob.post('/login', { user: { id: 'bob' } })
  await phone.post('/logout', { everywhere: true })
  t.match((await phone.get('/me')).json(), { user: null, isAuthenticated: false })
  t.match((await laptop.get('/me')).json(), { user: null, isAuthenticated: false })
  t.match((await bob.get('/me')).json(), { user: { id: 'bob' } })
  t.same(await app.sessions.list('ann'), [])
})

t.test('logout of the others keeps this one', async (t) => {
  const { app, visitor, events } = await world(t, { routes: ordinary })
  const [phone, laptop] = [visitor(), visitor()]
  await phone.post('/login')
  await laptop.post('/login')
  const response = await phone.post('/logout', { others: true })
  t.match(response.json(), { user: { id: 'ann' } })
  t.equal(response.headers['set-cookie'], undefined)
  t.match((await phone.get('/me')).json(), { user: { id: 'ann' } })
  t.match((await laptop.get('/me')).json(), { user: null, isAuthenticated: false })
  t.equal((await app.sessions.list('ann')).length, 1)
  t.same(
    events.filter((event) => event.type === 'revoke').map((event) => event.userId),
    ['ann'],
  )
})

t.test('without a user index, logout works and logout everywhere says what is missing', async (t) => {
  const { visitor, store } = await world(t, { store: coreOnly, routes: ordinary })
  const [phone, laptop] = [visitor(), visitor()]
  await phone.post('/login')
  await laptop.post('/login')
  for (const options of [{ everywhere: true }, { others: true }]) {
    const response = await phone.post('/logout', options)
    t.equal(response.statusCode, 500)
    t.match(response.json(), { code: 'SESSION_STORE_LACKS_INDEX' })
  }
  t.match((await phone.get('/me')).json(), { user: { id: 'ann' } }, 'a refused logout ends nothing')
  await phone.post('/logout')
  t.match((await phone.get('/me')).json(), { user: null, isAuthenticated: false })
  t.equal(store.size, 1)
})

t.test('an expired or revoked session is cleared like one that was logged out', async (t) => {
  const { app, visitor, clock } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  clock.advance('30m')
  t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false })
  t.equal(ann.cookie, undefined)
  await ann.post('/login')
  await app.sessions.revokeUser('ann')
  await ann.get('/plain')
  t.equal(ann.cookie, undefined, 'on any route')
})

t.test('Clear-Site-Data goes out with a logout, when asked for, and with nothing else', async (t) => {
  const { visitor } = await world(t, {
    session: { clearSiteData: true },
    routes: (server) => {
      ordinary(server)
      route(server, '/destroy', async (request) => {
        await request.session.destroy()
      })
    },
  })
  const ann = visitor()
  t.equal((await ann.post('/logout')).headers['clear-site-data'], undefined, 'nobody was logged in')
  t.equal((await ann.post('/login')).headers['clear-site-data'], undefined)
  t.equal((await ann.post('/logout')).headers['clear-site-data'], '"cache", "storage"')
  await ann.post('/login')
  t.equal((await ann.post('/destroy')).headers['clear-site-data'], '"cache", "storage"')
  const { visitor: other } = await world(t, { routes: ordinary })
  const bob = other()
  await bob.post('/login')
  t.equal((await bob.post('/logout')).headers['clear-site-data'], undefined, 'off by default')
})

t.test('a store that fails at logout is a 503, and nobody is told they are logged out', async (t) => {
  let isDown = false
  const { visitor } = await world(t, {
    store: (store) => ({
      ...coreOnly(store),
      delete: (handle, version) => (isDown ? Promise.reject(new Error('down')) : store.delete(handle, version)),
    }),
    routes: ordinary,
  })
  const ann = visitor()
  await ann.post('/login')
  isDown = true
  const response = await ann.post('/logout')
  t.equal(response.statusCode, 503)
  t.equal(response.headers['retry-after'], '1')
  t.equal(response.headers['set-cookie'], undefined)
  isDown = false
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('without a user index, a logout that another login overtook leaves that login alone', async (t) => {
  const bench = await boot(t, (_t, clock) => coreOnly(memoryStore({ clock })))
  const [ann, bob] = [someone('ann'), someone('bob')]
  const browser = await bench.loggedIn(ann)
  const rival = bench.browser()
  rival.plant(browser.cookie ?? '')
  const caught = bench.gate.hold('delete', { by: 'logout' })
  const loggedOut = bench.gate.as('logout', () => browser.visit(logOut))
  await caught.arrived
  await rival.visit(loginAs(bob))
  caught.release()
  t.equal((await loggedOut).status, 200)
  t.equal((await rival.me()).userId, bob.id)
})
