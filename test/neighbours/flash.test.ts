import flash from '@fastify/flash'
import t from 'tap'
import { ordinary, route, world } from '../plugin/world.ts'

t.test('a flash message is there for the next request, and for no other', async (t) => {
  const it = await world(t, {
    routes: async (app) => {
      await app.register(flash)
      ordinary(app)
      route(app, '/save', (request) => ({ count: request.flash('info', ['saved', 'mailed']) }))
      route(app, '/one', (_request, reply) => ({ info: reply.flash('info') }))
      route(app, '/all', (_request, reply) => reply.flash())
    },
  })
  const visitor = it.visitor()
  t.match((await visitor.post('/save')).json(), { count: 2 })
  t.strictSame((await visitor.get('/one')).json(), { info: ['saved', 'mailed'] })
  t.strictSame((await visitor.get('/one')).json(), { info: [] })
  await visitor.post('/save')
  t.strictSame((await visitor.get('/all')).json(), { info: ['saved', 'mailed'] })
  t.strictSame((await visitor.get('/all')).json(), {})
})

t.test('a flash message survives the redirect after a login', async (t) => {
  const it = await world(t, {
    routes: async (app) => {
      await app.register(flash)
      ordinary(app)
      route(app, '/welcome', async (request, reply) => {
        await request.login({ id: 'ann' })
        request.flash('info', 'welcome')
        return reply.redirect('/hello')
      })
      route(app, '/hello', (request, reply) => ({ user: request.user, info: reply.flash('info') }))
    },
  })
  const visitor = it.visitor()
  t.match(await visitor.post('/welcome'), { statusCode: 302 })
  t.strictSame((await visitor.get('/hello')).json(), { user: { id: 'ann' }, info: ['welcome'] })
})

t.test('a flash message may say goodbye after a logout', async (t) => {
  const it = await world(t, {
    routes: async (app) => {
      await app.register(flash)
      ordinary(app)
      route(app, '/leave', async (request, reply) => {
        await request.logout()
        request.flash('info', 'goodbye')
        return reply.redirect('/hello')
      })
      route(app, '/hello', (request, reply) => ({ user: request.user, info: reply.flash('info') }))
    },
  })
  const visitor = it.visitor()
  await visitor.post('/login')
  const before = visitor.cookie
  await visitor.post('/leave')
  t.not(visitor.cookie, before)
  t.strictSame((await visitor.get('/hello')).json(), { user: null, info: ['goodbye'] })
})

t.test('a flash message is not said twice to two requests at once', async (t) => {
  const it = await world(t, {
    routes: async (app) => {
      await app.register(flash)
      ordinary(app)
      route(app, '/save', (request) => void request.flash('info', 'saved'))
      route(app, '/one', (_request, reply) => ({ info: reply.flash('info') }))
      route(app, '/other', (request) => void Object.assign(request.session, { other: 1 }))
    },
  })
  const visitor = it.visitor()
  await visitor.post('/save')
  await Promise.all([visitor.get('/one'), visitor.get('/other')])
  t.strictSame((await visitor.get('/one')).json(), { info: [] }, 'a parallel write does not bring it back')
  t.match((await visitor.get('/me')).json(), { data: { other: 1 } })
})
