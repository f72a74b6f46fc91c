import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import Fastify from 'fastify'
import { createClient } from 'redis'
import { secureSession } from '../../../lib/index.ts'
import { memoryStore } from '../../../lib/stores/memory.ts'
import { redisStore } from '../../../lib/stores/redis.ts'
import type { SecureSessionOptions, SessionStore } from '../../../types/index.ts'
import { between, cutAt, withInstants } from '../instants.ts'
import type { Site } from '../routes.ts'
import { answer, roles, shift, stream } from '../routes.ts'
import { serve } from '../serve.ts'
import type { Outage, Setting } from '../setting.ts'
import { connectRedis } from './connect-redis.ts'

type Values = Record<string, unknown>
type SiteOf = (request: FastifyRequest, reply: FastifyReply) => Site

/** The names of packages whose types declare `request.session` once more. */
const SESSION: string = '@fastify/session'
const SECURE: string = '@fastify/secure-session'
const PASSPORT: string = '@fastify/passport'

async function load<Module>(name: string): Promise<Module> {
  return (await import(name)) as Module
}

async function listen(app: FastifyInstance, { port }: Setting, siteOf: SiteOf): Promise<URL> {
  app.server.prependListener('request', ({ url }) => cutAt(url))
  app.get('/stream', (request, reply) => {
    // The session is read, as a stream of somebody's own news would do.
    siteOf(request, reply).user()
    reply.hijack()
    stream(reply.raw)
  })
  app.all('/*', (request, reply) => answer(request.url, siteOf(request, reply)))
  return new URL(await app.listen({ port, host: '127.0.0.1' }))
}

