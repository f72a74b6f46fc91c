import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { memoryStore, secureSession } from '../../lib/index.ts'
import { testClock } from '../support/clock.ts'
import { SECRET } from '../support/app.ts'

const ORIGIN = 'https://page.example'
const OTHER = 'https://evil.example'

interface Setup {
  readonly cors: object
  readonly isCorsFirst?: boolean
  readonly header?: string
}

/** Returns an app for pages of another origin, which bring their ids in a header. */
async function openApp(t: Test, { cors: options, isCorsFirst = false, header = 'authorization' }: Setup) {
  const logged: string[] = []
  const stream = { write: (line: string) => void logged.push(line) }
  const app = Fastify({ logger: { level: 'warn', stream } })
  t.teardown(() => app.close())
  const clock = testClock(Date.now())
  if (isCorsFirst) await app.register(cors, options)
  await app.register(secureSession, {
    environment: 'test',
    secret: SECRET,
    store: memoryStore({ clock }),
    clock,
    headerTransport: { header },
  })
  if (!isCorsFirst) await app.register(cors, options)
  app.post('/login', async (request) => {
    await request.login({ id: 'ann' }, { transport: 'header' })
    return { token: request.sessionToken }
  })
  app.get('/me', async (request) => ({ user: request.user?.id ?? null }))
  app.post('/note', async (request) => ({ user: request.user?.id ?? null }))
  await app.ready()
  return { app, clock, findings: () => logged.filter((line) => line.includes('cors-header-hidden')) }
}

async function tokenOf(app: FastifyInstance): Promise<string> {
  const headers = { origin: ORIGIN, 'sec-fetch-site': 'cross-site', authorization: 'Session', 'x-session': 'Session' }
  return (await app.inject({ method: 'POST', url: '/login', headers })).json<{ token: string }>().token
}

/** Sends the request of a page whose id is due for renewal. */
async function renewed({ app, clock }: Awaited<ReturnType<typeof openApp>>, header = 'authorization', more = {}) {
  const token = await tokenOf(app)
  clock.advance('16m')
  const headers = { origin: ORIGIN, 'sec-fetch-site': 'cross-site', [header]: `Session ${token}`, ...more }
  const response = await app.inject({ method: 'POST', url: '/note', headers })
  t.equal(response.json().user, 'ann')
  t.type(response.headers['session-renewed'], 'string')
  return response
}

function preflight(app: FastifyInstance, asked: string, origin = ORIGIN) {
  const headers = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': asked }
  return app.inject({ method: 'OPTIONS', url: '/note', headers })
}

const GOOD = { origin: [ORIGIN], exposedHeaders: ['Session-Renewed'] }

t.test(
  'a page that CORS lets in is served by header, and a page that CORS does not let in reads nothing',
  async (t) => {
    for (const isCorsFirst of [true, false]) {
      const it = await openApp(t, { cors: GOOD, isCorsFirst })
      const asked = await preflight(it.app, 'authorization,content-type')
      t.equal(asked.headers['access-control-allow-origin'], ORIGIN)
      t.match(asked.headers['access-control-allow-headers'], /authorization/)
      const response = await renewed(it)
      t.equal(response.headers['access-control-allow-origin'], ORIGIN)
      t.match(String(response.headers['access-control-expose-headers']).toLowerCase(), 'session-renewed')
      t.match(String(response.headers['vary']), /origin/i)
      t.match(String(response.headers['vary']), /authorization/i)
      t.equal((await preflight(it.app, 'authorization', OTHER)).headers['access-control-allow-origin'], undefined)
      t.strictSame(it.findings(), [])
    }
  },
)

t.test('the guard tells once of a Session-Renewed that a page of another origin cannot read', async (t) => {
  for (const options of [
    { origin: [ORIGIN] },
    { origin: '*' },
    { origin: [ORIGIN], exposedHeaders: ['X-Other'] },
    // A star is the name of a header where a request has credentials.
    { origin: [ORIGIN], exposedHeaders: '*', credentials: true },
  ]) {
    for (const isCorsFirst of [true, false]) {
      const it = await openApp(t, { cors: options, isCorsFirst })
      await renewed(it)
      await renewed(it)
      t.equal(it.findings().length, 1, JSON.stringify(options))
      t.match(it.findings()[0], /cannot read their new session ids/)
      t.match(it.findings()[0], /exposedHeaders: \['Session-Renewed'\]/)
    }
  }
})

t.test('the guard tells of a preflight that may not send the header of the session id', async (t) => {
  for (const [header, options] of [
    ['authorization', { origin: [ORIGIN], allowedHeaders: ['content-type'] }],
    // A star does not stand for Authorization.
    ['authorization', { origin: [ORIGIN], allowedHeaders: '*' }],
    ['x-session', { origin: [ORIGIN], allowedHeaders: ['content-type'] }],
  ] as const) {
    const it = await openApp(t, { cors: options, header })
    await preflight(it.app, `Content-Type, ${header}`)
    t.equal(it.findings().length, 1, JSON.stringify(options))
    t.match(it.findings()[0], /cannot send their session ids/)
  }
})

t.test('the guard says nothing of what CORS gives, refuses or was not asked for', async (t) => {
  const sound: [Setup, (it: Awaited<ReturnType<typeof openApp>>) => Promise<unknown>][] = [
    [
      { cors: { ...GOOD, allowedHeaders: ['Authorization', 'content-type'] } },
      ({ app }) => preflight(app, 'authorization'),
    ],
    [{ cors: { ...GOOD, allowedHeaders: '*' }, header: 'x-session' }, ({ app }) => preflight(app, 'x-session')],
    [{ cors: { ...GOOD, exposedHeaders: '*' } }, (it) => renewed(it)],
    [{ cors: { origin: [ORIGIN], allowedHeaders: ['x'] } }, ({ app }) => preflight(app, 'content-type')],
    [{ cors: { origin: [ORIGIN], allowedHeaders: ['x'] } }, ({ app }) => preflight(app, 'authorization', OTHER)],
    [{ cors: { origin: [ORIGIN] } }, ({ app }) => tokenOf(app)],
    [{ cors: { origin: [ORIGIN] } }, (it) => renewed(it, 'authorization', { origin: OTHER })],
    [{ cors: { origin: true } }, (it) => renewed(it, 'authorization', { 'sec-fetch-site': 'same-origin' })],
  ]
  for (const [setup, act] of sound) {
    const it = await openApp(t, setup)
    await act(it)
    t.strictSame(it.findings(), [], JSON.stringify(setup))
  }
})
