import type { FastifyReply } from 'fastify'
import { isCacheControl } from './cache-headers.ts'

/** Headers of the response that was meant to be sent, which say something false about an error in its place. */
const LEFTOVERS = new Set([
  'accept-ranges',
  'age',
  'clear-site-data',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'link',
  'location',
  'pragma',
  'proxy-authenticate',
  'refresh',
  'retry-after',
  'trailer',
  'transfer-encoding',
  'www-authenticate',
])

/**
 * Prepares a reply for an error that replaces the planned response. The reply gets the status and the headers of the
 * error. Headers that described the planned response are removed, and no cache may keep the reply. Fastify by itself
 * would leave a status that the app has set. Cookies of others, CORS and security headers stay.
 *
 * @returns The error.
 */
export function failCleanly<Failure>(reply: FastifyReply, error: Failure): Failure {
  if (reply.raw.headersSent) return error
  for (const name of Object.keys(reply.getHeaders())) {
    if (LEFTOVERS.has(name) || isCacheControl(name)) reply.removeHeader(name)
  }
  const { statusCode, headers } = (error ?? {}) as { statusCode?: unknown; headers?: Record<string, string> }
  reply.code(isFailure(statusCode) ? statusCode : 500).header('cache-control', 'no-store')
  if (headers !== undefined) reply.headers(headers)
  return error
}

function isFailure(status: unknown): status is number {
  return typeof status === 'number' && status >= 400 && status <= 599
}
