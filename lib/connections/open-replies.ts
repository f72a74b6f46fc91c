import type { FastifyReply, FastifyRequest } from 'fastify'
import { isStream } from '../http/web-response.ts'
import type { End, SessionEnd, Watch } from '../session/watch.ts'
import type { RequestSession } from '../session/request-session.ts'
import type { Place } from '../storage/in-flight.ts'
import { InFlight } from '../storage/in-flight.ts'
import type { SessionRecord } from '../../types/index.ts'

/** The interval at which requests under way are looked at, in milliseconds. */
const LOOK_INTERVAL = 1_000

/** The time that a stream has to come to its end when the app closes, in milliseconds. An event stream has none. */
const CLOSE_GRACE = 2_000

/** A request that has a session, and no reply yet that went through Fastify. */
interface Pending {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly session: RequestSession
  /** The record that the request was let in with. */
  readonly record: SessionRecord
}

/** The key under which a request keeps its place among those without a reply, or how to forget the stream it opened. */
export const NOTE: unique symbol = Symbol('fastify-session-guard.note')

interface NotedRequest extends FastifyRequest {
  [NOTE]: Place<Pending> | (() => void) | undefined
}

/**
 * Finds replies that stay open, and ends them with their session.
 *
 * A stream is known when it is sent. Fastify does not tell of a reply that is hijacked or written by hand. So requests
 * without a reply are kept in a list, and the list is looked at every second and whenever one of their sessions ends. A
 * reply that has not begun is left alone: an ordinary request may finish its work.
 */
export class OpenReplies {
  readonly #watch: Watch
  readonly #pending = new InFlight<Pending>()
  #timer: NodeJS.Timeout | undefined

  constructor(watch: Watch) {
    this.#watch = watch
  }

  /** Notes a request whose session was loaded. */
  note(request: FastifyRequest, reply: FastifyReply, session: RequestSession): void {
    const { record } = session.facts
    if (record === undefined) return
    ;(request as NotedRequest)[NOTE] = this.#pending.add({ request, reply, session, record })
    if (this.#timer === undefined) this.#lookLater()
  }

  /** Sees a reply that Fastify sends, after its session was written. */
  seeSent(request: FastifyRequest, reply: FastifyReply, payload: unknown, session: RequestSession): void {
    this.release(request)
    const { record } = session.facts
    if (!isStream(payload) || record === undefined || mayStayOpen(request)) return
    this.#endWithSession(reply, record, (why) => endStream(reply, why))
  }

  /** Forgets a request. Somebody else ends what it opened, or another reply takes the place of its own. */
  release(request: FastifyRequest): void {
    const note = (request as NotedRequest)[NOTE]
    if (typeof note === 'function') note()
    else if (note !== undefined) this.#pending.remove(note)
  }

  /** Finds the open replies of a session that may have ended. */
  find(handle: string): void {
    for (const pending of this.#pending.filter(({ record }) => record.handle === handle)) this.#lookAt(pending)
  }

  close(): void {
    for (const pending of this.#pending) this.#lookAt(pending)
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      for (const pending of this.#pending) this.#lookAt(pending)
      if (this.#pending.size > 0) this.#lookLater()
    }, LOOK_INTERVAL).unref()
  }

  #lookAt({ request, reply, session, record }: Pending): void {
    const hasBegun = reply.sent || reply.raw.headersSent
    if (!hasBegun && !reply.raw.destroyed) return
    this.release(request)
    // A request that logged out before its reply began has no session that could end.
    if (reply.raw.destroyed || mayStayOpen(request)) return
    this.#endWithSession(reply, session.facts.record ?? record, () => endReply(reply))
  }

  #endWithSession(reply: FastifyReply, record: SessionRecord, end: End): void {
    const release = this.#watch.open(record, { end })
    ;(reply.request as NotedRequest)[NOTE] = release
    reply.raw.once('close', release)
    if (isUpgrade(reply.request)) reply.request.raw.socket.once('close', release)
  }
}

/** Tells whether a route wants what it opens to outlive the session. */
export function mayStayOpen(request: FastifyRequest): boolean {
  return request.routeOptions.config?.sessionEnd === 'ignore'
}

/** Ends a stream. When the app closes, a stream that is no event stream may soon come to its proper end. */
function endStream(reply: FastifyReply, why: SessionEnd): void {
  const isEventStream = String(reply.getHeader('content-type')).startsWith('text/event-stream')
  if (why !== 'closed' || isEventStream) return endReply(reply)
  const timer = setTimeout(() => endReply(reply), CLOSE_GRACE)
  reply.raw.once('close', () => clearTimeout(timer))
}

/** Ends a reply without its proper end, so that nobody takes what has come so far for the whole. */
function endReply({ raw, request }: FastifyReply): void {
  raw.destroy()
  if (isUpgrade(request)) request.raw.socket.destroy()
}

/** Tells whether a request took its connection over, as a WebSocket does. */
function isUpgrade({ raw }: FastifyRequest): boolean {
  return raw.headers.upgrade !== undefined
}
