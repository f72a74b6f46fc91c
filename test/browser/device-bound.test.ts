import { EventEmitter, once } from 'node:events'
import { PassThrough } from 'node:stream'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import type { BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'
import t from 'tap'
import { memoryStore, secureSession } from '../../lib/index.ts'
import type { SecureSessionOptions, SessionEvent } from '../../types/index.ts'
import { SECRET } from '../support/app.ts'
import { makeCertificate } from '../support/certificate.ts'
import { startBoundProfile } from '../support/chromium.ts'
import type { TestClock } from '../support/clock.ts'
import { testClock } from '../support/clock.ts'
import { temporaryFolder } from '../support/sqlite.ts'

t.setTimeout(300_000)
const certificate = makeCertificate()
const SESSION = '__Host-session'
const BOUND = '__Host-session-bound'
const REFRESH = 'POST /.session/refresh'

/** One request as the server saw it. */
interface Seen {
  readonly what: string
  readonly status: number
}

interface Site {
  readonly app: FastifyInstance
  readonly clock: TestClock
  readonly origin: string
  readonly seen: Seen[]
  readonly heard: EventEmitter
  readonly events: SessionEvent[]
}

const PAGE = '<form method=post action=/login><button id=login>in</button></form>'

async function openSite(t: Test, session: SecureSessionOptions = {}): Promise<Site> {
  const clock = testClock(Date.now())
  const app = Fastify({ https: { key: certificate.key, cert: certificate.cert }, forceCloseConnections: true })
  t.teardown(() => app.close())
  const seen: Seen[] = []
  const heard = new EventEmitter()
  app.addHook('onResponse', async ({ method, url }, { statusCode }) => {
    seen.push({ what: `${method} ${url}`, status: statusCode })
    heard.emit('answer')
  })
  await app.register(websocket)
  await app.register(secureSession, {
    environment: 'production',
    ...{ secret: SECRET, tls: 'direct', maxSessions: 50, deviceBound: true, store: memoryStore({ clock }), clock },
    silence: [{ rule: 'memory-store', reason: 'a test' }],
    ...session,
  })
  const events: SessionEvent[] = []
  app.sessions.events.on('event', (event) => void events.push(event))
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_req, body, done) => {
    done(null, body)
  })
  app.get('/', async (req, reply) => reply.type('text/html').send(`<p>${req.user?.id ?? 'nobody'}</p>${PAGE}`))
  app.post('/login', async (req, reply) => {
    await req.login({ id: 'ann' }, { remember: req.body === 'remember=yes' })
    return reply.redirect('/account')
  })
  app.post('/logout', async (req) => req.logout())
  app.post('/send', async (req) => ({ userId: req.user?.id ?? null, body: req.body }))
  app.get('/api', async (req) => ({ userId: req.user?.id ?? null }))
  app.get('/account', { onRequest: app.requireLogin({ redirect: '/' }) }, async (req, reply) => {
    return reply.type('text/html').send(`<p>account of ${req.requireUser().id}</p>`)
  })
  app.get('/live', { websocket: true }, (socket, req) => socket.send(req.user?.id ?? 'nobody'))
  app.get('/stream', async (req, reply) => {
    const stream = new PassThrough()
    stream.write(`data: ${req.user?.id ?? 'nobody'}\n\n`)
    return reply.type('text/event-stream').send(stream)
  })
  app.get('/link', async (req, reply) => {
    const { to } = req.query as { to: string }
    return reply.type('text/html').send(`<a href="${to}">a link</a>`)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return { app, clock, origin: `https://bank.test:${port}`, seen, heard, events }
}

/** Waits until the server has answered a request. */
async function until({ seen, heard }: Site, what: string): Promise<Seen> {
  for (;;) {
    const found = seen.find((one) => one.what === what)
    if (found !== undefined) return found
    await once(heard, 'answer')
  }
}

/** Opens a browser that has logged in and bound its session. */
async function logIn(site: Site, device: BrowserContext, isRemembered = false): Promise<Page> {
  const page = await device.newPage()
  await page.goto(site.origin)
  if (isRemembered) {
    const field = '<input name=remember value=yes>'
    await page.locator('form').evaluate((form, html) => form.insertAdjacentHTML('beforeend', html), field)
  }
  const registered = until(site, 'POST /.session/register')
  await page.click('#login')
  t.equal((await registered).status, 200)
  await page.goto(`${site.origin}/account`)
  t.equal(await page.textContent('p'), 'account of ann')
  return page
}

/** Lets the bound cookie run out, as it does in the browser after some minutes. */
async function runOut(device: BrowserContext): Promise<void> {
  await device.clearCookies({ name: BOUND })
}

async function header(device: BrowserContext): Promise<string> {
  const cookies = await device.cookies()
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
}

function countOf({ seen }: Site, what: string): number {
  return seen.filter((one) => one.what === what).length
}

t.test('a login is bound, and each way to use the app brings a fresh proof', async (t) => {
  const site = await openSite(t)
  const device = await startBoundProfile(t, certificate, temporaryFolder(t))
  const page = await logIn(site, device)
  t.match(await site.app.sessions.list('ann'), [{ isDeviceBound: true }])

  await runOut(device)
  await page.goto(site.origin)
  t.equal(await page.textContent('p'), 'ann', 'a page waits for the proof')
  t.ok(countOf(site, REFRESH) > 0)

  await runOut(device)
  const sent = await page.evaluate(async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const response = await fetch('/send', { method: 'POST', body: 'amount=7', headers })
    return response.json()
  })
  t.strictSame(sent, { userId: 'ann', body: 'amount=7' }, 'the body of a POST survives the wait')

  await runOut(device)
  const before = countOf(site, REFRESH)
  const all = await page.evaluate(async () => {
    const responses = await Promise.all(Array.from({ length: 10 }, () => fetch('/api')))
    return Promise.all(responses.map((response) => response.json()))
  })
  t.strictSame(
    all,
    Array.from({ length: 10 }, () => ({ userId: 'ann' })),
  )
  const proofs = countOf(site, REFRESH) - before
  t.ok(proofs >= 1 && proofs <= 2, 'ten requests at once wait for one proof')
  t.strictSame(
    site.events.filter(({ type }) => type === 'proof-failed'),
    [],
  )
})

