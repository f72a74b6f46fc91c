import type { FastifyReply, onRequestHookHandler, onSendHookHandler } from 'fastify'
import { answer } from './write-cookie.ts'
import type { Answer } from '../storage/immediate.ts'
import type { SessionRequest } from './request-slot.ts'
import { ANSWERED, holdSession, isOptedOut, OPTED_OUT, REFUSED, SESSION } from './request-slot.ts'
import { failCleanly } from './clean-error.ts'
import { endPayload } from './end-payload.ts'
import type { Loaded } from '../session/load.ts'
import { load, mentionsSession } from '../session/load.ts'
import type { Parts } from '../session/parts.ts'
import { isWebResponse, takeSharedHeaders } from './web-response.ts'

/** Follows the cookie to a session. Without one, or on a route that opted out, nothing happens at all. */
export function loadSession(parts: Parts): onRequestHookHandler {
  return (request, reply, done) => {
    const { cookie } = request.raw.headers
    if (!mentionsSession(parts, cookie) || (request as SessionRequest)[REFUSED] !== undefined) return done()
    if (isOptedOut(request)) {
      ;(request as SessionRequest)[OPTED_OUT] = true
      return done()
    }
    const hold = (loaded: Loaded): void => {
      holdSession(parts, request, loaded)
      done()
    }
    let loaded: Answer<Loaded>
    try {
      loaded = load(parts, cookie, request.raw.socket)
    } catch (error) {
      return done(failCleanly(reply, error as Error))
    }
    // What later hooks throw has no caller here.
    if (loaded instanceof Promise) loaded.then(hold, (error: Error) => done(failCleanly(reply, error))).catch(done)
    else hold(loaded)
  }
}

/** Writes what was staged, before the first byte leaves, and puts the cookie into the response. */
export function finishSession(): onSendHookHandler {
  return (request, reply, payload, done) => {
    const slot = request as SessionRequest
    const session = slot[SESSION]
    slot[ANSWERED] = true
    if (session === null) return done(null, payload)
    const fail = (error: Error): void => {
      endPayload(payload)
      done(failCleanly(reply, error))
    }
    const send = (): void => {
      let sent: unknown = payload
      try {
        if (isWebResponse(payload)) sent = takeSharedHeaders(reply, payload)
        answer(reply, session)
      } catch (error) {
        return fail(error as Error)
      }
      done(null, sent)
    }
    const refuse = (error: Error): void => {
      endPayload(payload)
      failCleanly(reply, error)
      answer(reply, session)
      done(error)
    }
    const isFailure = statusOf(reply, payload) >= 500
    if (isFailure || session.hasWork) {
      // A header that cannot be sent throws out of `done`, and the promise is the only caller.
      session.finish(isFailure).then(send, refuse).catch(fail)
      return
    }
    session.isAnswered = true
    send()
  }
}

/** The status the response will have; a web `Response` brings its own, which Fastify applies only after the hooks. */
function statusOf(reply: FastifyReply, payload: unknown): number {
  return isWebResponse(payload) ? payload.status : reply.statusCode
}
