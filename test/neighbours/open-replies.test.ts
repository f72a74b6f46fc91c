import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import type { IncomingMessage } from 'node:http'
import { Agent, request as httpRequest } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { connect as connectTcp } from 'node:net'
import { Readable } from 'node:stream'
import { mock } from 'node:test'
import httpProxy from '@fastify/http-proxy'
import sse from '@fastify/sse'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Server as SocketServer } from 'socket.io'
import { io } from 'socket.io-client'
import type { Test } from 'tap'
import t from 'tap'
import { WebSocket } from 'ws'
import type { Visitor, World, WorldOptions } from '../plugin/world.ts'
import { ordinary, route, world } from '../plugin/world.ts'

/** A reply that is being read by a client. */
interface Reading {
  readonly status: number
  /** Resolves when the reply is over: `true` if it came to its proper end. */
  readonly ended: Promise<boolean>
  close(): void
}

interface Listening extends World {
  readonly port: number
  read(path: string, visitor?: Visitor): Promise<Reading>
  enter(user?: string): Promise<Visitor>
}

async function listening(t: Test, options: WorldOptions = {}): Promise<Listening> {
  const it = await world(t, {
    ...options,
    routes: async (app) => {
      ordinary(app)
      streams(app)
      await options.routes?.(app)
    },
  })
  await it.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = it.app.server.address() as AddressInfo
  return {
    ...it,
    port,
    read: (path, visitor) => read(t, port, path, visitor),
    enter: async (user = 'ann') => {
      const visitor = it.visitor()
      await visitor.post('/login', { user: { id: user } })
      return visitor
    },
  }
}

/** Returns a stream that sends something at once, and nothing after it. */
function drip(): Readable {
  const stream = new Readable({ read: () => undefined })
  stream.push('first\n')
  return stream
}

function dripToWeb(): ReadableStream {
  return new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('first\n')) })
}

const sources: Readable[] = []

function streams(app: FastifyInstance): void {
  app.get('/stream', async (_request, reply) => {
    const stream = drip()
    sources.push(stream)
    return reply.type('text/event-stream').send(stream)
  })
  app.get('/web-stream', (_request, reply) => reply.type('text/event-stream').send(dripToWeb()))
  app.get('/response', (_request, reply) =>
    reply.send(new Response(dripToWeb(), { headers: { 'content-type': 'text/event-stream' } })),
  )
  app.get('/hijacked', (_request, reply) => {
    reply.hijack()
    begin(reply)
  })
  app.get('/by-hand', (_request, reply) => {
    begin(reply)
  })
  app.get('/ignoring', { config: { sessionEnd: 'ignore' } }, (_request, reply) => reply.send(drip()))
  app.get('/ignoring-hijacked', { config: { sessionEnd: 'ignore' } }, (_request, reply) => {
    reply.hijack()
    begin(reply)
  })
}

function begin({ raw }: FastifyReply): void {
  raw.writeHead(200, { 'content-type': 'text/event-stream' })
  raw.write('data: first\n\n')
}

async function read(t: Test, port: number, path: string, visitor?: Visitor): Promise<Reading> {
  const cookie = visitor?.cookie
  const headers = { accept: 'text/event-stream', ...(cookie !== undefined && { cookie: `session=${cookie}` }) }
  const request = httpRequest({ port, host: '127.0.0.1', path, headers, agent: false })
  t.teardown(() => request.destroy())
  request.on('error', () => undefined)
  request.end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.on('error', () => undefined)
  const first = once(response, 'data')
  const ended = new Promise<boolean>((resolve) => response.once('close', () => resolve(response.complete)))
  await first
  response.resume()
  return { status: Number(response.statusCode), ended, close: () => request.destroy() }
}

function mockTimers(t: Test): void {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
}

/** A promise that the test keeps back. */
interface Held {
  readonly promise: Promise<void>
  resolve(): void
}

function hold(): Held {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve: () => resolve() }
}

