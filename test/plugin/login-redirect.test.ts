import t from 'tap'
import type { Test } from 'tap'
import type { InjectOptions } from 'fastify'
import { withNext } from '../../lib/http/login-redirect.ts'
import { ordinary, world } from './world.ts'
import type { Visitor, World } from './world.ts'

async function pages(t: Test): Promise<World & { ann: Visitor }> {
  const made = await world(t, {
    fastify: { rewriteUrl: ({ url = '/' }) => url.replace(/^\/v1/, '') },
    routes: (server) => {
      ordinary(server)
      const page = { onRequest: server.requireLogin({ redirect: '/login' }) }
      server.route({ method: ['GET', 'POST'], url: '/account', ...page, handler: async () => ({ ok: true }) })
      server.get('/other', { preHandler: server.requireLogin({ redirect: '/login?lang=de' }) }, async () => ({
        ok: true,
      }))
      server.get('/*', page, async () => ({ ok: true }))
    },
  })
  return { ...made, ann: made.visitor() }
}

const HTML = { headers: { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' } }
const NAVIGATION = { headers: { 'sec-fetch-mode': 'navigate', accept: '*/*' } }

t.test('a page without a login leads to the login page, and names the page to go on to', async (t) => {
  const { ann } = await pages(t)
  for (const options of [HTML, NAVIGATION]) {
    const response = await ann.get('/account?tab=2&x=a%20b', options)
    t.equal(response.statusCode, 302)
    t.equal(response.headers.location, `/login?next=${encodeURIComponent('/account?tab=2&x=a%20b')}`)
    t.match(response.headers.vary, /Cookie/)
  }
  t.equal((await ann.get('/other', HTML)).headers.location, '/login?lang=de&next=%2Fother')
  t.equal((await ann.get('/v1/account', HTML)).headers.location, '/login?next=%2Fv1%2Faccount')
  await ann.post('/login')
  t.equal((await ann.get('/account', HTML)).statusCode, 200)
})

t.test('everything but a page gets a 401', async (t) => {
  const { ann } = await pages(t)
  const others: InjectOptions[] = [
    {},
    { headers: { accept: 'application/json' } },
    { headers: { 'sec-fetch-mode': 'cors', accept: 'text/html' } },
    { method: 'POST', ...HTML },
    { method: 'POST', headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'same-origin' } },
  ]
  for (const options of others) {
    const response = await ann.get('/account', options)
    t.match(response.json(), { statusCode: 401, code: 'SESSION_LOGIN_REQUIRED' })
  }
  t.equal((await ann.get('/account', { method: 'HEAD', ...HTML })).statusCode, 302)
})

t.test('an address that would lead to another host is not named', async (t) => {
  for (const url of ['//evil.example/x', '/\\evil.example', '/x\\..\\evil', 'http://evil.example/', '*']) {
    t.equal(withNext('/login', url), '/login', url)
  }
  const { ann } = await pages(t)
  t.equal((await ann.get('//evil.example/x', HTML)).statusCode, 302)
})

t.test('the login page is a path of this app', async (t) => {
  const { app } = await pages(t)
  for (const redirect of ['https://login.example', '//login.example', 'login', '', 5]) {
    t.throws(() => app.requireLogin({ redirect: redirect as string }), {
      code: 'SESSION_OPTION_INVALID',
      message: /redirect of requireLogin is a path of this app/,
    })
  }
})

t.test('a hook that is called without a reply redirects nowhere', async (t) => {
  const { app } = await world(t, {
    routes: (server) => {
      ordinary(server)
      const hook = server.requireLogin({ redirect: '/login' })
      server.get('/called', async (request) => hook(request))
    },
  })
  t.match((await app.inject({ url: '/called', ...HTML })).json(), { code: 'SESSION_LOGIN_REQUIRED' })
})
