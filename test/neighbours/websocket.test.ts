import { once } from 'node:events'
import { Agent, get as getOverHttp } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect as connectTcp } from 'node:net'
import { mock } from 'node:test'
import websocket from '@fastify/websocket'
import type { WebSocket as ServerSocket } from '@fastify/websocket'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { WebSocket } from 'ws'
import { secureSession } from '../../lib/index.ts'
import type { MemoryStore } from '../../lib/index.ts'
import type { SessionStore } from '../../types/index.ts'
import type { Visitor, World, WorldOptions } from '../plugin/world.ts'
import { ordinary, route, SECRET, world } from '../plugin/world.ts'

/** The code and the reason with which a socket was closed. */
interface Ending {
  code: number
  reason: string
}

/** A client's socket and everything that came through it. */
interface Client {
  socket: WebSocket
  messages: string[]
  ended: Promise<Ending>
  /** Sends a text and waits for the answer to it. */
  ask(text: string): Promise<string>
}

/** The messages and sockets that the server saw. */
interface Served {
  heard: string[]
  sockets: ServerSocket[]
}

function chat(app: FastifyInstance, served: Served): void {
  app.get('/chat', { websocket: true }, (socket, request) => {
    served.sockets.push(socket)
    socket.on('message', (data: Buffer) => void answer(socket, request, data.toString(), served))
  })
}

async function answer(socket: ServerSocket, request: FastifyRequest, text: string, served: Served): Promise<void> {
  served.heard.push(text)
  if (text === 'leave') await request.logout()
  if (text === 'enter') {
    await request.login({ id: 'bob' }).catch(({ code }: { code: string }) => served.heard.push(code))
  }
  if (text === 'stay') {
    request.session.touch()
    await request.session.save()
  }
  socket.send(`${request.user?.id ?? 'nobody'}: ${text}`)
}

interface Chat extends World {
  served: Served
  open(cookie: string | undefined, headers?: Record<string, string>): Promise<Client>
  /** Opens one for a visitor who has just logged in. */
  enter(user?: string): Promise<{ visitor: Visitor; client: Client; handle: string }>
}

/** Starts an app with a chat over WebSocket. */
async function chatWorld(t: Test, options: WorldOptions = {}): Promise<Chat> {
  const served: Served = { heard: [], sockets: [] }
  const it = await world(t, {
    ...options,
    routes: async (app) => {
      ordinary(app)
      await app.register(websocket)
      await app.register(async (child) => chat(child, served))
      await options.routes?.(app)
    },
  })
  await it.app.listen({ host: '127.0.0.1', port: 0 })
  // Timers are still what they were when the last of a test's sockets closes.
  t.teardown(() => Promise.all(served.sockets.map(closed)))
  const { port } = it.app.server.address() as AddressInfo
  const open = (cookie: string | undefined, headers: Record<string, string> = {}): Promise<Client> =>
    connect(t, `ws://127.0.0.1:${port}/chat`, {
      ...(cookie !== undefined && { cookie: `session=${cookie}` }),
      ...headers,
    })
  return {
    ...it,
    served,
    open,
    enter: async (user = 'ann') => {
      const visitor = it.visitor()
      const { handle } = (await visitor.post('/login', { user: { id: user } })).json<{ handle: string }>()
      return { visitor, handle, client: await open(visitor.cookie) }
    },
  }
}

async function connect(t: Test, url: string, headers: Record<string, string>): Promise<Client> {
  const socket = new WebSocket(url, { headers })
  t.teardown(() => socket.terminate())
  const messages: string[] = []
  socket.on('message', (data: Buffer) => messages.push(data.toString()))
  const ended = once(socket, 'close').then(([code, reason]): Ending => ({ code, reason: String(reason) }))
  await once(socket, 'open')
  return {
    socket,
    messages,
    ended,
    ask: async (text) => {
      const answered = once(socket, 'message')
      socket.send(text)
      return String((await answered)[0])
    },
  }
}

async function closed(socket: ServerSocket): Promise<void> {
  if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close')
}

