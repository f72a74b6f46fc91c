import type { FastifyReply } from 'fastify'
import Fastify from 'fastify'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { secureSession } from '../lib/index.ts'
import { postgresStore } from '../lib/stores/postgres.ts'
import { redisStore } from '../lib/stores/redis.ts'
import type { SessionStore } from '../types/index.ts'

/** The URL of the store; `none` opens the same streams without sessions, and ends them by hand. */
const url = process.argv[2] ?? ''

/** Streams that are open without sessions. */
const bare: { destroy(): unknown }[] = []

/** The instants at which streams were closed here, by handle. */
const closedAt = new Map<string, number>()

async function storeAt(): Promise<SessionStore> {
  if (!url.startsWith('postgres')) return redisStore({ client: await createClient({ url }).connect() })
  return postgresStore({ pool: new Pool({ connectionString: url }), createTable: true })
}

const app = Fastify()
if (url === 'none') openBare()
else await openWithSessions()

/** The least that a server can do: it knows nobody, and destroys all its streams when it is told so. */
function openBare(): void {
  let number = 0
  app.post('/login', async (_request, reply) => {
    number += 1
    reply.header('set-cookie', `session=${process.pid}-${number}`)
    return { handle: `${process.pid}-${number}` }
  })
  app.get('/stream', ({ headers }, reply) => {
    bare.push(reply.raw)
    openStream(reply, String(headers.cookie).replace('session=', ''))
  })
  app.post('/end-all', async () => {
    for (const raw of bare.splice(0)) raw.destroy()
    return {}
  })
}

function openStream(reply: FastifyReply, handle: string): void {
  reply.hijack()
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
  reply.raw.write('data: open\n\n')
  reply.raw.once('close', () => closedAt.set(handle, Date.now()))
}

async function openWithSessions(): Promise<void> {
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
  app.get('/stream', (request, reply) => openStream(reply, request.session.sessionId))
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
}
app.get('/closed', async () => Object.fromEntries(closedAt))
app.get('/cpu', async () => process.cpuUsage())
process.once('disconnect', () => process.exit())
process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
