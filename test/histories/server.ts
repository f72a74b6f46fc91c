import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import Fastify from 'fastify'
import { secureSession } from '../../lib/index.ts'
import { openStore } from '../../lib/stores/open.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import type { SessionStore } from '../../types/index.ts'
import { compiled, plainEnvironment } from '../support/compiled.ts'
import { ioRedis6 } from '../support/redis-drivers.ts'

const FILE = fileURLToPath(import.meta.url)

/** The operation of a store that is acknowledged and not performed, now and then. */
export type Forgotten = 'update' | 'delete'

/** The settings of a server process. */
interface ServerSettings {
  /** The URL of the store. */
  readonly url: string
  /** The beginning of the keys of a Redis store. */
  readonly prefix?: string
  readonly forgets?: Forgotten
}

/** A server in a process of its own. */
export interface ServerProcess {
  readonly origin: string
  /** Ends it with SIGKILL. */
  kill(): Promise<void>
}

/** This module as a program, once a server was started. */
let program: string | undefined

/** One of so many operations is forgotten. */
const RARELY = 5

/** Starts a server, which ends with this process. `onReplay` hears of each session that it takes for copied. */
export async function startServer(
  settings: ServerSettings,
  environment: NodeJS.ProcessEnv,
  onReplay: () => void,
): Promise<ServerProcess> {
  const env = { ...plainEnvironment(), ...environment }
  const child = fork((program ??= compiled(FILE)), [JSON.stringify(settings)], { env, execArgv: [] })
  const ended = once(child, 'exit')
  const failed = ended.then(() => Promise.reject(new Error('the server ended at its start')))
  const [origin] = (await Promise.race([once(child, 'message'), failed])) as [string]
  failed.catch(() => undefined)
  child.on('message', onReplay)
  return {
    origin,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function bodyOf(request: FastifyRequest): Record<string, string> {
  return (request.body ?? {}) as Record<string, string>
}

function addRoutes(app: FastifyInstance): void {
  app.get('/me', async ({ user, session }) => ({ user: user?.id ?? null, note: session?.data()['note'] ?? '' }))
  app.post('/login', async (request) => {
    const { user, note } = bodyOf(request)
    await request.login({ id: String(user) })
    Object.assign(request.session, { note })
    return {}
  })
  app.post('/note', { onRequest: app.requireLogin() }, async (request, reply) => {
    Object.assign(request.session, { note: bodyOf(request)['note'] })
    await request.session.save()
    // The session ended while the request ran, so the note was dropped.
    return request.user === null ? reply.code(401).send({}) : {}
  })
  app.post('/logout', async (request) => {
    await request.logout()
    return {}
  })
  app.post('/logout-everywhere', async (request) => {
    const user = request.user?.id ?? null
    await request.logout({ everywhere: true })
    return { user }
  })
  app.post('/revoke', async (request) => ({ ended: await app.sessions.revokeUser(String(bodyOf(request)['user'])) }))
}

/** Acknowledges one of many operations without doing it. */
function makeForgetful(store: SessionStore, operation: Forgotten): void {
  const real = store[operation].bind(store) as (...args: unknown[]) => Promise<boolean>
  let count = 0
  const forgetful = async (...args: unknown[]): Promise<boolean> => {
    count += 1
    return count % RARELY === 0 ? true : real(...args)
  }
  Object.assign(store, { [operation]: forgetful })
}

/** Opens the store of a URL, or the one that a Redis Sentinel leads to. */
async function opened(url: string, options: { readonly prefix?: string }): Promise<SessionStore> {
  const { protocol, port, pathname } = new URL(url)
  if (protocol !== 'sentinel:') return openStore(url, options)
  const { client } = await ioRedis6.connectSentinel(Number(port), pathname.slice(1))
  return redisStore({ client, ...options })
}

/** Runs in the other process. */
async function serve({ url, prefix, forgets }: ServerSettings): Promise<void> {
  const store = await opened(url, prefix === undefined ? {} : { prefix })
  if (forgets !== undefined) makeForgetful(store, forgets)
  const app = Fastify({ forceCloseConnections: true })
  await app.register(secureSession, {
    environment: 'test',
    secret: 'a secret for histories, at least 32 bytes',
    store,
    storeTimeout: '400ms',
    renewalTimeout: '1s',
  })
  addRoutes(app)
  app.sessions.events.on('replay', () => process.send?.('replay'))
  process.once('disconnect', () => process.exit())
  process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
}

if (process.argv[1] === FILE) await serve(JSON.parse(process.argv[2] ?? '') as ServerSettings)
