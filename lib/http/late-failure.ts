import type { FastifyReply } from 'fastify'
import type { RequestSession } from '../session/request-session.ts'
import { removeCookie } from './write-cookie.ts'

type WriteHead = (statusCode: number, ...rest: unknown[]) => unknown

/**
 * Watches a response whose session was written. A later hook, or a helper of the reply, may still turn it into a failure. Then the
 * cookie is taken out of the headers before they leave, and what was written is taken back.
 */
export function watchLateFailure(reply: FastifyReply, cookieName: string, session: RequestSession): void {
  const { raw } = reply
  const writeHead = raw.writeHead.bind(raw) as WriteHead
  const watched: WriteHead = (statusCode, ...rest) => {
    Reflect.deleteProperty(raw, 'writeHead')
    if (statusCode >= 500 && session.canBeTakenBack) {
      removeCookie(reply, cookieName)
      // The session reports its own failures, and the response is a failure already.
      void session.takeBack()
    }
    return writeHead(statusCode, ...rest)
  }
  Object.assign(raw, { writeHead: watched })
}
