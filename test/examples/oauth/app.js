import oauth2 from '@fastify/oauth2'
import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'

const { PROVIDER_URL, PUBLIC_URL = 'http://localhost:3000', CLIENT_ID = 'id', CLIENT_SECRET = 'secret' } = process.env
if (PROVIDER_URL === undefined) throw new Error('PROVIDER_URL is missing: the address of the provider')

const app = Fastify()
await app.register(secureSession)
await app.register(oauth2, {
  name: 'provider',
  credentials: {
    client: { id: CLIENT_ID, secret: CLIENT_SECRET },
    auth: { tokenHost: PROVIDER_URL, tokenPath: '/token', authorizePath: '/authorize' },
  },
  scope: ['profile'],
  pkce: 'S256',
  startRedirectPath: '/login',
  callbackUri: `${PUBLIC_URL}/callback`,
})

app.get('/callback', async (req, reply) => {
  const { token } = await app.provider.getAccessTokenFromAuthorizationCodeFlow(req)
  const answer = await fetch(`${PROVIDER_URL}/profile`, { headers: { authorization: `Bearer ${token.access_token}` } })
  const { sub, name } = await answer.json()
  await req.login({ id: sub, name })
  return reply.redirect('/me')
})

app.get('/me', { onRequest: app.requireLogin() }, async (req) => req.user)

app.post('/logout', async (req) => {
  await req.logout()
  return {}
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }))
