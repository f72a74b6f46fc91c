import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
  preParsingHookHandler,
} from 'fastify'
import { SecureSessionError } from '../errors.ts'
import type { Engine } from '../session/engine.ts'
import type { Refusal } from './cross-origin.ts'
import { judgeOrigin } from './cross-origin.ts'
import { idInHeader } from './header-id.ts'
import { logRefusal, NULL_ORIGIN } from './refusal-log.ts'
import type { SessionRequest } from './request-slot.ts'
import { refuseRequest, SLOT } from './request-slot.ts'
import { isTrustedOrigin } from './trusted-origins.ts'

const CORS = '@fastify/cors'

/** Hears of each refusal of an origin that CORS lets in with credentials. */
export type CorsConflict = (origin: string) => void

/**
 * Refuses the request of another origin's page before anything is read for the request. The 403 carries the headers of
 * CORS, because the page could not see the reason otherwise. Where @fastify/cors is registered after this plugin, the
 * refusal waits for its hook. Until then the session cannot be read.
 */
export function refuseCrossOrigin(
  { settings }: Engine,
  app: FastifyInstance,
  onConflict: CorsConflict,
): CrossOriginHooks {
  const isCorsBefore = app.hasPlugin(CORS)
  const waiting = new WeakMap<FastifyRequest, Refusal>()
  const fail = (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): Error => {
    const isAllowed = isAllowedByCors(reply, refusal)
    if (isAllowed) onConflict(String(refusal.origin))
    logRefusal(request, refusal, isAllowed)
    return refuseRequest(request, reply, errorOf(refusal))
  }
  // No browser adds the id of a header by itself, and a request that brings one has no session by a cookie.
  const isByHeader = (request: FastifyRequest): boolean =>
    idInHeader(request.raw.headers, settings.headerTransport) !== undefined
  return {
    onRequest: (request, reply, done) => {
      const isTrusted = (origin: string): boolean =>
        isOpen(request) || isTrustedOrigin(settings.trustedOrigins, origin, request)
      const refusal = judgeOrigin(request, isTrusted)
      if (refusal === undefined || isOpen(request) || isByHeader(request)) return done()
      if (isCorsBefore || !request.server.hasPlugin(CORS)) return done(fail(request, reply, refusal))
      waiting.set(request, refusal)
      ;(request as SessionRequest)[SLOT] = errorOf(refusal)
      done()
    },
    preParsing: (request, reply, _payload, done) => {
      const isWaiting = (request as SessionRequest)[SLOT] instanceof Error
      const refusal = isWaiting ? waiting.get(request) : undefined
      if (refusal === undefined) done()
      else done(fail(request, reply, refusal))
    },
  }
}

/** The two places of a request where it may be refused. */
export interface CrossOriginHooks {
  readonly onRequest: onRequestHookHandler
  readonly preParsing: preParsingHookHandler
}

function isOpen(request: FastifyRequest): boolean {
  return request.routeOptions.config?.crossOriginProtection === false
}

function isAllowedByCors(reply: FastifyReply, { origin }: Refusal): boolean {
  const isAllowed = origin !== undefined && reply.getHeader('access-control-allow-origin') === origin
  return isAllowed && reply.getHeader('access-control-allow-credentials') === 'true'
}

/**
 * Returns the error of a refusal. The error repeats nothing of the request, except `Origin: null`, because an app may
 * cause this origin itself.
 */
function errorOf({ reason }: Refusal): SecureSessionError {
  return new SecureSessionError('SESSION_CROSS_ORIGIN', reason === 'null' ? { detail: NULL_ORIGIN } : {})
}
