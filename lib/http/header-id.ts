import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { Settings } from '../options.ts'

/** The response header that carries a new id to a client that brings its id in a header. */
export const RENEWED = 'session-renewed'

/**
 * Returns the id that a request brings in the header of the option `headerTransport`. `undefined` without the option,
 * without the header, and for a header of another scheme: then the cookie counts. A client that has no id yet sends the
 * scheme alone, which is an empty id.
 */
export function idInHeader(headers: IncomingHttpHeaders, transport: Settings['headerTransport']): string | undefined {
  const value = transport === undefined ? undefined : headers[transport.header]
  if (transport === undefined || typeof value !== 'string') return undefined
  const { scheme } = transport
  const id = value.slice(scheme.length)
  const isOurs = value.slice(0, scheme.length).toLowerCase() === scheme
  return isOurs && (scheme === '' || id === '' || id.startsWith(' ')) ? id.trim() : undefined
}

/** Takes a new id out of a response that must not carry it. */
export function removeRenewed(reply: FastifyReply): void {
  reply.removeHeader(RENEWED)
  // Fastify has copied the headers of a stream to the raw response before its first byte.
  reply.raw.removeHeader(RENEWED)
}
