import type { SessionEnd } from '../session/watch.ts'

/**
 * The time that a client may take to close its end. Without this limit, a client that ignores the request would stay
 * connected.
 */
const CLOSE_TIMEOUT = 2_000

/** 1008, a policy violation (RFC 6455, 7.4.1): the client may connect again once it has a session. */
const POLICY_VIOLATION = 1008

/** The part of a `ws` socket that is needed to end it. */
export interface Socket {
  close(code: number, reason: string): void
  terminate(): void
  removeAllListeners(event: 'message'): unknown
  on(event: 'newListener', listener: (event: string | symbol) => void): unknown
  once(event: 'close', listener: () => void): unknown
}

/** Ends a socket. From here on nothing that the client sends is heard, whether the client closes its end or not. */
export function endSocket(socket: Socket, why: SessionEnd): void {
  // @fastify/websocket closes its sockets with the app, and says so to the clients.
  if (why === 'closed') return
  const deafen = (): unknown => socket.removeAllListeners('message')
  deafen()
  // A handler that waits for something before it listens.
  socket.on('newListener', (event) => {
    if (event === 'message') queueMicrotask(deafen)
  })
  // With `changed` the user is still logged in, and may connect again at once.
  socket.close(POLICY_VIOLATION, why === 'changed' ? 'session changed' : 'session ended')
  const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT).unref()
  socket.once('close', () => clearTimeout(timer))
}
