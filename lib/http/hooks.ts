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
  HAS_DUPLICATES,
  IS_BY_HEADER,
  holdSession,
  markAnswered,
  refuseRequest,
  REPLY,
  RequestClient,
  SLOT,
  useOf,
} from './request-slot.ts'
import { SeenValues } from './seen-values.ts'
import { isStream, isWebResponse, takeSharedHeaders } from './web-response.ts'
import { clearVariants, writeCookie } from './write-cookie.ts'

/** The replies of requests that have a session, some of which stay open and end with it. */
export interface Replies {
  /** Notes a request whose session was loaded. */
  note(request: FastifyRequest, reply: FastifyReply, session: RequestSession): void
  /** Forgets the reply of a request, because another one takes its place. */
  release(request: FastifyRequest): void
  /** Sees a reply that Fastify sends, after its session was written. */
  seeSent(request: FastifyRequest, reply: FastifyReply, payload: unknown, session: RequestSession): void
}

/**
 * Returns a hook that follows the cookie to a session. Without a cookie, or on a route that opted out, no store is
 * asked.
 */
export function loadRequestSession(engine: Engine, replies: Replies, old?: OldCookies): onRequestHookHandler {
  const seen = new SeenValues(engine.settings.clock)
  return (request, reply, done) => {
    const place = request as SessionRequest
    place[REPLY] = reply
    // A refusal waits for the hook of CORS.
    if (place[SLOT] instanceof Error) return done()
    const use = useOf(request)
    place[SLOT] = use === false ? 'opted-out' : 'anonymous'
    if (place[SLOT] === 'opted-out') return done()
    const { cookie } = request.raw.headers
    const inHeader = idInHeaderOf(engine, seen, request)
    const hasOld = inHeader === undefined && cookie !== undefined && old?.areIn(cookie) === true
    const presented = inHeader ?? idInCookieOf(engine, seen, request, hasOld)
    if (presented === undefined) return done()
    if (presented === 'duplicate') {
      place[HAS_DUPLICATES] = true
      return done()
    }
    const client = new RequestClient(request, use)
    enter({ engine, replies, request, reply, presented, client, done, old: hasOld ? old : undefined })
  }
}

/** Returns the id that a request brings in a header; `undefined` for none. */
function idInHeaderOf(
  engine: Engine,
  seen: SeenValues,
  request: FastifyRequest,
): PresentedId | 'none' | 'obsolete' | undefined {
  const { settings, headerIds } = engine
  if (headerIds === undefined) return undefined
  const { headers, socket } = request.raw
  const value = idInHeader(headers, settings.headerTransport)
  if (value === undefined) return undefined
  ;(request as SessionRequest)[IS_BY_HEADER] = true
  return judgeValue(engine, headerIds, seen, value, socket)
}

/** Returns the id in the cookie of a request; `undefined` where neither this app nor an old library can have one. */
function idInCookieOf(
  engine: Engine,
  seen: SeenValues,
  request: FastifyRequest,
  hasOld: boolean,
): ReturnType<typeof presentedId> | undefined {
  const { headers, socket } = request.raw
  const { cookie } = headers
  // A header that does not even mention the name costs no more than this.
  if (cookie === undefined || !(hasOld || cookie.includes(engine.settings.cookie.name))) return undefined
  return presentedId(engine, seen, cookie, socket)
}

/** A request whose session is loaded. */
interface Entering {
  readonly engine: Engine
  readonly replies: Replies
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly presented: PresentedId | 'none' | 'obsolete'
  readonly client: RequestClient
  readonly done: (error?: Error) => void
  /** The cookies of other libraries, if the request has any. */
  readonly old: OldCookies | undefined
}

/** Puts the session into the request once it is loaded, and lets the request go on. */
function enter(entering: Entering): void {
  let answer: Answer<Loaded>
  try {
    answer = load(entering)
  } catch (error) {
    return refuse(entering, error as Error)
  }
  if (!(answer instanceof Promise)) return goOn(entering, answer)
  // Later hooks run inside `goOn`. An error that they throw is passed on, and does not become a failure to load.
  answer
    .then(
      (loaded) => goOn(entering, loaded),
      (error: Error) => refuse(entering, error),
    )
    .catch(entering.done)
}

