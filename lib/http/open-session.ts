import type { FastifyRequest } from 'fastify'
import { SecureSessionError } from '../errors.ts'
import type { Client, Engine } from '../session/engine.ts'
import type { LiveSession } from '../session/load-session.ts'
import { loadSession, NONE } from '../session/load-session.ts'
import { signalOf } from '../session/session-signal.ts'
import { detailsOf } from '../session/session-info.ts'
import type { Handshake, OpenedSession, SessionUser } from '../../types/index.ts'
import { judgeOrigin } from './cross-origin.ts'
import { idInHeader } from './header-id.ts'
import { isNobody, sessionByOldCookie } from './old-cookies.ts'
import type { Presented } from './presented-id.ts'
import { judgeValue, presentedId } from './presented-id.ts'
import { singleCookie } from './read-cookie.ts'
import { addressOf, userAgentOf } from './request-slot.ts'
import { SeenValues } from './seen-values.ts'
import { isTrustedOrigin } from './trusted-origins.ts'

/** Stands in for the connection of a handshake that has none. */
const NO_CONNECTION = {}

/** Returns `app.sessions.open`, which follows a cookie outside of a Fastify request. */
export function sessionByCookie(
  engine: Engine,
): (from: string | Handshake | undefined) => Promise<OpenedSession | null> {
  const seen = new SeenValues(engine.settings.clock)
  return async (from) => {
    const handshake = handshakeOf(from)
    refuseOtherOrigins(engine, handshake)
    const client = clientOf(handshake)
    const presented = presentedIn(engine, seen, handshake)
    if (presented === 'duplicate') return null
    const loaded = typeof presented === 'string' ? NONE : await loadSession(engine, presented, client)
    if (loaded.state === 'live') return opened(engine, loaded)
    const moved = isNobody(loaded) ? await sessionByOldCookie(engine, cookiesOf(engine, handshake), client) : undefined
    return moved === undefined ? null : opened(engine, moved)
  }
}

function presentedIn(engine: Engine, seen: SeenValues, { headers, socket = NO_CONNECTION }: Handshake): Presented {
  const inHeader = idInHeader(headers, engine.settings.headerTransport)
  if (engine.headerIds !== undefined && inHeader !== undefined) {
    return judgeValue(engine, engine.headerIds, seen, inHeader, socket)
  }
  const cookie = cookiesOf(engine, { headers })
  return cookie === '' ? 'none' : presentedId(engine, seen, cookie, socket)
}

/** Returns the cookies of a handshake that count. With an id in the header none does. */
function cookiesOf({ settings }: Engine, { headers }: Handshake): string {
  return idInHeader(headers, settings.headerTransport) === undefined ? (headers.cookie ?? '') : ''
}

function handshakeOf(from: unknown): Handshake {
  if (from === undefined || typeof from === 'string') return { headers: { cookie: from } }
  const { headers } = (from ?? {}) as { headers?: unknown }
  if (typeof headers === 'object' && headers !== null) return from as Handshake
  throw new SecureSessionError('SESSION_OPTION_INVALID', {
    detail: 'open takes the request of a handshake, or the text of its Cookie header',
  })
}

/**
 * Refuses a handshake that another origin's page sent. Whatever its method, it opens a connection that may go on to
 * change something, as an upgrade does.
 * @throws `SESSION_CROSS_ORIGIN`
 */
function refuseOtherOrigins({ settings }: Engine, { headers, socket }: Handshake): void {
  if (!settings.crossOriginProtection || idInHeader(headers, settings.headerTransport) !== undefined) return
  const raw = { method: 'POST', headers: headers }
  const request = {
    raw,
    headers: raw.headers,
    host: raw.headers.host ?? '',
    protocol: protocolOf(socket),
  }
  // There is no Fastify request. A function as `trustedOrigins` gets its parts that a handshake has.
  const isTrusted = (origin: string): boolean =>
    isTrustedOrigin(settings.trustedOrigins, origin, request as unknown as FastifyRequest)
  if (judgeOrigin(request, isTrusted) !== undefined) throw new SecureSessionError('SESSION_CROSS_ORIGIN')
}

function clientOf({ headers, socket }: Handshake): Client {
  const userAgent = userAgentOf(headers['user-agent'])
  const cookieNamed = (name: string): string => singleCookie(headers.cookie, name)
  return { protocol: protocolOf(socket), userAgent, ip: addressOf(socket?.remoteAddress), cookieNamed }
}

function opened(engine: Engine, { record, checked }: LiveSession): OpenedSession {
  const { signal, release } = signalOf(engine.watch, record, true)
  const { data, ...facts } = detailsOf(record)
  const userOf = (json: string | null): SessionUser | null => (json === null ? null : engine.snapshots.read(json))
  const user = userOf(checked?.user ?? record.user)
  const actor = userOf(checked?.actor?.user ?? record.acting?.user ?? null)
  return { ...facts, user, actor, data, signal, close: release }
}

function protocolOf(socket: Handshake['socket']): string {
  return socket?.encrypted === true ? 'https' : 'http'
}
