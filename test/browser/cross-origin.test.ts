import formBody from '@fastify/formbody'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import t from 'tap'
import { secureSession } from '../../lib/index.ts'
import { makeCertificate } from '../support/certificate.ts'
import { startProfile } from '../support/chromium.ts'
import { testClock } from '../support/clock.ts'
import type { Exchange, Site } from '../support/sites.ts'
import { open, openPages, sessionOptions } from '../support/sites.ts'

const certificate = makeCertificate()
const device = await startProfile(t, certificate)

/** The ways in which a page can send an unsafe request. Each request goes to `/note` of the app. */
type Way = 'form' | 'textForm' | 'sandboxedForm' | 'fetch' | 'beacon'

/** The addresses of pages: one of the app, and those of other sites. */
interface Places {
  readonly own: string
  /** A page of the app that sends no referrer. */
  readonly hidden: string
  readonly evil: string
  readonly sibling: string
  readonly partner: string
}

/** Adds routes that change something, and pages that call them. */
function addRoutes(app: FastifyInstance): void {
  app.get('/', async (_request, reply) => reply.type('text/html').send('<!doctype html><title>own</title>'))
  app.get('/hidden', async (_request, reply) =>
    reply.header('referrer-policy', 'no-referrer').type('text/html').send('<!doctype html><title>hidden</title>'),
  )
  app.get('/login', async (request) => {
    await request.login({ id: 'ann' })
    return 'welcome'
  })
  app.get('/me', async (request) => request.user?.id ?? 'nobody')
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, async () => ({}))
  for (const method of ['POST', 'PUT', 'DELETE'] as const) {
    app.route({ method, url: '/note', handler: async (request) => `noted for ${request.user?.id}` })
  }
  app.post('/webhook', { config: { crossOriginProtection: false } }, async () => 'received')
  app.get('/socket', { websocket: true }, (socket, request) => socket.send(request.user?.id ?? 'nobody'))
}

/** Opens an app at `base`. Browsers send its cookie with every request, so that only the protection can refuse one. */
async function openApp(t: Parameters<typeof open>[0], base: string, trustedOrigins: string[]): Promise<Site> {
  const isHttps = base.startsWith('https:')
  const app: FastifyInstance = isHttps ? Fastify({ https: certificate }) : Fastify()
  t.teardown(() => app.close())
  await app.register(formBody)
  await app.register(websocket)
  await app.register(secureSession, {
    ...sessionOptions(t, isHttps ? 'production' : 'development', testClock(Date.now())),
    trustedOrigins,
    ...(isHttps && { cookie: { sameSite: 'none', secure: true } }),
  })
  addRoutes(app)
  await app.ready()
  return open(t, app.server, base)
}

async function openPlaces(t: Parameters<typeof open>[0], scheme: 'https' | 'http'): Promise<Places & { app: Site }> {
  const openAt = async (host: string): Promise<string> => {
    const site = await openPages(t, `${scheme}://${host}`, new Map(), certificate)
    return site.origin
  }
  const partner = await openAt('partner.test')
  const app = await openApp(t, `${scheme}://app.test`, [partner])
  const [evil, sibling] = [await openAt('evil.test'), await openAt('shop.app.test')]
  return { app, own: app.origin, hidden: `${app.origin}/hidden`, evil, sibling, partner }
}

function submit(target: string, attributes = ''): string {
  return `<form method="post" action="${target}" ${attributes}><input name="a" value="b"></form><script>document.forms[0].submit()</script>`
}

const SCRIPTS: Readonly<Record<Way, (target: string) => string>> = {
  form: (target) => `document.write(${JSON.stringify(submit(target))})`,
  textForm: (target) => `document.write(${JSON.stringify(submit(target, 'enctype="text/plain"'))})`,
  sandboxedForm: (target) => `{
    const frame = document.createElement('iframe')
    frame.sandbox = 'allow-scripts allow-forms'
    frame.srcdoc = ${JSON.stringify(submit(target))}
    document.documentElement.append(frame)
  }`,
  fetch: (target) => `void fetch('${target}', { method: 'POST', mode: 'no-cors', credentials: 'include' })`,
  beacon: (target) => `navigator.sendBeacon('${target}')`,
}

/** Sends a request from a page at `from`, and returns the exchange that the app saw. */
async function send(from: string, way: Way, app: Site, path = '/note'): Promise<Exchange> {
  const page = await device.newPage()
  await page.goto(from)
  const [exchange] = await Promise.all([app.answered(path), page.evaluate(SCRIPTS[way](app.origin + path))])
  return exchange
}

