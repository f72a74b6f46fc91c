import type { IncomingHttpHeaders } from 'node:http'

/** The parts of a Fastify request that say where it comes from and where it went. */
export interface OriginRequest {
  readonly raw: { readonly method?: string | undefined; readonly headers: IncomingHttpHeaders }
  /** The host as Fastify sees it, after `trustProxy`. */
  readonly host: string
  /** The protocol as Fastify sees it, after `trustProxy`. */
  readonly protocol: string
  /** Addresses from the peer to the client. Fastify gives them only with `trustProxy`. */
  readonly ips?: readonly string[] | undefined
}

/** The reason why a request counts as another origin's, and what was compared. */
export interface Refusal {
  /**
   * - `site`: the browser itself says so in `Sec-Fetch-Site`;
   * - `null`: the browser hides the origin of the page;
   * - `protocol`: a page over http sent a request that is https;
   * - `host`: the Origin names another host or port.
   */
  readonly reason: 'site' | 'null' | 'protocol' | 'host'
  readonly site: string | undefined
  readonly origin: string | undefined
  /** The origin of the app, as Fastify sees it. */
  readonly own: string
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** The port that browsers leave out, and that some proxies put into the host all the same. A URL drops port 80. */
const HTTPS_PORT = '443'

/** Headers of proxies. Some set X-Forwarded-Proto alone. */
const FORWARDING_HEADERS = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'via']

/** A host with a port, and nothing that a URL would take for another of its parts. */
const HOST_SHAPE = /^[^\s/?#@\\]{1,255}$/

/**
 * Judges whether another origin's page sent a request that can change something; `undefined` lets the request pass. The
 * model is Go's `http.CrossOriginProtection`: `Sec-Fetch-Site` decides where a browser sends it. Without it, the Origin
 * must be the app's own. A client that sends neither is no browser, and has no cookies to abuse.
 *
 * @param isTrusted Says whether an origin may send such requests although it is another.
 */
export function judgeOrigin(request: OriginRequest, isTrusted: (origin: string) => boolean): Refusal | undefined {
  const { method = '', headers } = request.raw
  // A WebSocket opens with a GET, goes on to send whatever it likes, and asks no CORS preflight for it.
  if (SAFE_METHODS.has(method) && headers.upgrade === undefined) return undefined
  const { origin } = headers
  const site = singleOf(headers['sec-fetch-site'])
  if (site === 'same-origin' || site === 'none') return undefined
  if (site === undefined && origin === undefined) return undefined
  const reason = site === undefined ? differenceOf(String(origin), request) : 'site'
  if (reason === undefined || (origin !== undefined && isTrusted(origin))) return undefined
  return { reason, site, origin, own: ownOrigin(request) }
}

/** Returns the host that the client asked for. In HTTP/2, `:authority` goes before a `host` field (RFC 9113, 8.3.1). */
export function ownHost({ raw, host }: OriginRequest): string {
  return host === raw.headers.host ? (singleOf(raw.headers[':authority']) ?? host) : host
}

/** Returns the origin of the app as Fastify sees it: what an Origin is compared with. */
function ownOrigin(request: OriginRequest): string {
  return `${isSecure(request.protocol) ? 'https' : 'http'}://${ownHost(request).toLowerCase()}`
}

/** Returns the first difference between an Origin and the app's own; `undefined` when there is none. */
function differenceOf(origin: string, request: OriginRequest): 'null' | 'protocol' | 'host' | undefined {
  if (origin === 'null') return 'null'
  const theirs = /^https?:/.test(origin) && URL.canParse(origin) ? new URL(origin) : undefined
  const own = ownHost(request)
  if (theirs === undefined || !HOST_SHAPE.test(own)) return 'host'
  // The other way round says nothing: where a proxy ends TLS and Fastify does not know it, https looks like http.
  if (theirs.protocol === 'http:' && isSecure(request.protocol)) return 'protocol'
  return theirs.host === own || isSameHost(theirs, own, request) ? undefined : 'host'
}

/** Compares hosts apart from default ports, and apart from any port where a proxy has left it out. */
function isSameHost(theirs: URL, own: string, request: OriginRequest): boolean {
  if (!URL.canParse(`http://${own}`)) return false
  const { hostname, port } = new URL(`http://${own}`)
  if (hostname !== theirs.hostname) return false
  const isPortKnown = port !== '' && port !== HTTPS_PORT
  // A browser sends a cookie to every port of its host anyway. A proxy that Fastify trusts, like nginx with
  // `Host $host`, may drop the port.
  return isPortKnown ? port === theirs.port : theirs.port === '' || (!/:\d+$/.test(own) && isForwarded(request))
}

/**
 * Tells whether a proxy passed the request on, to an app that trusts a proxy. A form and a WebSocket cannot send these
 * headers, and `fetch` needs the app's permission.
 */
function isForwarded({ raw, ips }: OriginRequest): boolean {
  return ips !== undefined && FORWARDING_HEADERS.some((name) => raw.headers[name] !== undefined)
}

/** Proxies that take a WebSocket's scheme for its protocol say `wss`. */
function isSecure(protocol: string): boolean {
  return protocol === 'https' || protocol === 'wss'
}

/** A header that came twice is a list, and equal to nothing that is compared here. */
function singleOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}
