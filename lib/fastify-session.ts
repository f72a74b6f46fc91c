import fastifySession from '@fastify/session'
import type { FastifyInstance } from 'fastify'
import type { SessionCookieOptions } from '../types/index.ts'
import type { SessionData } from './session/data.ts'
import type { EngineSession, OpenSession } from './session/parts.ts'

/** What @fastify/session takes for a request: it reads the protocol and leaves its session object here. */
interface Host {
  readonly protocol: string
  session?: EngineSession
}

/**
 * Registers @fastify/session where none of its hooks meets a route, and gives back the one thing wanted of it: its session
 * object, made on demand. Hooks that run per request would cost each visitor an id, an HMAC and two hashes.
 */
export async function createSessionOpener(
  app: FastifyInstance,
  cookie: Readonly<SessionCookieOptions>,
): Promise<OpenSession> {
  let answer: SessionData = {}
  let decrypt: FastifyInstance['decryptSession'] | undefined
  await app.register(async (child) => {
    await child.register(fastifySession, {
      cookie: { ...cookie },
      saveUninitialized: false,
      rolling: false,
      // The "id" given in is a handle, which is no secret and needs no signature: real ids never come here.
      secret: { sign: (handle) => handle, unsign: (handle) => ({ valid: true, renew: false, value: handle }) },
      store: {
        // Only data goes in; the cookie that @fastify/session's types ask for is made from its options.
        get: (_handle, callback) => callback(null, answer as never),
        set: (_handle, _session, callback) => callback(),
        destroy: (_handle, callback) => callback(),
      },
    })
    decrypt = child.decryptSession.bind(child)
  })
  return (handle, data, protocol) => {
    const host: Host = { protocol }
    answer = data
    decrypt?.(handle, host, () => undefined)
    answer = {}
    if (host.session === undefined) throw new TypeError('@fastify/session did not answer at once')
    return host.session
  }
}
