import { execFileSync, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePorts } from '../../test/support/servers/redis.ts'
import type { Outage } from './apps/fastify-apps.ts'
import { startBetterAuth } from './apps/better-auth-app.ts'
import * as fastifyApps from './apps/fastify-apps.ts'
import * as nodeApps from './apps/node-apps.ts'

/** One library, as its README configures it. */
export interface Peer {
  readonly name: string
  readonly cookieName: string
  /** A cookie value with an id that the client made up. Absent where the cookie holds the whole session. */
  readonly idOf?: string
  /** Tells whether the store can be made to fail. */
  readonly hasOutage?: boolean
  /** `false` for a library that keeps a user and nothing else. */
  readonly hasData?: boolean
  /** Tells whether this is the package of this repository, which promises every case. */
  readonly isOurs?: boolean
  start(outage: Outage): Promise<URL>
}

const ID = 'a'.repeat(32)

/** Everything in the table, from left to right. */
export const PEERS: readonly Peer[] = [
  {
    ...{ name: 'fastify-session-guard', cookieName: '__Host-session', hasOutage: true, isOurs: true },
    ...{ idOf: `${'a'.repeat(22)}.${'b'.repeat(43)}.${'c'.repeat(43)}` },
    start: fastifyApps.startGuard,
  },
  {
    name: '@fastify/session',
    cookieName: 'sessionId',
    idOf: `${ID}.x`,
    hasOutage: true,
    start: fastifyApps.startFastifySession,
  },
  { name: '@fastify/secure-session', cookieName: 'session', start: fastifyApps.startSecureSession },
  { name: '@fastify/passport', cookieName: 'session', start: fastifyApps.startPassport },
  {
    name: 'express-session',
    cookieName: 'connect.sid',
    idOf: `s%3A${ID}.x`,
    hasOutage: true,
    start: nodeApps.startExpressSession,
  },
  { name: 'cookie-session', cookieName: 'session', start: nodeApps.startCookieSession },
  { name: 'iron-session', cookieName: 'session', start: nodeApps.startIronSession },
  { name: 'koa-session', cookieName: 'koa.sess', start: nodeApps.startKoaSession },
  {
    name: 'better-auth',
    cookieName: '__Secure-better-auth.session_token',
    idOf: `${ID}.x`,
    hasData: false,
    start: startBetterAuth,
  },
  {
    name: 'Django',
    cookieName: 'sessionid',
    idOf: ID,
    start: () => foreign('django', ['/usr/bin/python3', app('django_app.py')]),
  },
  { name: 'Flask', cookieName: 'session', start: () => foreign('flask', ['/usr/bin/python3', app('flask_app.py')]) },
  { name: 'PHP', cookieName: 'PHPSESSID', idOf: ID, start: () => foreign('php', ['php', '-S'], app('php_app.php')) },
]

const children: { kill(signal: 'SIGKILL'): boolean }[] = []

/** Ends the apps of other languages. */
export function endAll(): void {
  for (const child of children) child.kill('SIGKILL')
}

function app(name: string): string {
  return join(process.cwd(), 'benchmarks/gauntlet/apps', name)
}

/** Starts an app of another language. */
async function foreign(service: string, command: readonly string[], script?: string): Promise<URL> {
  execFileSync(join(process.cwd(), 'test/support/services.sh'), [service], { stdio: 'inherit' })
  const [port = 0] = await freePorts(1)
  const place = script === undefined ? [String(port)] : [`127.0.0.1:${port}`, script]
  const [program = '', ...args] = command
  const env = { ...process.env, PHP_CLI_SERVER_WORKERS: '6' }
  const child = spawn(program, [...args, ...place], { stdio: 'ignore', env })
  children.push(child)
  while (!(await isListening(port))) await wait(50)
  return new URL(`http://127.0.0.1:${port}/`)
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (isOpen: boolean): void => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
