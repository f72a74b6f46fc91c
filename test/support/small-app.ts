import type { FastifyInstance, FastifyRequest } from 'fastify'
import Fastify from 'fastify'
import { secureSession } from '../../lib/index.ts'
import type { SecureSessionOptions } from '../../types/index.ts'

export type Answer = Awaited<ReturnType<FastifyInstance['inject']>>

/** Returns an app with a login, a note in the session, and routes that need neither, on any store. */
export async function smallApp(options: SecureSessionOptions): Promise<FastifyInstance> {
  const app = Fastify({ logger: false })
  await app.register(secureSession, {
    environment: 'test',
    secret: 'small-app-secret-small-app-secret-small-app',
    ...options,
  })
  const body = (request: FastifyRequest): Record<string, string> => (request.body ?? {}) as Record<string, string>
  app.get('/plain', async () => ({}))
  app.get('/free', { config: { session: false } }, async () => ({}))
  app.get('/me', async (request) => ({ user: request.user?.id ?? null, note: request.session?.data()['note'] ?? null }))
  app.post('/login', async (request) => {
    await request.login({ id: body(request)['user'] ?? 'ann' })
    return {}
  })
  app.post('/note', async (request) => {
    Object.assign(request.session, { note: body(request)['note'] })
    return {}
  })
  app.post('/logout', async (request) => {
    await request.logout()
    return {}
  })
  app.post('/revoke', async (request) => ({ ended: await app.sessions.revokeUser(body(request)['user'] ?? '') }))
  app.post('/revoke-all', async () => {
    await app.sessions.revokeAll()
    return {}
  })
  app.get('/stream', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.raw.write('data: first\n\n')
  })
  return app
}

/** Returns the cookie of an answer as a `Cookie` header; `undefined` when it set none. */
export function cookieOf(answer: Answer): string | undefined {
  const found = answer.cookies.find(({ name }) => name === 'session')
  return found === undefined || found.value === '' ? undefined : `session=${found.value}`
}

/** Logs somebody in and gives their cookie. */
export async function logIn(app: FastifyInstance, user: string): Promise<string> {
  const answer = await app.inject({ method: 'POST', url: '/login', payload: { user } })
  const cookie = cookieOf(answer)
  if (answer.statusCode !== 200 || cookie === undefined) throw new Error(`login: ${answer.statusCode} ${answer.body}`)
  return cookie
}
