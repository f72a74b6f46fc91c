import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { buildBank } from '../../lib/demo/app.ts'
import { memoryStore } from '../../lib/index.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import type { SecureSessionOptions } from '../../types/index.ts'
import { SECRET } from './app.ts'
import type { Certificate } from './certificate.ts'
import type { TestClock } from './clock.ts'
import { testClock } from './clock.ts'
import { betterSqlite, temporaryFolder } from './sqlite.ts'

interface Test {
  teardown(end: () => Promise<void> | void): void
}

/** The way in which users reach an app: over https (production), or at http://localhost (development). */
export type Setting = 'production' | 'development'

export const SETTINGS = ['production', 'development'] as const satisfies readonly Setting[]

/** The default name of the session cookie in each setting. */
export const COOKIE_NAMES: Readonly<Record<Setting, string>> = { production: '__Host-session', development: 'session' }

/** A request of a browser as the server saw it, and the status of the answer. */
export interface Exchange {
  readonly method: string
  readonly path: string
  /** Names of the cookies. */
  readonly cookies: readonly string[]
  /** `Sec-Fetch-Site`; `undefined` where the browser sends none. */
  readonly site: string | undefined
  readonly origin: string | undefined
  readonly status: number
}

/** A server that browsers can visit. */
export interface Site {
  /** `https://bank.test:12345`. */
  readonly origin: string
  /** Resolves to the next exchange on this path, or to one that was not asked for yet. Returns each exchange once. */
  answered(path: string): Promise<Exchange>
}

/** The bank of the demo, with everything that a test needs of it. */
export interface BankSite extends Site {
  readonly app: FastifyInstance
  readonly clock: TestClock
}

/** Opens the bank on a free port. */
export async function openBank(
  t: Test,
  setting: Setting,
  certificate: Certificate,
  session: SecureSessionOptions = {},
): Promise<BankSite> {
  const clock = testClock(Date.now())
  const isProduction = setting === 'production'
  const app = await buildBank({
    ...(isProduction && { https: certificate }),
    // The button of the bank then moves the clock of the test.
    ...(session.clock === undefined && { clock }),
    session: { ...sessionOptions(t, setting, clock), ...session },
  })
  t.teardown(() => app.close())
  await app.ready()
  const site = await open(t, app.server, isProduction ? 'https://bank.test' : 'http://localhost')
  return { app, clock, ...site }
}

/** Returns the plugin's options for an app of that setting. */
export function sessionOptions(t: Test, environment: Setting, clock: TestClock): SecureSessionOptions {
  const shared = { environment, secret: SECRET, clock }
  if (environment === 'development') return { ...shared, store: memoryStore({ clock }) }
  const database = betterSqlite.open(join(temporaryFolder(t), 'sessions.db'))
  t.teardown(() => void database.close())
  return { ...shared, store: sqliteStore({ database, clock }), tls: 'direct' }
}

/** Opens a site that is not the app's: each path is a page. */
export function openPages(
  t: Test,
  base: string,
  pages: ReadonlyMap<string, string>,
  certificate: Certificate,
): Promise<Site> {
  const answer = (request: IncomingMessage): string =>
    `<!doctype html><title>x</title>${pages.get(pathOf(request)) ?? ''}`
  const listener: Parameters<typeof createServer>[1] = (request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(answer(request))
  }
  const server = base.startsWith('https:') ? createTlsServer(certificate, listener) : createServer(listener)
  return open(t, server, base)
}

/** Listens on a free port of 127.0.0.1. Browsers reach it under `base`, such as `https://bank.test`. */
export async function open(t: Test, server: Server, base: string): Promise<Site> {
  const seen: Exchange[] = []
  server.on('request', (request: IncomingMessage, response) => {
    response.on('close', () => {
      seen.push(exchange(request, response.statusCode))
      server.emit('answered')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    origin: `${base}:${(server.address() as AddressInfo).port}`,
    async answered(path) {
      for (;;) {
        const position = seen.findIndex((one) => one.path === path)
        const [found] = position === -1 ? [] : seen.splice(position, 1)
        if (found !== undefined) return found
        await once(server, 'answered')
      }
    },
  }
}

function exchange(request: IncomingMessage, status: number): Exchange {
  const { method = '', headers } = request
  const pairs = headers.cookie?.split('; ') ?? []
  return {
    method,
    path: pathOf(request),
    cookies: pairs.map((pair) => pair.slice(0, pair.indexOf('='))),
    site: headers['sec-fetch-site'],
    origin: headers.origin,
    status,
  }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return new URL(url, 'http://any.test').pathname
}
