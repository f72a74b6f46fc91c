import type { FastifyRequest } from 'fastify'
import { isLocalPath } from '../session/local-path.ts'

/** Tells whether a request opens a page, so that a redirect leads somebody somewhere. */
export function isPage({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const mode = headers['sec-fetch-mode']
  if (mode !== undefined) return mode === 'navigate'
  return String(headers.accept).includes('text/html')
}

/**
 * Returns the address of the login page, with the page to go on to. A request may name any address, also of another
 * host.
 */
export function withNext(redirect: string, url: string): string {
  if (!isLocalPath(url)) return redirect
  return `${redirect}${redirect.includes('?') ? '&' : '?'}next=${encodeURIComponent(url)}`
}
