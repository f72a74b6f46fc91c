import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { request as requestOverTls } from 'node:https'
import type { ServerOptions } from 'node:https'
import { text } from 'node:stream/consumers'

/** A request of an attack. The attack's script makes it; nothing in it comes from a visitor. */
export interface SentRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The answer to such a request. */
export interface Answer {
  readonly status: number
  /** The reason phrase, such as `See Other`. */
  readonly reason: string
  readonly location: string | undefined
  /** The `Set-Cookie` lines. */
  readonly cookies: readonly string[]
  /** The header that offers to bind a session to a device. */
  readonly offer: string | undefined
  /** The header that asks for a proof of the device's key. */
  readonly challenge: string | undefined
  readonly page: string
}

export const LOOPBACK = '127.0.0.1'

/** Longer than a busy computer needs for one page. */
const TIMEOUT = 20_000

/** The certificate that a server of this computer shows; `undefined` for a server without https. */
export type ServerCertificate = ServerOptions['cert']

/**
 * Sends one request over a connection of its own to a port of this computer. With a certificate the connection is
 * https, and no other certificate is trusted.
 */
export async function send(
  port: number,
  { method, path, headers, body }: SentRequest,
  certificate?: ServerCertificate,
): Promise<Answer> {
  const options = { host: LOOPBACK, port, method, path, headers, agent: false, signal: AbortSignal.timeout(TIMEOUT) }
  const call = certificate === undefined ? request(options) : requestOverTls({ ...options, ca: certificate })
  call.end(body)
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  return {
    status: Number(response.statusCode),
    reason: String(response.statusMessage),
    location: response.headers.location,
    cookies: response.headers['set-cookie'] ?? [],
    offer: textOf(response, 'secure-session-registration'),
    challenge: textOf(response, 'secure-session-challenge'),
    page: await text(response),
  }
}

function textOf({ headers }: IncomingMessage, name: string): string | undefined {
  return headers[name]?.toString()
}
