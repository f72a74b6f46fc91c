import type { FastifyReply, FastifyRequest, onRequestHookHandler, onSendHookHandler } from 'fastify'
import type { Engine } from '../session/engine.ts'
import type { PresentedId } from '../session/id.ts'
import type { Loaded } from '../session/load-session.ts'
import { goneSince, loadSession, NONE } from '../session/load-session.ts'
import { RequestSession } from '../session/request-session.ts'
import type { Answer } from '../storage/immediate.ts'
import { afterwards } from '../storage/immediate.ts'
import { failCleanly } from './clean-error.ts'
import { writeBinding } from './device-cookie.ts'
import { foreignVariants } from './cookie-variants.ts'
import { ownHost } from './cross-origin.ts'
import { endPayload } from './end-payload.ts'
import { idInHeader } from './header-id.ts'
import { watchHead } from './late-head.ts'
import type { OldCookies } from './old-cookies.ts'
import { isNobody } from './old-cookies.ts'
import { judgeValue, presentedId } from './presented-id.ts'
import type { SessionRequest } from './request-slot.ts'
import {
  afterClose,
  HAS_DUPLICATES,
  IS_BY_HEADER,
  holdSession,
  isOptedOut,
  markAnswered,
  refuseRequest,
  REPLY,
  RequestClient,
  SLOT,
} from './request-slot.ts'
import { SeenValues } from './seen-values.ts'
import { isStream, isWebResponse, takeSharedHeaders } from './web-response.ts'
import { clearVariants, writeCookie } from './write-cookie.ts'

/**
 * Returns a hook that follows the cookie to a session. Without a cookie, or on a route that opted out, no store is
 * asked.
 */
export function loadRequestSession(engine: Engine, old?: OldCookies): onRequestHookHandler {
  const {
    cookie: { name },
    headerTransport,
  } = engine.settings
  const { headerIds } = engine
  const seen = new SeenValues(engine.settings.clock)
  return (request, reply, done) => {
    const place = request as SessionRequest
    const { headers } = request.raw
    place[REPLY] = reply
    // A refusal waits for the hook of CORS.
    if (place[SLOT] instanceof Error) return done()
    if (isOptedOut(request)) place[SLOT] = 'opted-out'
    else place[SLOT] = 'anonymous'
    if (place[SLOT] === 'opted-out') return done()
    const inHeader = headerIds && idInHeader(headers, headerTransport)
    if (headerIds !== undefined && inHeader !== undefined) {
      place[IS_BY_HEADER] = true
      const client = new RequestClient(request)
      const presented = judgeValue(engine, headerIds, seen, inHeader, request.raw.socket)
      return enter({ engine, request, reply, client, done }, () => follow(engine, presented, client))
    }
    const { cookie } = headers
    if (cookie === undefined) return done()
    const hasOld = old?.areIn(cookie) === true
    // A header that does not even mention the name costs no more than this.
    if (!hasOld && !cookie.includes(name)) return done()
    const client = new RequestClient(request)
    const presented = presentedId(engine, seen, cookie, request.raw.socket)
    if (presented === 'duplicate') {
      place[HAS_DUPLICATES] = true
      return done()
    }
    enter({ engine, request, reply, client, done }, () =>
      afterwards(follow(engine, presented, client), (loaded) =>
        hasOld && isNobody(loaded) ? old.moveIn(request, cookie, client, loaded) : loaded,
      ),
    )
  }
}

/** A request whose session is loaded. */
interface Entering {
  readonly engine: Engine
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly client: RequestClient
  readonly done: (error?: Error) => void
}

