import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply } from 'fastify'
import { isCacheControl } from './cache-headers.ts'
import type { RequestSession } from '../session/request-session.ts'

/** Puts what the session decided into the response: the cookie, and who may cache it. */
export function answer(reply: FastifyReply, session: RequestSession): void {
  const decided = session.answer
  if (session.isInHeaders) takeCookieBack(reply, session)
  if (decided !== undefined) {
    const { name } = session.parts.settings.cookie
    const attributes = cookieAttributes(session)
    if (decided.kind === 'set') reply.setCookie(name, decided.value, attributes)
    else reply.clearCookie(name, attributes)
    forbidCaching(reply)
  }
  session.isInHeaders = decided !== undefined
  if (session.isRead) varyByCookie(reply)
  if (session.isLoggedOut && session.parts.settings.clearSiteData) {
    reply.header('clear-site-data', '"cache", "storage"')
  }
}

/**
 * The attributes, each of them named, so that defaults which the app gave to @fastify/cookie reach this cookie neither when it
 * is set nor when it is cleared. A browser clears only what carries the same ones.
 */
function cookieAttributes(session: RequestSession): CookieSerializeOptions {
  const { cookie, clock } = session.parts.settings
  const { record } = session
  const isKept = session.answer?.kind === 'set' && record?.remember === true
  const attributes: { [Name in keyof CookieSerializeOptions]: CookieSerializeOptions[Name] | undefined } = {
    domain: cookie.domain,
    path: cookie.path,
    secure: cookie.secure,
    httpOnly: cookie.httpOnly,
    sameSite: cookie.sameSite,
    partitioned: cookie.partitioned,
    priority: cookie.priority,
    expires: undefined,
    maxAge: isKept ? Math.floor((record.absoluteDeadline - clock()) / 1000) : undefined,
    signed: false,
    encode: verbatim,
  }
  // The types of @fastify/cookie do not foresee a key that is there and undefined, which is the point here.
  return attributes as CookieSerializeOptions
}

function verbatim(value: string): string {
  return value
}

/** Removes what an earlier try at this response said about the cookie: that try failed, and this one has its own word. */
function takeCookieBack(reply: FastifyReply, session: RequestSession): void {
  const { name } = session.parts.settings.cookie
  const others = [reply.getHeader('set-cookie') ?? []].flat().filter((line) => !String(line).startsWith(`${name}=`))
  reply.removeHeader('set-cookie')
  if (others.length > 0) reply.header('set-cookie', others)
}

/** To every cache that a header of this response speaks to. */
function forbidCaching(reply: FastifyReply): void {
  reply.header('cache-control', 'no-store')
  for (const name of Object.keys(reply.getHeaders())) if (isCacheControl(name)) reply.header(name, 'no-store')
}

function varyByCookie(reply: FastifyReply): void {
  const present = reply.getHeader('vary')
  if (present === undefined) {
    reply.header('vary', 'Cookie')
    return
  }
  const fields = String(present)
  const names = fields.split(',').map((name) => name.trim().toLowerCase())
  if (names.includes('*') || names.includes('cookie')) return
  reply.header('vary', `${fields}, Cookie`)
}
