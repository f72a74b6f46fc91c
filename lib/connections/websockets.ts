import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { SessionRequest } from '../http/request-slot.ts'
import { markAnswered, SLOT } from '../http/request-slot.ts'
import type { Engine } from '../session/engine.ts'
import { RequestSession } from '../session/request-session.ts'
import type { Socket } from './socket-watch.ts'
import { SocketWatch } from './socket-watch.ts'

/** The `ws` server that @fastify/websocket adds to an app. Only its events are used, so the package is no dependency. */
interface WebSocketApp {
  readonly websocketServer?: EventEmitter
}

/** Lets a WebSocket live no longer than the session it was opened with. */
export function watchUpgrades(engine: Engine): onRequestHookHandler {
  const watch = new SocketWatch(engine)
  engine.store.onChange = (handle, record) => watch.settle(handle, record)
  const requests = new WeakMap<IncomingMessage, SessionRequest>()
  const servers = new WeakSet<EventEmitter>()

  const onConnection = (socket: Socket, raw: IncomingMessage): void => {
    const request = requests.get(raw)
    if (request === undefined) return
    // The upgrade is the response, and has gone without a cookie.
    markAnswered(request)
    const session = request[SLOT]
    if (session instanceof RequestSession && session.record !== undefined) watch.open(socket, session.record)
  }
  const expect = (request: FastifyRequest, reply: FastifyReply): void => {
    const { websocketServer } = request.server as WebSocketApp
    if (websocketServer === undefined) return
    // An upgrade that is answered leaves a socket that nobody reads from any more: without an end it would stay open for good.
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