/** Puts the session into the request once it is loaded, and lets the request go on. */
function enter({ engine, request, reply, client, done }: Entering, load: () => Answer<Loaded>): void {
  const goOn = (loaded: Loaded): void => {
    if (loaded.state !== 'none') holdSession(engine, request, loaded, client)
    done()
  }
  const refuse = (error: Error): void => done(refuseRequest(request, reply, error))
  let answer: Answer<Loaded>
  try {
    answer = load()
  } catch (error) {
    return refuse(error as Error)
  }
  // Later hooks run inside `goOn`. What they throw is theirs, so it is passed on and does not become a failure to load.
  if (answer instanceof Promise) answer.then(goOn, refuse).catch(done)
  else goOn(answer)
}

/** Follows what was presented to a session. */
function follow(engine: Engine, presented: PresentedId | 'none' | 'obsolete', client: RequestClient): Answer<Loaded> {
  if (presented === 'none') return NONE
  return presented === 'obsolete' ? goneSince(engine.settings.clock()) : loadSession(engine, presented, client)
}

/** Returns a hook that writes what was staged, before the first byte leaves, and puts the cookie into the response. */
export function finishSession(engine: Engine): onSendHookHandler {
  return (request, reply, payload, done) => {
    const place = request as SessionRequest
    const session = place[SLOT]
    if (!(session instanceof RequestSession)) {
      markAnswered(request)
      clearDuplicates(engine, request, reply)
      return done(null, payload)
    }
    const ending = endingOf(engine, { request, reply, payload, session, done })
    const isFailure = statusOf(reply, payload) >= 500
    const hasWork = session.hasWork
    session.markAnswered(afterClose(reply))
    if (isFailure || hasWork) {
      // A header that cannot be sent throws out of `done`, and the promise is the only caller.
      const carrier = isStream(payload) ? 'stream' : 'reply'
      session.finish(isFailure, carrier).then(ending.send, ending.refuse).catch(ending.fail)
      return
    }
    ending.send()
  }
}

/** The arguments of an `onSend` hook, and the session. */
interface Sending {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly payload: unknown
  readonly session: RequestSession
  readonly done: (error: Error | null, payload?: unknown) => void
}

/** The ways in which a response can end. */
interface Ending {
  /** The payload is sent as it is. */
  readonly send: () => void
  /** The session could not be written, so an error takes the place of the payload. */
  readonly refuse: (error: Error) => void
  /** The response itself cannot be sent. */
  readonly fail: (error: Error) => void
}

function endingOf(engine: Engine, { request, reply, payload, session, done }: Sending): Ending {
  // An error of a later hook brings the reply here a second time.
  const isRepeated = session.isAnswered
  const write = (): void => {
    const { response } = session
    writeCookie(reply, engine.settings, response, isRepeated)
    if (engine.device !== undefined) writeBinding(reply, engine, engine.device, response)
    clearDuplicates(engine, request, reply)
    const hasNews = response.cookie !== undefined || response.renewedId !== undefined
    if (session.before !== undefined || hasNews) watchHead(reply, engine.settings, session)
  }
  const fail = (error: Error): void => {
    endPayload(payload)
    done(failCleanly(reply, error))
  }
  const send = (): void => {
    let sent: unknown = payload
    try {
      if (isWebResponse(payload)) sent = takeSharedHeaders(reply, payload)
      write()
    } catch (error) {
      return fail(error as Error)
    }
    done(null, sent)
  }
  const refuse = (error: Error): void => {
    endPayload(payload)
    failCleanly(reply, error)
    write()
    done(error)
  }
  return { send, refuse, fail }
}

/** Clears what other settings left behind, where a request showed that there is such a cookie. */
function clearDuplicates({ settings }: Engine, request: FastifyRequest, reply: FastifyReply): void {
  const place = request as SessionRequest
  if (!place[HAS_DUPLICATES]) return
  place[HAS_DUPLICATES] = false
  clearVariants(reply, settings, foreignVariants(settings.cookie, ownHost(request), request.url))
}

/** Returns the status of the response. A web `Response` brings its own, which Fastify applies after the hooks. */
function statusOf(reply: FastifyReply, payload: unknown): number {
  return isWebResponse(payload) ? payload.status : reply.statusCode
}
