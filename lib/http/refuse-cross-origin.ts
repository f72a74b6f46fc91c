import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
  preParsingHookHandler,
} from 'fastify'
import { SecureSessionError } from '../errors.ts'
import type { Parts } from '../session/parts.ts'
import type { Refusal } from './cross-origin.ts'
import { judgeOrigin } from './cross-origin.ts'
import { failCleanly } from './clean-error.ts'
import { logRefusal, NULL_ORIGIN } from './refusal-log.ts'
import type { SessionRequest } from './request-slot.ts'
import { REFUSED } from './request-slot.ts'
import { isTrustedOrigin } from './trusted-origins.ts'

const CORS = '@fastify/cors'

/** Hears of each refusal of an origin that CORS lets in with credentials. */
export type CorsConflict = (origin: string) => void

/**
 * Refuses what another origin's page sends, before anything is read for it. The 403 carries the headers of CORS, or the
 * page could not see why: where @fastify/cors is registered after this plugin, the refusal waits for its hook. Until
 * then the session cannot be read.
 */
export function refuseCrossOrigin(
  { settings }: Parts,
  app: FastifyInstance,
  onConflict: CorsConflict,
): CrossOriginHooks {
  const isCorsBefore = app.hasPlugin(CORS)
  const refuse = (request: SessionRequest, reply: FastifyReply, refusal: Refusal): SecureSessionError => {
    const isAllowed = isAllowedByCors(reply, refusal)
    if (isAllowed) onConflict(refusal.origin ?? '')
    logRefusal(request, refusal, isAllowed)
    return failCleanly(reply, errorOf(refusal))
  }
  return {
    onRequest: (request, reply, done) => {
      const isTrusted = (origin: string): boolean =>
        isOpen(request) || isTrustedOrigin(settings.trustedOrigins, origin, request)
      const refusal = judgeOrigin(request, isTrusted)
      if (refusal === undefined || isOpen(request)) return done()
      const slot = request as SessionRequest
      if (isCorsBefore || !request.server.hasPlugin(CORS)) return done(refuse(slot, reply, refusal))
      slot[REFUSED] = refusal
      done()
    },
    preParsing: (request, reply, _payload, done) => {
      const slot = request as SessionRequest
      const refusal = slot[REFUSED]
      if (refusal === undefined) done()
      else done(refuse(slot, reply, refusal))
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
 * Nothing of the request comes back in the answer, except that it had `Origin: null`, which an app may do to itself.
 */
function errorOf({ reason }: Refusal): SecureSessionError {
  return new SecureSessionError('SESSION_CROSS_ORIGIN', reason === 'null' ? { detail: NULL_ORIGIN } : {})
}
