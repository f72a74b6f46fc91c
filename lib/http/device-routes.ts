import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler, onSendHookHandler } from 'fastify'
import type { DeviceProofs } from '../session/device-bound/proofs.ts'
import type { Engine } from '../session/engine.ts'
import type { PresentedId } from '../session/id.ts'
import type { Grant } from '../session/device-bound/register.ts'
import { registerDevice } from '../session/device-bound/register.ts'
import { refreshDevice } from '../session/device-bound/refresh.ts'
import { judgeOrigin, ownHost } from './cross-origin.ts'
import { boundAttributes, setBoundCookie } from './device-cookie.ts'
import { presentedId } from './presented-id.ts'
import { RequestClient } from './request-slot.ts'
import type { DeviceRoute } from './route-config.ts'
import { DEVICE_ROUTE, deviceRouteOf } from './route-config.ts'
import { SeenValues } from './seen-values.ts'
import { cookieAttributes, forbidCaching } from './write-cookie.ts'

/** The longest proof that is read out of a header. */
const MAX_PROOF = 4_096

/** The shape of a session identifier. Browsers send it as a text in quotes (RFC 9651). */
const IDENTIFIER = /^[\w-]{1,64}$/

/** The seconds after which a browser may come again. */
const RETRY_AFTER = '1'

/** Replies of the routes that this plugin itself has given. */
const answered = new WeakSet<FastifyReply>()

/**
 * Adds the two routes of the protocol, and the hook that answers them. The hook runs before hooks that the app adds
 * later. The browser speaks the protocol by itself, so no later hook may ask it for a login, CSRF token or body.
 */
export function addDeviceRoutes(app: FastifyInstance, engine: Engine, device: DeviceProofs): void {
  // Fastify puts the prefix in front again.
  const path = device.settings.path.slice(app.prefix.length)
  app.addHook('onRequest', answerDevice(engine, device))
  for (const route of ['register', 'refresh'] as const) {
    app.route({
      method: 'POST',
      url: `${path}/${route}`,
      config: { session: false, [DEVICE_ROUTE]: route } as { session: false },
      onSend: softenRefusals,
      handler: later,
    })
  }
}

/**
 * Turns the refusal of another plugin, such as a rate limit, into a 503. A browser forgets the binding on most answers
 * of the class 4xx, and keeps it on a 503.
 */
const softenRefusals: onSendHookHandler = (_request, reply, payload, done) => {
  if (!answered.has(reply) && reply.statusCode < 500) reply.code(503).header('retry-after', RETRY_AFTER)
  done(null, payload)
}

function answerDevice(engine: Engine, device: DeviceProofs): onRequestHookHandler {
  const seen = new SeenValues(engine.settings.clock)
  return (request, reply, done) => {
    const route = deviceRouteOf(request.routeOptions.config)
    if (route === undefined) return done()
    answer({ engine, device, seen, request, reply }, route).catch(() => later(request, reply))
  }
}

/** Answers a request that could not be judged. */
function later(_request: FastifyRequest, reply: FastifyReply): void {
  postpone(reply)
}

/** One request of the protocol. */
interface Exchange {
  readonly engine: Engine
  readonly device: DeviceProofs
  readonly seen: SeenValues
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

async function answer(exchange: Exchange, route: DeviceRoute): Promise<void> {
  const { reply, request } = exchange
  forbidCaching(reply)
  if (judgeOrigin(request, () => false) !== undefined) return refuse(reply)
  await (route === 'register' ? register(exchange) : refresh(exchange))
}

async function register(exchange: Exchange): Promise<void> {
  const { engine, device, request, reply } = exchange
  const id = idOf(exchange)
  if (typeof id === 'string') return refuse(reply)
  const grant = await registerDevice(engine, device, { id, jws: proofOf(request), client: new RequestClient(request) })
  if (grant === undefined) return refuse(reply)
  give(exchange, grant)
}

async function refresh(exchange: Exchange): Promise<void> {
  const { engine, device, request, reply } = exchange
  const named = unquoted(request.headers['sec-secure-session-id'])
  const bindingId = IDENTIFIER.test(named) ? named : ''
  const id = idOf(exchange)
  if (id === 'duplicate') return postpone(reply)
  if (typeof id === 'string') return endBinding(reply, bindingId)
  const client = new RequestClient(request)
  const done = await refreshDevice(engine, device, { id, bindingId, jws: proofOf(request), client })
  switch (done.kind) {
    case 'ended':
      return endBinding(reply, bindingId)
    case 'later':
      return postpone(reply)
    case 'challenge':
      challenge(reply, done)
      return refuse(reply)
    case 'refreshed':
      if (done.cookie?.kind === 'set') {
        reply.setCookie(engine.settings.cookie.name, done.cookie.value, cookieAttributes(engine.settings, done.cookie))
      }
      give(exchange, done.grant)
  }
}

function idOf({ engine, seen, request }: Exchange): PresentedId | 'none' | 'duplicate' | 'obsolete' {
  const { headers, socket } = request.raw
  return headers.cookie === undefined ? 'none' : presentedId(engine, seen, headers.cookie, socket)
}

/** Returns the proof of a request; empty for none. A proof that is too long is passed on as one that is none. */
function proofOf({ headers }: FastifyRequest): string {
  const text = unquoted(headers['secure-session-response'])
  return text.length > MAX_PROOF ? '-' : text
}

/** Returns a text out of a header, without the quotes that a structured field has. */
function unquoted(header: string | string[] | undefined): string {
  const text = typeof header === 'string' ? header.trim() : ''
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

/** Gives a browser its bound cookie, and says what the cookie is for. */
function give({ engine, device, request, reply }: Exchange, grant: Grant): void {
  const { settings } = engine
  const { path } = device.settings
  setBoundCookie(reply, settings, device, grant.cookieValue)
  challenge(reply, grant)
  const { hostname } = request
  send(reply, 200, {
    session_identifier: grant.bindingId,
    refresh_url: `${path}/refresh`,
    scope: {
      origin: `https://${ownHost(request).toLowerCase()}`,
      include_site: false,
      scope_specification: [
        { type: 'exclude', domain: hostname, path: '/favicon.ico' },
        { type: 'exclude', domain: hostname, path },
      ],
    },
    credentials: [{ type: 'cookie', name: device.cookieName, attributes: boundAttributes(settings) }],
  })
}

function challenge(reply: FastifyReply, { challenge: text, bindingId }: Pick<Grant, 'challenge' | 'bindingId'>): void {
  reply.header('secure-session-challenge', `"${text}";id="${bindingId}"`)
}

/** Tells a browser that it can forget the binding. */
function endBinding(reply: FastifyReply, bindingId: string): void {
  send(reply, 200, { session_identifier: bindingId, continue: false })
}

/** Refuses a proof. With a challenge in the header, the browser tries again; without one, it gives up. */
function refuse(reply: FastifyReply): void {
  send(reply, 403, {})
}

/** Makes a browser come again later. It keeps the binding meanwhile. */
function postpone(reply: FastifyReply): void {
  reply.header('retry-after', RETRY_AFTER)
  send(reply, 503, {})
}

function send(reply: FastifyReply, status: number, body: object): void {
  answered.add(reply)
  void reply.code(status).type('application/json').send(JSON.stringify(body))
}
