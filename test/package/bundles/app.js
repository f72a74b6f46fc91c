import Fastify from 'fastify'
import secureSession, { checkConfig } from 'fastify-session-guard'

/** Boots, logs in and out over HTTP, and prints what happened. */
async function main() {
  const app = Fastify()
  await app.register(secureSession, {
    environment: 'test',
    secret: 'rQ8vWk2pLx0eT5sZ9yB3uN7mD1fH6jCa',
    cookie: { domain: 'shop.example.com' },
    silence: [{ rule: 'domain-wide', reason: 'the list of public suffixes is part of the bundle' }],
  })
  app.post('/login', async (request) => {
    await request.login({ id: 'ada' })
    return {}
  })
  app.get('/me', { onRequest: app.requireLogin() }, async (request) => request.requireUser())
  app.post('/logout', async (request) => {
    await request.logout()
    return {}
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const login = await fetch(`${url}/login`, { method: 'POST' })
  const headers = { cookie: String(login.headers.get('set-cookie')).split(';', 1)[0] }
  const me = await fetch(`${url}/me`, { headers })
  const logout = await fetch(`${url}/logout`, { method: 'POST', headers })
  const replay = await fetch(`${url}/me`, { headers })
  await app.close()
  const statuses = [login, me, logout, replay].map(({ status }) => status)
  const suffix = checkConfig({ cookie: { domain: 'co.uk' } }, { NODE_ENV: 'test' }).some(
    ({ rule }) => rule === 'session/domain-public-suffix',
  )
  console.log(JSON.stringify({ statuses, user: await me.json(), suffix }))
}

void main()
