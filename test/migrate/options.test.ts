import t from 'tap'
import { checkConfig } from '../../lib/index.ts'
import { cookieSession } from '../../lib/migrate/cookie-session.ts'
import { loadPackage } from '../../lib/migrate/driver.ts'
import { expressSession } from '../../lib/migrate/express-session.ts'
import { fastifySession } from '../../lib/migrate/fastify-session.ts'
import { ironSession } from '../../lib/migrate/iron-session.ts'
import { secureSession } from '../../lib/migrate/secure-session.ts'
import { good, named } from '../guard/configs.ts'
import { newApp } from './new-app.ts'
import {
  expressSessionApp,
  fastifySessionApp,
  ironSessionApp,
  memoryOf,
  OLD_SECRET,
  secureSessionApp,
} from './old-apps.ts'

const user = (): null => null
const store = memoryOf()
const keys = [OLD_SECRET]

t.test('an option that a way in cannot use is refused before the app listens', async (t) => {
  const wrong: [() => unknown, RegExp][] = [
    [() => cookieSession({ keys } as never), /user is a function/],
    [() => cookieSession({ keys, user, until: 'soon' }), /until is a date/],
    [() => cookieSession({ keys, user, until: 3 as never }), /until is a date/],
    [() => cookieSession({ keys, user, until: '2027-13-31' }), /until is a date/],
    [() => cookieSession({ keys, user, keepOld: 1 as never }), /keepOld is true or false/],
    [() => cookieSession({ keys: [], user }), /keys is the secret/],
    [() => expressSession({ secret: '', store, user }), /secret is the secret/],
    [() => expressSession({ secret: OLD_SECRET, store: {} as never, user }), /no method get/],
    [() => fastifySession({ secret: OLD_SECRET, store: undefined as never, user }), /no method get/],
    [() => ironSession({ password: OLD_SECRET, cookieName: '', user }), /cookieName/],
    [() => ironSession({ password: {}, cookieName: 'iron', user }), /password is the secret/],
    [() => secureSession({ user }), /give the key/],
    [() => secureSession({ secret: OLD_SECRET, salt: 'short', user }), /give the key/],
    [() => secureSession({ key: 'c2hvcnQ=', user }), /32 bytes/],
    [() => loadPackage('ironSession', 'no-such-package'), /npm install no-such-package/],
  ]
  for (const [make, message] of wrong) t.throws(make, { name: 'TypeError', message })
})

t.test('a list in migrateFrom that holds something else does not boot', async (t) => {
  for (const migrateFrom of [{}, [{}], [null], ['express-session'], [{ from: 'x', cookieNames: [] }]]) {
    t.strictSame(named(checkConfig(good({ migrateFrom }), 'production')), ['fatal option-type'], { migrateFrom })
  }
})

t.test('the guard tells until when a way in is open, and refuses weak secrets of it', async (t) => {
  const about = (migration: object, now?: number): string[] => {
    const context = now === undefined ? {} : { now }
    const findings = checkConfig(good({ migrateFrom: [migration] }), 'production', context)
    return findings.map(({ message, severity }) => `${severity}: ${message}`)
  }
  const strong = { keys, user }
  t.match(about(cookieSession(strong)), [/^warning: .* without an end$/])
  t.match(about(cookieSession({ ...strong, until: '2099-12-31' })), [/^warning: .* until 2100-01-01T00:00:00.000Z$/])
  t.match(about(cookieSession({ ...strong, until: '2020-01-01T00:00:00Z' }), Date.now()), [/^warning: no old session/])
  const weak = [
    [cookieSession({ keys: ['keyboard cat'], user }), /shorter than 32/],
    [cookieSession({ keys: ['ab'.repeat(32)], user }), /easy to guess/],
    [cookieSession({ keys: ['changeme-changeme-changeme-changeme'], user }), /placeholder/],
    [expressSession({ secret: 'keyboard cat', store, user }), /shorter than 16/],
    [secureSession({ secret: 'averylogphrasebiggerthanthirtytwochars', user }), /placeholder/],
  ] as const
  for (const [migration, why] of weak) t.match(about(migration)[0], why)
  const [finding] = checkConfig(good({ migrateFrom: [cookieSession({ keys: ['keyboard cat'], user })] }), 'production')
  t.notOk(JSON.stringify(finding).includes('keyboard cat'), 'the secret itself is not told')
})

