import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { checkConfig } from '../../lib/index.ts'
import type { SecureSessionOptions } from '../../types/index.ts'
import { guide } from '../support/guides.ts'
import { blocksOf } from '../support/markdown.ts'
import type { Response, World } from './world.ts'
import { ordinary, route, SECRET, world } from './world.ts'

const LOGIN = { user: { id: 'ann' }, options: { transport: 'header' } }
const CROSS_SITE = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }

function routes(app: FastifyInstance): void {
  ordinary(app)
  route(app, '/token', async (request) => {
    const { user, options } = request.body as typeof LOGIN
    await request.login(user, options as { transport: 'header' })
    return { token: request.sessionToken, again: request.sessionToken, user: request.user }
  })
  route(app, '/confirm', (request) => request.confirmLogin())
  route(app, '/peek', (request) => ({ token: request.sessionToken }))
  route(app, '/fail', async (request) => {
    await request.login({ id: 'bob' }, { transport: 'header' })
    throw Object.assign(new Error('the handler failed'), { statusCode: 500 })
  })
  app.get('/recent', { onRequest: app.requireLogin({ within: '10m' }) }, async () => ({}))
  app.get('/free', { config: { session: false } }, async (request) => ({ token: request.sessionToken }))
}

/** A client that brings its id in a header. */
class Native {
  id = ''
  readonly #app: FastifyInstance
  readonly #header: string
  readonly #scheme: string

  constructor(app: FastifyInstance, header = 'authorization', scheme = 'Session ') {
    this.#app = app
    this.#header = header
    this.#scheme = scheme
  }

  async send(url: string, payload?: object, headers: object = {}): Promise<Response> {
    const response = await this.#app.inject({
      url,
      method: payload === undefined ? 'GET' : 'POST',
      ...(payload !== undefined && { payload }),
      headers: { [this.#header]: `${this.#scheme}${this.id}`, ...headers },
    })
    const renewed = response.headers['session-renewed']
    if (renewed !== undefined) this.id = String(renewed)
    return response
  }

  async login(): Promise<Response> {
    const response = await this.send('/token', LOGIN)
    this.id = response.json().token
    return response
  }
}

async function withHeader(
  t: Test,
  session: SecureSessionOptions = {},
  more: (app: FastifyInstance) => void = () => undefined,
): Promise<World> {
  const all = (app: FastifyInstance): void => {
    routes(app)
    more(app)
  }
  return world(t, { session: { headerTransport: {}, ...session }, routes: all })
}

t.test('a login by header gives the app the id once, and no cookie to anybody', async (t) => {
  const { app } = await withHeader(t)
  const client = new Native(app)
  const response = await client.login()
  t.match(response.json(), { token: /^[\w-]{22}\.[\w-]{43}\.[\w-]{43}$/, again: null, user: { id: 'ann' } })
  t.equal(response.headers['set-cookie'], undefined)
  t.equal(response.headers['session-renewed'], undefined)
  t.equal(response.headers['cache-control'], 'no-store')
  t.match((await client.send('/me')).json(), { user: { id: 'ann' } })
  t.strictSame((await client.send('/peek')).json(), { token: null })
  t.strictSame((await client.send('/free')).json(), { token: null })
  t.equal((await client.send('/me')).headers.vary, 'Cookie, authorization')
  t.equal((await app.inject('/plain')).headers.vary, undefined)
})

t.test('an id that Session-Renewed has carried is not read afterwards, and a reply by hand may carry it', async (t) => {
  const late: unknown[] = []
  const it = await world(t, {
    session: { headerTransport: {} },
    routes: (app) => {
      app.addHook('onResponse', async (request) => void late.push(request.sessionToken))
      app.post('/unread', (request) => request.login({ id: 'ann' }, { transport: 'header' }))
      app.post('/by-hand', async (request, reply) => {
        await request.login({ id: 'ann' }, { transport: 'header' })
        reply.hijack()
        reply.raw.end(request.sessionToken)
      })
    },
  })
  const unread = await it.visitor().post('/unread')
  t.match(unread.headers, { 'session-renewed': /^[\w-]{22}\./ })
  t.match((await it.visitor().post('/by-hand')).body, /^[\w-]{22}\./)
  t.strictSame(late, [null, null])
})

