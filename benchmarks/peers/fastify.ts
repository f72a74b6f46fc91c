import fastify from 'fastify'
import fastifyCookie from '@fastify/cookie'
import type { User } from './peer.ts'
import { listen, NOBODY, THEME } from './peer.ts'

const SOMEBODY: User = { id: 'u1', name: 'Ada Lovelace' }

/** Starts the floor under everything: no cookie is even parsed. */
export async function startFastify(): Promise<number> {
  const app = fastify()
  app.get('/anonymous', async () => ({ hello: 'world' }))
  return listen(app)
}

/**
 * Starts a server with the least that any session costs in Fastify: cookies are parsed and written, and nothing is
 * kept, looked up or checked. Whoever brings a cookie is taken for the same user.
 */
export async function startFastifyAndCookie(): Promise<number> {
  const app = fastify()
  await app.register(fastifyCookie)
  app.get('/anonymous', async () => ({ hello: 'world' }))
  app.get('/user', async (request, reply) => {
    if (request.cookies['session'] === undefined) return reply.code(401).send(NOBODY)
    return SOMEBODY
  })
  app.get('/session', async (request, reply) => {
    if (request.cookies['session'] === undefined) return reply.code(401).send(NOBODY)
    return { theme: THEME }
  })
  app.post('/write', async (request, reply) => {
    if (request.cookies['session'] === undefined) return reply.code(401).send(NOBODY)
    return { views: 1 }
  })
  app.post<{ Body: User }>('/login', async (request, reply) => {
    reply.setCookie('session', request.body.id, { path: '/', httpOnly: true, sameSite: 'lax' })
    return { ok: true }
  })
  app.post('/logout', async (_request, reply) => {
    reply.clearCookie('session', { path: '/', httpOnly: true, sameSite: 'lax' })
    return { ok: true }
  })
  return listen(app)
}
