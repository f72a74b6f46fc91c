import cookiePlugin from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions, InjectOptions } from 'fastify'
import Fastify from 'fastify'
import type { Test } from 'tap'
import { memoryStore, secureSession } from '../../lib/index.ts'
import type { MemoryStore } from '../../lib/index.ts'
import type { SecureSessionOptions, SessionEvent, SessionRecord, SessionStore } from '../../types/index.ts'
import { testClock } from '../support/clock.ts'
import type { TestClock } from '../support/clock.ts'

/** A secret for tests: 32 bytes, base64url. */
export const SECRET = 'pJvQ0m3Xr9Wc5TzLk8Yd2NfHs6BgVu4E-aR7iCoMqwI'
export const OTHER_SECRET = 'x2KfT9dGm4WvQzLp7RbYc8NjHs3EuA6o_VtXi5CqMwE'

type Response = Awaited<ReturnType<FastifyInstance['inject']>>
type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/** Cookies as a browser keeps them, minus the rules on hosts and paths. */
export class Visitor {
  readonly cookies = new Map<string, string>()
  readonly #app: FastifyInstance
  /** The Max-Age that keeps the session cookie beyond the browser's life; `undefined` when there is none. */
  maxAge: number | undefined

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  get cookie(): string | undefined {
    return this.cookies.get('session')
  }

  async get(url: string, options: InjectOptions = {}): Promise<Response> {
    return this.#send({ method: 'GET', url, ...options })
  }

  async post(url: string, payload: object | string = {}, options: InjectOptions = {}): Promise<Response> {
    return this.#send({ method: 'POST', url, payload, ...options })
  }

  async #send(options: InjectOptions): Promise<Response> {
    const cookie = Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ')
    const response = await this.#app.inject({
      ...options,
      headers: { ...(cookie !== '' && { cookie }), ...options.headers },
    })
    for (const { name, value, maxAge } of response.cookies) {
      if (maxAge === 0) this.cookies.delete(name)
      else this.cookies.set(name, value)
      this.maxAge = maxAge
    }
    return response
  }
}

/** One call of a store. */
interface Operation {
  readonly name: string
  readonly rest: readonly unknown[]
}

/** Store operations that run in the background, at no fixed time. */
const BACKGROUND: ReadonlySet<string | symbol> = new Set(['readCutoff', 'subscribe'])

/**
 * Returns a store that notes each call and hands it on. The store is a plain object: the guard takes it for a store
 * of the user's own.
 */
export function recordingStore<Store extends SessionStore>(store: Store, operations: Operation[]): Store {
  return new Proxy({} as Store, {
    get(_target, name) {
      const member = Reflect.get(store, name) as unknown
      if (typeof member !== 'function' || name === 'constructor') return name === 'constructor' ? undefined : member
      return (...rest: unknown[]): unknown => {
        if (!BACKGROUND.has(name)) operations.push({ name: String(name), rest })
        return Reflect.apply(member, store, rest)
      }
    },
    set(_target, name, value) {
      return Reflect.set(store, name, value)
    },
  })
}

/** An app with the plugin, its store, its clock, and everything it said. */
export interface World {
  app: FastifyInstance
  clock: TestClock
  store: MemoryStore
  operations: Operation[]
  events: SessionEvent[]
  /** Everything the logger wrote, as one text. */
  log: () => string
  visitor: () => Visitor
  /** The records in the store, read around the plugin. */
  record: (handle: string) => Promise<SessionRecord | undefined>
  /** Names of the store's operations since the last call. */
  asked: () => string[]
}

export interface WorldOptions {
  session?: SecureSessionOptions
  fastify?: FastifyServerOptions
  /** Called before the plugin is registered. */
  before?: (app: FastifyInstance) => unknown
  /** Called after the plugin is registered, before `ready`. */
  routes?: (app: FastifyInstance) => unknown
  store?: (store: MemoryStore) => SessionStore
}

/** Boots an app around one memory store and one clock. */
export async function world(t: Test, options: WorldOptions = {}): Promise<World> {
  const clock = testClock()
  const lines: string[] = []
  const operations: Operation[] = []
  const events: SessionEvent[] = []
  const store = memoryStore({ clock })
  const app = Fastify({
    logger: { level: 'trace', stream: { write: (line) => void lines.push(line) } },
    ...options.fastify,
  })
  t.teardown(() => app.close())
  await options.before?.(app)
  await app.register(secureSession, {
    environment: 'test',
    secret: SECRET,
    clock,
    store: recordingStore(options.store?.(store) ?? store, operations),
    ...options.session,
  })
  app.sessions?.events.on('event', (event) => void events.push(event))
  addRoutes(app)
  await options.routes?.(app)
  await app.ready()
  // The guard has asked the store whether it answers; tests count from here.
  operations.length = 0
  return {
    app,
    clock,
    store,
    operations,
    events,
    log: () => lines.join(''),
    visitor: () => new Visitor(app),
    record: (handle) => store.get(handle),
    asked: () => operations.splice(0).map((operation) => operation.name),
  }
}

function addRoutes(app: FastifyInstance): void {
  app.get('/plain', async () => ({ hello: 'world' }))
}

/** Adds a route for every method used in tests, answering with what the handler gives. */
export function route(app: FastifyInstance, url: string, handler: Handler): void {
  app.route({ method: ['GET', 'POST'], url, handler: async (request, reply) => (await handler(request, reply)) ?? {} })
}

export { cookiePlugin }

/** Routes of an ordinary app: who am I, login, logout, a note in the session. */
export function ordinary(app: FastifyInstance): void {
  route(app, '/me', (request) => ({
    user: request.user,
    isAuthenticated: request.isAuthenticated(),
    authenticatedAt: request.authenticatedAt,
    handle: request.session?.sessionId,
    data: request.session?.data(),
  }))
  route(app, '/login', async (request) => {
    const { user, options } = (request.body ?? {}) as { user?: { id: string }; options?: object }
    await request.login(user ?? { id: 'ann' }, options)
    return { user: request.user, handle: request.session?.sessionId }
  })
  route(app, '/logout', async (request) => {
    await request.logout(request.body ?? {})
    return { user: request.user }
  })
  route(app, '/note', (request) => {
    Object.assign(request.session, request.body ?? {})
    return request.session.data()
  })
}

/** Checks that an answer of `/me` names no user and holds no data. */
export function isNobody(t: Test, response: Response, what = 'nobody is logged in'): void {
  const { user, isAuthenticated, data } = response.json<Record<'user' | 'isAuthenticated' | 'data', unknown>>()
  t.strictSame({ user, isAuthenticated, data }, { user: null, isAuthenticated: false, data: {} }, what)
}

export type { Response }