function load(entering: Entering): Answer<Loaded> {
  const { request, client, old } = entering
  const answer = follow(entering)
  if (old === undefined) return answer
  return afterwards(answer, (loaded) =>
    isNobody(loaded) ? old.moveIn(request, String(request.raw.headers.cookie), client, loaded) : loaded,
  )
}

function goOn({ engine, replies, request, reply, client, done }: Entering, loaded: Loaded): void {
  // A login remembers the id that it came with, also one that opened nothing.
  if (loaded.state !== 'none' || loaded.secretHash !== undefined) {
    replies.note(request, reply, holdSession(engine, request, loaded, client))
  }
  done()
}

function refuse({ request, reply, done }: Entering, error: Error): void {
  done(refuseRequest(request, reply, error))
}

/** Follows what was presented to a session. */
function follow({ engine, presented, client }: Entering): Answer<Loaded> {
  if (presented === 'none') return NONE
  return presented === 'obsolete' ? goneSince(engine.settings.clock()) : loadSession(engine, presented, client)
}

/** Returns a hook that writes what was staged, before the first byte leaves, and puts the cookie into the response. */
export function finishSession(engine: Engine, replies: Replies): onSendHookHandler {
  return (request, reply, payload, done) => {
    const session = (request as SessionRequest)[SLOT]
    if (!(session instanceof RequestSession)) {
      markAnswered(request)
      clearDuplicates(engine, request, reply)
      return done(null, payload)
    }
    const hasWork = session.hasWork
    // An error of a later hook brings the reply here a second time.
    const isRepeated = session.markAnswered()
    // Otherwise a reply that the failed attempt left open would end with the session that this attempt wrote, and its
    // connection too.
    if (isRepeated) replies.release(request)
    const sending = { engine, replies, request, reply, payload, session, done, isRepeated }
    const isFailure = statusOf(reply, payload) >= 500
    if (!isFailure && !hasWork) return send(sending)
    session
      .finish(isFailure, isStream(payload) ? 'stream' : 'reply')
      .then(
        () => send(sending),
        (error: Error) => replace(sending, error),
      )
      // A header that cannot be sent throws out of `done`, and the promise is the only caller.
      .catch((error: Error) => fail(sending, error))
  }
}

/** A response that is sent, and the session of its request. */
interface Sending {
  readonly engine: Engine
  readonly replies: Replies
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly payload: unknown
  readonly session: RequestSession
  readonly done: (error: Error | null, payload?: unknown) => void
  /** Tells whether an earlier attempt at this response failed. */
  readonly isRepeated: boolean
}

/** Sends the payload as it is. */
function send(sending: Sending): void {
  const { replies, request, reply, payload, session, done } = sending
  let sent: unknown = payload
  try {
    if (isWebResponse(payload)) sent = takeSharedHeaders(reply, payload)
    writeHeaders(sending)
  } catch (error) {
    return fail(sending, error as Error)
  }
  replies.seeSent(request, reply, sent, session)
  done(null, sent)
}

/** Sends an error in place of the payload, because the session could not be written. */
function replace(sending: Sending, error: Error): void {
  endPayload(sending.payload)
  failCleanly(sending.reply, error)
  writeHeaders(sending)
  sending.done(error)
}

/** Fails a response that itself cannot be sent. */
function fail({ reply, payload, done }: Sending, error: Error): void {
  endPayload(payload)
  done(failCleanly(reply, error))
}

function writeHeaders({ engine, request, reply, session, isRepeated }: Sending): void {
  const { response } = session
  writeCookie(reply, engine.settings, response, isRepeated)
  if (engine.device !== undefined) writeBinding(reply, engine, engine.device, session)
  clearDuplicates(engine, request, reply)
  const hasNews = response.cookie !== undefined || response.renewedId !== undefined
  if (session.before !== undefined || hasNews) watchHead(reply, engine.settings, session)
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
