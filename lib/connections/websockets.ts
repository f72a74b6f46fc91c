import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { SessionRequest } from '../http/request-slot.ts'
import { markAnswered, SLOT } from '../http/request-slot.ts'
import { RequestSession } from '../session/request-session.ts'
import type { Watch } from '../session/watch.ts'
import { endSocket } from './end-socket.ts'
import type { Socket } from './end-socket.ts'
import type { OpenReplies } from './open-replies.ts'
import { mayStayOpen } from './open-replies.ts'

/**
 * The `ws` server that @fastify/websocket adds to an app. Only its events are used, so the package is no dependency.
 */
interface WebSocketApp {
  readonly websocketServer?: EventEmitter
}

/** Lets a WebSocket live no longer than the session it was opened with. */
export function watchUpgrades(watch: Watch, replies: OpenReplies): onRequestHookHandler {
  const requests = new WeakMap<IncomingMessage, SessionRequest>()
  const servers = new WeakSet<EventEmitter>()

  const onConnection = (socket: Socket, raw: IncomingMessage): void => {
    const request = requests.get(raw)
    if (request === undefined) return
    replies.release(request)
    // The upgrade is the response, and has gone without a cookie.
    markAnswered(request)
    const session = request[SLOT]
    if (!(session instanceof RequestSession) || session.facts.record === undefined || mayStayOpen(request)) return
    socket.once('close', watch.open(session.facts.record, { end: (why) => endSocket(socket, why) }, true))
  }
  const expect = (request: FastifyRequest, reply: FastifyReply): void => {
    const { websocketServer } = request.server as WebSocketApp
    if (websocketServer === undefined) return
    // An upgrade that is answered leaves a socket from which nobody reads. Without an end, this socket would stay open
    // for good.
    reply.raw.once('finish', () => request.raw.socket.destroySoon())
    requests.set(request.raw, request as SessionRequest)
    if (servers.has(websocketServer)) return
    servers.add(websocketServer)
    websocketServer.on('connection', onConnection)
  }
  return (request, reply, done) => {
    if (request.raw.headers.upgrade !== undefined) expect(request, reply)
    done()
  }
}
