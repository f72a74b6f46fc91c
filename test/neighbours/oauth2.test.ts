import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import oauth2 from '@fastify/oauth2'
import type { FastifyOAuth2Options, OAuth2Namespace } from '@fastify/oauth2'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { ordinary, world } from '../plugin/world.ts'

/** Starts a provider that gives a token for any code. */
async function provider(t: Test): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ access_token: 'a-token', token_type: 'Bearer', expires_in: 60 }))
  })
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function optionsFor(tokenHost: string): FastifyOAuth2Options {
  return {
    name: 'provider',
    credentials: {
      client: { id: 'client', secret: 'secret' },
      auth: { authorizeHost: tokenHost, authorizePath: '/authorize', tokenHost, tokenPath: '/token' },
    },
    startRedirectPath: '/login/provider',
    callbackUri: 'http://localhost/callback',
    pkce: 'S256',
  }
}

function addCallback(app: FastifyInstance): void {
  app.get('/callback', async (request, reply) => {
    const flow = Reflect.get(app, 'provider') as OAuth2Namespace
    const { token } = await flow.getAccessTokenFromAuthorizationCodeFlow(request, reply)
    await request.login({ id: `user-of-${token.access_token}` })
    return reply.redirect('/me')
  })
}

for (const order of ['before', 'after'] as const) {
  t.test(`a login with a provider begins a session (@fastify/oauth2 registered ${order})`, async (t) => {
    const tokenHost = await provider(t)
    const it = await world(t, {
      before: async (app) => (order === 'before' ? app.register(oauth2, optionsFor(tokenHost)) : undefined),
      routes: async (app) => {
        if (order === 'after') await app.register(oauth2, optionsFor(tokenHost))
        ordinary(app)
        addCallback(app)
      },
    })
    const visitor = it.visitor()
    await visitor.post('/note', { cart: ['tea'] })
    const anonymous = visitor.cookie
    const start = await visitor.get('/login/provider')
    t.equal(start.statusCode, 302)
    const state = new URL(String(start.headers.location)).searchParams.get('state') ?? ''
    const back = `/callback?code=a-code&state=${encodeURIComponent(state)}`
    const callback = await visitor.get(back, { headers: { 'sec-fetch-site': 'cross-site' } })
    t.match(callback, { statusCode: 302, headers: { 'cache-control': 'no-store' } })
    t.not(visitor.cookie, anonymous)
    t.match((await visitor.get('/me')).json(), { user: { id: 'user-of-a-token' }, data: { cart: ['tea'] } })
    t.notOk(visitor.cookies.has('oauth2-redirect-state'), 'its own cookies are cleared beside ours')
    const attacker = it.visitor()
    t.equal((await attacker.get(back)).statusCode, 500, 'a state of another browser is refused')
    t.equal(attacker.cookie, undefined)
  })
}
