import cookiePlugin from '@fastify/cookie'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { answer } from './answer.ts'
import { SecureSessionError } from './errors.ts'
import { SessionEvents } from './events.ts'
import { createSessionOpener } from './fastify-session.ts'
import { guardRegistration } from './registration.ts'
import { resolveOptions } from './options.ts'
import { requestDecorators } from './request-decorators.ts'
import { AnsweringStore } from './session/answering-store.ts'
import { isCrossOrigin } from './session/cross-origin.ts'
import { SessionIds } from './session/id.ts'
import type { Loaded } from './session/load.ts'
import { load, mentionsSession } from './session/load.ts'
import type { Client, Parts } from './session/parts.ts'
import { RequestSession } from './session/request-session.ts'
import { UserSessions } from './session/user-sessions.ts'
import { requireLoginFactory, sessionsApi } from './app-decorators.ts'
import { memoryStore } from './stores/memory.ts'
import { startSweeper } from './sweeper.ts'
import type { SecureSessionOptions } from '../types/index.ts'

/** Where a request keeps its session; `null` until something asks for one. */
const SESSION = Symbol('fastify-session-guard.session')

/** Whether the response has gone past the point where its cookie was settled. */
const ANSWERED = Symbol('fastify-session-guard.answered')

interface SessionRequest extends FastifyRequest {
  [SESSION]: RequestSession | null
  [ANSWERED]: boolean
}

const ANONYMOUS: Loaded = { state: 'none' }

const plugin: FastifyPluginAsync<SecureSessionOptions> = async (app, given) => {
  const { options, environment } = guardRegistration(app, given)
  const settings = resolveOptions(options, environment)
  if (!app.hasReplyDecorator('setCookie')) await app.register(cookiePlugin)

  const parts = await createParts(app, settings, options)
  decorate(app, parts)
  addHooks(app, parts)
}

/**
 * Registers secure sessions: `req.login`, `req.logout`, `req.user`, `req.session`, `app.requireLogin`, `app.sessions`.
 *
 * Checks the options first; a fatal finding rejects the registration with `SecureSessionConfigError`
 * (code `SESSION_GUARD_REFUSED`), so that the app never listens.
 */
export const secureSession: FastifyPluginAsync<SecureSessionOptions> = fastifyPlugin(plugin, {
  name: 'fastify-session-guard',
  fastify: '5.x',
})

async function createParts(
  app: FastifyInstance,
  settings: Parts['settings'],
  options: SecureSessionOptions,
): Promise<Parts> {
  const events = new SessionEvents(app.log, settings.clock)
  const kept = options.store ?? memoryStore({ clock: settings.clock })
  kept.onDamaged = (handle) => events.emit({ type: 'damaged', handle })
  const store = new AnsweringStore(kept, settings.storeTimeout, events)
  return {
    settings,
    events,
    store,
    ids: new SessionIds(settings.secrets),
    users: new UserSessions(settings, store, events),
    openSession: await createSessionOpener(app, settings.cookie),
  }
}

function decorate(app: FastifyInstance, parts: Parts): void {
  const { decorators } = parts.settings
  app.decorateRequest(SESSION, null)
  app.decorateRequest(ANSWERED, false)
  const sessionOf = (request: FastifyRequest): RequestSession => requestSession(parts, request as SessionRequest)
  for (const [name, decorator] of requestDecorators(decorators, sessionOf)) app.decorateRequest(name, decorator)
  app.decorate(decorators.requireLogin, requireLoginFactory(parts, sessionOf))
  app.decorate(decorators.sessions, sessionsApi(parts))
}

/** The session of a request, made anonymous on first use where no cookie led to one. */
function requestSession(parts: Parts, request: SessionRequest): RequestSession {
  let session = request[SESSION]
  if (session === null) {
    if (isOptedOut(request)) throw new SecureSessionError('SESSION_ROUTE_OPTED_OUT')
    session = new RequestSession(parts, new RequestClient(request), ANONYMOUS)
    session.isAnswered = request[ANSWERED]
    request[SESSION] = session
  }
  session.isRead = true
  return session
}

function addHooks(app: FastifyInstance, parts: Parts): void {
  const { settings } = parts

  app.addHook('onRequest', (request, _reply, done) => {
    const { method, headers } = request.raw
    if (
      settings.crossOriginProtection &&
      isCrossOrigin(method ?? '', headers, settings.trustedOrigins) &&
      request.routeOptions.config.crossOriginProtection !== false
    ) {
      done(new SecureSessionError('SESSION_CROSS_ORIGIN'))
      return
    }
    const { cookie } = headers
    if (!mentionsSession(parts, cookie) || isOptedOut(request)) {
      done()
      return
    }
    const hold = (loaded: Loaded): void => {
      const held = request as SessionRequest
      held[SESSION] = new RequestSession(parts, new RequestClient(request), loaded)
      done()
    }
    const loaded = load(parts, cookie)
    if (loaded instanceof Promise) loaded.then(hold, done)
    else hold(loaded)
  })

  app.addHook('onSend', (request, reply, payload, done) => {
    const held = request as SessionRequest
    const session = held[SESSION]
    held[ANSWERED] = true
    if (session === null) {
      done(null, payload)
      return
    }
    const isFailure = statusOf(reply, payload) >= 500
    if (!isFailure && !session.hasWork) {
      session.isAnswered = true
      answer(reply, session)
      done(null, payload)
      return
    }
    session.finish(isFailure).then(
      () => {
        answer(reply, session)
        done(null, payload)
      },
      (error) => {
        answer(reply, session)
        done(error)
      },
    )
  })

  if (settings.sweepInterval > 0) {
    const sweeper = startSweeper(settings.sweepInterval, sessionsApi(parts).sweep)
    app.addHook('onClose', async () => sweeper.stop())
  }
}

function isOptedOut(request: FastifyRequest): boolean {
  return request.routeOptions.config?.session === false
}

/** The status the response will have; a web `Response` brings its own, which Fastify applies only after the hooks. */
function statusOf(reply: FastifyReply, payload: unknown): number {
  return payload instanceof Response ? payload.status : reply.statusCode
}

/** Reads the request only when asked: most requests never are. */
class RequestClient implements Client {
  readonly #request: FastifyRequest

  constructor(request: FastifyRequest) {
    this.#request = request
  }

  get protocol(): string {
    return this.#request.protocol
  }

  get ip(): string {
    return this.#request.ip
  }

  get userAgent(): string {
    return (this.#request.headers['user-agent'] ?? '').slice(0, MAX_USER_AGENT)
  }
}

/** Longer ones say nothing more, and the store is not the client's to fill. */
const MAX_USER_AGENT = 256
