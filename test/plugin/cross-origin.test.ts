import t from 'tap'
import { ordinary, route, world } from './world.ts'

const CROSS = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }

t.test('an unsafe request from another site is refused before any handler and any store', async (t) => {
  const { visitor, asked } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  asked()
  const response = await ann.post('/logout', {}, { headers: CROSS })
  t.match(response.json(), { statusCode: 403, code: 'SESSION_CROSS_ORIGIN' })
  t.notMatch(response.body, /evil/, 'nothing of the request comes back')
  t.same(asked(), [])
  t.match((await ann.get('/me', { headers: CROSS })).json(), { user: { id: 'ann' } }, 'a link may be followed')
  t.equal((await ann.post('/note', { a: 1 }, { headers: { 'sec-fetch-site': 'same-origin' } })).statusCode, 200)
  t.equal((await ann.post('/note', { a: 1 })).statusCode, 200, 'no browser')
})

t.test('trusted origins, routes and apps may be open to other sites', async (t) => {
  const { visitor } = await world(t, {
    session: { trustedOrigins: ['https://partner.example'] },
    routes: (server) => {
      ordinary(server)
      server.post('/webhook', { config: { crossOriginProtection: false } }, async () => ({ got: true }))
    },
  })
  const one = visitor()
  t.equal((await one.post('/note', {}, { headers: { ...CROSS, origin: 'https://partner.example' } })).statusCode, 200)
  t.equal((await one.post('/note', {}, { headers: CROSS })).statusCode, 403)
  t.equal((await one.post('/webhook', {}, { headers: CROSS })).statusCode, 200)
  const { visitor: open } = await world(t, { session: { crossOriginProtection: false }, routes: ordinary })
  t.equal((await open().post('/note', {}, { headers: CROSS })).statusCode, 200)
})

t.test('what has no route and what is no URL is judged too, and never a 500', async (t) => {
  const { app } = await world(t, { routes: (server) => route(server, '/a/:id', () => ({})) })
  t.equal((await app.inject({ method: 'POST', url: '/nowhere', headers: CROSS })).statusCode, 403)
  t.equal((await app.inject({ method: 'POST', url: '/nowhere' })).statusCode, 404)
  for (const method of ['GET', 'POST'] as const) {
    for (const headers of [{}, CROSS, { cookie: 'session=x' }]) {
      const { statusCode } = await app.inject({ method, url: '/a/%zz', headers })
      t.ok([400, 403, 404].includes(statusCode), `${method} ${statusCode}`)
    }
  }
})
