import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import type { Test } from 'tap'
import t from 'tap'
import { door } from '../support/gate-store.ts'
import type { Visitor, World } from './world.ts'
import { ordinary, world } from './world.ts'

interface Streams extends World {
  readonly body: PassThrough
  /** Opens the quiet stream; resolves when its reply was handed to Fastify. */
  open(visitor: Visitor): Promise<{ answered: Promise<IncomingMessage> }>
}

/** Returns an app with a stream whose first byte waits for the test. */
async function streamWorld(t: Test, wrap = (body: PassThrough): unknown => body): Promise<Streams> {
  const body = new PassThrough()
  const sent = door()
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      app.get('/stream', { config: { sessionEnd: 'ignore' } }, async (request, reply) => {
        void request.user
        reply.header('set-cookie', 'other=1').header('x-other', '2')
        return reply.send(wrap(body))
      })
      app.addHook('onSend', async (request) => {
        if (request.url === '/stream') setImmediate(sent.open)
      })
    },
  })
  await it.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = it.app.server.address() as AddressInfo
  const open: Streams['open'] = async (visitor) => {
    const headers = { cookie: `session=${visitor.cookie}` }
    const request = get({ host: '127.0.0.1', port, path: '/stream', headers })
    const answered = once(request, 'response').then(([response]) => response as IncomingMessage)
    await sent.opened
    return { answered }
  }
  return { ...it, body, open }
}

function namesIn({ headers }: IncomingMessage): string[] {
  return (headers['set-cookie'] ?? []).map((line) => line.split('=', 1).join())
}

/** Returns a visitor whose id is so old that even a stream carries a renewal. */
async function dueForRenewal(it: World): Promise<Visitor> {
  const ann = it.visitor()
  await ann.post('/login', { options: { remember: true } })
  it.clock.advance('31m')
  return ann
}

for (const [kind, wrap] of Object.entries({
  'a Node stream': (body: PassThrough): unknown => body,
  'a web stream': (body: PassThrough): unknown => Readable.toWeb(body),
})) {
  t.test(`a login outlives ${kind} that was opened before it and says its first byte after it`, async (t) => {
    const it = await streamWorld(t, wrap)
    const ann = await dueForRenewal(it)
    const { answered } = await it.open(ann)
    await ann.post('/login')
    it.clock.advance('1s')
    it.body.end('first')
    const response = await answered
    t.strictSame(namesIn(response), ['other'], 'the cookies of others stay')
    t.equal(response.headers['x-other'], '2')
    await once(response.resume(), 'end')
    t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  })

  t.test(`${kind} that begins at once carries the renewed id`, async (t) => {
    const it = await streamWorld(t, wrap)
    const { answered } = await it.open(await dueForRenewal(it))
    it.body.end('first')
    const response = await answered
    t.strictSame(namesIn(response), ['other', 'session'])
    await once(response.resume(), 'end')
  })

  t.test(`${kind} whose first byte is late does not clear the cookie that a login set meanwhile`, async (t) => {
    const it = await streamWorld(t, wrap)
    const ann = it.visitor()
    const { handle } = (await ann.post('/login')).json<{ handle: string }>()
    await it.app.sessions.revoke(handle, { userId: 'ann' })
    const { answered } = await it.open(ann)
    await ann.post('/login')
    it.clock.advance('1s')
    it.body.end('first')
    const response = await answered
    t.strictSame(namesIn(response), ['other'])
    await once(response.resume(), 'end')
  })
}

interface Processes {
  readonly one: World
  readonly other: World
  /** Resolves when the slow route was asked. */
  readonly begun: Promise<void>
  readonly release: () => void
}

/** Returns two processes of one app: each has its own memory, and both have one store and one clock. */
async function twoProcesses(t: Test): Promise<Processes> {
  const arrival = door()
  const gate = door()
  const one = await world(t, { routes: ordinary })
  const other = await world(t, {
    session: { clock: one.clock },
    store: () => one.store,
    routes: (app) => {
      ordinary(app)
      app.get('/slow', async () => {
        arrival.open()
        await gate.opened
        return {}
      })
    },
  })
  return { one, other, release: () => gate.open(), begun: arrival.opened }
}

t.test('a slow answer to a dead id leaves the cookie that a login on another process set', async (t) => {
  const { one, other, release, begun } = await twoProcesses(t)
  const ann = one.visitor()
  const { handle } = (await ann.post('/login')).json<{ handle: string }>()
  const dead = ann.cookie
  await one.app.sessions.revoke(handle, { userId: 'ann' })
  const slow = other.app.inject({ url: '/slow', headers: { cookie: `session=${dead}` } })
  await begun
  await ann.post('/login')
  one.clock.advance('1s')
  release()
  t.equal((await slow).headers['set-cookie'], undefined)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('a late answer leaves the cookie of a login alone that came with an id from before another login', async (t) => {
  const { one, other } = await twoProcesses(t)
  const ann = one.visitor()
  const { handle } = (await ann.post('/login')).json<{ handle: string }>()
  const headers = { cookie: `session=${ann.cookie}` }
  // This process does not see what happens to the id on the other one.
  await other.app.inject({ method: 'POST', url: '/login', headers, payload: {} })
  one.clock.advance('31s')
  t.equal((await one.app.inject({ method: 'POST', url: '/login', headers, payload: {} })).statusCode, 200)
  await one.app.sessions.revoke(handle, { userId: 'ann' })
  t.equal((await one.app.inject({ url: '/me', headers })).headers['set-cookie'], undefined)
})

t.test('a dead id is cleared at once, and a login on another process after it sets its cookie', async (t) => {
  const { one, other } = await twoProcesses(t)
  const ann = one.visitor()
  const { handle } = (await ann.post('/login')).json<{ handle: string }>()
  const dead = `session=${ann.cookie}`
  await one.app.sessions.revoke(handle, { userId: 'ann' })
  const cleared = await other.app.inject({ url: '/me', headers: { cookie: dead } })
  t.match(cleared.headers['set-cookie'], /^session=;/)
  await ann.post('/login')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})