t.test('the options of the old library may have any value that the library took', async (t) => {
  const old = [await fastifySessionApp(t, undefined, 's:'), await secureSessionApp(t, true), ironSessionApp(t, 0)]
  for (const app of old) {
    const { visitor } = await newApp(t, app)
    t.equal((await visitor(await app.open({ userId: 'ann' })).visit()).userId, 'ann', app.from)
  }
})

t.test('names of the session object get an underscore, and names of prototypes are dropped', async (t) => {
  const old = ironSessionApp(t)
  const { visitor } = await newApp(t, old)
  const data = JSON.parse('{"userId":"ann","get":1,"_get":2,"toString":3,"in":{"__proto__":{"x":1},"y":1}}') as object
  const page = await visitor(await old.open(data)).visit()
  t.strictSame(page.data, { userId: 'ann', __get: 1, _get: 2, _toString: 3, in: { y: 1 } })
})

t.test('a moved session goes out with any response', async (t) => {
  const old = ironSessionApp(t)
  const { bench, visitor } = await newApp(t, old)
  const ann = visitor(await old.open({ userId: 'ann' }))
  t.equal((await ann.visit('/static')).status, 200)
  t.strictSame([...ann.cookies.keys()], ['iron'], 'a route without a session leaves it')
  t.equal((await ann.visit('/broken')).status, 500)
  t.strictSame([...ann.cookies.keys()], ['session'])
  bench.clock.advance('5m')
  t.equal((await ann.visit()).userId, 'ann')
})

t.test('an upgrade reads the old session and does not use it up', async (t) => {
  const old = ironSessionApp(t)
  const { bench, visitor } = await newApp(t, old)
  const ann = visitor(await old.open({ userId: 'ann' }))
  const socket = await ann.copy().visit('/me', { headers: { upgrade: 'websocket', connection: 'upgrade' } })
  t.equal(socket.userId, 'ann')
  bench.clock.advance('5m')
  t.match(await ann.visit(), { userId: 'ann', handle: socket.handle })
})

t.test('the user of a moved session is the one that loadUser finds, and none without', async (t) => {
  const old = ironSessionApp(t)
  const session = { loadUser: async (id: string) => (id === 'ann' ? { id, hash: 'h' } : null), authHash: () => 'h' }
  const { bench, visitor } = await newApp(t, old, { session })
  const ann = visitor(await old.open({ userId: 'ann' }))
  t.equal((await ann.visit()).userId, 'ann')
  bench.clock.advance('5m')
  t.equal((await ann.visit()).userId, 'ann')
  t.equal((await visitor(await old.open({ userId: 'gone' })).visit()).userId, null)
})

t.test('a failing user function is a 503, and an empty session of nobody is cleared', async (t) => {
  const old = ironSessionApp(t)
  let isBroken = true
  const { visitor } = await newApp(t, old, {
    migration: {
      user: async (data: { userId: string }) => {
        if (isBroken) throw new Error('the database is down')
        return { id: data.userId }
      },
    },
  })
  const ann = visitor(await old.open({ userId: 'ann' }))
  t.match(await ann.visit(), { status: 503, code: 'SESSION_USER_UNAVAILABLE' })
  isBroken = false
  t.equal((await ann.visit()).userId, 'ann')
})

t.test('a remembered move outlives the browser, and an old cookie of our own name gives way', async (t) => {
  const old = expressSessionApp(t, memoryOf(), { name: 'session' })
  const { bench, visitor } = await newApp(t, old, { migration: { remember: true, cookieName: 'session' } as object })
  const ann = visitor(await old.open({ userId: 'ann' }))
  const page = await ann.visit()
  t.equal(page.setCookie.length, 1)
  t.match(page.setCookie[0], /Max-Age=1209600/)
  bench.clock.advance('10d')
  t.equal((await ann.visit()).userId, 'ann')
})

t.test('limits count moved sessions: evict ends the oldest, refuse lets the move in', async (t) => {
  for (const onLimit of ['evict', 'refuse'] as const) {
    const old = ironSessionApp(t)
    const { bench, visitor } = await newApp(t, old, { session: { maxSessions: { limit: 1, onLimit } } })
    for (const n of [1, 2]) {
      const ann = visitor(await old.open({ userId: 'ann', n }))
      t.equal((await ann.visit()).userId, 'ann')
      bench.clock.advance('2m')
    }
    t.equal((await bench.app.sessions.list('ann')).length, onLimit === 'evict' ? 1 : 2)
  }
})
