import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
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
  /** Such as `See Other`. */
  readonly reason: string
  readonly location: string | undefined
  /** The `Set-Cookie` lines. */
  readonly cookies: readonly string[]
  readonly page: string
}

export const LOOPBACK = '127.0.0.1'

/** Longer than a busy computer needs for one page. */
const TIMEOUT = 20_000

/** Sends one request over a connection of its own to a port of this computer. */
export async function send(port: number, { method, path, headers, body }: SentRequest): Promise<Answer> {
  const call = request({
    host: LOOPBACK,
    port,
    method,
    path,
    headers,
    agent: false,
    signal: AbortSignal.timeout(TIMEOUT),
  })
  call.end(body)
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  return {
    status: Number(response.statusCode),
    reason: String(response.statusMessage),
    location: response.headers.location,
    cookies: response.headers['set-cookie'] ?? [],
    page: await text(response),
  }
}
