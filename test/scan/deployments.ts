import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

const FIXTURES = new URL('../guard/fixtures/', import.meta.url)

/** A certificate for 127.0.0.1 that signs itself, good for nothing but these tests. */
export const CERTIFICATE: string = readFileSync(new URL('localhost-cert.pem', FIXTURES), 'utf8')

const KEY = readFileSync(new URL('localhost-key.pem', FIXTURES), 'utf8')

async function listen(t: Test, server: Server, protocol: string): Promise<URL> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return new URL(`${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

/** Starts a server of this test, over http. */
export async function serve(t: Test, listener: RequestListener): Promise<URL> {
  return await listen(t, createServer(listener), 'http')
}

/** Starts a server of this test, over https. */
export async function serveTls(t: Test, listener: RequestListener): Promise<URL> {
  return await listen(t, createTlsServer({ cert: CERTIFICATE, key: KEY }, listener), 'https')
}

/** Stands for a session id in the headers of `page`. */
export const ID: string = randomBytes(24).toString('hex')

/** Returns a header in which each `ID` is a fresh id. */
export function fresh(header: string): string {
  return header.replaceAll(ID, () => randomBytes(24).toString('hex'))
}

/** Answers everything with one page and these headers. Each `ID` in them is a fresh id. */
export function page(headers: Record<string, string | string[]>, body = 'hello'): RequestListener {
  return (_request, response) => {
    const sent = Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(fresh) : fresh(value),
    ])
    response.writeHead(200, { 'content-type': 'text/html', ...Object.fromEntries(sent) }).end(body)
  }
}

/** Returns the path of a request, and its body as a form. */
export async function read(request: IncomingMessage): Promise<{ path: string; form: URLSearchParams; cookie: string }> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
  return {
    path: new URL(request.url ?? '/', 'http://localhost').pathname,
    form: new URLSearchParams(body),
    cookie: request.headers.cookie ?? '',
  }
}

export function redirect(
  response: ServerResponse,
  location: string,
  headers: Record<string, string | string[]> = {},
): void {
  response.writeHead(302, { location, ...headers }).end()
}
