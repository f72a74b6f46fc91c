import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply } from 'fastify'
import type { Settings } from '../options.ts'
import type { CookieChange } from '../session/cookie-change.ts'
import type { SessionResponse } from '../session/request-state.ts'
import { isCacheControl } from './cache-headers.ts'
import type { CookieVariant } from './cookie-variants.ts'
import { RENEWED, removeRenewed } from './header-id.ts'

/**
 * Puts the session's cookie into the response, and tells caches who may keep the response.
 * @param isRepeated Whether an earlier attempt at this response may have put a cookie there. That attempt failed.
 */
export function writeCookie(
  reply: FastifyReply,
  settings: Settings,
  { cookie, renewedId, isTokenRead, isRead, isLoggedOut }: SessionResponse,
  isRepeated: boolean,
): void {
  const { name } = settings.cookie
  if (isRepeated) {
    removeCookie(reply, name)
    removeRenewed(reply)
  }
  if (renewedId !== undefined) reply.header(RENEWED, renewedId)
  if (renewedId !== undefined || isTokenRead) forbidCaching(reply)
  if (cookie !== undefined) {
    const attributes = cookieAttributes(settings, cookie)
    if (cookie.kind === 'set') reply.setCookie(name, cookie.value, attributes)
    else reply.clearCookie(name, attributes)
    forbidCaching(reply)
  }
  if (isRead) varyBy(reply, 'Cookie')
  if (isRead && settings.headerTransport !== undefined) varyBy(reply, settings.headerTransport.header)
  if (isLoggedOut && settings.clearSiteData) reply.header('clear-site-data', '"cache", "storage"')
}

/**
 * Clears the cookies of the session's name that other settings left behind, so that the next request has one at the
 * most.
 */
export function clearVariants(reply: FastifyReply, settings: Settings, variants: readonly CookieVariant[]): void {
  const { name } = settings.cookie
  const attributes = cookieAttributes(settings, { kind: 'clear' })
  for (const variant of variants) reply.clearCookie(name, { ...attributes, ...variant } as CookieSerializeOptions)
  if (variants.length > 0) forbidCaching(reply)
}

/**
 * Returns the attributes, each of them named. Defaults that the app gave to @fastify/cookie must not reach this cookie.
 * A browser clears a cookie only if the clearing has the attributes with which the cookie was set.
 */
export function cookieAttributes({ cookie, clock }: Settings, change: CookieChange): CookieSerializeOptions {
  const expiresAt = change.kind === 'set' ? change.expiresAt : undefined
  const attributes: { [Name in keyof CookieSerializeOptions]: CookieSerializeOptions[Name] | undefined } = {
    domain: cookie.domain,
    path: cookie.path,
    secure: cookie.secure,
    httpOnly: cookie.httpOnly,
    sameSite: cookie.sameSite,
    partitioned: cookie.partitioned,
    priority: cookie.priority,
    expires: undefined,
    maxAge: expiresAt === undefined ? undefined : Math.floor((expiresAt - clock()) / 1000),
    signed: false,
    encode: verbatim,
  }
  // The types of @fastify/cookie do not foresee a key that is there and undefined, which is the point here.
  return attributes as CookieSerializeOptions
}

function verbatim(value: string): string {
  return value
}

/** Tells whether a response sets a cookie of this name. */
export function isCookieSet(reply: FastifyReply, name: string): boolean {
  return [reply.getHeader('set-cookie') ?? []].flat().some((line) => String(line).startsWith(`${name}=`))
}

/** Removes the session cookie from a response that was prepared before. */
export function removeCookie(reply: FastifyReply, name: string): void {
  const lines = [reply.getHeader('set-cookie') ?? []].flat().map(String)
  const others = lines.filter((line) => !line.startsWith(`${name}=`))
  if (others.length === lines.length) return
  // Fastify has copied the headers of a stream to the raw response before its first byte.
  const isCopied = reply.raw.hasHeader('set-cookie')
  reply.removeHeader('set-cookie')
  if (others.length === 0) return
  reply.header('set-cookie', others)
  if (isCopied) reply.raw.setHeader('set-cookie', others)
}

/** Puts another session cookie, or none, into a response that was prepared before. */
export function replaceCookie(reply: FastifyReply, settings: Settings, change: CookieChange | undefined): void {
  // Fastify has copied the headers of a stream to the raw response before its first byte.
  const isCopied = reply.raw.hasHeader('set-cookie')
  removeCookie(reply, settings.cookie.name)
  if (change?.kind !== 'set') return
  reply.setCookie(settings.cookie.name, change.value, cookieAttributes(settings, change))
  if (isCopied) reply.raw.setHeader('set-cookie', [reply.getHeader('set-cookie')].flat().map(String))
}

/** Forbids caching to every cache that a header of this response speaks to. */
export function forbidCaching(reply: FastifyReply): void {
  reply.header('cache-control', 'no-store')
  for (const name of Object.keys(reply.getHeaders())) if (isCacheControl(name)) reply.header(name, 'no-store')
}

function varyBy(reply: FastifyReply, header: string): void {
  const present = String(reply.getHeader('vary') ?? '')
  if (present === '') return void reply.header('vary', header)
  const names = present.split(',').map((name) => name.trim().toLowerCase())
  if (!names.includes('*') && !names.includes(header.toLowerCase())) reply.header('vary', `${present}, ${header}`)
}