t.test('both cookies in another client are dead after the lifetime, and their owner goes on', async (t) => {
  const site = await openSite(t)
  const device = await startBoundProfile(t, certificate, temporaryFolder(t))
  const page = await logIn(site, device)
  const cookie = await header(device)
  const thief = async (): Promise<unknown> => (await site.app.inject({ url: '/api', headers: { cookie } })).json()
  t.strictSame(await thief(), { userId: 'ann' })
  site.clock.advance('10m')
  t.strictSame(await thief(), { userId: null })
  t.match(
    site.events.filter(({ type }) => type === 'proof-failed'),
    [{ reason: 'expired' }],
  )
  await runOut(device)
  await page.goto(site.origin)
  t.equal(await page.textContent('p'), 'ann')
})

t.test('a browser whose bound cookie counts no more proves its key before its next request', async (t) => {
  const site = await openSite(t)
  const device = await startBoundProfile(t, certificate, temporaryFolder(t))
  const page = await logIn(site, device)
  site.clock.advance('10m')
  await page.goto(site.origin)
  t.equal(await page.textContent('p'), 'nobody', 'the browser still takes its cookie for good')
  const before = countOf(site, REFRESH)
  await page.goto(site.origin)
  t.equal(await page.textContent('p'), 'ann')
  t.equal(countOf(site, REFRESH), before + 1)
})

t.test('the id of a bound session is renewed with a proof', async (t) => {
  const site = await openSite(t)
  const device = await startBoundProfile(t, certificate, temporaryFolder(t))
  const page = await logIn(site, device)
  const before = await header(device)
  site.clock.advance('16m')
  await runOut(device)
  await page.goto(site.origin)
  t.equal(await page.textContent('p'), 'ann')
  const [old, renewed] = [before, await header(device)].map((text) => new RegExp(`${SESSION}=([^;]+)`).exec(text)?.[1])
  t.not(renewed, old)
  t.equal(renewed?.slice(0, 22), old?.slice(0, 22))
})

