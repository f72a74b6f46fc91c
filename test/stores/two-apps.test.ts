import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import t from 'tap'
import { memoryStore, secureSession } from '../../lib/index.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import type { SecureSessionOptions, SessionEvent, SessionStore } from '../../types/index.ts'
import { namedStores } from '../cli/stores.ts'
import { type as typed } from '../cli/terminal.ts'
import { testClock } from '../support/clock.ts'
import { logIn, smallApp } from '../support/small-app.ts'
import { betterSqlite, temporaryFolder } from '../support/sqlite.ts'

type Test = { teardown(end: () => unknown): void }

interface SharedStore {
  readonly name: string
  readonly store: SessionStore
  readonly url?: string
}

const stores: SharedStore[] = [{ name: 'memory', store: memoryStore() }, ...(await namedStores(t))]

async function appsOn(
  t: Test,
  store: SessionStore,
  ...options: [SecureSessionOptions, SecureSessionOptions]
): Promise<[FastifyInstance, FastifyInstance]> {
  const apps = await Promise.all(options.map((one) => smallApp({ store, ...one })))
  t.teardown(() => Promise.all(apps.map((app) => app.close())))
  return apps as [FastifyInstance, FastifyInstance]
}

const userOf = async (app: FastifyInstance, cookie: string): Promise<unknown> =>
  (await app.inject({ url: '/me', headers: { cookie } })).json<{ user: unknown }>().user

for (const { name, store, url } of stores) {
  t.test(`${name}: two apps with a namespace each do not end each other's sessions of a user`, async (t) => {
    const [shop, desk] = await appsOn(t, store, { namespace: 'shop' }, { namespace: 'desk' })
    const [atShop, atDesk] = [await logIn(shop, '7'), await logIn(desk, '7')]
    t.equal((await desk.sessions.list('7')).length, 1)
    const [own] = await desk.sessions.list('7')
    t.equal(await shop.sessions.revoke(String(own?.handle), { userId: '7' }), false)
    t.equal(await shop.sessions.revokeUser('7'), 1)
    t.equal(await userOf(shop, atShop), null)
    t.equal(await userOf(desk, atDesk), '7')
    t.match(await desk.sessions.list('7'), [{ handle: own?.handle, userId: '7' }])
  })

  t.test(`${name}: the limit of sessions counts those of the app alone`, async (t) => {
    const maxSessions = { limit: 1, onLimit: 'refuse' } as const
    const [shop, desk] = await appsOn(t, store, { namespace: 'shop', maxSessions }, { namespace: 'desk', maxSessions })
    const cookies = [await logIn(shop, '8'), await logIn(desk, '8')]
    t.equal(await userOf(shop, String(cookies[0])), '8')
    t.equal(await userOf(desk, String(cookies[1])), '8')
  })

  t.test(`${name}: a session of one namespace is opened in no other, even with its cookie`, async (t) => {
    const [shop, desk] = await appsOn(t, store, { namespace: 'shop' }, { namespace: 'desk' })
    t.equal(await userOf(desk, await logIn(shop, '9')), null)
  })

  t.test(`${name}: the name of the cookie is the namespace of an app without one`, async (t) => {
    const [shop, desk] = await appsOn(t, store, { namespace: 'desk-cookie' }, { cookie: { name: 'desk-cookie' } })
    await desk.inject({ method: 'POST', url: '/login', payload: { user: '10' } })
    t.equal((await shop.sessions.list('10')).length, 1)
  })

  if (url === undefined) continue

  t.test(`${name}: commands find the users of an app by its namespace`, async (t) => {
    const [shop, desk] = await appsOn(t, store, { namespace: 'shop' }, {})
    const [atShop, atDesk] = [await logIn(shop, '11'), await logIn(desk, '11')]
    const [session] = await shop.sessions.list('11')
    const where = ['--user', '11', '--namespace', 'shop', '--store', url]
    t.match((await typed(['sessions', ...where])).out, session?.handle)
    t.match(await typed(['revoke', ...where]), { code: 0, out: 'Ended 1 session of "11".\n' })
    t.equal(await userOf(shop, atShop), null)
    t.equal(await userOf(desk, atDesk), '11')
  })

  t.test(`${name}: a command that finds no session of a user names --namespace`, async (t) => {
    const [shop] = await appsOn(t, store, { namespace: 'shop' }, {})
    await logIn(shop, '12')
    const where = ['--user', '12', '--store', url]
    t.match(await typed(['sessions', ...where]), { code: 0, err: /--namespace/ })
    t.match(await typed(['revoke', ...where]), { code: 0, out: 'Ended 0 sessions of "12".\n', err: /--namespace/ })
    t.match(await typed(['revoke', ...where, '--namespace', 'shop']), { out: 'Ended 1 session of "12".\n', err: '' })
  })

  t.test(`${name}: the list of all sessions names the namespace of each user`, async (t) => {
    const [shop] = await appsOn(t, store, { namespace: 'shop' }, {})
    await logIn(shop, '13')
    const where = ['--all', '--limit', '1000', '--store', url]
    t.match((await typed(['sessions', ...where])).out, '"13" of shop')
    const { sessions } = JSON.parse((await typed(['sessions', ...where, '--format', 'json'])).out) as {
      sessions: object[]
    }
    t.match(
      sessions.filter((one) => Reflect.get(one, 'userId') === '13'),
      [{ namespace: 'shop', userId: '13' }],
    )
  })

  t.test(`${name}: a handle that a command ends is found in each namespace`, async (t) => {
    const [shop] = await appsOn(t, store, { namespace: 'shop' }, {})
    const cookie = await logIn(shop, '14')
    const [session] = await shop.sessions.list('14')
    const argv = ['revoke', '--handle', String(session?.handle), '--store', url]
    t.match(await typed(argv), { out: 'Ended 1 session.\n' })
    t.equal(await userOf(shop, cookie), null)
    t.strictSame(await shop.sessions.list('14'), [])
  })
}

