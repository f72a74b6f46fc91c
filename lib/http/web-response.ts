import type { FastifyReply } from 'fastify'
import { isCacheControl } from './cache-headers.ts'

/** A web `Response`, of this realm or of a package. */
export interface WebResponse {
  readonly status: number
  readonly headers: Headers
}

/** The response headers that a session may change, beside those for caches. */
const SHARED_HEADERS = new Set(['vary', 'clear-site-data'])

/**
 * Tells a `Response` by its tag, as Fastify does, because the `Response` of another package is no instance of the
 * global class.
 */
export function isWebResponse(payload: unknown): payload is WebResponse {
  if (typeof payload !== 'object' || payload === null) return false
  return Object.prototype.toString.call(payload) === '[object Response]' && 'status' in payload
}

/** Tells whether a payload may stay open: it is read piece by piece. The headers may wait for its first byte. */
export function isStream(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && !(payload instanceof Uint8Array)
}

/**
 * Moves the headers about caches from a `Response` to the reply, and returns the `Response` without them. After all
 * hooks, Fastify replaces headers of the reply by those of the `Response`. A shared cache would then keep a page that
 * belongs to one user.
 */
export function takeSharedHeaders(reply: FastifyReply, response: WebResponse): WebResponse {
  // A copy: those of a fetched response are immutable, and an app may send one response without a body many times.
  const headers = new Headers(response.headers)
  for (const [name, value] of response.headers) {
    if (!SHARED_HEADERS.has(name) && !isCacheControl(name)) continue
    reply.header(name, value)
    headers.delete(name)
  }
  return new Proxy(response, {
    get(target, key) {
      if (key === 'headers') return headers
      const value = Reflect.get(target, key, target) as unknown
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
