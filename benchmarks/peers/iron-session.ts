import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import fastify from 'fastify'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SessionData, User } from './peer.ts'
import { listen, NOBODY, THEME } from './peer.ts'

type GetIronSession = (
  request: IncomingMessage,
  response: ServerResponse,
  options: { cookieName: string; password: string; cookieOptions: { secure: boolean } },
) => Promise<SessionData & { save(): Promise<void>; destroy(): void }>

/** The compiler does not see this import, because the package's types need another version of `cookie`. */
const PACKAGE: string = 'iron-session'

/** Starts a peer that seals the whole session in the cookie, over Fastify's raw request and response. */
export async function startIronSession(): Promise<number> {
  const { getIronSession } = (await import(PACKAGE)) as { getIronSession: GetIronSession }
  const options = {
    cookieName: 'session',
    password: randomBytes(32).toString('base64url'),
    cookieOptions: { secure: false },
  }
  const sessionOf = (request: Pick<FastifyRequest, 'raw'>, reply: Pick<FastifyReply, 'raw'>) =>
    getIronSession(request.raw, reply.raw, options)
  const app = fastify()
  app.get('/anonymous', async () => ({ hello: 'world' }))
  app.get('/user', async (request, reply) => {
    const { user } = await sessionOf(request, reply)
    return user ?? reply.code(401).send(NOBODY)
  })
  app.get('/session', async (request, reply) => {
    const { theme } = await sessionOf(request, reply)
    if (theme === undefined) return reply.code(401).send(NOBODY)
    return { theme }
  })
  app.post('/write', async (request, reply) => {
    const session = await sessionOf(request, reply)
    session.views = (session.views ?? 0) + 1
    await session.save()
    return { views: session.views }
  })
  app.post<{ Body: User }>('/login', async (request, reply) => {
    const session = await sessionOf(request, reply)
    session.user = { id: request.body.id, name: request.body.name }
    session.theme = THEME
    await session.save()
    return { ok: true }
  })
  app.post('/logout', async (request, reply) => {
    const session = await sessionOf(request, reply)
    session.destroy()
    return { ok: true }
  })
  return listen(app)
}