t.test('--namespace is refused where no user is named', async (t) => {
  for (const argv of [
    ['sessions', '--all'],
    ['revoke', '--all'],
  ]) {
    t.match(await typed([...argv, '--namespace', 'shop', '--store', 'sqlite:x']), {
      code: 2,
      err: /--namespace goes with --user/,
    })
  }
})

interface Areas {
  readonly heard: Readonly<Record<string, SessionEvent[]>>
  readonly visit: (area: string, cookie: string) => Promise<unknown>
  readonly enter: (area: string) => Promise<string>
}

/** Returns two registrations in one server, each in a context of its own. */
async function twoAreas(t: Test, store: SessionStore, clock: () => number): Promise<Areas> {
  const app = Fastify()
  t.teardown(() => app.close())
  const heard: Record<string, SessionEvent[]> = {}
  for (const area of ['shop', 'desk']) {
    const events: SessionEvent[] = (heard[area] = [])
    await app.register(async (child) => {
      const options = { environment: 'test', secret: 'two-areas-secret-two-areas-secret-two-areas', store, clock }
      await child.register(secureSession, { ...options, cookie: { name: area } })
      for (const type of ['expire', 'damaged'] as const) {
        child.sessions.events.on(type, (event: SessionEvent) => void events.push(event))
      }
      child.post(`/${area}/login`, async (request) => request.login({ id: 'ann' }))
      child.get(`/${area}/me`, async (request) => ({ user: request.user }))
    })
  }
  const visit = (area: string, cookie: string): Promise<unknown> =>
    app.inject({ url: `/${area}/me`, headers: { cookie } })
  const enter = async (area: string): Promise<string> => {
    const { cookies } = await app.inject({ method: 'POST', url: `/${area}/login` })
    return `${area}=${cookies[0]?.value}`
  }
  return { heard, visit, enter }
}

t.test('two registrations on one store object: each hears of its own expired sessions', async (t) => {
  const clock = testClock()
  const { heard, visit, enter } = await twoAreas(t, memoryStore({ clock }), clock)
  const [atShop] = [await enter('shop'), await enter('desk')]
  clock.advance('13h')
  await visit('shop', atShop)
  t.match(heard, { shop: [{ type: 'expire', userId: 'ann' }] })
  t.strictSame([heard['shop']?.length, heard['desk']?.length], [1, 0])
})

t.test('two registrations on one store object: each hears of its own damaged sessions', async (t) => {
  const database = betterSqlite.open(join(temporaryFolder(t), 'sessions.db'))
  t.teardown(() => database.close())
  const { heard, visit, enter } = await twoAreas(t, sqliteStore({ database }), Date.now)
  const [atShop, atDesk] = [await enter('shop'), await enter('desk')]
  database.exec("UPDATE sessions SET record = '{'")
  await visit('desk', atDesk)
  t.match(heard, { desk: [{ type: 'damaged' }] })
  t.strictSame(heard['shop'], [])
  await visit('shop', atShop)
  t.match(heard, { shop: [{ type: 'damaged' }], desk: [{ type: 'damaged' }] })
  t.strictSame([heard['shop']?.length, heard['desk']?.length], [1, 1])
})
