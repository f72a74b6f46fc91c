import type { FastifyReply, FastifyRequest } from 'fastify'
import type { HiddenId } from '../guard/read/phase-facts.ts'
import { RENEWED } from './header-id.ts'

/** The name of the response header as a guide writes it. */
const RENEWED_TITLE = 'Session-Renewed'

const MAX_ORIGIN = 1024

/**
 * Returns the header with a session id that CORS keeps from a page that it lets in; `null` for none.
 * @param header The header of the option `headerTransport`; `undefined` without the option.
 */
export function hiddenIdOf(request: FastifyRequest, reply: FastifyReply, header: string | undefined): HiddenId | null {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (header === undefined || origin === undefined || site === 'same-origin' || !isLetIn(reply, origin)) return null
  const named = { origin: origin.slice(0, MAX_ORIGIN) }
  if (reply.hasHeader(RENEWED)) {
    return covers(reply, 'access-control-expose-headers', RENEWED)
      ? null
      : { ...named, header: RENEWED_TITLE, isResponse: true }
  }
  const asked = request.method === 'OPTIONS' ? request.headers['access-control-request-headers'] : undefined
  const isRefused = namesIn(asked).has(header) && !covers(reply, 'access-control-allow-headers', header)
  return isRefused ? { ...named, header, isResponse: false } : null
}

function isLetIn(reply: FastifyReply, origin: string): boolean {
  const allowed = reply.getHeader('access-control-allow-origin')
  return allowed === origin || allowed === '*'
}

/** A star stands for every header except `Authorization`, and for itself with credentials (Fetch, 3.2.4 and 4.9). */
function covers(reply: FastifyReply, list: string, header: string): boolean {
  const names = namesIn(reply.getHeader(list))
  const isStar = header !== 'authorization' && String(reply.getHeader('access-control-allow-credentials')) !== 'true'
  return names.has(header) || (isStar && names.has('*'))
}

function namesIn(list: ReturnType<FastifyReply['getHeader']>): Set<string> {
  const names = [list ?? []].flat().map(String).join(',').split(',')
  return new Set(names.map((name) => name.trim().toLowerCase()))
}
