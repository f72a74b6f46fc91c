/** Old cookies in the place of this app's ids and the reverse, over each transport that brings them. */
import { once } from 'node:events'
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import type { NewApp } from './new-app.ts'
import { isNobody, newApp } from './new-app.ts'
import type { OldApp } from './old-apps.ts'
import { headerOf, OLD_APPS } from './old-apps.ts'

const BY_HEADER = { headerTransport: {} }

/** Adds a login whose id the client brings in a header. */
function routes(app: FastifyInstance): void {
  app.get('/token', async (request) => {
    await request.login({ id: 'bob' }, { transport: 'header' })
    return { userId: null, data: { token: request.sessionToken } }
  })
}

async function withHeader(t: Test, old: OldApp): Promise<NewApp> {
  return newApp(t, old, { session: BY_HEADER, routes })
}

/** Returns the id of a login by header. */
async function tokenOf({ visitor }: NewApp): Promise<string> {
  return String((await visitor(new Map()).visit('/token')).data['token'])
}

for (const [library, make] of Object.entries(OLD_APPS)) {
  t.test(`a session of ${library} enters by its own cookie alone, and by no header`, async (t) => {
    const old = await make(t)
    const it = await withHeader(t, old)
    const cookies = await old.open({ userId: 'ann' })
    const token = await tokenOf(it)
    const ours = it.visitor(new Map())
    await ours.visit('/login')
    const id = ours.cookies.get('session') ?? ''
    const before = await it.living()
    it.bench.events.length = 0
    const wrong: Record<string, Record<string, string>> = {}
    for (const [name, value] of cookies) {
      wrong[`the value of ${name} in the header`] = { authorization: `Session ${value}` }
      wrong[`the pair of ${name} in the header`] = { authorization: `Session ${name}=${value}` }
      wrong[`the value of ${name} in the cookie of this app`] = { cookie: `session=${value}` }
      wrong[`an id of a header in ${name}`] = { cookie: `${name}=${token}` }
      wrong[`an id of a cookie in ${name}`] = { cookie: `${name}=${id}` }
    }
    for (const [what, headers] of Object.entries(wrong)) {
      const page = await it.visitor(new Map()).visit('/me', { headers: { cookie: '', ...headers } })
      isNobody(t, page, what)
      t.equal(await it.bench.app.sessions.open({ headers }), null, what)
    }
    t.strictSame(await it.living(), before)
    t.strictSame(it.bench.takeEvents('migrate'), [])
    t.equal((await it.visitor(cookies).visit()).userId, 'ann', 'the session is still there')
  })

  t.test(`a request with an id in the header neither uses nor clears the cookie of ${library}`, async (t) => {
    const old = await make(t)
    const it = await withHeader(t, old)
    const token = await tokenOf(it)
    const ann = it.visitor(await old.open({ userId: 'ann' }))
    for (const [authorization, userId] of [
      [`Session ${token}`, 'bob'],
      ['Session', null],
      ['Session x', null],
    ] as const) {
      const page = await ann.copy().visit('/me', { headers: { authorization } })
      t.match(page, { status: 200, userId }, authorization)
      t.strictSame(page.setCookie, [], authorization)
      await ann.copy().visit('/login', { headers: { authorization: 'Session' } })
    }
    await ann.copy().visit('/logout', { headers: { authorization: `Session ${token}` } })
    t.strictSame(it.bench.takeEvents('migrate'), [])
    t.equal((await ann.visit()).userId, 'ann')
  })
}

/** Sends a request over HTTP/2, in which a `Cookie` header may come in several fields. */
async function ask(
  client: ClientHttp2Session,
  path: string,
  headers: IncomingHttpHeaders,
): Promise<[string, string[]]> {
  const stream = client.request({ ':path': path, ...headers })
  const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders]
  let body = ''
  for await (const chunk of stream.setEncoding('utf8')) body += chunk
  return [body, answer['set-cookie'] ?? []]
}

