import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import type { MemoryStore } from '../../lib/index.ts'
import type { SecureSessionOptions } from '../../types/index.ts'
import { testClock } from '../support/clock.ts'
import { Jar } from '../support/jar.ts'
import { SessionIds } from '../../lib/session/id.ts'
import type { World } from './world.ts'
import { ordinary, OTHER_SECRET, SECRET, world } from './world.ts'

/** A browser that visits the deployments of one host. */
class Visitor {
  readonly #jar: Jar
  readonly #host: string

  constructor(host: string) {
    this.#jar = new Jar(host)
    this.#host = host
  }

  async send(app: FastifyInstance, method: 'GET' | 'POST', url: string): Promise<Sent> {
    const cookie = this.#jar.header(Date.now(), url.split('?', 1)[0])
    const headers = { host: this.#host, ...(cookie !== '' && { cookie }) }
    const response = await app.inject({ method, url, headers, ...(method === 'POST' && { payload: {} }) })
    this.#jar.take(response.headers['set-cookie'], Date.now())
    const cookies = cookie === '' ? 0 : cookie.split('; ').length
    return { cookies, user: response.json<{ user?: { id: string } }>().user?.id ?? null, response }
  }
}

interface Sent {
  /** The number of session cookies in the request. */
  readonly cookies: number
  readonly user: string | null
  readonly response: Awaited<ReturnType<FastifyInstance['inject']>>
}

/** Returns a function that makes one deployment after another, on one store. */
function deployments(t: Test): (session: SecureSessionOptions) => Promise<World> {
  const store: MemoryStore = memoryStore({ clock: testClock() })
  return (session) => world(t, { session, store: () => store, routes: ordinary })
}

const CHANGES: [name: string, before: SecureSessionOptions['cookie'], after: SecureSessionOptions['cookie']][] = [
  ['a domain is added', { name: 'sid' }, { name: 'sid', domain: 'example.com' }],
  ['a domain is removed', { name: 'sid', domain: 'example.com' }, { name: 'sid' }],
  ['a domain becomes wider', { name: 'sid', domain: 'shop.example.com' }, { name: 'sid', domain: 'example.com' }],
  ['the path becomes wider', { name: 'sid', path: '/me' }, { name: 'sid' }],
]

for (const [name, before, after] of CHANGES) {
  t.test(`users can log in, stay and log out after a cookie changed under its name: ${name}`, async (t) => {
    const deploy = deployments(t)
    const [old, fresh] = [await deploy({ cookie: before }), await deploy({ cookie: after })]
    const visitor = new Visitor('shop.example.com')
    await visitor.send(old.app, 'POST', '/login')
    t.match(await visitor.send(old.app, 'GET', '/me'), { cookies: 1, user: 'ann' })
    t.match(await visitor.send(fresh.app, 'POST', '/login'), { user: 'ann' })
    const both = await visitor.send(fresh.app, 'GET', '/me')
    t.match(both, { cookies: 2, user: null }, 'none of the two counts')
    t.match(both.response.headers['cache-control'], 'no-store')
    t.match(await visitor.send(fresh.app, 'GET', '/me'), { cookies: 1, user: 'ann' }, 'and the next request has one')
    await visitor.send(fresh.app, 'POST', '/logout')
    t.match(await visitor.send(fresh.app, 'GET', '/me'), { cookies: 0, user: null })
    t.match(fresh.log(), 'session/duplicate-cookie', 'the guard says it')
  })
}

t.test('a login on a request with two cookies sets its own and clears the other', async (t) => {
  const deploy = deployments(t)
  const [old, fresh] = [
    await deploy({ cookie: { name: 'sid' } }),
    await deploy({ cookie: { name: 'sid', domain: 'example.com' } }),
  ]
  const visitor = new Visitor('shop.example.com')
  await visitor.send(old.app, 'POST', '/login')
  await visitor.send(fresh.app, 'POST', '/login')
  t.match(await visitor.send(fresh.app, 'POST', '/login'), { cookies: 2, user: 'ann' })
  t.match(await visitor.send(fresh.app, 'GET', '/me'), { cookies: 1, user: 'ann' })
})

t.test('a plain response clears what other settings left behind, and a route without sessions does not', async (t) => {
  const { app } = await world(t, {
    session: { cookie: { name: 'sid', domain: 'example.com' } },
    routes: (server) => server.get('/bare', { config: { session: false } }, async () => 'ok'),
  })
  const headers = { host: 'shop.example.com', cookie: 'sid=a; sid=b' }
  const plain = await app.inject({ url: '/plain', headers })
  t.match(plain.headers, { 'cache-control': 'no-store' })
  const lines = [plain.headers['set-cookie'] ?? []].flat()
  const places = lines.map(
    (line) => /^sid=; Max-Age=0; (Domain=(?<domain>[^;]+); )?Path=(?<path>[^;]+);/.exec(line)?.groups,
  )
  t.strictSame(
    places.map(({ domain = 'host only', path } = {}) => `${domain} ${path}`),
    ['host only /', 'shop.example.com /', 'host only /plain', 'shop.example.com /plain', 'example.com /plain'],
    'each but its own',
  )
  for (const line of lines) t.match(line, /HttpOnly/)
  t.equal((await app.inject({ url: '/bare', headers })).headers['set-cookie'], undefined)
})

t.test('a cookie that a secret signed which is gone is cleared once, and said once a minute', async (t) => {
  const { app, clock, events, log } = await world(t, { routes: ordinary })
  const foreign = (): string => new SessionIds([OTHER_SECRET], 'session').mint('A'.repeat(22), 0).cookieValue
  const cookie = `session=${foreign()}`
  const visit = async (header: string): Promise<unknown> => {
    const response = await app.inject({ url: '/plain', headers: { cookie: header } })
    t.equal(response.statusCode, 200)
    return response.headers['set-cookie']
  }
  t.match(await visit(cookie), /^session=; Max-Age=0; Path=\/.*HttpOnly/)
  for (let asset = 0; asset < 30; asset += 1) t.equal(await visit(cookie), undefined)
  t.strictSame(
    events.map(({ type }) => type),
    ['forged'],
  )
  t.equal(log().split('session forged').length, 2)
  clock.advance('61s')
  t.match(await visit(cookie), /^session=;/)
  t.match(await visit(`session=${foreign()}`), /^session=;/, 'another value')
  t.equal(await visit('session=s%3Aof-another-library'), undefined, 'what never was an id of this app is not cleared')
  t.equal(events.length, 4)
})

t.test('a login beside an obsolete cookie stands', async (t) => {
  const { app } = await world(t, { routes: ordinary })
  const { cookieValue } = new SessionIds([OTHER_SECRET], 'session').mint('A'.repeat(22), 0)
  const response = await app.inject({
    method: 'POST',
    url: '/login',
    headers: { cookie: `session=${cookieValue}` },
    payload: {},
  })
  t.equal([response.headers['set-cookie']].flat().length, 1)
  const [{ name, value } = { name: '', value: '' }] = response.cookies
  t.match((await app.inject({ url: '/me', headers: { cookie: `${name}=${value}` } })).json(), { user: { id: 'ann' } })
})

t.test('a login beside an obsolete cookie leaves the obsolete cookies of other clients to be cleared', async (t) => {
  const { app, visitor } = await world(t, { routes: ordinary })
  const [ann, bob] = [visitor(), visitor()]
  for (const one of [ann, bob]) {
    one.cookies.set('session', new SessionIds([OTHER_SECRET], 'session').mint('A'.repeat(22), 0).cookieValue)
  }
  await ann.post('/login')
  await bob.get('/plain')
  t.equal(bob.cookie, undefined)
  const headers = { cookie: `session=${ann.cookie}` }
  t.match((await app.inject({ url: '/me', headers })).json(), { user: { id: 'ann' } })
})

t.test('a restart in development, where the secret is random, warns of nobody and clears the cookie', async (t) => {
  const boot = async (): Promise<World> =>
    world(t, { session: { environment: 'development', secret: undefined }, routes: ordinary })
  const [before, after] = [await boot(), await boot()]
  const ann = before.visitor()
  await ann.post('/login')
  const response = await after.app.inject({ url: '/plain', headers: { cookie: `session=${ann.cookie}` } })
  t.match(response.headers['set-cookie'], /^session=;/)
  t.strictSame(after.events, [])
  t.notMatch(after.log(), /forged/)
})

t.test('duplicates are said once a minute for each pair', async (t) => {
  const { app, clock, events } = await world(t, { routes: ordinary })
  const visit = (cookie: string): Promise<unknown> => app.inject({ url: '/plain', headers: { cookie } })
  for (let asset = 0; asset < 5; asset += 1) await visit(`a=${asset}; session=x; session=y`)
  t.strictSame(
    events.map(({ type }) => type),
    ['duplicate'],
  )
  await visit('session=x; session=z')
  clock.advance('61s')
  await visit('session=x; session=y')
  t.equal(events.length, 3)
})

t.test('a secret that is added second and moves first in the next deployment logs nobody out', async (t) => {
  const deploy = deployments(t)
  const first = await deploy({ secret: [SECRET] })
  const second = await deploy({ secret: [SECRET, OTHER_SECRET] })
  const third = await deploy({ secret: [OTHER_SECRET, SECRET] })
  const visitor = new Visitor('app.example.com')
  await visitor.send(first.app, 'POST', '/login')
  // Requests reach the old and the new processes in turn while a deployment runs.
  for (const { app } of [second, first, second, third, second, third]) {
    t.match(await visitor.send(app, 'GET', '/me'), { cookies: 1, user: 'ann' })
  }
  await visitor.send(third.app, 'POST', '/login')
  for (const { app } of [second, third]) t.match(await visitor.send(app, 'GET', '/me'), { cookies: 1, user: 'ann' })
})

t.test('a secret that comes first at once logs out whoever a process with the old list meets', async (t) => {
  const deploy = deployments(t)
  const old = await deploy({ secret: [SECRET] })
  const hasty = await deploy({ secret: [OTHER_SECRET, SECRET] })
  const visitor = new Visitor('app.example.com')
  await visitor.send(hasty.app, 'POST', '/login')
  t.match(await visitor.send(hasty.app, 'GET', '/me'), { cookies: 1, user: 'ann' })
  t.match(await visitor.send(old.app, 'GET', '/me'), { cookies: 1, user: null })
  t.match(await visitor.send(hasty.app, 'GET', '/me'), { cookies: 0, user: null }, 'the cookie is gone')
})
