import cors from '@fastify/cors'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { secureSession } from '../../lib/index.ts'
import { makeCertificate } from '../support/certificate.ts'
import { startProfile } from '../support/chromium.ts'
import type { TestClock } from '../support/clock.ts'
import { testClock } from '../support/clock.ts'
import { guide } from '../support/guides.ts'
import { blocksOf } from '../support/markdown.ts'
import type { Site } from '../support/sites.ts'
import { open, openPages, sessionOptions } from '../support/sites.ts'

const certificate = makeCertificate()
const device = await startProfile(t, certificate)

/** The client of the guide, as a script of a page. */
const CLIENT = (
  blocksOf(guide('lib/session/README.md')).find(({ attributes }) => attributes['file'] === 'client.mjs')?.code ?? ''
).replace('export function', 'window.sessionClient = function')

interface Api extends Site {
  readonly clock: TestClock
}

/** Opens an app that serves the pages of some origins by header. */
async function openApi(t: Test, options: object): Promise<Api> {
  const app = Fastify({ https: certificate })
  t.teardown(() => app.close())
  const clock = testClock(Date.now())
  await app.register(secureSession, { ...sessionOptions(t, 'production', clock), headerTransport: {} })
  await app.register(cors, options)
  app.post('/login', async (request) => {
    await request.login({ id: 'ann' }, { transport: 'header' })
    return { token: request.sessionToken }
  })
  app.post('/logout', async (request) => {
    await request.logout()
    return {}
  })
  app.post('/confirm', async (request) => {
    await request.confirmLogin()
    return {}
  })
  for (const method of ['GET', 'POST'] as const) {
    app.route({ method, url: '/me', handler: async (request) => ({ user: request.user?.id ?? null }) })
  }
  await app.ready()
  return { ...(await open(t, app.server, 'https://api.test')), clock }
}

/** Opens a page at an origin, with the client of the guide in it. */
async function openPage(origin: string, api: Api) {
  const page = await device.newPage()
  await page.goto(origin)
  await page.evaluate(`${CLIENT}
    window.saved = ''
    window.client = sessionClient('${api.origin}', { save: async (id) => { window.saved = id } })
    window.who = async (method = 'GET') => (await (await client.fetch('/me', { method })).json()).user
    window.logIn = async () => {
      const { token } = await (await client.fetch('/login', { method: 'POST' })).json()
      await client.enter(token)
    }`)
  return {
    run: (script: string): Promise<unknown> => page.evaluate(`(async () => ${script})().catch(() => 'refused')`),
    cookies: async (): Promise<unknown> => page.evaluate('document.cookie'),
  }
}

async function openOrigins(t: Test): Promise<{ page: string; evil: string }> {
  const at = async (host: string): Promise<string> =>
    (await openPages(t, `https://${host}`, new Map(), certificate)).origin
  return { page: await at('page.test'), evil: await at('evil.test') }
}

t.test('a page of another origin logs in by header, is served, gets a renewed id, and logs out', async (t) => {
  const origins = await openOrigins(t)
  const api = await openApi(t, { origin: [origins.page], exposedHeaders: ['Session-Renewed'] })
  const page = await openPage(origins.page, api)
  t.equal(await page.run('who()'), null)
  await page.run('logIn()')
  const first = await page.run('saved')
  t.match(first, /^[\w-]{22}\./)
  t.equal(await page.run('who()'), 'ann')
  t.equal(await page.run("who('POST')"), 'ann', 'what changes something, without trustedOrigins')
  for (let round = 0; round < 3; round += 1) {
    const before = await page.run('saved')
    api.clock.advance('16m')
    t.equal(await page.run('who()'), 'ann')
    t.not(await page.run('saved'), before, 'the page has read Session-Renewed')
    api.clock.advance('2m')
    t.equal(await page.run("who('POST')"), 'ann')
  }
  const exchange = await api.answered('/login')
  t.strictSame(exchange.cookies, [], 'no cookie took part')
  await page.run("client.fetch('/logout', { method: 'POST' })")
  t.equal(await page.run('saved'), '')
  t.equal(await page.run('who()'), null)
})

t.test('a page that CORS does not let in sends no request with an id', async (t) => {
  const origins = await openOrigins(t)
  const api = await openApi(t, { origin: [origins.page], exposedHeaders: ['Session-Renewed'] })
  const page = await openPage(origins.page, api)
  await page.run('logIn()')
  const id = String(await page.run('saved'))
  const evil = await openPage(origins.evil, api)
  await evil.run(`client.enter('${id}')`)
  for (const method of ['GET', 'POST']) {
    t.equal(await evil.run(`who('${method}')`), 'refused')
    t.match(await api.answered('/me'), { method: 'OPTIONS', site: 'cross-site' }, 'the browser asked, and did no more')
  }
  t.equal(await page.run('who()'), 'ann')
})

t.test('a page that may not read Session-Renewed keeps its old id, which ends with a confirmed login', async (t) => {
  const origins = await openOrigins(t)
  const api = await openApi(t, { origin: [origins.page] })
  const page = await openPage(origins.page, api)
  await page.run('logIn()')
  const first = await page.run('saved')
  api.clock.advance('16m')
  t.equal(await page.run('who()'), 'ann')
  t.equal(await page.run('saved'), first, 'the page did not see the new id')
  t.equal(await page.run("client.fetch('/confirm', { method: 'POST' }).then(({ status }) => status)"), 200)
  t.equal(await page.run('saved'), first)
  t.equal(await page.run('who()'), null)
})
