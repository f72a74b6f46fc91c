import { randomBytes } from 'node:crypto'
import fastify from 'fastify'
import type { FastifyRequest } from 'fastify'
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import type { FastifySessionOptions } from '@fastify/session'
import type { SessionData, User } from './peer.ts'
import { listen, NOBODY, THEME } from './peer.ts'

/** `secure: false`, because it keeps nothing over plain HTTP otherwise; the rest is up to the caller. */
export async function startFastifySession(tuning: Partial<FastifySessionOptions>): Promise<number> {
  const app = fastify()
  await app.register(fastifyCookie)
  await app.register(fastifySession, {
    secret: randomBytes(32).toString('base64url'),
    cookie: { secure: false },
    ...tuning,
  })
  app.get('/anonymous', async () => ({ hello: 'world' }))
  app.get('/user', async (request, reply) => {
    const session = sessionOf(request)
    return session.user ?? reply.code(401).send(NOBODY)
  })
  app.get('/session', async (request, reply) => {
    const session = sessionOf(request)
    if (session.theme === undefined) return reply.code(401).send(NOBODY)
    return { theme: session.theme }
  })
  app.post('/write', async (request) => {
    const session = sessionOf(request)
    session.views = (session.views ?? 0) + 1
    return { views: session.views }
  })
  app.post<{ Body: User }>('/login', async (request) => {
    await request.session.regenerate()
    const session = sessionOf(request)
    session.user = { id: request.body.id, name: request.body.name }
    session.theme = THEME
    return { ok: true }
  })
  app.post('/logout', async (request) => {
    await request.session.destroy()
    return { ok: true }
  })
  return listen(app)
}

/**
 * Returns the session with its types. An app would declare the keys of its sessions once for all; two apps in one
 * program cannot.
 */
function sessionOf(request: Pick<FastifyRequest, 'session'>): FastifyRequest['session'] & SessionData {
  return request.session
}
