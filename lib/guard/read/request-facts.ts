import type { RequestFacts } from './phase-facts.ts'

/** As much of a Fastify request as shows the way it came. */
export interface WireRequest {
  readonly protocol: string
  readonly hostname: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Fastify gives the addresses of the proxies only with `trustProxy`. */
  readonly ips?: readonly string[] | undefined
}

/**
 * What a request shows of the way it came.
 *
 * @param app The Fastify app; its version, and how it was told to trust proxies, are read from it.
 */
export function requestFactsOf(request: WireRequest, app: { version: string }): RequestFacts {
  const forwarded = request.headers['x-forwarded-proto']
  const first = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(',', 1)[0]?.trim().toLowerCase()
  return {
    protocol: request.protocol,
    hostname: request.hostname,
    forwardedProto: first === undefined || first === '' ? null : first,
    trustProxy: trustOf(request, app),
    fastifyVersion: app.version,
  }
}

function trustOf({ ips }: WireRequest, app: object): RequestFacts['trustProxy'] {
  if (ips === undefined) return 'off'
  return typeof trustProxyOption(app) === 'number' ? 'hop-count' : 'on'
}

/** Fastify keeps its options under a symbol, and `initialConfig` leaves this one out; without it, the number is not seen. */
export function trustProxyOption(app: object): unknown {
  const symbol = Object.getOwnPropertySymbols(app).find(({ description }) => description === 'fastify.options')
  const options: unknown = symbol === undefined ? undefined : Reflect.get(app, symbol)
  return typeof options === 'object' && options !== null ? Reflect.get(options, 'trustProxy') : undefined
}
