import { extname, join } from 'node:path'
import { startBetterAuth } from './apps/better-auth-app.ts'
import * as fastifyApps from './apps/fastify-apps.ts'
import * as nodeApps from './apps/node-apps.ts'
import type { Runnable } from './processes.ts'
import { foreignApp, nodeApp } from './processes.ts'
import type { Start } from './setting.ts'

/** One library, as its README configures it. */
export interface Peer extends Runnable {
  readonly name: string
  readonly cookieName: string
  /** The place of sessions, as the guide of the library has it for production. */
  readonly store: 'Redis' | 'SQLite' | 'files' | 'the cookie'
  /** Tells whether the library keeps sessions in memory unless it is given a store. */
  readonly isInMemoryByDefault?: boolean
  /** A cookie value with an id that the client made up. Absent where the cookie holds the whole session. */
  readonly idOf?: string
  /** Tells whether the store can be made to fail. */
  readonly hasOutage?: boolean
  /** `false` for a library that keeps a user and nothing else. */
  readonly hasData?: boolean
  /** Tells whether this is the package of this repository, which promises every case. */
  readonly isOurs?: boolean
}

const ID = 'a'.repeat(32)

/** Everything in the table, from left to right. */
export const PEERS: readonly Peer[] = [
  {
    ...{ name: 'fastify-session-guard', cookieName: '__Host-session', hasOutage: true, isOurs: true, store: 'Redis' },
    ...{ idOf: `${'a'.repeat(22)}.${'b'.repeat(43)}.${'c'.repeat(43)}` },
    ...onFastify(fastifyApps.startGuard),
  },
  {
    ...{ name: '@fastify/session', cookieName: 'sessionId', idOf: `${ID}.x`, hasOutage: true },
    ...{ store: 'Redis', isInMemoryByDefault: true },
    ...onFastify(fastifyApps.startFastifySession),
  },
  {
    ...{ name: '@fastify/secure-session', cookieName: 'session', store: 'the cookie' },
    ...onFastify(fastifyApps.startSecureSession),
  },
  {
    ...{ name: '@fastify/passport', cookieName: 'session', store: 'the cookie' },
    ...onFastify(fastifyApps.startPassport),
  },
  {
    ...{ name: 'express-session', cookieName: 'connect.sid', idOf: `s%3A${ID}.x`, hasOutage: true },
    ...{ store: 'Redis', isInMemoryByDefault: true },
    ...onNode(nodeApps.startExpressSession),
  },
  {
    ...{ name: 'cookie-session', cookieName: 'session', store: 'the cookie' },
    ...onNode(nodeApps.startCookieSession),
  },
  { name: 'iron-session', cookieName: 'session', store: 'the cookie', ...onNode(nodeApps.startIronSession) },
  { name: 'koa-session', cookieName: 'koa.sess', store: 'the cookie', ...onNode(nodeApps.startKoaSession) },
  {
    ...{ name: 'better-auth', cookieName: '__Secure-better-auth.session_token', idOf: `${ID}.x`, hasData: false },
    store: 'SQLite',
    ...nodeApp(startBetterAuth, moduleOf('better-auth-app')),
  },
  {
    ...{ name: 'Django', cookieName: 'sessionid', idOf: ID, store: 'SQLite' },
    ...foreignApp('django', ({ port }) => ['/usr/bin/python3', app('django_app.py'), String(port)]),
  },
  {
    ...{ name: 'Flask', cookieName: 'session', store: 'the cookie' },
    ...foreignApp('flask', ({ port }) => ['/usr/bin/python3', app('flask_app.py'), String(port)]),
  },
  {
    ...{ name: 'PHP', cookieName: 'PHPSESSID', idOf: ID, store: 'files' },
    ...foreignApp('php', ({ port, folder }) => [
      ...['php', '-d', `session.save_path=${folder}`],
      ...['-S', `127.0.0.1:${port}`, app('php_app.php')],
    ]),
  },
]

function onFastify(start: Start): Runnable {
  return nodeApp(start, moduleOf('fastify-apps'))
}

function onNode(start: Start): Runnable {
  return nodeApp(start, moduleOf('node-apps'))
}

/** Returns the module of an app, which is compiled if this module is. */
function moduleOf(name: string): URL {
  return new URL(`./apps/${name}${extname(import.meta.url)}`, import.meta.url)
}

function app(name: string): string {
  return join(process.cwd(), 'benchmarks/gauntlet/apps', name)
}
