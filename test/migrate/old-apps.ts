import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import { getIronSession } from 'iron-session'
import type { Test } from 'tap'
import { cookieSession } from '../../lib/migrate/cookie-session.ts'
import { expressSession } from '../../lib/migrate/express-session.ts'
import type { OldStore } from '../../lib/migrate/express-session.ts'
import { fastifySession } from '../../lib/migrate/fastify-session.ts'
import { ironSession } from '../../lib/migrate/iron-session.ts'
import { secureSession } from '../../lib/migrate/secure-session.ts'
import type { Migration, MigrationOptions } from '../../types/index.ts'
import { parseSetCookie } from '../support/jar.ts'

/** A secret of an old app: 32 bytes. */
export const OLD_SECRET = 'kQ2vR8tYw5Zb1Nc7Xd4Mf9Lg6Hj3Ps0AuEiToBxVqWy'
/** The key of an old app: 32 bytes. */
export const OLD_KEY = Buffer.from('7f3c0d9e5b1a4862f0c7d3e9a5b18642c0f7d93e5ab1648270cfd3e95ab16482', 'hex')

/** The cookies of a visitor of an old app. */
export type OldCookies = Map<string, string>

/** An app with the sessions of another library, made by that library itself. */
export interface OldApp {
  readonly from: string
  /** Tells whether the sessions are records on a server. */
  readonly isStored: boolean
  /** Opens a session with this data, and returns its cookies. */
  open(data: object): Promise<OldCookies>
  /** Returns the data that the old app finds behind cookies; `undefined` for no session. */
  read(cookies: OldCookies): Promise<Record<string, unknown> | undefined>
  /** Returns the way in for its sessions. */
  migration(options?: Partial<MigrationOptions>): Migration
}

/** Says that an old session belongs to the user whose id it holds. */
export const userOf: MigrationOptions['user'] = (data: { userId?: string }) =>
  data.userId === undefined ? null : { id: data.userId }

/** A middleware as connect knows it, which puts a session into the request. */
type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void

const require = createRequire(import.meta.url)
// These packages have no types of their own.
const cookieSessionLibrary = require('cookie-session') as (options: object) => Middleware
const expressSessionLibrary = require('express-session') as ((options: object) => Middleware) & {
  MemoryStore: new () => Store
}

/** A store of express-session. */
export type Store = OldStore & { set(id: string, session: object, answer?: (error?: unknown) => void): unknown }

/** Returns a new store in memory, as express-session has it. */
export function memoryOf(): Store {
  return new expressSessionLibrary.MemoryStore()
}

/** Listens on a free port, and talks to what is there. */
class Site {
  readonly #server: Server

  constructor(t: Test, server: Server) {
    this.#server = server
    t.teardown(() => server.close())
  }

  async ask(path: string, cookies: OldCookies, data?: object): Promise<Response> {
    if (!this.#server.listening) await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    const { port } = this.#server.address() as AddressInfo
    const headers = { cookie: headerOf(cookies), connection: 'close', 'content-type': 'application/json' }
    const body = data === undefined ? {} : { method: 'POST', body: JSON.stringify(data) }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers, ...body })
    keep(cookies, response.headers.getSetCookie())
    return response
  }
}

/** Returns the `Cookie` header of a jar. */
export function headerOf(cookies: OldCookies): string {
  return Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ')
}

/** Takes what a response sets and clears. */
export function keep(cookies: OldCookies, lines: readonly string[]): void {
  for (const line of lines) {
    const { name, value, attributes } = parseSetCookie(line)
    const isCleared = attributes.get('max-age') === '0' || Date.parse(attributes.get('expires') ?? '') === 0
    if (isCleared) cookies.delete(name)
    else cookies.set(name, value)
  }
}

function overHttp(from: string, isStored: boolean, site: Site, migration: OldApp['migration']): OldApp {
  return {
    from,
    isStored,
    open: async (data) => {
      const cookies: OldCookies = new Map()
      // express-session writes the record while its response is on the way.
      await (await site.ask('/open', cookies, data)).text()
      return cookies
    },
    read: async (cookies) => {
      const data = (await (await site.ask('/', new Map(cookies))).json()) as Record<string, unknown>
      return Object.keys(data).length === 0 ? undefined : data
    },
    migration,
  }
}

/** Returns a site behind a middleware: one path fills the session, every other shows it. */
function siteBehind(t: Test, middleware: Middleware): Site {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks = (await request.toArray()) as Buffer[]
    await new Promise<void>((resolve, reject) => {
      middleware(request, response, (error) => (error === undefined ? resolve() : reject(error)))
    })
    const { session } = request as unknown as { session: Record<string, unknown> }
    if (request.url === '/open') Object.assign(session, JSON.parse(Buffer.concat(chunks).toString()))
    const { cookie: _cookie, ...data } = session
    response.end(JSON.stringify(data))
  }
  return new Site(t, serverOf(answer))
}

