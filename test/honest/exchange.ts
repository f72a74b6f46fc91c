import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** The answer of a server. */
export interface Response {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: string
}

const NOTHING = (): void => undefined

/** A connection that carries nothing. */
const SOCKET = { remoteAddress: '192.0.2.1', on: NOTHING, once: NOTHING, removeListener: NOTHING, destroyed: false }

/**
 * Sends a request through the router of an app, as its HTTP server does. The two objects have what Fastify needs of a
 * request without a body and of its response. They make a simulation several times faster than `app.inject` would.
 */
export function exchange(app: FastifyInstance, url: string, headers: Record<string, string>): Promise<Response> {
  return new Promise((resolve) => {
    const request = { method: 'GET', url, headers, socket: SOCKET, httpVersionMajor: 1, on: NOTHING, once: NOTHING }
    const response = new LeanResponse(resolve)
    app.routing(request as unknown as IncomingMessage, response as unknown as ServerResponse)
  })
}

/** A response that keeps its headers, and says when it ends. */
class LeanResponse {
  statusCode = 200
  headersSent = false
  writableEnded = false
  finished = false
  destroyed = false
  readonly #headers: OutgoingHttpHeaders = {}
  readonly #resolve: (response: Response) => void

  constructor(resolve: (response: Response) => void) {
    this.#resolve = resolve
  }

  on(): this {
    return this
  }

  once(): this {
    return this
  }

  removeListener(): this {
    return this
  }

  setHeader(name: string, value: string | string[]): this {
    this.#headers[name] = value
    return this
  }

  getHeader(name: string): OutgoingHttpHeaders[string] {
    return this.#headers[name]
  }

  getHeaders(): OutgoingHttpHeaders {
    return this.#headers
  }

  hasHeader(name: string): boolean {
    return name in this.#headers
  }

  removeHeader(name: string): void {
    delete this.#headers[name]
  }

  writeHead(status: number, headers: OutgoingHttpHeaders): this {
    this.statusCode = status
    Object.assign(this.#headers, headers)
    this.headersSent = true
    return this
  }

  end(body?: string | Buffer | null): this {
    this.writableEnded = true
    this.finished = true
    this.#resolve({ status: this.statusCode, headers: this.#headers, body: String(body ?? '') })
    return this
  }
}
