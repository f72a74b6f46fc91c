import type { FastifyReply } from 'fastify'
import type { Settings } from '../options.ts'
import type { RequestSession } from '../session/request-session.ts'
import { removeOffer } from './device-cookie.ts'
import { removeRenewed } from './header-id.ts'
import { removeCookie, replaceCookie } from './write-cookie.ts'

type WriteHead = (statusCode: number, ...rest: unknown[]) => unknown

/**
 * Looks again at a response when its headers are written. This may be long after the hooks, because the headers of a
 * stream wait for its first byte.
 *
 * - A later hook, or a helper of the reply, may have turned the response into a failure. Then the cookie is taken out
 *   of the headers before they leave, and what was written is taken back.
 * - A renewed id, or the clearing of a dead one, may come too late. Then it is taken out, because a login may have set
 *   a newer cookie meanwhile.
 */
export function watchHead(reply: FastifyReply, settings: Settings, session: RequestSession): void {
  const { raw } = reply
  const writeHead = raw.writeHead.bind(raw) as WriteHead
  const watched: WriteHead = (statusCode, ...rest) => {
    // A property that is deleted makes every later access to the response slower.
    Object.assign(raw, { writeHead })
    const before = statusCode >= 500 ? session.before : undefined
    const isFailed = before !== undefined
    const { cookie, renewedId } = session.response
    // The cookie of a session that moved in does not go with the failure, because its old cookie is used up.
    if (before !== undefined) replaceCookie(reply, settings, before.cookie)
    else if (cookie === undefined) removeCookie(reply, settings.cookie.name)
    if (isFailed || renewedId === undefined) removeRenewed(reply)
    if (isFailed) removeOffer(reply)
    // The session reports its own failures, and the response is a failure already.
    if (isFailed) void session.takeBack()
    return writeHead(statusCode, ...rest)
  }
  Object.assign(raw, { writeHead: watched })
}
