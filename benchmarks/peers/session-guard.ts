import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fastify from 'fastify'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { memoryStore, secureSession } from '../../lib/index.ts'
import type { SecureSessionOptions, SessionStore } from '../../lib/index.ts'
import type { SessionData, User } from './peer.ts'
import { listen, NOBODY, THEME } from './peer.ts'

/** The part of this package that a benchmark uses. */
interface Package {
  readonly memoryStore: typeof memoryStore
  readonly secureSession: typeof secureSession
}

/** Starts this plugin, with its defaults. */
export async function startSessionGuard(from: Package = { memoryStore, secureSession }): Promise<number> {
  const secret = randomBytes(32).toString('base64url')
  return listen(await guardedApp(secret, from.memoryStore({ maxRecords: 1_000_000 }), from.secureSession))
}

/** Starts this plugin, with sessions that are bound to the device of their visitor. */
export async function startBoundGuard(): Promise<number> {
  const secret = randomBytes(32).toString('base64url')
  return listen(await guardedApp(secret, memoryStore({ maxRecords: 1_000_000 }), secureSession, { deviceBound: true }))
}

/** Starts this plugin as another checkout of the project has built it, in the folder that `--before` names. */
export async function startBefore(): Promise<number> {
  const { BENCHMARK_BEFORE: folder } = process.env
  if (folder === undefined) throw new Error('`before` needs --before <folder>')
  return startSessionGuard((await import(pathToFileURL(join(folder, 'dist/lib/index.js')).href)) as Package)
}

/** Returns an app with the six routes over this plugin. */
export async function guardedApp(
  secret: string,
  store: SessionStore,
  plugin: typeof secureSession = secureSession,
  options: SecureSessionOptions = {},
): Promise<FastifyInstance> {
  const app = fastify()
  // The scenarios run over plain http, and all peers under NODE_ENV=production.
  const silence = [{ rule: 'environment-conflict', reason: 'a benchmark over plain http on one machine' }]
  await app.register(plugin, { environment: 'test', secret, store, silence, ...options })
  app.get('/anonymous', async () => ({ hello: 'world' }))
  app.get('/user', async (request, reply) => request.user ?? reply.code(401).send(NOBODY))
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
    await request.login({ id: request.body.id, name: request.body.name })
    const session = sessionOf(request)
    session.theme = THEME
    return { ok: true }
  })
  app.post('/logout', async (request) => {
    await request.logout()
    return { ok: true }
  })
  return app
}

/**
 * Returns the session with its types. An app would declare the keys of its sessions once for all; two apps in one
 * program cannot.
 */
function sessionOf(request: Pick<FastifyRequest, 'session'>): FastifyRequest['session'] & SessionData {
  return request.session
}
