import fastifySession from '@fastify/session'
import type { FastifyInstance } from 'fastify'
import type { Settings } from '../options.ts'
import type { EngineSession, OpenSession } from '../session/engine.ts'

/** The request as @fastify/session sees it: the plugin puts its session object here. */
interface Host {
  session?: EngineSession
}

/**
 * Registers @fastify/session where none of its hooks meets a route. Returns a function that makes its session object on
 * demand; nothing else of it is used. Hooks that run per request would cost each visitor an id, an HMAC and two hashes.
 */
export async function createSessionOpener(app: FastifyInstance, cookie: Settings['cookie']): Promise<OpenSession> {
  let engine = app
  await app.register(async (child) => {
    await child.register(fastifySession, {
      cookie: { ...cookie },
      saveUninitialized: false,
      rolling: false,
      // The "id" given in is a handle, which is no secret and needs no signature: real ids never come here.
      secret: { sign: (handle) => handle, unsign: (handle) => ({ valid: true, renew: false, value: handle }) },
      // No data goes in; the cookie that @fastify/session's types ask for is made from its options.
      store: { get: answerEmpty, set: answerEmpty, destroy: answerEmpty },
    })
    engine = child
  })
  return (handle, protocol) => {
    const host: Host = {}
    // Left to itself, @fastify/session would turn 'auto' over http into another SameSite as well.
    const secure = cookie.secure === 'auto' ? protocol === 'https' : cookie.secure
    engine.decryptSession(handle, host, { secure }, () => undefined)
    // The store above answers at once, and so does the engine.
    return host.session as EngineSession
  }
}

/** The last argument of a store's method is its callback. */
function answerEmpty(...args: unknown[]): void {
  const callback = args.at(-1) as (error: null, session: object) => void
  callback(null, {})
}