/** Returns the status that an upgrade was refused with. */
async function refusal(it: Chat, headers: Record<string, string>): Promise<number> {
  const { port } = it.app.server.address() as AddressInfo
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, { headers })
  socket.on('error', () => undefined)
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
  socket.terminate()
  return response.statusCode
}

const ENDED: Ending = { code: 1008, reason: 'session ended' }
const CHANGED: Ending = { code: 1008, reason: 'session changed' }

/** Time on Node's timers passes when told to, and the answers to what it sets off are waited for. */
function mockTimers(t: Test): (milliseconds: number) => Promise<void> {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  return async (milliseconds) => {
    mock.timers.tick(milliseconds)
    await settled()
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

t.test('an upgrade is authenticated by the session of its cookie', async (t) => {
  const it = await chatWorld(t)
  const { client } = await it.enter()
  t.equal(await client.ask('hello'), 'ann: hello')
  const stranger = await it.open(undefined)
  t.equal(await stranger.ask('hello'), 'nobody: hello')
  const forger = await it.open(`${'a'.repeat(22)}.${'b'.repeat(43)}.${'c'.repeat(43)}`)
  t.equal(await forger.ask('hello'), 'nobody: hello')
})

t.test('an upgrade that needs a login is refused without one', async (t) => {
  const it = await chatWorld(t, {
    routes: (app) => {
      app.get('/private', { websocket: true, preHandler: app.requireLogin() }, () => undefined)
    },
  })
  const { visitor } = await it.enter()
  t.match(await it.app.inject({ url: '/private' }), { statusCode: 401 })
  const ws = await it.app.injectWS('/private', { headers: { cookie: `session=${visitor.cookie}` } })
  t.equal(ws.readyState, WebSocket.OPEN)
  ws.terminate()
  await t.rejects(it.app.injectWS('/private'), { message: 'Unexpected server response: 401' })
})

t.test('a logout closes every socket of the session with 1008, and no other', async (t) => {
  const it = await chatWorld(t)
  const { visitor, client } = await it.enter()
  const second = await it.open(visitor.cookie)
  const other = await it.enter()
  await visitor.post('/logout')
  t.strictSame(await client.ended, ENDED)
  t.strictSame(await second.ended, ENDED)
  t.equal(await other.client.ask('still here'), 'ann: still here')
})

t.test('an app that closes does not tell its sockets that their session ended', async (t) => {
  const it = await chatWorld(t)
  const { client } = await it.enter()
  await it.app.close()
  t.not((await client.ended).code, ENDED.code, 'a client may connect again')
})

t.test('a logout over the socket itself closes it', async (t) => {
  const it = await chatWorld(t)
  const { client } = await it.enter()
  client.socket.send('leave')
  t.strictSame(await client.ended, ENDED)
})

t.test('a logout everywhere closes the sockets of all sessions of the user', async (t) => {
  const it = await chatWorld(t)
  const { visitor, client } = await it.enter()
  const elsewhere = await it.enter()
  const bob = await it.enter('bob')
  await visitor.post('/logout', { everywhere: true })
  t.strictSame(await client.ended, ENDED)
  t.strictSame(await elsewhere.client.ended, ENDED)
  t.equal(await bob.client.ask('hello'), 'bob: hello')
})

t.test('a revocation closes the sockets of the session', async (t) => {
  const it = await chatWorld(t)
  const { client, handle } = await it.enter()
  t.equal(await it.app.sessions.revoke(handle, { userId: 'ann' }), true)
  t.strictSame(await client.ended, ENDED)
})

t.test('the login that is one too many closes the sockets of the session that it evicts', async (t) => {
  const it = await chatWorld(t, { session: { maxSessions: 1 } })
  const { client } = await it.enter()
  it.clock.advance('1m')
  const next = await it.enter()
  t.strictSame(await client.ended, ENDED)
  t.equal(await next.client.ask('hello'), 'ann: hello')
})

t.test('a copied cookie that is presented again closes the sockets of the session', async (t) => {
  const it = await chatWorld(t)
  const { visitor, client } = await it.enter()
  const copied = visitor.cookie
  it.clock.advance('16m')
  await visitor.get('/me')
  t.not(visitor.cookie, copied, 'renewed')
  await visitor.get('/me')
  it.clock.advance('1m')
  await it.app.inject({ url: '/me', headers: { cookie: `session=${copied}`, 'user-agent': 'curl/8.0' } })
  t.strictSame(await client.ended, ENDED)
})

t.test('a session destroyed without a user closes its sockets', async (t) => {
  const it = await chatWorld(t, {
    routes: (app) => route(app, '/destroy', (request) => request.session.destroy()),
  })
  const visitor = it.visitor()
  await visitor.post('/note', { cart: ['tea'] })
  const client = await it.open(visitor.cookie)
  await visitor.post('/destroy')
  t.strictSame(await client.ended, ENDED)
})

t.test('a login closes the sockets of the anonymous session that it grew out of', async (t) => {
  const it = await chatWorld(t)
  const visitor = it.visitor()
  await visitor.post('/note', { cart: ['tea'] })
  const client = await it.open(visitor.cookie)
  await visitor.post('/login')
  t.strictSame(await client.ended, ENDED)
})

t.test(
  'a regenerate closes the sockets of an anonymous session, for whom another plugin may log in that way',
  async (t) => {
    const it = await chatWorld(t, {
      routes: (app) => route(app, '/regenerate', (request) => request.session.regenerate()),
    })
    const visitor = it.visitor()
    await visitor.post('/note', { cart: ['tea'] })
    const client = await it.open(visitor.cookie)
    await visitor.post('/regenerate')
    t.strictSame(await client.ended, CHANGED)
  },
)

t.test('a session that another user takes over closes the sockets of the first', async (t) => {
  const it = await chatWorld(t)
  const { visitor, client } = await it.enter('ann')
  await visitor.post('/login', { user: { id: 'bob' } })
  t.strictSame(await client.ended, ENDED)
})

t.test('renewals and data writes leave the sockets open', async (t) => {
  const it = await chatWorld(t)
  const { visitor, client } = await it.enter()
  await visitor.post('/note', { a: 1 })
  it.clock.advance('16m')
  await visitor.get('/me')
  await visitor.get('/me')
  it.clock.advance('1m')
  await visitor.get('/me')
  t.equal(await client.ask('hello'), 'ann: hello')
})

/** Returns a store that tells nobody of ends. */
function quiet(store: MemoryStore): SessionStore {
  return Object.assign(store, { subscribe: undefined })
}

t.test('a change of epoch closes sockets of a copied id; the owner connects again with the new id', async (t) => {
  for (const path of ['/login', '/confirm', '/regenerate', '/password']) {
    const it = await chatWorld(t, {
      session: { loadUser: async (id) => ({ id, password: 'p' }), authHash: (user) => String(user['password']) },
      routes: (app) => {
        route(app, '/confirm', (request) => request.confirmLogin())
        route(app, '/regenerate', (request) => request.session.regenerate())
        route(app, '/password', (request) => request.updateAuthHash())
      },
    })
    const { visitor, client, handle } = await it.enter()
    const copied = visitor.cookie
    const copy = await it.open(copied)
    const other = await it.enter()
    await visitor.post(path)
    t.equal((await visitor.get('/me')).json<{ handle: string }>().handle, handle, `${path}: the same session`)
    t.strictSame(await copy.ended, CHANGED, path)
    t.strictSame(await client.ended, CHANGED, `${path}: no socket tells whether the owner holds it`)
    t.equal(await (await it.open(visitor.cookie)).ask('hello'), 'ann: hello', `${path}: the owner is back at once`)
    t.equal(await (await it.open(copied)).ask('hello'), 'nobody: hello', `${path}: the copy is not`)
    t.equal(await other.client.ask('hello'), 'ann: hello', `${path}: another session of the user`)
  }
})

t.test('a change of epoch in another process closes the sockets within ten seconds', async (t) => {
  const tick = mockTimers(t)
  const it = await chatWorld(t, { store: quiet })
  const { client, handle } = await it.enter()
  await settled()
  const record = await it.record(handle)
  if (record === undefined) throw new Error('no record')
  await it.store.update({ ...record, epoch: record.epoch + 1, version: record.version + 1 }, record.version)
  await tick(10_000)
  t.strictSame(await client.ended, CHANGED)
})

t.test('a session that ended in another process closes its sockets as soon as the store tells', async (t) => {
  const it = await chatWorld(t)
  const { client, handle } = await it.enter()
  await it.store.delete(handle)
  t.strictSame(await client.ended, ENDED)
})

t.test('a route may let its sockets outlive their session', async (t) => {
  const it = await chatWorld(t, {
    routes: (app) => {
      app.get('/lasting', { websocket: true, config: { sessionEnd: 'ignore' } }, (socket) => socket.send('hello'))
    },
  })
  const { visitor, client } = await it.enter()
  const lasting = await it.app.injectWS('/lasting', { headers: { cookie: `session=${visitor.cookie}` } })
  await visitor.post('/logout')
  await client.ended
  t.equal(lasting.readyState, WebSocket.OPEN)
  lasting.terminate()
})

t.test('a session that ended in another process closes its sockets within ten seconds in any case', async (t) => {
  const tick = mockTimers(t)
  const it = await chatWorld(t, { store: quiet })
  const { client, handle } = await it.enter()
  const other = await it.enter()
  await settled()
  await it.store.delete(handle)
  await tick(9_999)
  t.equal(client.socket.readyState, WebSocket.OPEN)
  await tick(1)
  t.strictSame(await client.ended, ENDED)
  t.equal(await other.client.ask('hello'), 'ann: hello')
  await it.store.delete((await it.app.sessions.list('ann'))[0]?.handle ?? '')
  await tick(10_000)
  t.strictSame(await other.client.ended, ENDED, 'and again ten seconds later')
})

t.test('a session that nobody uses closes its sockets at its idle deadline', async (t) => {
  const tick = mockTimers(t)
  const it = await chatWorld(t, { session: { idleTimeout: '5s', renewalTimeout: '5s' } })
  const { client } = await it.enter()
  await settled()
  it.clock.advance('4999ms')
  await tick(4_999)
  t.equal(client.socket.readyState, WebSocket.OPEN)
  it.clock.advance('1ms')
  await tick(1)
  t.strictSame(await client.ended, ENDED)
})

t.test(
  'a session that is used elsewhere keeps its sockets beyond the first deadline, up to the absolute one',
  async (t) => {
    const tick = mockTimers(t)
    const it = await chatWorld(t, { session: { idleTimeout: '30m', absoluteTimeout: '1h' } })
    const { visitor, client } = await it.enter()
    await settled()
    for (let minutes = 0; minutes < 55; minutes += 5) {
      it.clock.advance('5m')
      await visitor.get('/me')
      await tick(10_000)
    }
    t.equal(client.socket.readyState, WebSocket.OPEN)
    it.clock.advance('5m')
    await tick(10_000)
    t.strictSame(await client.ended, ENDED)
  },
)

t.test('messages keep a session alive only where the app touches it', async (t) => {
  const tick = mockTimers(t)
  const it = await chatWorld(t)
  const { client } = await it.enter()
  const silent = await it.enter()
  await settled()
  for (const wait of ['20m', '20m'] as const) {
    it.clock.advance(wait)
    t.equal(await client.ask('stay'), 'ann: stay')
    if (silent.client.socket.readyState === WebSocket.OPEN) await silent.client.ask('hello').catch(() => undefined)
    await tick(10_000)
  }
  t.equal(client.socket.readyState, WebSocket.OPEN)
  t.strictSame(await silent.client.ended, ENDED)
})

t.test('new credentials of the user close sockets, without a request of theirs', async (t) => {
  const tick = mockTimers(t)
  const passwords = new Map([['ann', 'first']])
  let looks = 0
  const it = await chatWorld(t, {
    session: {
      loadUser: async (id) => {
        looks += 1
        return { id, password: passwords.get(id) }
      },
      authHash: (user: { id: string; password?: string }) => user.password ?? passwords.get(user.id),
    },
  })
  const { client } = await it.enter()
  await settled()
  looks = 0
  it.clock.advance('61s')
  await tick(10_000)
  t.equal(looks, 1)
  t.equal(client.socket.readyState, WebSocket.OPEN)
  passwords.set('ann', 'second')
  it.clock.advance('59s')
  await tick(10_000)
  t.equal(looks, 1, 'a look stays good for authCheckInterval')
  it.clock.advance('1s')
  await tick(10_000)
  t.strictSame(await client.ended, ENDED)
  t.ok(it.events.some((event) => event.type === 'revoke' && event.reason === 'auth-hash'))
})

t.test('a store that cannot answer closes no socket before the deadline that it last gave', async (t) => {
  const tick = mockTimers(t)
  let isAway = false
  const it = await chatWorld(t, {
    store: (store) => {
      const get = store.get.bind(store)
      return Object.assign(store, {
        get: async (handle: string) => {
          if (isAway) throw new Error('away')
          return get(handle)
        },
      })
    },
  })
  const { client } = await it.enter()
  await settled()
  isAway = true
  it.clock.advance('29m')
  await tick(10_000)
  t.equal(client.socket.readyState, WebSocket.OPEN)
  it.clock.advance('1m')
  await tick(10_000)
  t.strictSame(await client.ended, ENDED)
})

t.test('a session that ends while its socket opens closes it', async (t) => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  let arrived = (): void => {}
  const arrival = new Promise<void>((resolve) => (arrived = resolve))
  const it = await chatWorld(t, {
    routes: (app) => {
      app.addHook('preValidation', async (request) => {
        if (!request.ws) return
        arrived()
        await held
      })
    },
  })
  const visitor = it.visitor()
  const { handle } = (await visitor.post('/login')).json<{ handle: string }>()
  const opening = it.open(visitor.cookie)
  await arrival
  await it.app.sessions.revoke(handle, { userId: 'ann' })
  release()
  t.strictSame(await (await opening).ended, ENDED)
})

t.test(
  'a session that ends in another process while its socket opens closes it, although the store tells nobody',
  async (t) => {
    mockTimers(t)
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    let arrive = (): void => undefined
    const arrived = new Promise<void>((resolve) => (arrive = resolve))
    const it = await chatWorld(t, {
      store: quiet,
      routes: (app) => {
        app.addHook('preValidation', async (request) => {
          if (!request.ws) return
          arrive()
          await held
        })
      },
    })
    const visitor = it.visitor()
    const { handle } = (await visitor.post('/login')).json<{ handle: string }>()
    const opening = it.open(visitor.cookie)
    await arrived
    await it.store.delete(handle)
    release()
    const client = await opening
    await settled()
    t.not(it.served.sockets[0]?.readyState, WebSocket.OPEN)
    t.strictSame(await client.ended, ENDED)
  },
)

t.test('after the end nothing that a client sends is heard, and one that does not close is cut off', async (t) => {
  const tick = mockTimers(t)
  const it = await chatWorld(t)
  const { visitor, client } = await it.enter()
  await client.ask('before')
  const [server] = it.served.sockets
  if (server === undefined) throw new Error('no socket')
  // A client that never answers the closing frame.
  client.socket.pause()
  await visitor.post('/logout')
  client.socket.send('after')
  await settled()
  t.equal(server.readyState, WebSocket.CLOSING)
  await tick(2_000)
  t.equal(server.readyState, WebSocket.CLOSED)
  t.strictSame(it.served.heard, ['before'])
})

t.test('a handler that listens only after the end of its session hears nothing', async (t) => {
  const it = await chatWorld(t)
  const { visitor, client } = await it.enter()
  const [server] = it.served.sockets
  if (server === undefined) throw new Error('no socket')
  client.socket.pause()
  await visitor.post('/logout')
  server.on('message', (data: Buffer) => void it.served.heard.push(String(data)))
  client.socket.send('after')
  await settled()
  client.socket.resume()
  t.strictSame(await client.ended, ENDED)
  t.strictSame(it.served.heard, [])
})

t.test('a login over a socket is refused: there is no response left to carry its cookie', async (t) => {
  const it = await chatWorld(t)
  const { client } = await it.enter()
  const stranger = await it.open(undefined)
  t.equal(await client.ask('enter'), 'ann: enter')
  t.equal(await stranger.ask('enter'), 'nobody: enter')
  t.strictSame(it.served.heard, ['enter', 'SESSION_RESPONSE_STARTED', 'enter', 'SESSION_RESPONSE_STARTED'])
  t.strictSame(await it.app.sessions.list('bob'), [])
})

t.test('a change deep inside the data that no save follows is reported once the socket is closed', async (t) => {
  const it = await chatWorld(t, {
    routes: async (app) => {
      const cartOf = (request: FastifyRequest): string[] => Reflect.get(request.session, 'cart') as string[]
      await app.register(async (child) => {
        child.addHook('preHandler', async (request) => void cartOf(request))
        child.get('/cart', { websocket: true }, (socket, request) => {
          socket.on('message', () => socket.send(cartOf(request).push('milk')))
        })
      })
    },
  })
  const { visitor } = await it.enter()
  await visitor.post('/note', { cart: ['tea'] })
  const { port } = it.app.server.address() as AddressInfo
  const client = await connect(t, `ws://127.0.0.1:${port}/cart`, { cookie: `session=${visitor.cookie}` })
  t.equal(await client.ask('buy'), '2')
  client.socket.close()
  await client.ended
  await settled()
  t.match(
    it.events.filter(({ type }) => type === 'dropped-write'),
    [{ reason: 'late' }],
  )
})

t.test(
  'data and a login from before a socket opened, which no response stores, are reported once it is closed',
  async (t) => {
    for (const act of [
      (request: FastifyRequest): unknown => Object.assign(request.session, { seen: true }),
      (request: FastifyRequest): unknown => request.login({ id: 'bob' }),
    ]) {
      const it = await chatWorld(t, {
        routes: async (app) => {
          await app.register(async (child) => {
            child.addHook('preHandler', async (request) => void (await act(request)))
            child.get('/early', { websocket: true }, (socket) => {
              socket.on('message', () => socket.send('hello'))
            })
          })
        },
      })
      const { visitor, handle } = await it.enter()
      const { port } = it.app.server.address() as AddressInfo
      const client = await connect(t, `ws://127.0.0.1:${port}/early`, { cookie: `session=${visitor.cookie}` })
      t.equal(await client.ask('hello'), 'hello')
      client.socket.close()
      await client.ended
      await settled()
      const lost = it.events.filter(({ type }) => type === 'dropped-write')
      t.match(lost, [{ reason: 'late', handle }], act.toString())
      const { user, data } = (await visitor.get('/me')).json<{ user: unknown; data: unknown }>()
      t.strictSame({ user, data }, { user: { id: 'ann' }, data: {} })
    }
  },
)

t.test('sockets of a route without sessions, and of strangers, ask nothing of the store', async (t) => {
  const it = await chatWorld(t, {
    routes: (app) => {
      app.get('/public', { websocket: true, config: { session: false } }, (socket) => {
        socket.on('message', () => socket.send('public'))
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/login')
  it.asked()
  const ws = await it.app.injectWS('/public', { headers: { cookie: `session=${visitor.cookie}` } })
  ws.send('hello')
  t.equal(String((await once(ws, 'message'))[0]), 'public')
  ws.terminate()
  const stranger = await it.open(undefined)
  await stranger.ask('hello')
  t.strictSame(it.asked(), [])
})

t.test('a closed socket is not watched any longer', async (t) => {
  const tick = mockTimers(t)
  const it = await chatWorld(t)
  const { client, visitor } = await it.enter()
  const second = await it.open(visitor.cookie)
  await settled()
  client.socket.close()
  await client.ended
  it.asked()
  await tick(10_000)
  t.strictSame(it.asked(), ['get'], 'one read for the session, however many sockets')
  second.socket.close()
  await second.ended
  await settled()
  await tick(60_000)
  t.strictSame(it.asked(), [])
})

t.test('nothing asks about a closed socket at the deadline of its session', async (t) => {
  const tick = mockTimers(t)
  const it = await chatWorld(t, { session: { idleTimeout: '5s', renewalTimeout: '5s' } })
  const { client } = await it.enter()
  await settled()
  client.socket.close()
  await client.ended
  await settled()
  it.asked()
  await tick(5_000)
  t.strictSame(it.asked(), [])
})

t.test('each socket asks the store as often as the first', async (t) => {
  const it = await chatWorld(t)
  const { visitor } = await it.enter()
  await settled()
  const asked: string[][] = []
  for (let sockets = 0; sockets < 2; sockets += 1) {
    it.asked()
    await it.open(visitor.cookie)
    await settled()
    asked.push(it.asked())
  }
  t.strictSame(asked, [
    ['get', 'get'],
    ['get', 'get'],
  ])
})

t.test('an ordinary request leaves its connection to the next one', async (t) => {
  const it = await chatWorld(t)
  const { port } = it.app.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const sockets = new Set<unknown>()
  for (let requests = 0; requests < 2; requests += 1) {
    const [response] = (await once(getOverHttp({ port, host: '127.0.0.1', path: '/me', agent }), 'response')) as [
      IncomingMessage,
    ]
    sockets.add(response.socket)
    await once(response.resume(), 'end')
    await settled()
  }
  t.equal(sockets.size, 1)
})

t.test('an upgrade from another origin is refused, since no preflight stands before it', async (t) => {
  const it = await chatWorld(t, { session: { trustedOrigins: ['https://partner.example'] } })
  const visitor = it.visitor()
  await visitor.post('/login')
  const cookie = `session=${visitor.cookie}`
  t.equal(await refusal(it, { cookie, origin: 'https://evil.example' }), 403)
  t.equal(await refusal(it, { cookie, 'sec-fetch-site': 'same-site', origin: 'https://sub.example' }), 403)
  const { port } = it.app.server.address() as AddressInfo
  const own = await it.open(visitor.cookie, { origin: `http://127.0.0.1:${port}` })
  t.equal(await own.ask('hello'), 'ann: hello')
  const partner = await it.open(visitor.cookie, { origin: 'https://partner.example' })
  t.equal(await partner.ask('hello'), 'ann: hello')
})

t.test('an upgrade that is refused before @fastify/websocket sees it leaves no connection behind', async (t) => {
  const it = await chatWorld(t)
  const { port } = it.app.server.address() as AddressInfo
  const socket = connectTcp(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  const ended = once(socket, 'close')
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: x']
  socket.write(['GET /chat HTTP/1.1', 'Host: here', 'Origin: https://evil.example', ...upgrade, '', ''].join('\r\n'))
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1.1 403 /)
  await ended
})

t.test('an upgrade in an app without @fastify/websocket is an ordinary request', async (t) => {
  const it = await world(t, { routes: ordinary })
  const visitor = it.visitor()
  await visitor.post('/login')
  const me = await visitor.get('/me', { headers: { upgrade: 'websocket', connection: 'upgrade' } })
  t.match(me.json(), { user: { id: 'ann' } })
})

t.test('a socket of a route outside the plugin’s context is none of its business', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(websocket)
  const echo = (socket: ServerSocket): void => void socket.on('message', (data: Buffer) => socket.send(String(data)))
  await app.register(async (outside) => {
    outside.get('/outside', { websocket: true }, echo)
  })
  await app.register(async (inside) => {
    await inside.register(secureSession, { environment: 'test', secret: SECRET })
    inside.get('/inside', { websocket: true }, echo)
  })
  const origin = (await app.listen({ host: '127.0.0.1', port: 0 })).replace('http', 'ws')
  for (const path of ['/inside', '/outside']) {
    const client = await connect(t, origin + path, {})
    t.equal(await client.ask('hello'), 'hello', path)
    client.socket.terminate()
  }
})
