import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'

/** A relay between a server and its store, which a test can stop. */
export class Relay {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isHeld = false

  private constructor(server: Server) {
    this.#server = server
  }

  /** Starts a relay to a port of this machine. */
  static async start(port: number): Promise<Relay> {
    const server = createServer({ pauseOnConnect: true })
    const relay = new Relay(server)
    server.on('connection', (client) => relay.#join(client, connect(port, '127.0.0.1')))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return relay
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Keeps back what either side sends. */
  hold(): void {
    this.#isHeld = true
    for (const socket of this.#sockets) socket.pause()
  }

  /** Delivers what was kept back. */
  release(): void {
    this.#isHeld = false
    for (const socket of this.#sockets) socket.resume()
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#isHeld = false
  }

  close(): void {
    this.cut()
    this.#server.close()
  }

  #join(client: Socket, store: Socket): void {
    for (const [from, to] of [
      [client, store],
      [store, client],
    ] as const) {
      this.#sockets.add(from)
      from.on('data', (chunk) => to.write(chunk))
      from.on('error', () => undefined)
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (!this.#isHeld) from.resume()
    }
  }
}