/** Tells how a reply ended, or that it is open. */
function nowOf(ended: Promise<boolean>): Promise<boolean | 'open'> {
  return Promise.race([ended, Promise.resolve('open' as const)])
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

for (const path of ['/stream', '/web-stream', '/response', '/hijacked', '/by-hand']) {
  t.test(`a logout ends an open reply of the session: ${path}`, async (t) => {
    const it = await listening(t)
    const [ann, bob] = [await it.enter(), await it.enter('bob')]
    const [one, two] = [await it.read(path, ann), await it.read(path, ann)]
    const others = [await it.read(path, bob), await it.read(path)]
    await ann.post('/logout')
    t.equal(await one.ended, false, 'and nobody takes it for complete')
    t.equal(await two.ended, false)
    for (const other of others) t.equal(await nowOf(other.ended), 'open')
  })

  t.test(`app.close ends an open reply at once: ${path}`, async (t) => {
    mockTimers(t)
    const it = await listening(t)
    const reading = await it.read(path, await it.enter())
    await it.app.close()
    t.equal(await reading.ended, false)
  })
}

t.test('a download that does not end in time does not hold up app.close', async (t) => {
  const it = await listening(t, {
    routes: (app) => {
      app.get('/download', (_request, reply) => reply.type('text/plain').send(drip()))
    },
  })
  const reading = await it.read('/download', await it.enter())
  mockTimers(t)
  const closing = it.app.close()
  await settled()
  mock.timers.tick(1_999)
  await settled()
  t.equal(await nowOf(reading.ended), 'open')
  mock.timers.tick(1)
  await closing
  t.equal(await reading.ended, false)
})

t.test('a reply that begins while the app closes does not hold up app.close', async (t) => {
  mockTimers(t)
  for (const begun of ['hijacked', 'event stream'] as const) {
    const [arrived, released] = [hold(), hold()]
    const it = await listening(t, {
      routes: (app) => {
        app.get('/late', async (_request, reply) => {
          arrived.resolve()
          await released.promise
          if (begun === 'event stream') return reply.type('text/event-stream').send(drip())
          reply.hijack()
          return begin(reply)
        })
      },
    })
    const ann = await it.enter()
    const reading = begun === 'hijacked' ? it.read('/late', ann) : undefined
    const refused = reading ?? t.rejects(it.read('/late', ann), { code: 'ECONNRESET' })
    await arrived.promise
    const closing = it.app.close()
    await settled()
    released.resolve()
    await refused
    mock.timers.tick(1_000)
    await closing
    if (reading !== undefined) t.equal(await (await reading).ended, false, begun)
  }
})

t.test('a download that begins while the app closes comes to its end', async (t) => {
  const [arrived, released] = [hold(), hold()]
  const it = await listening(t, {
    routes: (app) => {
      app.get('/late', async (_request, reply) => {
        arrived.resolve()
        await released.promise
        return reply.send(Readable.from(['all of ', 'it']))
      })
    },
  })
  const reading = it.read('/late', await it.enter())
  await arrived.promise
  const closing = it.app.close()
  await settled()
  released.resolve()
  const { status, ended } = await reading
  t.equal(status, 200)
  t.equal(await ended, true)
  await closing
})

t.test('a logout ends a download at once', async (t) => {
  mockTimers(t)
  const it = await listening(t, {
    routes: (app) => {
      app.get('/download', (_request, reply) => reply.type('text/plain').send(drip()))
    },
  })
  const ann = await it.enter()
  const reading = await it.read('/download', ann)
  await ann.post('/logout')
  t.equal(await reading.ended, false)
})

t.test('a logout ends a hijacked reply at once, although the store announces nothing', async (t) => {
  mockTimers(t)
  const it = await listening(t, { store: (store) => Object.assign(store, { subscribe: undefined }) })
  const ann = await it.enter()
  const reading = await it.read('/hijacked', ann)
  await ann.post('/logout')
  t.equal(await reading.ended, false)
})

t.test('a long text that is read slowly is not cut off when its session ends', async (t) => {
  const length = 2 ** 25
  const it = await listening(t, {
    routes: (app) => {
      app.get('/text', (_request, reply) => reply.type('text/plain').send('x'.repeat(length)))
    },
  })
  const ann = await it.enter()
  const headers = { cookie: `session=${ann.cookie}` }
  const request = httpRequest({ port: it.port, host: '127.0.0.1', path: '/text', headers, agent: false }).end()
  request.on('error', () => undefined)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  await ann.post('/logout')
  await settled()
  let received = 0
  response.on('error', () => undefined)
  response.on('data', (data: Buffer) => (received += data.length))
  await once(response, 'close')
  t.equal(received, length)
})

t.test('a request with an id that leads nowhere holds up no end of another session', async (t) => {
  const [arrived, released] = [hold(), hold()]
  const it = await listening(t, {
    routes: (app) => {
      app.get('/slow', async () => {
        arrived.resolve()
        await released.promise
        return { done: true }
      })
    },
  })
  const [ann, bob] = [await it.enter(), await it.enter('bob')]
  const copied = new Map(ann.cookies)
  await ann.post('/logout')
  for (const [name, value] of copied) ann.cookies.set(name, value)
  const slow = ann.get('/slow')
  await arrived.promise
  t.equal((await bob.post('/logout')).statusCode, 200)
  released.resolve()
  t.equal((await slow).statusCode, 200)
})

t.test('the source of a stream that ended with its session is destroyed', async (t) => {
  const it = await listening(t)
  const ann = await it.enter()
  await it.read('/stream', ann)
  await ann.post('/logout')
  const source = sources.at(-1)
  if (source?.closed === false) await once(source, 'close')
  t.equal(source?.destroyed, true)
})

t.test('a session that ends in another process ends its replies as soon as the store tells', async (t) => {
  const it = await listening(t)
  const ann = await it.enter()
  const readings = await Promise.all(['/stream', '/hijacked'].map((path) => it.read(path, ann)))
  const [info] = await it.app.sessions.list('ann')
  await it.store.delete(info?.handle ?? '')
  for (const { ended } of readings) t.equal(await ended, false)
})

t.test('a reply that the route lets outlive its session goes on', async (t) => {
  const it = await listening(t)
  const ann = await it.enter()
  const readings = [await it.read('/ignoring', ann), await it.read('/ignoring-hijacked', ann)]
  await ann.post('/logout')
  await settled()
  for (const { ended } of readings) t.equal(await nowOf(ended), 'open')
})

t.test('an ordinary request that is under way when its session ends is answered', async (t) => {
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  let arrive = (): void => undefined
  const arrived = new Promise<void>((resolve) => (arrive = resolve))
  const it = await listening(t, {
    routes: (app) =>
      route(app, '/slow', async () => {
        arrive()
        await held
        return { done: true }
      }),
  })
  const ann = await it.enter()
  const slow = ann.get('/slow')
  await arrived
  await it.app.sessions.revokeUser('ann')
  release()
  t.strictSame((await slow).json(), { done: true })
})

t.test('a reply that is hijacked after its session ended elsewhere ends too', async (t) => {
  mockTimers(t)
  let arrive = (): void => undefined
  const arrived = new Promise<void>((resolve) => (arrive = resolve))
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const it = await listening(t, {
    routes: (app) => {
      app.get('/late', async (_request, reply) => {
        arrive()
        await held
        reply.hijack()
        begin(reply)
      })
    },
  })
  const ann = await it.enter()
  const reading = it.read('/late', ann)
  await arrived
  await it.app.sessions.revokeUser('ann')
  await settled()
  release()
  const { ended } = await reading
  mock.timers.tick(1_000)
  t.equal(await ended, false)
})

t.test('a reply that is hijacked long after its request came ends with its session', async (t) => {
  mockTimers(t)
  let [arrived, released] = [hold(), hold()]
  const it = await listening(t, {
    routes: (app) => {
      app.get('/late', async (_request, reply) => {
        arrived.resolve()
        await released.promise
        reply.hijack()
        begin(reply)
      })
    },
  })
  for (const round of ['once', 'and again after a time without requests']) {
    ;[arrived, released] = [hold(), hold()]
    const ann = await it.enter()
    const reading = it.read('/late', ann)
    await arrived.promise
    for (let looks = 0; looks < 3; looks += 1) mock.timers.tick(1_000)
    await it.app.sessions.revokeUser('ann')
    await settled()
    released.resolve()
    const { ended } = await reading
    mock.timers.tick(1_000)
    t.equal(await ended, false, round)
    mock.timers.tick(1_000)
  }
})

t.test('a reply by which a request logs out is not cut off', async (t) => {
  mockTimers(t)
  const it = await listening(t, {
    routes: (app) => {
      app.get('/leave', async (request, reply) => {
        await request.logout()
        return reply.send(Readable.from(['bye ', 'bye']))
      })
      app.get('/leave-by-hand', async (request, reply) => {
        await request.logout()
        reply.hijack()
        begin(reply)
        setImmediate(() => {
          mock.timers.tick(1_000)
          reply.raw.end('data: bye\n\n')
        })
      })
    },
  })
  for (const path of ['/leave', '/leave-by-hand']) {
    const { ended } = await it.read(path, await it.enter())
    t.equal(await ended, true, path)
  }
})

t.test('a client that goes away leaves nothing behind', async (t) => {
  mockTimers(t)
  const it = await listening(t, {
    routes: (app) => {
      app.get('/never', () => new Promise(() => undefined))
    },
  })
  const ann = await it.enter()
  for (const path of ['/stream', '/hijacked', '/by-hand']) (await it.read(path, ann)).close()
  const request = httpRequest({ port: it.port, path: '/never', headers: { cookie: `session=${ann.cookie}` } })
  request.on('error', () => undefined)
  request.end()
  await once(it.app.server, 'request')
  request.destroy()
  await settled()
  mock.timers.tick(1_000)
  await settled()
  mock.timers.tick(1_000)
  it.asked()
  mock.timers.tick(10_000)
  await settled()
  t.strictSame(it.asked(), [], 'no session is looked at any more')
})

t.test('over HTTP/2 only the stream of the session ends, not its neighbours', async (t) => {
  const app = Fastify({ http2: true })
  const it = await world(t, {
    fastify: { http2: true } as object,
    routes: (inner) => (ordinary(inner), streams(inner)),
  })
  t.teardown(() => app.close())
  await it.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = it.app.server.address() as AddressInfo
  const client = connectHttp2(`http://127.0.0.1:${port}`)
  t.teardown(() => client.destroy())
  const enter = async (user: string): Promise<string> => {
    const headers = { ':method': 'POST', ':path': '/login', 'content-type': 'application/json' }
    const login = client.request(headers)
    login.end(JSON.stringify({ user: { id: user } }))
    const [answer] = (await once(login, 'response')) as [{ 'set-cookie'?: string[] }]
    login.resume()
    return String(answer['set-cookie']?.[0]).split(';', 1)[0] ?? ''
  }
  const open = async (cookie: string, path: string) => {
    const stream = client.request({ ':path': path, cookie })
    stream.on('error', () => undefined)
    await once(stream, 'data')
    return stream
  }
  const [ann, bob] = [await enter('ann'), await enter('bob')]
  const [hers, hijacked, his] = [await open(ann, '/stream'), await open(ann, '/hijacked'), await open(bob, '/stream')]
  const ended = Promise.all([once(hers, 'close'), once(hijacked, 'close')])
  await it.app.sessions.revokeUser('ann')
  await ended
  t.equal(his.closed, false)
})

/** Sends requests over one connection without waiting for replies. Returns the connection and all that it brings. */
function connected(t: Test, port: number, requests: readonly string[]): { socket: Socket; text: () => string } {
  const socket = connectTcp(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  let all = ''
  socket.on('data', (data) => (all += String(data)))
  for (const request of requests) socket.write(request)
  return { socket, text: () => all }
}

function requestOf(path: string, { cookie }: Visitor, ...headers: string[]): string {
  return [`GET ${path} HTTP/1.1`, 'Host: here', `Cookie: session=${cookie}`, ...headers, '', ''].join('\r\n')
}

t.test('a connection that a handler took over by an upgrade ends with its session', async (t) => {
  mockTimers(t)
  const it = await listening(t, {
    store: (store) => Object.assign(store, { subscribe: undefined }),
    routes: (app) => {
      app.get('/tunnel', (request, reply) => {
        const { socket } = request.raw
        reply.hijack()
        reply.raw.detachSocket(socket)
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: tunnel\r\nConnection: Upgrade\r\n\r\n')
      })
    },
  })
  const ann = await it.enter()
  const open = async (): Promise<Socket> => {
    const upgrade = requestOf('/tunnel', ann, 'Upgrade: tunnel', 'Connection: Upgrade')
    const { socket } = connected(t, it.port, [upgrade])
    await once(socket, 'data')
    mock.timers.tick(1_000)
    return socket
  }
  const left = await open()
  left.destroy()
  await once(left, 'close')
  await settled()
  it.asked()
  mock.timers.tick(10_000)
  await settled()
  t.strictSame(it.asked(), [], 'nobody looks at the session of a connection that is gone')
  const kept = await open()
  await ann.post('/logout')
  await once(kept, 'close')
})

t.test('the end of a stream spares the reply before it on the same connection', async (t) => {
  const it = await listening(t)
  const ann = await it.enter()
  const { socket, text } = connected(t, it.port, [requestOf('/ignoring', ann), requestOf('/stream', ann)])
  while (!text().includes('first')) await once(socket, 'data')
  await settled()
  await ann.post('/logout')
  await settled()
  t.equal(socket.destroyed, false)
  t.equal(socket.readableEnded, false)
})

t.test('streams that end leave nothing at a connection that is used again', async (t) => {
  const counts: number[] = []
  const it = await listening(t, {
    routes: (app) => {
      app.get('/short', (request, reply) => {
        counts.push(request.raw.socket.listenerCount('close'))
        return reply.send(Readable.from(['all']))
      })
    },
  })
  const ann = await it.enter()
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  for (let requests = 0; requests < 3; requests += 1) {
    const headers = { cookie: `session=${ann.cookie}` }
    const request = httpRequest({ port: it.port, host: '127.0.0.1', path: '/short', headers, agent }).end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    await once(response.resume(), 'end')
    await settled()
  }
  t.equal(new Set(counts).size, 1)
})

t.test('a stream of the handler for unknown addresses ends with its session', async (t) => {
  const it = await listening(t, {
    routes: (app) => app.setNotFoundHandler((_request, reply) => reply.type('text/event-stream').send(drip())),
  })
  const ann = await it.enter()
  const reading = await it.read('/nowhere', ann)
  await ann.post('/logout')
  t.equal(await reading.ended, false)
})

t.test('an event stream of @fastify/sse ends with its session', async (t) => {
  const it = await listening(t, {
    routes: async (app) => {
      await app.register(sse.default)
      app.get('/sse', { sse: true }, async (_request, reply) => {
        reply.sse.keepAlive()
        await reply.sse.send({ data: 'first' })
      })
    },
  })
  const ann = await it.enter()
  const reading = await it.read('/sse', ann)
  await it.app.sessions.revokeUser('ann')
  t.equal(await reading.ended, false)
})

t.test('a WebSocket that @fastify/http-proxy passes on ends with its session', async (t) => {
  const upstream = Fastify()
  t.teardown(() => upstream.close())
  await upstream.register(websocket)
  upstream.get('/echo', { websocket: true }, (socket) => {
    socket.on('message', (data: Buffer) => socket.send(data.toString()))
  })
  await upstream.listen({ host: '127.0.0.1', port: 0 })
  const { port: upstreamPort } = upstream.server.address() as AddressInfo
  const it = await listening(t, {
    routes: async (app) => {
      await app.register(httpProxy, { upstream: `http://127.0.0.1:${upstreamPort}`, prefix: '/up', websocket: true })
    },
  })
  const ann = await it.enter()
  const open = async (visitor: Visitor): Promise<WebSocket> => {
    const headers = { cookie: `session=${visitor.cookie}` }
    const socket = new WebSocket(`ws://127.0.0.1:${it.port}/up/echo`, { headers })
    socket.on('error', () => undefined)
    t.teardown(() => socket.terminate())
    await once(socket, 'open')
    socket.send('hello')
    await once(socket, 'message')
    return socket
  }
  const hers = await open(ann)
  const his = await open(await it.enter('bob'))
  const closed = once(hers, 'close')
  await ann.post('/logout')
  await closed
  t.equal(his.readyState, WebSocket.OPEN)
})

t.test('a socket of socket.io learns who it is, and ends with its session', async (t) => {
  const it = await listening(t)
  const server = new SocketServer(it.app.server, { transports: ['websocket', 'polling'] })
  t.teardown(() => server.disconnectSockets(true))
  server.use((socket, next) => {
    it.app.sessions.open(socket.request).then((session) => {
      if (session === null) return next(new Error('log in first'))
      Object.assign(socket.data, { userId: session.userId })
      session.signal.addEventListener('abort', () => socket.disconnect(true))
      socket.on('disconnect', () => session.close())
      return next()
    }, next)
  })
  server.on('connection', (socket) => socket.emit('hello', (socket.data as { userId: string }).userId))
  const connect = (headers: Record<string, string>, transport = 'websocket') => {
    const socket = io(`http://127.0.0.1:${it.port}`, {
      extraHeaders: headers,
      transports: [transport],
      reconnection: false,
    })
    t.teardown(() => socket.disconnect())
    return socket
  }
  const ann = await it.enter()
  const cookie = `session=${ann.cookie}`
  for (const transport of ['websocket', 'polling']) {
    const socket = connect({ cookie }, transport)
    const [userId] = (await event(socket, 'hello')) as [string]
    t.equal(userId, 'ann', transport)
    if (transport === 'polling') {
      const gone = event(socket, 'disconnect')
      await ann.post('/logout')
      await gone
    } else socket.disconnect()
  }
  const [refused] = (await event(connect({}), 'connect_error')) as [Error]
  t.equal(refused.message, 'log in first')
  for (const transport of ['websocket', 'polling']) {
    const [foreign] = (await event(
      connect({ cookie, origin: 'https://evil.example' }, transport),
      'connect_error',
    )) as [Error]
    t.match(foreign.message, 'another origin')
  }
})

function event(socket: ReturnType<typeof io>, name: string): Promise<unknown[]> {
  return new Promise((resolve) => socket.once(name, (...rest: unknown[]) => resolve(rest)))
}
