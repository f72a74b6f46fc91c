import { randomBytes } from 'node:crypto'
import fastify from 'fastify'
import type { FastifyPluginCallback, FastifyRequest } from 'fastify'
import type { CookieSerializeOptions } from '@fastify/cookie'
import type { User } from './peer.ts'
import { listen, NOBODY, THEME } from './peer.ts'

interface SecureSession {
  get(key: string): unknown
  set(key: string, value: unknown): void
  delete(): void
  regenerate(): void
}

/** The compiler does not see this import, because its types redeclare `request.session` of @fastify/session. */
const PACKAGE: string = '@fastify/secure-session'

/**
 * Starts a peer that encrypts the whole session in the cookie: nothing to look up, and nothing that a server can end.
 */
export async function startSecureSession(): Promise<number> {
  const { default: secureSession } = (await import(PACKAGE)) as {
    default: FastifyPluginCallback<{ key: Buffer; cookie: CookieSerializeOptions }>
  }
  const app = fastify()
  await app.register(secureSession, {
    key: randomBytes(32),
    cookie: { path: '/', httpOnly: true, sameSite: 'lax' },
  })
  app.get('/anonymous', async () => ({ hello: 'world' }))
  app.get('/user', async (request, reply) => sessionOf(request).get('user') ?? reply.code(401).send(NOBODY))
  app.get('/session', async (request, reply) => {
    const theme = sessionOf(request).get('theme')
    if (theme === undefined) return reply.code(401).send(NOBODY)
    return { theme }
  })
  app.post('/write', async (request) => {
    const session = sessionOf(request)
    const views = Number(session.get('views') ?? 0) + 1
    session.set('views', views)
    return { views }
  })
  app.post<{ Body: User }>('/login', async (request) => {
    const session = sessionOf(request)
    session.regenerate()
    session.set('user', { id: request.body.id, name: request.body.name })
    session.set('theme', THEME)
    return { ok: true }
  })
  app.post('/logout', async (request) => {
    sessionOf(request).delete()
    return { ok: true }
  })
  return listen(app)
}

/** `request.session` is typed as @fastify/session's in this program, which another peer here uses. */
function sessionOf(request: Pick<FastifyRequest, 'session'>): SecureSession {
  const holder: { session: unknown } = request
  return holder.session as SecureSession
}