t.test('an id of one class opens nothing in the place of the other', async (t) => {
  const { app, visitor, events } = await withHeader(t)
  const client = new Native(app)
  await client.login()
  const asCookie = await app.inject({ url: '/me', cookies: { session: client.id } })
  t.match(asCookie.json(), { user: null })
  t.match(asCookie.headers['set-cookie'], /^session=; .*Max-Age=0/)
  const browser = visitor()
  await browser.post('/login')
  const thief = new Native(app)
  thief.id = browser.cookie ?? ''
  const asHeader = await thief.send('/me')
  t.match(asHeader.json(), { user: null })
  t.equal(asHeader.headers['set-cookie'], undefined)
  t.equal(thief.id, '', 'the client is told to forget the id')
  t.equal(events.filter(({ type }) => type === 'forged').length, 2)
  t.match((await client.send('/me')).json(), { user: { id: 'ann' } })
  t.match((await browser.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('with the header no cookie counts, and a header of another scheme leaves the cookie in force', async (t) => {
  const { visitor } = await withHeader(t)
  const browser = visitor()
  await browser.post('/login')
  const me = async (authorization: string): Promise<unknown> =>
    (await browser.get('/me', { headers: { authorization } })).json().user
  for (const none of ['Session', 'session ', 'Session x', 'SESSION  y']) t.equal(await me(none), null, none)
  for (const other of ['Bearer x', 'Sessions', 'Sessionx', 'Basic Session']) {
    t.match(await me(other), { id: 'ann' }, other)
  }
})

t.test('a renewed id comes in Session-Renewed, and the id before it is served meanwhile', async (t) => {
  const { app, clock } = await withHeader(t)
  const client = new Native(app)
  await client.login()
  const old = client.id
  clock.advance('16m')
  const response = await client.send('/me')
  t.not(client.id, old)
  t.equal(response.headers['cache-control'], 'no-store')
  t.equal(response.headers['set-cookie'], undefined)
  t.match((await client.send('/me')).json(), { user: { id: 'ann' } })
  const late = new Native(app)
  late.id = old
  t.match((await late.send('/me')).json(), { user: { id: 'ann' } })
})

t.test('every new id of a client by header comes in Session-Renewed, and its end in an empty one', async (t) => {
  const { app, clock } = await withHeader(t)
  const client = new Native(app)
  await client.send('/note', { cart: 1 })
  const anonymous = client.id
  t.not(anonymous, '')
  await client.send('/login', { user: { id: 'ann' } })
  t.not(client.id, anonymous)
  t.match((await client.send('/me')).json(), { user: { id: 'ann' }, data: { cart: 1 } })
  clock.advance('11m')
  t.equal((await client.send('/recent')).statusCode, 403)
  const before = client.id
  await client.send('/confirm', {})
  t.not(client.id, before)
  t.equal((await client.send('/recent')).statusCode, 200)
  t.equal((await client.send('/logout', {})).headers['session-renewed'], '')
  t.equal(client.id, '')
})

t.test('devices, limits and revocation are those of any session', async (t) => {
  const { app } = await withHeader(t, { maxSessions: 1 })
  const [first, second] = [new Native(app), new Native(app)]
  await first.login()
  await second.login()
  t.match((await first.send('/me')).json(), { user: null })
  t.equal((await app.sessions.list('ann')).length, 1)
  const opened = await app.sessions.open({ headers: { ...CROSS_SITE, authorization: `Session ${second.id}` } })
  t.match(opened, { user: { id: 'ann' } })
  opened?.close()
  t.equal(await app.sessions.open({ headers: { authorization: 'Session' } }), null)
  t.equal(await app.sessions.revokeUser('ann'), 1)
  t.match((await second.send('/me')).json(), { user: null })
})

t.test('the protection from other origins refuses cookies, and no request with the header', async (t) => {
  const { app, visitor } = await withHeader(t)
  const client = new Native(app)
  await client.login()
  t.strictSame((await client.send('/note', { a: 1 }, CROSS_SITE)).json(), { a: 1 })
  const browser = visitor()
  await browser.post('/login')
  t.equal((await browser.post('/note', { a: 1 }, { headers: CROSS_SITE })).statusCode, 403)
  const forged = await browser.post('/login', {}, { headers: { ...CROSS_SITE, authorization: 'Session x' } })
  t.equal(forged.headers['set-cookie'], undefined, 'and such a request sets no cookie')
})

t.test('a login by header in a session of a cookie ends the cookie', async (t) => {
  const { app, visitor } = await withHeader(t)
  const browser = visitor()
  await browser.post('/note', { cart: 1 })
  const cookie = browser.cookie ?? ''
  const { token } = (await browser.post('/token', LOGIN)).json()
  t.equal(browser.cookie, undefined)
  t.match((await app.inject({ url: '/me', cookies: { session: cookie } })).json(), { user: null })
  const client = new Native(app)
  client.id = token
  t.match((await client.send('/me')).json(), { user: { id: 'ann' }, data: { cart: 1 } })
})

t.test('a response that fails takes a login by header back', async (t) => {
  const { app, visitor, store } = await withHeader(t)
  const client = new Native(app)
  const failed = await client.send('/fail', {})
  t.equal(failed.statusCode, 500)
  t.equal(failed.headers['session-renewed'], undefined)
  t.equal(store.size, 0)
  const browser = visitor()
  await browser.post('/login')
  await browser.post('/fail')
  t.match((await browser.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('a response that fails takes back a login by header and everything after it', async (t) => {
  const { app, visitor, store } = await withHeader(t, {}, (server) => {
    route(server, '/late', async (request) => {
      await request.login({ id: 'bob' }, { transport: 'header' })
      await request.confirmLogin()
    })
    route(server, '/twice', async (request) => {
      await request.login({ id: 'bob' }, { transport: 'header' })
      await request.login({ id: 'carl' }, { transport: 'header' })
      throw new Error('the handler failed')
    })
    route(server, '/out', async (request) => {
      await request.login({ id: 'bob' }, { transport: 'header' })
      await request.logout()
      throw new Error('the handler failed')
    })
    server.addHook('onSend', async (request) => {
      if (request.url === '/late') throw new Error('too late')
    })
  })
  for (const url of ['/late', '/twice']) {
    const failed = await new Native(app).send(url, {})
    t.equal(failed.statusCode, 500)
    t.equal(failed.headers['session-renewed'], undefined)
    t.equal(store.size, 0)
    const browser = visitor()
    await browser.post('/login')
    await browser.post('/note', { cart: 1 })
    t.equal((await browser.post(url)).statusCode, 500)
    t.match((await browser.get('/me')).json(), { user: { id: 'ann' }, data: { cart: 1 } })
    for (const user of ['bob', 'carl']) t.strictSame(await app.sessions.list(user), [])
    await browser.post('/logout')
  }
  t.equal((await new Native(app).send('/out', {})).headers['session-renewed'], '', 'a logout stands')
  t.equal(store.size, 0)
})

t.test('half a login can come by header too', async (t) => {
  const { app } = await withHeader(t)
  const client = new Native(app)
  const options = { transport: 'header', pending: true }
  client.id = (await client.send('/token', { user: { id: 'ann' }, options })).json().token
  t.match((await client.send('/me')).json(), { user: null })
  t.equal(await app.sessions.revokeUser('ann'), 1)
})

t.test('another header may carry the id alone', async (t) => {
  const { app } = await withHeader(t, { headerTransport: { header: 'x-session', scheme: '' } })
  const client = new Native(app, 'x-session', '')
  await client.login()
  const response = await client.send('/me')
  t.match(response.json(), { user: { id: 'ann' } })
  t.equal(response.headers.vary, 'Cookie, x-session')
})

t.test('without the option no header is read, and a login by header is refused', async (t) => {
  const it = await world(t, { routes })
  const client = new Native(it.app)
  const refused = (await client.send('/token', LOGIN)).json()
  t.match(refused, { code: 'SESSION_OPTION_INVALID', message: /headerTransport of register/ })
  const wrong = (await client.send('/token', { user: { id: 'ann' }, options: { transport: 'cookie' } })).json()
  t.match(wrong, { code: 'SESSION_OPTION_INVALID', message: /transport of login is 'header'/ })
})

t.test('the guard refuses a header that cannot carry an id', (t) => {
  for (const headerTransport of [
    { header: 'cookie' },
    { header: 'Authorization' },
    { header: 'sec-session' },
    { header: '' },
    { scheme: 'a b' },
    { name: 'authorization' },
    'authorization',
  ]) {
    const findings = checkConfig({ secret: SECRET, headerTransport }, { NODE_ENV: 'production' })
    t.ok(
      findings.some(({ severity }) => severity === 'fatal'),
      JSON.stringify(headerTransport),
    )
  }
  const sound = { header: 'x-session', scheme: '' }
  const values = checkConfig({ secret: SECRET, headerTransport: sound }, { NODE_ENV: 'production' })
  t.notOk(values.some((finding) => JSON.stringify(finding).includes('headerTransport')))
  t.end()
})

t.test('the client of the guide follows renewals, keeps the newest id and forgets one that ended', async (t) => {
  const { app, clock } = await withHeader(t)
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const block = blocksOf(guide('lib/session/README.md')).find(({ attributes }) => attributes['file'] === 'client.mjs')
  const file = join(t.testdir(), 'client.mjs')
  writeFileSync(file, block?.code ?? '')
  const { sessionClient } = (await import(pathToFileURL(file).href)) as {
    sessionClient: (
      origin: string,
      kept: { load: () => Promise<string>; save: (id: string) => Promise<void> },
    ) => { fetch: typeof fetch; enter: (token: string) => Promise<void> }
  }
  let saved = ''
  const kept = { load: async () => saved, save: async (id: string) => void (saved = id) }
  const client = sessionClient(origin, kept)
  const post = (url: string, body: object): Promise<globalThis.Response> =>
    client.fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const userOf = async (one = client): Promise<unknown> =>
    ((await (await one.fetch('/me')).json()) as { user: unknown }).user
  const { token } = (await (await post('/token', LOGIN)).json()) as { token: string }
  await client.enter(token)
  t.equal(saved, token)
  t.match(await userOf(), { id: 'ann' })
  for (let round = 0; round < 3; round += 1) {
    clock.advance('16m')
    const before = saved
    await Promise.all([userOf(), userOf(), userOf()])
    t.not(saved, before, 'renewed')
    clock.advance('2m')
    t.match(await userOf(), { id: 'ann' })
  }
  t.match(await userOf(sessionClient(origin, kept)), { id: 'ann' }, 'after a restart')
  await post('/logout', {})
  t.equal(saved, '')
  t.equal(await userOf(), null)
})
