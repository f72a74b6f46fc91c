import type { FastifyReply, FastifyRequest } from 'fastify'
import { SecureSessionError } from '../errors.ts'
import type { Settings } from '../options.ts'
import type { DeviceProofs } from '../session/device-bound/proofs.ts'
import type { Engine } from '../session/engine.ts'
import type { RequestSession } from '../session/request-session.ts'
import { isPage } from './login-redirect.ts'
import { cookieAttributes, forbidCaching } from './write-cookie.ts'

/** The header that asks a browser to bind the session of a login to its device. */
const OFFER = 'secure-session-registration'

/** The time after a login in which a page waits for the binding, in milliseconds. */
const WAIT = 10_000

/**
 * Adds to a response what the protocol of device-bound sessions needs. A login offers the browser to register a key. A
 * response that clears the session cookie clears the bound cookie too, so that the browser asks and learns of the end.
 * A response to a bound cookie that no longer counts clears it too. Otherwise the browser would send this cookie until
 * its end. Such a cookie exists after the app shortened the lifetime, or after its clock was set back.
 */
export function writeBinding(
  reply: FastifyReply,
  { settings }: Engine,
  device: DeviceProofs,
  { response: { cookie }, facts }: Pick<RequestSession, 'response' | 'facts'>,
): void {
  removeOffer(reply)
  if (cookie?.kind === 'set' && cookie.binds !== undefined && isOverHttps(settings, reply.request)) {
    const { handle, epoch } = cookie.binds
    const challenge = device.offer(handle, epoch, settings.clock())
    reply.header(OFFER, `(ES256);path="${device.settings.path}/register";challenge="${challenge}"`)
  }
  const hasBound = reply.request.raw.headers.cookie?.includes(device.cookieName) === true
  if (!hasBound || (cookie?.kind !== 'clear' && !facts.isUnproven)) return
  reply.clearCookie(device.cookieName, cookieAttributes(settings, { kind: 'clear' }))
  forbidCaching(reply)
}

/** Takes the offer out of a response that failed. */
export function removeOffer(reply: FastifyReply): void {
  reply.removeHeader(OFFER)
  // Fastify has copied the headers of a stream to the raw response before its first byte.
  if (!reply.raw.headersSent) reply.raw.removeHeader(OFFER)
}

/** Puts the bound cookie into a response. Its attributes are those of the session cookie, and its life is short. */
export function setBoundCookie(reply: FastifyReply, settings: Settings, device: DeviceProofs, value: string): void {
  const { maxAge, cookieName } = device
  reply.setCookie(cookieName, value, { ...cookieAttributes(settings, { kind: 'clear' }), maxAge })
}

/** Returns the attributes of the bound cookie as a browser compares them. Its life is no part of them. */
export function boundAttributes({ cookie }: Settings): string {
  const { domain, path, httpOnly, sameSite, partitioned } = cookie
  const parts = [
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    `Path=${path}`,
    'Secure',
    ...(httpOnly ? ['HttpOnly'] : []),
    `SameSite=${sameSite.charAt(0).toUpperCase()}${sameSite.slice(1)}`,
    ...(partitioned ? ['Partitioned'] : []),
  ]
  return parts.join('; ')
}

/**
 * Returns the error for a session without a binding. A page loads again in a second if the login is so recent that the
 * browser may still be at work on the binding.
 */
export function deviceRequired(
  { settings }: Engine,
  request: FastifyRequest,
  reply: FastifyReply | undefined,
  session: RequestSession,
): SecureSessionError {
  const isEarly = isPage(request) && session.facts.isFresh(WAIT) && isOverHttps(settings, request)
  if (isEarly) reply?.header('refresh', '1')
  return new SecureSessionError('SESSION_DEVICE_REQUIRED')
}

/**
 * Lets a page that came without the proof load again at once, if a link of another site led there. A browser gives no
 * proof for such a request, and does for the next one. Returns whether the page loads again.
 */
export function reloadAfterLink(request: FastifyRequest, reply: FastifyReply, session: RequestSession): boolean {
  const isAfterLink = request.headers['sec-fetch-site'] === 'cross-site' && isPage(request)
  if (isAfterLink && session.facts.isUnproven) reply.header('refresh', '0')
  return isAfterLink && session.facts.isUnproven
}

/**
 * Tells whether a browser sees https. Behind a proxy that Fastify does not know, only the option says so. Tests send
 * their requests over no connection at all.
 */
function isOverHttps({ cookie, environment }: Settings, { protocol }: FastifyRequest): boolean {
  return cookie.secure === true || protocol === 'https' || environment === 'test'
}