t.test('over https, only pages of the app itself and of trusted origins may change something', async (t) => {
  const { app, ...places } = await openPlaces(t, 'https')
  await (await device.newPage()).goto(`${app.origin}/login`)
  const cases: [keyof typeof places, Way, string, number][] = [
    ['own', 'form', 'same-origin', 200],
    ['own', 'fetch', 'same-origin', 200],
    ['own', 'beacon', 'same-origin', 200],
    // The browser sends the Origin `null`, and says in Sec-Fetch-Site that the page is the app's own.
    ['hidden', 'form', 'same-origin', 200],
    ['own', 'sandboxedForm', 'cross-site', 403],
    ['sibling', 'form', 'same-site', 403],
    ['sibling', 'fetch', 'same-site', 403],
    ['evil', 'form', 'cross-site', 403],
    ['evil', 'textForm', 'cross-site', 403],
    ['evil', 'sandboxedForm', 'cross-site', 403],
    ['evil', 'fetch', 'cross-site', 403],
    ['evil', 'beacon', 'cross-site', 403],
    ['partner', 'form', 'cross-site', 200],
    ['partner', 'fetch', 'cross-site', 200],
  ]
  for (const [from, way, site, status] of cases) {
    const exchange = await send(places[from], way, app)
    t.match(exchange, { method: 'POST', site, status }, `${way} from ${from}`)
    t.strictSame(exchange.cookies, ['__Host-session'], `${way} from ${from}, with the cookie`)
  }
})

t.test('a link on another site and a typed address both lead to the app', async (t) => {
  const { app, evil } = await openPlaces(t, 'https')
  const page = await device.newPage()
  await page.goto(`${app.origin}/login`)
  t.match(await app.answered('/login'), { site: 'none', status: 200 })
  await page.goto(evil)
  await page.evaluate(`location.href = '${app.origin}/me'`)
  t.match(await app.answered('/me'), { method: 'GET', site: 'cross-site', status: 200 })
})

t.test('a route that opted out of the protection accepts requests of other sites', async (t) => {
  const { app, evil } = await openPlaces(t, 'https')
  t.match(await send(evil, 'form', app, '/webhook'), { site: 'cross-site', status: 200 })
})

t.test('PUT and DELETE of another site need a preflight that the app allows', async (t) => {
  const { app, own, evil } = await openPlaces(t, 'https')
  const page = await device.newPage()
  for (const method of ['PUT', 'DELETE']) {
    const call = `fetch('${app.origin}/note', { method: '${method}', credentials: 'include' }).then(({ status }) => status, () => 'no')`
    await page.goto(own)
    t.equal(await page.evaluate(call), 200)
    t.match(await app.answered('/note'), { method, site: 'same-origin' })
    await page.goto(evil)
    t.equal(await page.evaluate(call), 'no')
    t.match(await app.answered('/note'), { method: 'OPTIONS', site: 'cross-site', status: 404 })
  }
})

t.test('a WebSocket opens for pages of the app and not for other sites, although it begins with GET', async (t) => {
  const { app, own, evil, sibling } = await openPlaces(t, 'https')
  const page = await device.newPage()
  await page.goto(`${app.origin}/login`)
  const call = `new Promise((resolve) => {
    const socket = new WebSocket('${app.origin.replace('https:', 'wss:')}/socket')
    socket.onmessage = ({ data }) => resolve(data)
    socket.onerror = () => resolve('refused')
  })`
  for (const [from, answer] of [
    [own, 'ann'],
    [evil, 'refused'],
    [sibling, 'refused'],
  ] as const) {
    await page.goto(from)
    t.equal(await page.evaluate(call), answer, from)
  }
})

t.test('over plain http, where browsers send no Sec-Fetch-Site, the Origin decides', async (t) => {
  const { app, ...places } = await openPlaces(t, 'http')
  const cases: [keyof typeof places, Way, string, number][] = [
    ['own', 'form', places.own, 200],
    ['own', 'fetch', places.own, 200],
    // A page that hides its origin looks to the app like a page of another site.
    ['hidden', 'form', 'null', 403],
    ['sibling', 'form', places.sibling, 403],
    ['evil', 'form', places.evil, 403],
    ['evil', 'fetch', places.evil, 403],
    ['evil', 'sandboxedForm', 'null', 403],
    ['partner', 'form', places.partner, 200],
  ]
  for (const [from, way, origin, status] of cases) {
    const exchange = await send(places[from], way, app)
    t.match(exchange, { method: 'POST', origin, status }, `${way} from ${from}`)
    t.equal(exchange.site, undefined, `${way} from ${from}, without Sec-Fetch-Site`)
  }
})
