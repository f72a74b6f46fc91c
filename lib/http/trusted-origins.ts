import type { FastifyRequest } from 'fastify'
import { SecureSessionError } from '../errors.ts'
import type { Settings } from '../options.ts'

/**
 * Asks the option `trustedOrigins` about an origin. A function is never asked about `null`, because every sandboxed
 * frame has that origin. Only an entry with a reason lets `null` in.
 * @throws `SESSION_OPTION_INVALID` when a function returns neither `true` nor `false`
 */
export function isTrustedOrigin(trusted: Settings['trustedOrigins'], origin: string, request: FastifyRequest): boolean {
  if (typeof trusted !== 'function') return trusted.has(origin)
  if (origin === 'null') return false
  const answer: unknown = trusted(origin, request)
  if (typeof answer === 'boolean') return answer
  throw new SecureSessionError('SESSION_OPTION_INVALID', { detail: `trustedOrigins returned ${kindOf(answer)}` })
}

/** Names what came in the place of a boolean. A promise would count as `true` in any `if`. */
function kindOf(answer: unknown): string {
  return answer instanceof Promise
    ? 'a promise; it has to return true or false at once'
    : `no boolean: ${typeof answer}`
}
