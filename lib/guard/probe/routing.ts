import { randomBytes } from 'node:crypto'
import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'

/** An app whose router can be asked before it listens. `inject` cannot be used in onReady: it waits for ready. */
export interface RoutingApp {
  routing(request: IncomingMessage, response: ServerResponse): void
}

/** A question to an app. */
export interface Probe {
  readonly method: 'GET' | 'OPTIONS' | 'POST'
  /** The address to ask. */
  readonly prefix: string
  /** The page below the address. Absent: one that does not exist. */
  readonly page?: string
  readonly headers: Readonly<Record<string, string>>
}

/** Headers of an answer, by their names in lower case, and the status of the answer. */
export type AnswerHeaders = ReadonlyMap<string, string>

/** The name under which the status of an answer stands among its headers. */
export const STATUS = ':status'

// Long enough for a hook that looks something up, short enough for a boot.
export const PATIENCE = 1000

/** The part of a request that a probe may look at from inside. */
export interface ProbedRequest {
  readonly raw: IncomingMessage
  readonly cookies?: unknown
}

const WATCHED = new WeakMap<IncomingMessage, (request: ProbedRequest) => void>()

const PROBES = new WeakSet<IncomingMessage>()

/** Shows a request to the probe that sent it, for a hook of the plugin. Returns whether a probe sent the request. */
export function showToProbe(request: ProbedRequest): boolean {
  WATCHED.get(request.raw)?.(request)
  return PROBES.has(request.raw)
}

/** The headers that an app answers with; `null` when it says nothing in time. Never rejects. */
export function ask(
  app: RoutingApp,
  { method, prefix, page = `/${randomBytes(8).toString('hex')}`, headers }: Probe,
  watch?: (request: ProbedRequest) => void,
): Promise<AnswerHeaders | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), PATIENCE)
    const socket = deadEnd()
    const request = new IncomingMessage(socket)
    request.method = method
    request.url = prefix.replace(/\/$/, '') + page
    request.headers = { host: 'localhost', 'user-agent': 'fastify-session-guard', ...headers }
    request.push(null)
    PROBES.add(request)
    if (watch !== undefined) WATCHED.set(request, watch)
    const settle = (answer: AnswerHeaders | null): void => {
      clearTimeout(timer)
      resolve(answer)
    }
    const response = new ProbedResponse(request, settle)
    response.assignSocket(socket)
    try {
      app.routing(request, response)
    } catch {
      // An app that cannot take a request shows it to whoever sends the first one.
      settle(null)
    }
  })
}

/** Fastify hands all headers to writeHead, where `getHeaders` would not see them. */
class ProbedResponse extends ServerResponse {
  readonly #heard: (headers: AnswerHeaders) => void

  constructor(request: IncomingMessage, heard: (headers: AnswerHeaders) => void) {
    super(request)
    this.#heard = heard
  }

  override writeHead(...parameters: unknown[]): this {
    const given = parameters.find((parameter) => typeof parameter === 'object') as Record<string, unknown> | undefined
    const headers = Object.entries({ ...this.getHeaders(), ...given, [STATUS]: parameters[0] })
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
