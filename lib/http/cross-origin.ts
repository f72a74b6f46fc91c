import type { IncomingHttpHeaders } from 'node:http'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Whether a request comes from another site's page and could change something (the model is Go's `http.CrossOriginProtection`).
 * `Sec-Fetch-Site` decides where a browser sends it; without it the Origin's host must be the Host; a client
 * that sends neither is no browser, and has no cookies to abuse.
 */
export function isCrossOrigin(
  method: string,
  headers: IncomingHttpHeaders,
  trustedOrigins: ReadonlySet<string>,
): boolean {
  // A WebSocket opens with a GET, goes on to send whatever it likes, and asks no CORS preflight for it.
  if (SAFE_METHODS.has(method) && headers.upgrade === undefined) return false
  const { origin } = headers
  const site = headers['sec-fetch-site']
  if (site === 'same-origin' || site === 'none') return false
  if (origin !== undefined && trustedOrigins.has(origin)) return false
  if (site !== undefined) return true
  return origin !== undefined && !isOwnHost(origin, headers.host ?? headers[':authority'])
}

function isOwnHost(origin: string, host: string | string[] | undefined): boolean {
  return URL.canParse(origin) && typeof host === 'string' && new URL(origin).host === host.toLowerCase()
}