/** Returns a store that stands where a store of a server would, can be made to fail, and can be cut. */
function watched(real: SessionStore, outage: Outage): SessionStore {
  return new Proxy({} as SessionStore, {
    get: (_target, name) => {
      if (name === 'constructor') return undefined
      const member: unknown = Reflect.get(real, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown => {
        if (outage.isDown && name === 'get') return Promise.reject(new Error('the store is down'))
        return between(() => Reflect.apply(member, real, args) as unknown)
      }
    },
  })
}

/** Starts this package with the rules of production. */
export async function startGuard(setting: Setting, outage: Outage): Promise<URL> {
  const app = Fastify({ trustProxy: 'loopback' })
  const { secret, redis } = setting
  const real =
    redis === undefined ? memoryStore() : redisStore({ client: await createClient({ url: redis }).connect() })
  const store = watched(real, outage)
  const clock = (): number => Date.now() + shift.minutes * 60_000
  const userOf = (id: string): { id: string; role: string | undefined } => ({ id, role: roles.get(id) })
  const loadUser = async (id: string): Promise<object> => userOf(id)
  const options = { environment: 'production', tls: 'proxy', secret, store, clock, loadUser } as SecureSessionOptions
  await app.register(secureSession, options)
  return listen(app, setting, (request) => ({
    user: () => request.user?.id ?? null,
    data: () => request.session.data(),
    login: (user) => request.login(userOf(user)),
    logout: () => request.logout(),
    write: (key, value) => request.session.set(key as never, value as never),
    role: () => (request.user as { role?: string } | null)?.role ?? null,
    demote: (user) => app.sessions.updateUser(user, userOf(user)),
    endAll: (user) => app.sessions.revokeUser(user),
  }))
}

interface Held {
  [key: string]: unknown
  regenerate(): Promise<void>
  destroy(): Promise<void>
}

/** Returns the store of the README's example, which can be made to fail. */
function failing(outage: Outage) {
  const kept = new Map<string, unknown>()
  type Done = (error: unknown, session?: unknown) => void
  return {
    get: (id: string, done: Done): void => done(outage.isDown ? new Error('the store is down') : null, kept.get(id)),
    set(id: string, session: unknown, done: Done): void {
      kept.set(id, JSON.parse(JSON.stringify(session)))
      done(null)
    },
    destroy(id: string, done: Done): void {
      kept.delete(id)
      done(null)
    },
  }
}

/** Session data without what the app or the library keeps for itself. */
function dataOf(session: object): Record<string, unknown> {
  const own = ['cookie', 'user', 'passport', 'sessionId', 'encryptedSessionId']
  return Object.fromEntries(
    Object.entries(session).filter(([name, value]) => !own.includes(name) && typeof value === 'string'),
  )
}

/** @fastify/session with a secret and a store, and `regenerate` at the login. */
export async function startFastifySession(setting: Setting, outage: Outage): Promise<URL> {
  const app = Fastify({ trustProxy: 'loopback' })
  await app.register((await load<{ default: FastifyPluginCallback }>('@fastify/cookie')).default)
  const { default: plugin } = await load<{ default: FastifyPluginCallback<Values> }>(SESSION)
  const { secret, redis } = setting
  const store = redis === undefined ? failing(outage) : withInstants(await connectRedis(redis))
  await app.register(plugin, { secret, store })
  return listen(app, setting, (request) => {
    const session = (): Held => request.session as unknown as Held
    return {
      user: () => (session()['user'] as string | undefined) ?? null,
      data: () => dataOf(session()),
      async login(user) {
        await session().regenerate()
        session()['user'] = user
      },
      logout: () => session().destroy(),
      write: (key, value) => void (session()[key] = value),
    }
  })
}

interface Sealed {
  get(key: string): unknown
  set(key: string, value: unknown): void
  data(): Record<string, unknown>
  delete(): void
  regenerate(): void
}

/** @fastify/secure-session with a key, the whole session in the cookie. */
export async function startSecureSession(setting: Setting): Promise<URL> {
  const app = Fastify({ trustProxy: 'loopback' })
  const { default: plugin } = await load<{ default: FastifyPluginCallback<Values> }>(SECURE)
  await app.register(plugin, {
    key: Buffer.from(setting.secret, 'base64url'),
    cookie: { path: '/', httpOnly: true, secure: true },
  })
  return listen(app, setting, (request) => {
    const session = request.session as unknown as Sealed
    return {
      user: () => (session.get('user') as string | undefined) ?? null,
      data: () => dataOf(session.data() ?? {}),
      login(user) {
        session.regenerate()
        session.set('user', user)
      },
      logout: () => session.delete(),
      write: (key, value) => session.set(key, value),
    }
  })
}

interface Passport {
  initialize(): FastifyPluginCallback
  secureSession(): FastifyPluginCallback
  registerUserSerializer(write: (user: { id: string }) => Promise<unknown>): void
  registerUserDeserializer(read: (id: string) => Promise<unknown>): void
}

interface Passenger {
  readonly user: { id: string; role?: string | undefined } | null
  logIn(user: { id: string }): Promise<void>
  logOut(): Promise<void>
}

/** @fastify/passport on @fastify/secure-session, as its README has it. */
export async function startPassport(setting: Setting): Promise<URL> {
  const app = Fastify({ trustProxy: 'loopback' })
  const { default: sealed } = await load<{ default: FastifyPluginCallback<Values> }>(SECURE)
  const passport = await load<{ Authenticator: new () => Passport }>(PASSPORT)
  const auth = new passport.Authenticator()
  await app.register(sealed, {
    key: Buffer.from(setting.secret, 'base64url'),
    cookie: { path: '/', httpOnly: true, secure: true },
  })
  await app.register(auth.initialize())
  await app.register(auth.secureSession())
  auth.registerUserSerializer(async ({ id }) => id)
  auth.registerUserDeserializer(async (id) => ({ id, role: roles.get(id) }))
  return listen(app, setting, (request) => {
    const passenger = request as unknown as Passenger
    const session = request.session as unknown as Sealed
    return {
      user: () => passenger.user?.id ?? null,
      data: () => dataOf(session.data() ?? {}),
      login: (user) => passenger.logIn({ id: user }),
      logout: () => passenger.logOut(),
      write: (key, value) => session.set(key, value),
      role: () => passenger.user?.role ?? null,
    }
  })
}

await serve(import.meta.url, { startGuard, startFastifySession, startSecureSession, startPassport })
