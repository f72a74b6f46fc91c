import Fastify from 'fastify'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { secureSession } from '../lib/index.ts'
import { postgresStore } from '../lib/stores/postgres.ts'
import { redisStore } from '../lib/stores/redis.ts'
import type { SessionStore } from '../types/index.ts'

const url = process.argv[2] ?? ''

/** The instants at which streams were closed here, by handle. */
const closedAt = new Map<string, number>()

async function storeAt(): Promise<SessionStore> {
  if (!url.startsWith('postgres')) return redisStore({ client: await createClient({ url }).connect() })
  return postgresStore({ pool: new Pool({ connectionString: url }), createTable: true })
}

const app = Fastify()
await app.register(secureSession, {
  environment: 'test',
  secret: 'a secret of the benchmark, 32 bytes or more',
  store: await storeAt(),
  storeTimeout: '30s',
})
app.post('/login', async (request) => {
  const { user } = request.body as { user: string }
  await request.login({ id: user })
  return { handle: request.session.sessionId }
})
app.get('/stream', (request, reply) => {
  const { sessionId } = request.session
  reply.hijack()
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
  reply.raw.write('data: open\n\n')
  reply.raw.once('close', () => closedAt.set(sessionId, Date.now()))
})
app.post('/revoke', async (request) => {
  const { handle, user } = request.body as { handle: string; user: string }
  const at = Date.now()
  await app.sessions.revoke(handle, { userId: user })
  return { at }
})
app.post('/revoke-all', async () => {
  const at = Date.now()
  await app.sessions.revokeAll()
  return { at }
})
app.get('/closed', async () => Object.fromEntries(closedAt))
app.get('/cpu', async () => process.cpuUsage())
process.once('disconnect', () => process.exit())
process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
