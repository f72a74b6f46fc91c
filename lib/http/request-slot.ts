import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify'
import { SecureSessionError } from '../errors.ts'
import type { Client, Engine } from '../session/engine.ts'
import type { Loaded } from '../session/load-session.ts'
import { NONE } from '../session/load-session.ts'
import { RequestSession } from '../session/request-session.ts'
import { failCleanly } from './clean-error.ts'
import { singleCookie } from './read-cookie.ts'

/** The key under which a request keeps the state of its session. */
export const SLOT: unique symbol = Symbol('fastify-session-guard.slot')

/**
 * The state of a request's session:
 * - `early`: the plugin's hooks have not run yet, so nobody knows who asks;
 * - `opted-out`: the route wants no session. A handler that answers in its place, for a 404 page, has none either;
 * - `anonymous`: no cookie led to a session. One is made when the app asks for it;
 * - `answered`: like `anonymous`, and the response has started;
 * - an error: the request was refused or its session could not be loaded, so nobody knows who asks;
 * - the session.
 */
export type Slot = 'early' | 'opted-out' | 'anonymous' | 'answered' | Error | RequestSession

/** A request that the browser sent on its own, for a page that the user may never look at. */
const SPECULATIVE = /\b(?:prefetch|prerender)\b/i

/** The key under which a request keeps whether it came with several session cookies. */
export const HAS_DUPLICATES: unique symbol = Symbol('fastify-session-guard.has-duplicates')

/** The key under which a request keeps whether it brought a session id in a header. */
export const IS_BY_HEADER: unique symbol = Symbol('fastify-session-guard.is-by-header')

/** The key under which a request keeps its reply. */
export const REPLY: unique symbol = Symbol('fastify-session-guard.reply')

/** A request with the state of its session. */
export interface SessionRequest extends FastifyRequest {
  [SLOT]: Slot
  [REPLY]: FastifyReply | null
  [HAS_DUPLICATES]: boolean
  [IS_BY_HEADER]: boolean
}

/** The length up to which a user agent is kept. The store is not the client's to fill. */
const MAX_USER_AGENT = 256

/** The length up to which an address is kept. Behind a trusted proxy the address is whatever `X-Forwarded-For` says. */
const MAX_ADDRESS = 64

/**
 * Returns the session of a request, and notes that the response depends on the cookie. Makes an anonymous one on first
 * use.
 * @throws `SESSION_NOT_LOADED`, `SESSION_ROUTE_OPTED_OUT`, or the error that kept the session from being loaded
 */
export function readSession(engine: Engine, request: FastifyRequest): RequestSession {
  const slot = (request as SessionRequest)[SLOT]
  const session = slot instanceof RequestSession ? slot : openSession(engine, request, slot)
  session.markRead()
  return session
}

function openSession(engine: Engine, request: FastifyRequest, slot: Exclude<Slot, RequestSession>): RequestSession {
  switch (slot) {
    case 'anonymous':
    case 'answered':
      return holdSession(engine, request, NONE, new RequestClient(request))
    case 'opted-out':
      throw new SecureSessionError('SESSION_ROUTE_OPTED_OUT')
    default:
      throw slot instanceof Error ? slot : new SecureSessionError('SESSION_NOT_LOADED')
  }
}

/** Puts the session that a cookie led to into the request. */
export function holdSession(engine: Engine, request: FastifyRequest, loaded: Loaded, client: Client): RequestSession {
  const place = request as SessionRequest
  const session = new RequestSession(engine, client, loaded, place[SLOT] === 'answered')
  place[SLOT] = session
  return session
}

/** Notes that the response of a request has started. */
export function markAnswered(request: FastifyRequest): void {
  const place = request as SessionRequest
  if (place[SLOT] instanceof RequestSession) place[SLOT].markAnswered()
  else if (place[SLOT] === 'anonymous') place[SLOT] = 'answered'
}

/**
 * Refuses a request, and makes room for the error in its reply. From here on nobody knows whose request this is, and
 * its error page may not take it for anonymous. Returns the error.
 */
export function refuseRequest(request: FastifyRequest, reply: FastifyReply, error: Error): Error {
  ;(request as SessionRequest)[SLOT] = error
  return failCleanly(reply, error)
}

/** The way in which a route uses the session, as its `config.session` says. */
export type RouteUse = FastifyContextConfig['session']

/** Returns how the route of a request uses the session. `false`: not at all. */
export function useOf(request: FastifyRequest): RouteUse {
  return request.routeOptions.config?.session
}

/** Returns the address of a client as it is kept. */
export function addressOf(address: string | undefined): string {
  return (address ?? '').slice(0, MAX_ADDRESS)
}

/** Returns the user agent of a client as it is kept. */
export function userAgentOf(header: string | undefined): string {
  return (header ?? '').slice(0, MAX_USER_AGENT)
}

/** Reads the request only when asked, because most requests never are. */
export class RequestClient implements Client {
  readonly #request: FastifyRequest
  readonly #use: RouteUse

  /** `use` is the way in which the route uses the session. Fastify makes the options of a route anew for each look. */
  constructor(request: FastifyRequest, use: RouteUse = useOf(request)) {
    this.#request = request
    this.#use = use
  }

  get protocol(): string {
    return this.#request.protocol
  }

  /** Empty over a unix socket, and once the client is gone. */
  get ip(): string {
    return addressOf(this.#request.ip)
  }

  get connection(): object {
    return this.#request.raw.socket
  }

  get isPassive(): boolean {
    const purpose = this.#request.headers['sec-purpose']
    return this.#use === 'passive' || (purpose !== undefined && SPECULATIVE.test(String(purpose)))
  }

  get isByHeader(): boolean {
    return (this.#request as SessionRequest)[IS_BY_HEADER]
  }

  get isStaleUserFine(): boolean {
    return this.#use === 'stale-user'
  }

  get isReplyTaken(): boolean {
    const reply = (this.#request as SessionRequest)[REPLY]
    return reply !== null && (reply.sent || reply.raw.headersSent)
  }

  afterReply(listener: () => void): void {
    const raw = (this.#request as SessionRequest)[REPLY]?.raw
    if (raw === undefined || raw.closed || raw.writableFinished) setImmediate(listener)
    else raw.once('close', () => setImmediate(listener))
  }

  cookieNamed(name: string): string {
    return singleCookie(this.#request.raw.headers.cookie, name)
  }

  get userAgent(): string {
    return userAgentOf(this.#request.headers['user-agent'])
  }
}
