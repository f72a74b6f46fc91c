import type { FastifyReply } from 'fastify'
import type { RequestSession } from '../session/request-session.ts'
import { removeOffer } from './device-cookie.ts'
import { removeRenewed } from './header-id.ts'
import { removeCookie } from './write-cookie.ts'

type WriteHead = (statusCode: number, ...rest: unknown[]) => unknown

/**
 * Looks again at a response when its headers are written, which may be long after the hooks: a stream's wait for its
 * first byte.
 *
 * - A later hook, or a helper of the reply, may have turned the response into a failure. Then the cookie is taken out
 *   of the headers before they leave, and what was written is taken back.
 * - A renewed id, or the clearing of a dead one, may come too late. Then it is taken out, because a login may have set
 *   a newer cookie meanwhile.
 */
export function watchHead(reply: FastifyReply, cookieName: string, session: RequestSession): void {
  const { raw } = reply
  const writeHead = raw.writeHead.bind(raw) as WriteHead
  const watched: WriteHead = (statusCode, ...rest) => {
    Reflect.deleteProperty(raw, 'writeHead')
    const isFailed = statusCode >= 500 && session.canBeTakenBack
    const { cookie, renewedId } = session.response
    if (isFailed || cookie === undefined) removeCookie(reply, cookieName)
    if (isFailed || renewedId === undefined) removeRenewed(reply)
    if (isFailed) removeOffer(reply)
    // The session reports its own failures, and the response is a failure already.
    if (isFailed) void session.takeBack()
    return writeHead(statusCode, ...rest)
  }
  Object.assign(raw, { writeHead: watched })
}
