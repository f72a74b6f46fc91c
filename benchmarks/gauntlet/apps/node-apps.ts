import { execFileSync } from 'node:child_process'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { cutAt, withInstants } from '../instants.ts'
import type { Site } from '../routes.ts'
import { answer, stream } from '../routes.ts'
import { serve } from '../serve.ts'
import type { Outage, Setting } from '../setting.ts'
import { connectRedis } from './connect-redis.ts'

type Values = Record<string, unknown>
type Middleware = (request: object, response: object, next: (error?: unknown) => void) => void

/** The compiler does not see this import, because the package's types need another version of `cookie`. */
const IRON: string = 'iron-session'

interface Saved {
  save(): Promise<void>
  destroy(): void
}

const require = createRequire(import.meta.url)

/** Starts a server, and returns its address. */
export function listen({ port }: Setting, listener: RequestListener): Promise<URL> {
  const server = createServer(listener).prependListener('request', ({ url }) => cutAt(url))
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () =>
      resolve(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
    )
  })
}

/** Answers a request of an app that is no Fastify app. */
export async function respond(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  if (request.url === '/stream') {
    site.user()
    return stream(response)
  }
  let status = 200
  let body: unknown
  try {
    body = await answer(request.url ?? '/', site)
  } catch {
    status = 500
    body = { user: null, data: {} }
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function dataOf(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => name !== 'user' && typeof value === 'string'),
  )
}

const userOf = (values: Values): string | null => (values['user'] as string | undefined) ?? null

/** Runs a middleware of connect in front of the routes. */
function behind(middleware: Middleware, siteOf: (request: Values) => Site): RequestListener {
  return (request, response) => {
    // The request looks as behind a proxy that ends TLS, like `trust proxy` of Express.
    Object.defineProperty(request, 'secure', { value: true })
    Object.assign(request, { protocol: 'https', originalUrl: request.url })
    middleware(request, response, (error) => {
      if (error !== undefined && error !== null) response.writeHead(500).end('{}')
      else void respond(request, response, siteOf(request as unknown as Values))
    })
  }
}

/** A session of express-session, with promises in place of callbacks. */
interface Held {
  readonly values: Values
  regenerate(): Promise<void>
  save(): Promise<void>
  destroy(): Promise<void>
}

type Callbacks = Record<'regenerate' | 'save' | 'destroy', (done: (error?: unknown) => void) => void>

/** Returns the session of a request. `regenerate` replaces `values`. */
function heldBy(request: Values): Held {
  const call = (name: keyof Callbacks): Promise<void> =>
    new Promise((resolve, reject) => {
      const session = request['session'] as Callbacks
      session[name]((error) => (error ? reject(error) : resolve()))
    })
  return {
    get values() {
      return request['session'] as Values
    },
    regenerate: () => call('regenerate'),
    save: () => call('save'),
    destroy: () => call('destroy'),
  }
}

/** express-session with the options of its README, and its example of a login. */
export function startExpressSession(setting: Setting, outage: Outage): Promise<URL> {
  return startExpressWith(setting, outage, async (session, user) => {
    await session.regenerate()
    session.values['user'] = user
  })
}

/** express-session with another login. */
export async function startExpressWith(
  setting: Setting,
  outage: Outage,
  logIn: (session: Held, user: string) => Promise<void>,
): Promise<URL> {
  const session = require('express-session') as ((options: object) => Middleware) & {
    MemoryStore: new () => { get(id: string, done: (error: unknown) => void): void }
  }
  const memory = new session.MemoryStore()
  const get = memory.get.bind(memory)
  memory.get = (id, done) => (outage.isDown ? done(new Error('the store is down')) : get(id, done))
  const { secret, redis } = setting
  const store = redis === undefined ? memory : withInstants(await connectRedis(redis))
  const options = { secret, store, resave: false, saveUninitialized: true, cookie: { secure: true }, proxy: true }
  const siteOf = (request: Values): Site => {
    const held = heldBy(request)
    return {
      user: () => userOf(held.values),
      data: () => dataOf(held.values),
      login: (user) => logIn(held, user),
      logout: () => held.destroy(),
      write: (key, value) => void (held.values[key] = value),
    }
  }
  return listen(setting, behind(session(options), siteOf))
}

/** cookie-session, the whole session in a signed cookie. */
export async function startCookieSession(setting: Setting): Promise<URL> {
  const session = require('cookie-session') as (options: object) => Middleware
  return listen(
    setting,
    behind(session({ name: 'session', keys: [setting.secret] }), (request) => {
      const now = (): Values => request['session'] as Values
      return {
        user: () => userOf(now()),
        data: () => dataOf(now()),
        login: (user) => void (now()['user'] = user),
        logout: () => void (request['session'] = null),
        write: (key, value) => void (now()[key] = value),
      }
    }),
  )
}

/** iron-session, the whole session in an encrypted cookie. */
export async function startIronSession(setting: Setting): Promise<URL> {
  const { getIronSession } = (await import(IRON)) as {
    getIronSession: (request: object, response: object, options: object) => Promise<Values & Saved>
  }
  const options = { cookieName: 'session', password: setting.secret }
  return listen(setting, (request, response) => {
    void (async () => {
      const session = await getIronSession(request, response, options)
      await respond(request, response, {
        user: () => userOf(session),
        data: () => dataOf(session),
        async login(user) {
          session['user'] = user
          await session.save()
        },
        logout: () => session.destroy(),
        async write(key, value) {
          session[key] = value
          await session.save()
        },
      })
    })()
  })
}

interface KoaContext {
  session: Values | null
  url: string
  status: number
  body: unknown
  respond: boolean
  res: ServerResponse
}

/** Installs a set of test/packages unless it is there, and returns its folder. The script runs in the root. */
export function packagesOf(set: string): string {
  return execFileSync(process.execPath, ['test/support/packages.mjs', set], { encoding: 'utf8' }).trim()
}

/** koa-session, which keeps the session in a signed cookie unless it is given a store. */
export async function startKoaSession(setting: Setting): Promise<URL> {
  const load = createRequire(`${packagesOf('stacks')}/node_modules/package.json`)
  const exported = <Value>(name: string): Value => {
    const found = load(name) as { default?: Value }
    return found.default ?? (found as Value)
  }
  const Koa =
    exported<new () => { keys: string[]; use(one: unknown): void; callback(): RequestListener; silent: boolean }>('koa')
  const { createSession, default: sessions = load('koa-session') } = load('koa-session') as {
    createSession?: (options: object, app: object) => unknown
    default?: (app: object) => unknown
  }
  const app = new Koa()
  app.silent = true
  app.keys = [setting.secret]
  app.use(createSession === undefined ? (sessions as (app: object) => unknown)(app) : createSession({}, app))
  app.use(async (context: KoaContext) => {
    if (context.url === '/stream') {
      context.respond = userOf(context.session ?? {}) === undefined
      return stream(context.res)
    }
    context.body = await answer(context.url, {
      user: () => userOf(context.session ?? {}),
      data: () => dataOf(context.session ?? {}),
      login: (user) => void Object.assign(context.session ?? {}, { user }),
      logout: () => void (context.session = null),
      write: (key, value) => void Object.assign(context.session ?? {}, { [key]: value }),
    })
  })
  return listen(setting, app.callback())
}

await serve(import.meta.url, { startExpressSession, startCookieSession, startIronSession, startKoaSession })
