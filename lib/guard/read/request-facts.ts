import type { RequestFacts } from './phase-facts.ts'

/** The part of a Fastify request that shows its way through proxies. */
export interface WireRequest {
  readonly protocol: string
  readonly hostname: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Fastify gives the addresses of the proxies only with `trustProxy`. */
  readonly ips?: readonly string[] | undefined
  readonly socket?: { readonly remoteAddress?: string | undefined } | null
}

/** Facts of a request that shows nothing worth a word. */
export const QUIET_REQUEST: RequestFacts = {
  protocol: 'https',
  hostname: 'localhost',
  forwardedProto: [],
  unreadProto: null,
  trustProxy: 'off',
  peer: null,
  fastifyVersion: '5',
  hasSessionCookie: false,
  sessionCookies: 0,
  refusedOrigin: null,
}

/** Headers by which proxies say https, and that Fastify does not read, with the value that says so. */
const UNREAD_HEADERS: readonly (readonly [name: string, https: RegExp])[] = [
  ['Forwarded', /proto="?https/i],
  ['CF-Visitor', /"scheme"\s*:\s*"https"/i],
  ['X-Forwarded-Ssl', /^on$/i],
  ['X-ARR-SSL', /./],
  ['Front-End-Https', /^on$/i],
  ['X-Forwarded-Scheme', /^https$/i],
  ['X-Forwarded-Protocol', /^(https|ssl)$/i],
  ['X-Scheme', /^https$/i],
  ['X-Url-Scheme', /^https$/i],
  ['CloudFront-Forwarded-Proto', /^https$/i],
  ['X-AppEngine-Https', /^on$/i],
  ['Fastly-SSL', /^1$/],
  ['X-Forwarded-Port', /^443$/],
]

/** The longest chain of proxies. A longer header comes from somebody else. */
const MAX_ENTRIES = 8

/** The longest name of a protocol. */
const MAX_NAME = 16

/**
 * Reads the way that a request came.
 *
 * @param app The Fastify app; its version, and how it was told to trust proxies, are read from it.
 */
export function requestFactsOf(
  request: WireRequest,
  app: { version: string },
  hasSessionCookie: boolean,
): RequestFacts {
  return {
    ...QUIET_REQUEST,
    protocol: request.protocol,
    hostname: request.hostname,
    forwardedProto: entriesOf(request.headers['x-forwarded-proto']),
    unreadProto: unreadProtoOf(request.headers),
    trustProxy: trustOf(request, app),
    peer: request.socket?.remoteAddress?.replace(/^::ffff:/, '') ?? null,
    fastifyVersion: app.version,
    hasSessionCookie,
  }
}

function entriesOf(header: string | string[] | undefined): string[] {
  const entries = textOf(header).split(',', MAX_ENTRIES)
  return entries.map((entry) => entry.trim().toLowerCase().slice(0, MAX_NAME)).filter((entry) => entry !== '')
}

function unreadProtoOf(headers: WireRequest['headers']): string | null {
  const found = UNREAD_HEADERS.find(([name, https]) => https.test(textOf(headers[name.toLowerCase()])))
  return found === undefined ? null : found[0]
}

function textOf(header: string | string[] | undefined): string {
  return header === undefined ? '' : String(header)
}

function trustOf({ ips }: WireRequest, app: object): RequestFacts['trustProxy'] {
  if (ips === undefined) return 'off'
  return typeof trustProxyOption(app) === 'number' ? 'hop-count' : 'on'
}

/**
 * Fastify keeps its options under a symbol, and `initialConfig` leaves this one out; without it, the number is not
 * seen.
 */
function trustProxyOption(app: object): unknown {
  const symbol = Object.getOwnPropertySymbols(app).find(({ description }) => description === 'fastify.options')
  const options: unknown = symbol === undefined ? undefined : Reflect.get(app, symbol)
  return typeof options === 'object' && options !== null ? Reflect.get(options, 'trustProxy') : undefined
}

/** Addresses of nobody (RFC 5737, RFC 3849), at any distance. */
const STRANGERS = [
  ['192.0.2.7', 0],
  ['203.0.113.7', 9],
  ['2001:db8::7', 0],
  ['2001:db8::7', 9],
] as const

/** Tells whether Fastify believes the forwarding headers of anybody. */
export function trustsEverybody(app: object): boolean {
  const option = trustProxyOption(app)
  return option === true || (typeof option === 'function' && STRANGERS.every((stranger) => isTrusted(option, stranger)))
}

function isTrusted(trust: Function, stranger: readonly [address: string, hop: number]): boolean {
  try {
    return Reflect.apply(trust, undefined, stranger) === true
  } catch {
    return false
  }
}
