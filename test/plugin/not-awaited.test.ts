import t from 'tap'
import { ordinary, world } from './world.ts'

t.test('a login that the handler does not wait for is in its reply', async (t) => {
  const it = await world(t, {
    session: { maxSessions: 3 },
    routes: (app) => {
      ordinary(app)
      app.post('/enter', (request, reply) => {
        void request.login({ id: 'ann' })
        void reply.send({})
      })
    },
  })
  const visitor = it.visitor()
  const response = await visitor.post('/enter')
  t.match(response.headers, { 'set-cookie': /^session=/, 'cache-control': 'no-store' })
  t.match((await visitor.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('neither is it in one that failed', async (t) => {
  const it = await world(t, {
    session: { maxSessions: 1 },
    routes: (app) => {
      ordinary(app)
      app.post('/enter', (request, reply) => {
        void request.login({ id: 'ann' })
        void reply.code(500).send({})
      })
    },
  })
  const visitor = it.visitor()
  t.equal((await visitor.post('/enter')).headers['set-cookie'], undefined)
  t.equal(it.store.size, 0)
  t.same(await it.store.listIndex('ann'), [], 'its place is given back')
  t.equal((await visitor.post('/login')).statusCode, 200)
  t.equal((await it.app.sessions.list('ann')).length, 1)
})

t.test('a logout or destroy that the handler does not wait for clears the cookie', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.post('/leave', (request, reply) => {
        void request.logout({ everywhere: true })
        void reply.send({})
      })
      app.post('/destroy', (request, reply) => {
        request.session.destroy(() => undefined)
        void reply.send({})
      })
    },
  })
  for (const url of ['/leave', '/destroy']) {
    const visitor = it.visitor()
    await visitor.post('/login')
    await visitor.post(url)
    t.equal(visitor.cookie, undefined, url)
    t.equal(it.store.size, 0)
  }
})

t.test('a save that is under way when the reply is sent succeeds, and its cookie is in the reply', async (t) => {
  let error: unknown = 'never called'
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.post('/save', (request, reply) => {
        Object.assign(request.session, { cart: ['tea'] })
        request.session.save((outcome) => (error = outcome))
        void reply.send({})
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/save')
  t.equal(error, undefined)
  t.match((await visitor.get('/me')).json(), { data: { cart: ['tea'] } })
  t.same(
    it.asked().filter((name) => name !== 'get'),
    ['create'],
  )
})

t.test('so does a save that waits for its turn behind a login', async (t) => {
  let error: unknown = 'never called'
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.post('/save', (request, reply) => {
        void request.login({ id: 'ann' })
        request.session.save((outcome) => (error = outcome))
        void reply.send({})
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/save')
  t.equal(error, undefined)
  t.match((await visitor.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('new credentials that the handler does not wait for are in the reply', async (t) => {
  const passwords = new Map([['ann', 'first']])
  const it = await world(t, {
    session: {
      loadUser: async (id) => ({ id, password: passwords.get(id) }),
      authHash: (user: { id: string }) => passwords.get(user.id),
    },
    routes: (app) => {
      ordinary(app)
      app.post('/password', (request, reply) => {
        passwords.set('ann', 'second')
        void request.updateAuthHash()
        void reply.send({})
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/login')
  const before = visitor.cookie
  await visitor.post('/password')
  t.not(visitor.cookie, before)
  it.clock.advance('2m')
  t.match((await visitor.get('/me')).json(), { user: { id: 'ann' } })
})
