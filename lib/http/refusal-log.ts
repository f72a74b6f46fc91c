import type { FastifyRequest } from 'fastify'
import type { Refusal } from './cross-origin.ts'

/**
 * The most characters of a text that the log shows. No host has a longer name, and a longer text comes from somebody
 * who wants to fill the log.
 */
const MAX_SHOWN = 300

/** The causes of `Origin: null` that an app itself can have, for the answer and for the log. */
export const NULL_ORIGIN =
  'the browser sent Origin: null, as it does over plain http for a page with Referrer-Policy: no-referrer, and for a sandboxed frame'

/** Writes one line that says what was compared with what. Holds origins only: no cookie, no path, no other header. */
export function logRefusal(request: FastifyRequest, refusal: Refusal, isAllowedByCors: boolean): void {
  const { site, reason } = refusal
  const compared = { reason, site: shown(site), origin: shown(refusal.origin), own: refusal.own.slice(0, MAX_SHOWN) }
  const text = [TEXTS[reason](compared), ...hintsOf(request, refusal, isAllowedByCors)].join('. ')
  request.log.info({ crossOrigin: compared }, `SESSION_CROSS_ORIGIN: ${text}.`)
}

/** Sentences that name the two sides of the comparison, by the reason of a refusal. */
const TEXTS: Readonly<Record<Refusal['reason'], (refusal: Refusal) => string>> = {
  site: ({ site, origin = '(none sent)', own }) =>
    `Sec-Fetch-Site is ${site}, and trustedOrigins does not list the Origin ${origin}; this app is ${own}`,
  null: ({ own }) =>
    `Origin null was compared with ${own}: ${NULL_ORIGIN}. Send Referrer-Policy: same-origin with your pages, or use https`,
  protocol: ({ origin, own }) =>
    `Origin ${origin} was compared with ${own}: a page over plain http may not send a request over https`,
  host: ({ origin, own }) =>
    `Origin ${origin} was compared with ${own}, host and protocol as Fastify sees them, and with trustedOrigins`,
}

/** Says what else is at fault, where that shows. */
function hintsOf({ raw, host, ips }: FastifyRequest, { reason }: Refusal, isAllowedByCors: boolean): string[] {
  if (isAllowedByCors) return ['CORS lets this origin in: list it in trustedOrigins too']
  if (reason !== 'host') return []
  const forwarded = raw.headers['x-forwarded-host']
  if (forwarded === undefined) {
    return ['A proxy that rewrites Host has to send X-Forwarded-Host, and Fastify has to trust it: trustProxy']
  }
  const entries = String(forwarded).split(',')
  if (entries.at(-1)?.trim() !== host) {
    const cause =
      ips === undefined ? 'trustProxy is off' : `trustProxy lacks ${raw.socket.remoteAddress ?? 'the unix socket'}`
    return [`Fastify does not believe X-Forwarded-Host: ${cause}`]
  }
  return entries.length === 1
    ? []
    : ['Fastify takes the last entry of X-Forwarded-Host: let the last proxy pass the header on as it came']
}

/** Bounds what came from outside. */
function shown(text: string | undefined): string | undefined {
  return text?.slice(0, MAX_SHOWN)
}
