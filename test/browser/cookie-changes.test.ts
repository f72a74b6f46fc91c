import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { memoryStore, secureSession } from '../../lib/index.ts'
import type { SecureSessionOptions, SessionStore } from '../../types/index.ts'
import { SECRET } from '../support/app.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'

const certificate = makeCertificate()
const browser = await Chromium.start(t, certificate)

/** Opens a deployment of one app. Cookies know no ports, so every port of the host is the same app to a browser. */
async function deploy(t: Test, store: SessionStore, cookie: SecureSessionOptions['cookie']): Promise<string> {
  const app = Fastify({ https: certificate })
  t.teardown(() => app.close())
  await app.register(secureSession, { environment: 'test', secret: SECRET, store, cookie: { secure: true, ...cookie } })
  app.get('/', async (_request, reply) => reply.type('text/html').send('<!doctype html><title>app</title>'))
  app.get('/me', async ({ user, headers }) => ({
    user: user?.id ?? null,
    cookies: headers.cookie?.split('; ').length ?? 0,
  }))
  app.post('/login', async (request) => {
    await request.login({ id: 'ann' }, { remember: true })
    return {}
  })
  app.post('/logout', async (request) => {
    await request.logout()
    return {}
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return `https://app.test:${(app.server.address() as AddressInfo).port}`
}

const PARTITIONED = { sameSite: 'none', partitioned: true } as const

const CHANGES: [name: string, before: SecureSessionOptions['cookie'], after: SecureSessionOptions['cookie']][] = [
  ['partitioned is added', { name: '__Host-sid', sameSite: 'none' }, { name: '__Host-sid', ...PARTITIONED }],
  ['partitioned is removed', { name: '__Host-sid', ...PARTITIONED }, { name: '__Host-sid', sameSite: 'none' }],
  [
    'domain and partitioned are added',
    { name: 'sid', sameSite: 'none' },
    { name: 'sid', domain: 'app.test', ...PARTITIONED },
  ],
]

for (const [name, before, after] of CHANGES) {
  t.test(
    `in Chromium, users can log in, stay and log out after a cookie changed under its name: ${name}`,
    async (t) => {
      const store = memoryStore()
      const [old, fresh] = [await deploy(t, store, before), await deploy(t, store, after)]
      const page = await (await browser.device(t)).newPage()
      const ask = (method: string, path: string): Promise<unknown> =>
        page.evaluate(`fetch('${path}', { method: '${method}' }).then((response) => response.json())`)
      await page.goto(old)
      await ask('POST', '/login')
      t.strictSame(await ask('GET', '/me'), { user: 'ann', cookies: 1 })
      await page.goto(fresh)
      await ask('POST', '/login')
      await ask('GET', '/me')
      t.strictSame(await ask('GET', '/me'), { user: 'ann', cookies: 1 })
      await ask('POST', '/logout')
      t.strictSame(await ask('GET', '/me'), { user: null, cookies: 0 })
    },
  )
}
