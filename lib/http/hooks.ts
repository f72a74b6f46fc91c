import type { FastifyReply, FastifyRequest, onRequestHookHandler, onSendHookHandler } from 'fastify'
import { SecureSessionError } from '../errors.ts'
import type { Engine } from '../session/engine.ts'
import type { PresentedId } from '../session/id.ts'
import type { Loaded } from '../session/load-session.ts'
import { loadSession } from '../session/load-session.ts'
import { RequestSession } from '../session/request-session.ts'
import type { Answer } from '../storage/immediate.ts'
import { isCrossOrigin } from './cross-origin.ts'
import { findCookie } from './read-cookie.ts'
import type { SessionRequest } from './request-slot.ts'
import { holdSession, isOptedOut, markAnswered, SLOT } from './request-slot.ts'
import { isWebResponse, takeSharedHeaders } from './web-response.ts'
import { writeCookie } from './write-cookie.ts'

/** Returns a hook that refuses requests from another site's page, before anything is read for them. */
export function refuseCrossOrigin({ settings }: Engine): onRequestHookHandler {
  return (request, _reply, done) => {
    const { method = '', headers } = request.raw
    const isRefused =
      isCrossOrigin(method, headers, settings.trustedOrigins) &&
      request.routeOptions.config?.crossOriginProtection !== false
    if (isRefused) fail(request, new SecureSessionError('SESSION_CROSS_ORIGIN'), done)
    else done()
  }
}

/** Returns a hook that follows the cookie to a session. Without a cookie, or on a route that opted out, no store is asked. */
export function loadRequestSession(engine: Engine): onRequestHookHandler {
  const { name } = engine.settings.cookie
  return (request, _reply, done) => {
    const place = request as SessionRequest
    const { cookie } = request.raw.headers
    if (isOptedOut(request)) place[SLOT] = 'opted-out'
    else place[SLOT] = 'anonymous'
    // A header that does not even mention the name costs no more than this.
    if (place[SLOT] === 'opted-out' || cookie === undefined || !cookie.includes(name)) return done()
    const hold = (loaded: Loaded): void => {
      holdSession(engine, request, loaded)
      done()
    }
    let loaded: Answer<Loaded> | undefined
    try {
      const id = presentedId(engine, cookie, request.raw.socket)
      loaded = id && loadSession(engine, id)
    } catch (error) {
      return fail(request, error as Error, done)
    }
    if (loaded === undefined) done()
    // Later hooks run inside `hold`. What they throw is theirs, so it is passed on and does not become a failure to load.
    else if (loaded instanceof Promise) loaded.then(hold, (error: Error) => fail(request, error, done)).catch(done)
    else hold(loaded)
  }
}

/** Returns the id in a `Cookie` header, if this app made it. Events tell of a duplicate or forged one. */
function presentedId({ settings, ids, events }: Engine, header: string, connection: object): PresentedId | undefined {
  const { count, value } = findCookie(header, settings.cookie.name)
  if (count === 0) return undefined
  if (count > 1) {
    events.emit({ type: 'duplicate', count })
    return undefined
  }
  const id = ids.read(value, connection)
  if (typeof id === 'object') return id
  events.emit({ type: 'forged', reason: id })
  return undefined
}

/** Refuses a request. From here on nobody knows whose request it is, and its error page may not take it for anonymous. */
function fail(request: FastifyRequest, error: Error, done: (error: Error) => void): void {
  ;(request as SessionRequest)[SLOT] = error
  done(error)
}

/** Returns a hook that writes what was staged, before the first byte leaves, and puts the cookie into the response. */
export function finishSession(engine: Engine): onSendHookHandler {
  return (request, reply, payload, done) => {
    const session = (request as SessionRequest)[SLOT]
    if (!(session instanceof RequestSession)) {
      markAnswered(request)
      return done(null, payload)
    }
    // An error of a later hook brings the reply here a second time.
    const isRepeated = session.isAnswered
    const end = (error?: Error): void => {
      const sent = error === undefined && isWebResponse(payload) ? takeSharedHeaders(reply, payload) : payload
      writeCookie(reply, engine.settings, session.response, isRepeated)
      if (error === undefined) done(null, sent)
      else done(error)
    }
    const isFailure = statusOf(reply, payload) >= 500
    if (isFailure || session.hasWork) {
      // What the response itself throws, such as a header that cannot be sent, has no other caller.
      session
        .finish(isFailure)
        .then(() => end(), end)
        .catch(done)
      return
    }
    session.markAnswered()
    end()
  }
}

/** Returns the status of the response. A web `Response` brings its own, which Fastify applies after the hooks. */
function statusOf(reply: FastifyReply, payload: unknown): number {
  return isWebResponse(payload) ? payload.status : reply.statusCode
}