t.test('over HTTP/2 an old session enters once, in however many fields its cookies come', async (t) => {
  for (const make of Object.values(OLD_APPS)) {
    const old = await make(t)
    const it = await newApp(t, old, { session: BY_HEADER, routes, fastify: { http2: true } as object })
    await it.bench.app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = it.bench.app.server.address() as AddressInfo
    const client = connect(`http://127.0.0.1:${port}`)
    t.teardown(() => client.destroy())
    const cookies = await old.open({ userId: 'ann' })
    const fields = ['a=1', ...Array.from(cookies, ([name, value]) => `${name}=${value}`), 'b=2']
    const twice = [...fields, ...fields] as unknown as string
    t.match((await ask(client, '/me', { cookie: twice }))[0], /"userId":null/, 'two cookies of one name')
    const [page, lines] = await ask(client, '/me', { cookie: fields as unknown as string })
    t.match(page, /"userId":"ann"/)
    const own = lines.find((line) => line.startsWith('session='))?.split(';', 1)[0] ?? ''
    it.bench.clock.advance('31s')
    t.match((await ask(client, '/me', { cookie: fields as unknown as string }))[0], /"userId":null/, 'used up')
    t.match((await ask(client, '/me', { cookie: own }))[0], /"userId":"ann"/)
    const [reply] = await ask(client, '/token', {})
    const { token } = (JSON.parse(reply) as { data: { token: string } }).data
    const inHeader = `Session ${own.slice('session='.length)}`
    t.match((await ask(client, '/me', { cookie: `session=${token}` }))[0], /"userId":null/)
    t.match((await ask(client, '/me', { authorization: inHeader }))[0], /"userId":null/)
    t.match((await ask(client, '/me', { authorization: inHeader, cookie: own }))[0], /"userId":null/)
    t.match((await ask(client, '/me', { authorization: `Session ${token}`, cookie: own }))[0], /"userId":"bob"/)
    client.close()
  }
})

t.test(
  'the opening of a WebSocket follows an id in its own place alone, and an old cookie without using it up',
  async (t) => {
    for (const make of Object.values(OLD_APPS)) {
      const old = await make(t)
      const it = await newApp(t, old, {
        session: BY_HEADER,
        routes: async (app) => {
          routes(app)
          await app.register(websocket)
          await app.register(async (inner) => {
            inner.get('/socket', { websocket: true }, (socket, request) => socket.send(request.user?.id ?? 'nobody'))
          })
        },
      })
      await it.bench.app.listen({ host: '127.0.0.1', port: 0 })
      const { port } = it.bench.app.server.address() as AddressInfo
      const open = async (headers: Record<string, string>): Promise<string> => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers })
        t.teardown(() => socket.terminate())
        const [message] = (await once(socket, 'message')) as [Buffer]
        socket.terminate()
        return message.toString()
      }
      const token = await tokenOf(it)
      const ours = it.visitor(new Map())
      await ours.visit('/login')
      const id = ours.cookies.get('session') ?? ''
      const cookies = await old.open({ userId: 'ann' })
      const cookie = headerOf(cookies)
      t.equal(await open({ authorization: `Session ${token}` }), 'bob')
      t.equal(await open({ cookie: `session=${id}` }), 'somebody else')
      t.equal(await open({ cookie: `session=${token}` }), 'nobody')
      t.equal(await open({ authorization: `Session ${id}` }), 'nobody')
      t.equal(await open({ authorization: `Session ${token}`, cookie: `session=${id}; ${cookie}` }), 'bob')
      t.equal(await open({ authorization: 'Session', cookie }), 'nobody')
      t.equal(await open({ cookie }), 'ann')
      t.equal(await open({ cookie: `${cookie}; session=${id}` }), 'somebody else', 'a session of this app goes first')
      t.equal(await open({ cookie: `${cookie}; ${cookie}` }), 'nobody', 'two cookies of one name')
      it.bench.clock.advance('5m')
      t.equal((await it.visitor(cookies).visit()).userId, 'ann', 'an ordinary request uses the old session up')
      it.bench.clock.advance('31s')
      t.equal(await open({ cookie }), 'nobody')
    }
  },
)
