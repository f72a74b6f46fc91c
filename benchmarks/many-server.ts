import Fastify from 'fastify'
import { secureSession } from '../lib/index.ts'
import { openStore } from '../lib/stores/open.ts'

const LOGINS_AT_ONCE = 50

const app = Fastify()
await app.register(secureSession, {
  environment: 'test',
  secret: 'a secret of the benchmark, 32 bytes or more',
  store: await openStore(process.argv[2] ?? ''),
  silence: [{ rule: 'max-sessions-unset', reason: 'the benchmark measures a user with thousands of sessions' }],
})
app.post('/login', async (request) => {
  const { user } = request.body as { user: string }
  await request.login({ id: user })
  return {}
})
app.get('/me', async (request) => request.user)
app.post('/seed', async (request) => {
  const { user, sessions } = request.body as { user: string; sessions: number }
  for (let made = 0; made < sessions; made += LOGINS_AT_ONCE) {
    const batch = Array.from({ length: LOGINS_AT_ONCE }, () =>
      app.inject({ method: 'POST', url: '/login', payload: { user } }),
    )
    await Promise.all(batch)
  }
  return {}
})
app.post('/list', async (request) => {
  const { user } = request.body as { user: string }
  return { count: (await app.sessions.list(user)).length }
})
app.post('/revoke', async (request) => {
  const { user } = request.body as { user: string }
  return { count: await app.sessions.revokeUser(user) }
})
process.once('disconnect', () => process.exit())
process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
