import { randomBytes } from 'node:crypto'
import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import type { CorsAnswer } from './phase-facts.ts'

/** An app whose router can be asked before it listens. `inject` cannot be used in onReady: it waits for ready. */
export interface RoutingApp {
  routing(request: IncomingMessage, response: ServerResponse): void
}

// Long enough for a hook that looks something up, short enough for a boot.
const PATIENCE = 1000

/** Asks the app as a page on an origin that nobody can have (RFC 2606) would. `null` when it says nothing in time. */
export async function probeCors(app: RoutingApp): Promise<CorsAnswer | null> {
  const probeOrigin = `https://${randomBytes(8).toString('hex')}.invalid`
  const headers = await headersFor(app, probeOrigin)
  if (headers === null) return null
  const allowOrigin = headers.get('access-control-allow-origin')
  return {
    probeOrigin,
    allowOrigin: allowOrigin ?? null,
    allowCredentials: headers.get('access-control-allow-credentials') === 'true',
  }
}

function headersFor(app: RoutingApp, origin: string): Promise<Map<string, string> | null> {
  return new Promise((resolve) => {
    const socket = deadEnd()
    const timer = setTimeout(() => resolve(null), PATIENCE)
    const request = new IncomingMessage(socket)
    request.method = 'GET'
    request.url = `/${randomBytes(8).toString('hex')}`
    request.headers = { host: 'localhost', origin, 'user-agent': 'fastify-session-guard' }
    request.push(null)
    const response = new ProbedResponse(request, (headers) => {
      clearTimeout(timer)
      resolve(headers)
    })
    response.assignSocket(socket)
    app.routing(request, response)
  })
}

/** Fastify hands all headers to writeHead, where `getHeaders` would not see them. */
class ProbedResponse extends ServerResponse {
  readonly #heard: (headers: Map<string, string>) => void

  constructor(request: IncomingMessage, heard: (headers: Map<string, string>) => void) {
    super(request)
    this.#heard = heard
  }

  override writeHead(...parameters: unknown[]): this {
    const given = parameters.find((parameter) => typeof parameter === 'object') as Record<string, unknown> | undefined
    const headers = Object.entries({ ...this.getHeaders(), ...given })
    this.#heard(new Map(headers.map(([name, value]) => [name.toLowerCase(), String(value)])))
    // The overloads of writeHead all come down to this call.
    return super.writeHead(...(parameters as [number]))
  }
}

/** A connection that swallows what it is sent, and comes from this machine. */
function deadEnd(): Socket {
  const stream: Writable = new Writable({ write: (_chunk, _encoding, done) => done() })
  // Only what Fastify and its plugins read of a socket is needed.
  return Object.assign(stream, { remoteAddress: '127.0.0.1', remotePort: 0, encrypted: true }) as Writable as Socket
}