t.test('a logout, and a revocation elsewhere, end the binding in the browser', async (t) => {
  const site = await openSite(t)
  const device = await startBoundProfile(t, certificate, temporaryFolder(t))
  for (const end of [
    async (page: Page) => page.evaluate(async () => (await fetch('/logout', { method: 'POST' })).status),
    async () => site.app.sessions.revokeUser('ann'),
  ]) {
    site.seen.length = 0
    const page = await logIn(site, device)
    await end(page)
    await runOut(device)
    await page.goto(site.origin)
    t.equal(await page.textContent('p'), 'nobody')
    await runOut(device)
    const refreshed = countOf(site, REFRESH)
    await page.goto(site.origin)
    t.equal(countOf(site, REFRESH), refreshed, 'the browser has forgotten the binding')
    await page.close()
  }
})

t.test('an outage keeps the binding', async (t) => {
  const store = memoryStore()
  const site = await openSite(t, { store, clock: Date.now })
  const device = await startBoundProfile(t, certificate, temporaryFolder(t))
  const page = await logIn(site, device)
  const update = store.update.bind(store)
  store.update = async () => Promise.reject(new Error('down'))
  await runOut(device)
  await page.goto(site.origin)
  t.equal(await page.textContent('p'), 'nobody', 'a request that goes out without a proof opens nothing')
  store.update = update
  await page.goto(site.origin)
  t.equal(await page.textContent('p'), 'ann')
})

t.test('a browser that is closed ends its session, unless the login was to be remembered', async (t) => {
  const site = await openSite(t)
  for (const isRemembered of [false, true]) {
    site.seen.length = 0
    const home = temporaryFolder(t)
    const first = await startBoundProfile(t, certificate, home)
    await logIn(site, first, isRemembered)
    await first.close()
    const second = await startBoundProfile(t, certificate, home)
    await runOut(second)
    const page = await second.newPage()
    await page.goto(site.origin)
    t.equal(await page.textContent('p'), isRemembered ? 'ann' : 'nobody')
  }
})

t.test('a link of another site leads to a page that knows its user', async (t) => {
  const site = await openSite(t)
  const device = await startBoundProfile(t, certificate, temporaryFolder(t))
  const page = await logIn(site, device)
  await runOut(device)
  const elsewhere = site.origin.replace('bank.test', 'elsewhere.test')
  await page.goto(`${elsewhere}/link?to=${encodeURIComponent(`${site.origin}/account`)}`)
  await page.click('a')
  await page.waitForSelector('p')
  t.equal(await page.textContent('p'), 'account of ann')
})

t.test("with 'require', the page after the login comes as soon as the session is bound", async (t) => {
  const site = await openSite(t, { deviceBound: 'require' })
  const device = await startBoundProfile(t, certificate, temporaryFolder(t))
  const page = await device.newPage()
  await page.goto(site.origin)
  await page.click('#login')
  await page.waitForSelector('text=account of ann')
  t.match(await site.app.sessions.list('ann'), [{ isDeviceBound: true }])
})

t.test('a WebSocket and an event stream that are opened late wait for a fresh proof', async (t) => {
  const site = await openSite(t)
  const device = await startBoundProfile(t, certificate, temporaryFolder(t))
  const page = await logIn(site, device)
  const ways = {
    WebSocket: (origin: string) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(`${origin.replace('https', 'wss')}/live`)
        socket.addEventListener('message', ({ data }) => resolve(String(data)))
        socket.addEventListener('error', () => resolve('refused'))
      }),
    'event stream': () =>
      new Promise<string>((resolve) => {
        const source = new EventSource('/stream')
        source.addEventListener('message', ({ data }) => {
          source.close()
          resolve(String(data))
        })
      }),
  }
  for (const [what, open] of Object.entries(ways)) {
    await runOut(device)
    const before = countOf(site, REFRESH)
    t.equal(await page.evaluate(open, site.origin), 'ann', what)
    t.equal(countOf(site, REFRESH), before + 1, what)
  }
})
