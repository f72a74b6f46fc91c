import type { IncomingMessage } from 'node:http'
import { request as send } from 'node:http'
import { request as sendTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import formBody from '@fastify/formbody'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import type { FastifyServerOptions } from 'fastify'
import { memoryStore, secureSession } from '../../lib/index.ts'
import type { SecureSessionOptions } from '../../types/index.ts'
import { SECRET } from '../support/app.ts'

interface Test {
  teardown(end: () => Promise<void> | void): void
}

/** An app that listens behind a proxy, and what it saw and said. */
export interface ProxiedApp {
  readonly port: number
  /** Headers of the requests, oldest first. */
  readonly seen: IncomingMessage['headers'][]
  /** Log lines at warn or above, and those about refusals. */
  readonly lines: () => Line[]
}

/** A line of the log. */
interface Line {
  readonly level: number
  readonly msg: string
  readonly rule?: string
  readonly crossOrigin?: object
}

/** Starts an app with a page, a form's target, a login and a socket. */
export async function startApp(
  t: Test,
  trustProxy: FastifyServerOptions['trustProxy'],
  session: SecureSessionOptions = {},
): Promise<ProxiedApp> {
  const written: string[] = []
  const logger = { level: 'info', stream: { write: (line: string) => void written.push(line) } }
  const app = Fastify({ logger, ...(trustProxy !== undefined && { trustProxy }) })
  t.teardown(() => app.close())
  const seen: IncomingMessage['headers'][] = []
  app.addHook('onRequest', async ({ raw }) => void seen.push(raw.headers))
  await app.register(formBody)
  await app.register(websocket)
  await app.register(secureSession, { environment: 'test', secret: SECRET, store: memoryStore(), ...session })
  app.get('/', async (_request, reply) => reply.type('text/html').send('<!doctype html><title>own</title>'))
  for (const prefix of ['', '/api']) {
    app.post(`${prefix}/note`, async ({ host, protocol }) => ({ host, protocol }))
    app.get(`${prefix}/socket`, { websocket: true }, (socket) => socket.send('open'))
  }
  app.post('/login', async (request) => {
    await request.login({ id: 'ann' })
    return {}
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    port: (app.server.address() as AddressInfo).port,
    seen,
    lines: () => written.map((line) => JSON.parse(line) as Line).filter(isTold),
  }
}

function isTold({ level, crossOrigin }: Line): boolean {
  return level >= 40 || crossOrigin !== undefined
}

/** The answer to a page's request through a proxy, sent without a browser. */
interface Posted {
  readonly status: number | undefined
  readonly body: string
}

/** Posts to `/note` through a proxy, as a browser does over plain http: with an Origin and no Sec-Fetch-Site. */
export async function post(
  port: number,
  headers: Record<string, string>,
  isTls = false,
  path = '/note',
): Promise<Posted> {
  const ask = isTls ? sendTls : send
  const options = { host: '127.0.0.1', port, path, method: 'POST', headers, rejectUnauthorized: false, agent: false }
  const [response] = (await once(ask(options).end(), 'response')) as [IncomingMessage]
  return { status: response.statusCode, body: await text(response) }
}

/**
 * Opens a WebSocket through a proxy, with an Origin and no Sec-Fetch-Site, as all browsers do. Returns the status: 101
 * is open.
 */
export async function upgrade(
  port: number,
  headers: Record<string, string>,
  isTls = false,
  path = '/socket',
): Promise<number | undefined> {
  const ask = isTls ? sendTls : send
  const handshake = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  const sent = ask({
    host: '127.0.0.1',
    port,
    path,
    headers: { ...handshake, ...headers },
    rejectUnauthorized: false,
    agent: false,
  }).end()
  return new Promise((resolve, reject) => {
    sent.once('error', reject)
    sent.once('response', (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.once('upgrade', (response, socket) => {
      socket.destroy()
      resolve(response.statusCode)
    })
  })
}
