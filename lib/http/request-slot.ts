import type { FastifyRequest } from 'fastify'
import { SecureSessionError } from '../errors.ts'
import type { Loaded } from '../session/load.ts'
import type { Client, Parts } from '../session/parts.ts'
import { RequestSession } from '../session/request-session.ts'
import type { Refusal } from './cross-origin.ts'

/** Where a request keeps its session; `null` until something asks for one. */
export const SESSION: unique symbol = Symbol('fastify-session-guard.session')

/** Whether the response has gone past the point where its cookie was settled. */
export const ANSWERED: unique symbol = Symbol('fastify-session-guard.answered')

/**
 * Whether the route that the request was made for wants no session. Who answers in its place, a 404 page, has none
 * either.
 */
export const OPTED_OUT: unique symbol = Symbol('fastify-session-guard.opted-out')

/** The reason for which a request is going to be refused, once the hook of CORS has run; `undefined` when it is not. */
export const REFUSED: unique symbol = Symbol('fastify-session-guard.refused')

/** A request with a place for its session. */
export interface SessionRequest extends FastifyRequest {
  [SESSION]: RequestSession | null
  [ANSWERED]: boolean
  [OPTED_OUT]: boolean
  [REFUSED]: Refusal | undefined
}

const ANONYMOUS: Loaded = { state: 'none' }

/** Longer ones say nothing more, and the store is not the client's to fill. */
const MAX_USER_AGENT = 256

/** No address is longer, but behind a trusted proxy it is whatever `X-Forwarded-For` says. */
const MAX_ADDRESS = 64

/**
 * The session of a request, made anonymous on first use where no cookie led to one. Whoever asks for it makes the
 * response depend on the cookie.
 * @throws `SESSION_ROUTE_OPTED_OUT`, `SESSION_CROSS_ORIGIN`
 */
export function readSession(parts: Parts, request: FastifyRequest): RequestSession {
  const slot = request as SessionRequest
  if (slot[REFUSED] !== undefined) throw new SecureSessionError('SESSION_CROSS_ORIGIN')
  const hasNone = slot[SESSION] === null && (slot[OPTED_OUT] || isOptedOut(request))
  if (hasNone) throw new SecureSessionError('SESSION_ROUTE_OPTED_OUT')
  const session = slot[SESSION] ?? holdSession(parts, request, ANONYMOUS)
  session.isRead = true
  return session
}

/** Puts what a cookie led to into the request. */
export function holdSession(parts: Parts, request: FastifyRequest, loaded: Loaded): RequestSession {
  const slot = request as SessionRequest
  const session = new RequestSession(parts, new RequestClient(request), loaded)
  session.isAnswered = slot[ANSWERED]
  slot[SESSION] = session
  return session
}

/** Whether the route of a request wants no session. */
export function isOptedOut(request: FastifyRequest): boolean {
  return request.routeOptions.config?.session === false
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

  /** Empty over a unix socket, and once the client is gone. */
  get ip(): string {
    return (this.#request.ip ?? '').slice(0, MAX_ADDRESS)
  }

  get connection(): object {
    return this.#request.raw.socket
  }

  get userAgent(): string {
    return (this.#request.headers['user-agent'] ?? '').slice(0, MAX_USER_AGENT)
  }
}
