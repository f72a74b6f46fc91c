import t from 'tap'
import { Jar } from '../support/jar.ts'
import { newApp } from './new-app.ts'
import { expressSessionApp, memoryOf } from './old-apps.ts'

/** Old cookies by their name and attributes, and the options that name both here. */
const OLD: Record<string, { name: string; attributes: string; cookie?: object }> = {
  'the default': { name: 'connect.sid', attributes: 'Path=/; HttpOnly' },
  'a name, a domain and a path': {
    name: 'sid',
    attributes: 'Domain=example.test; Path=/app; HttpOnly; Secure',
    cookie: { domain: 'example.test', path: '/app' },
  },
  'a __Host- name': { name: '__Host-sid', attributes: 'Path=/; HttpOnly; Secure; SameSite=Strict' },
  'a __Secure- name with a domain': {
    name: '__Secure-sid',
    attributes: 'Domain=example.test; Path=/; Secure',
    cookie: { domain: 'example.test' },
  },
  'a partition': {
    name: '__Host-sid',
    attributes: 'Path=/; Secure; SameSite=None; Partitioned',
    cookie: { partitioned: true },
  },
  'the name of the new cookie, and another path': {
    name: 'session',
    attributes: 'Domain=example.test; Path=/app; HttpOnly',
    cookie: { domain: 'example.test', path: '/app' },
  },
  'the name of the new cookie, and another path of this host': {
    name: 'session',
    attributes: 'Path=/app; HttpOnly',
    cookie: { path: '/app' },
  },
  'the name of the new cookie, and a domain': {
    name: 'session',
    attributes: 'Domain=example.test; Path=/; HttpOnly',
    cookie: { domain: 'example.test' },
  },
  'the name of the new cookie': { name: 'session', attributes: 'Path=/; HttpOnly' },
}

for (const [what, { name, attributes, cookie }] of Object.entries(OLD)) {
  t.test(`the first response leaves the new cookie alone in the jar: an old cookie with ${what}`, async (t) => {
    const old = expressSessionApp(t, memoryOf(), { name })
    const migration = { cookieName: name, ...(cookie && { cookie }) } as object
    const fastify = { trustProxy: true }
    const { bench } = await newApp(t, old, { migration, fastify, routes: (app) => void app.get('/app/me', me) })
    const jar = new Jar('www.example.test')
    jar.take(`${name}=${(await old.open({ userId: 'ann' })).get(name)}; ${attributes}`, bench.clock())
    const visit = async (): Promise<unknown> => {
      const headers = { cookie: jar.header(bench.clock(), '/app/me'), 'x-forwarded-proto': 'https' }
      const response = await bench.app.inject({ url: '/app/me', headers })
      jar.take(response.headers['set-cookie'], bench.clock())
      return response.json<{ userId: unknown }>().userId
    }
    t.equal(await visit(), 'ann')
    t.match(jar.header(bench.clock()), /^session=[^;]*$/)
    bench.clock.advance('31s')
    t.equal(await visit(), 'ann')
  })
}

async function me(request: { user: { id: string } | null }): Promise<object> {
  return { userId: request.user?.id ?? null }
}