/** Returns a server that answers `{}` when a library throws, as some do for cookies that nobody made. */
function serverOf(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Server {
  return createServer((request, response) => void answer(request, response).catch(() => response.end('{}')))
}

/** Returns an app with express-session. */
export function expressSessionApp(t: Test, store: Store = memoryOf(), options: object = {}): OldApp {
  const secret = OLD_SECRET
  const middleware = expressSessionLibrary({ secret, store, resave: false, saveUninitialized: false, ...options })
  return overHttp('express-session', true, siteBehind(t, middleware), (more) =>
    expressSession({ secret, store, user: userOf, ...more }),
  )
}

/** Returns an app with cookie-session. */
export function cookieSessionApp(t: Test, keys: readonly (string | Uint8Array)[] = [OLD_SECRET]): OldApp {
  const site = siteBehind(t, cookieSessionLibrary({ keys, name: 'old' }))
  return overHttp('cookie-session', false, site, (more) =>
    cookieSession({ keys, cookieName: 'old', user: userOf, ...more }),
  )
}

/** Returns an app with iron-session on plain Node. */
export function ironSessionApp(t: Test, ttl?: number): OldApp {
  const options = { password: OLD_SECRET, cookieName: 'iron', ...(ttl !== undefined && { ttl }) }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const session = await getIronSession<Record<string, unknown>>(request, response, options)
    if (request.url === '/open') {
      const chunks = (await request.toArray()) as Buffer[]
      Object.assign(session, JSON.parse(Buffer.concat(chunks).toString()))
      await session.save()
    }
    response.end(JSON.stringify(session))
  }
  const site = new Site(t, serverOf(answer))
  return overHttp('iron-session', false, site, (more) => ironSession({ ...options, user: userOf, ...more }))
}

/** Returns a function that sends requests to the routes of a Fastify app, without a socket. */
function fastifyApp(t: Test, register: (app: FastifyInstance) => Promise<unknown>) {
  const app = Fastify()
  t.teardown(() => app.close())
  const ready = (async () => {
    await register(app)
    app.post('/open', async (request) => {
      const { session } = request
      for (const [name, value] of Object.entries(request.body as object)) session.set(name as never, value as never)
      return {}
    })
    app.get('/', async (request) => {
      const session = request.session as unknown as { data?: () => object; cookie?: unknown }
      if (session.data !== undefined) return session.data()
      const { cookie: _cookie, ...data } = JSON.parse(JSON.stringify(session)) as { cookie: unknown }
      return data
    })
    await app.ready()
  })()
  return async (method: 'GET' | 'POST', url: string, cookies: OldCookies, data: object = {}) => {
    await ready
    const headers = { cookie: headerOf(cookies) }
    const response = await app.inject({ method, url, headers, ...(method === 'POST' && { payload: data }) })
    keep(cookies, [response.headers['set-cookie'] ?? []].flat())
    return response
  }
}

function overInject(
  from: string,
  isStored: boolean,
  ask: ReturnType<typeof fastifyApp>,
  migration: OldApp['migration'],
): OldApp {
  return {
    from,
    isStored,
    open: async (data) => {
      const cookies: OldCookies = new Map()
      await ask('POST', '/open', cookies, data)
      return cookies
    },
    read: async (cookies) => {
      const data: Record<string, unknown> = (await ask('GET', '/', new Map(cookies))).json()
      return Object.keys(data).length === 0 ? undefined : data
    },
    migration,
  }
}

/** Returns an app with @fastify/session. */
export async function fastifySessionApp(t: Test, store?: Store, prefix = ''): Promise<OldApp> {
  const { default: library } = await import('@fastify/session')
  const { default: cookies } = await import('@fastify/cookie')
  const kept = store ?? new library.MemoryStore()
  const cookie = { secure: false, maxAge: 86_400_000 }
  const ask = fastifyApp(t, async (app) => {
    await app.register(cookies)
    const options = { secret: OLD_SECRET, store: kept as never, cookie, cookiePrefix: prefix, saveUninitialized: false }
    await app.register(library, options)
  })
  return overInject('@fastify/session', true, ask, (more) =>
    fastifySession({
      secret: OLD_SECRET,
      store: kept,
      cookiePrefix: prefix,
      user: userOf,
      ...more,
    }),
  )
}

/** Returns an app with @fastify/secure-session. */
export async function secureSessionApp(t: Test, withPassword = false, options: object = {}): Promise<OldApp> {
  const { default: library } = await import('@fastify/secure-session')
  const { default: cookies } = await import('@fastify/cookie')
  const keys = withPassword ? { secret: OLD_SECRET, salt: 'sixteen bytes ok' } : { key: OLD_KEY }
  const ask = fastifyApp(t, async (app) => {
    // The library needs this plugin with a secret to sign its cookies.
    await app.register(cookies, { secret: OLD_SECRET })
    await app.register(library, { ...keys, ...options, cookieName: 'secure' } as never)
  })
  return overInject('@fastify/secure-session', false, ask, (more) =>
    secureSession({ ...keys, cookieName: 'secure', user: userOf, ...more }),
  )
}

/** An old app of each library. */
export const OLD_APPS: Readonly<Record<string, (t: Test) => OldApp | Promise<OldApp>>> = {
  'express-session': (t) => expressSessionApp(t),
  '@fastify/session': (t) => fastifySessionApp(t),
  '@fastify/secure-session': (t) => secureSessionApp(t),
  'iron-session': (t) => ironSessionApp(t),
  'cookie-session': (t) => cookieSessionApp(t),
}
