import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { checkConfig, memoryStore } from '../../lib/index.ts'
import { cookieSession } from '../../lib/migrate/cookie-session.ts'
import { loadPackage } from '../../lib/migrate/driver.ts'
import { expressSession } from '../../lib/migrate/express-session.ts'
import { fastifySession } from '../../lib/migrate/fastify-session.ts'
import { ironSession } from '../../lib/migrate/iron-session.ts'
import { secureSession } from '../../lib/migrate/secure-session.ts'
import { good, named } from '../guard/configs.ts'
import { coreOnly } from '../plugin/stores.ts'
import type { Migration } from '../../types/index.ts'
import type { MakeStore } from '../support/app.ts'
import { isNobody, newApp } from './new-app.ts'
import {
  cookieSessionApp,
  expressSessionApp,
  fastifySessionApp,
  ironSessionApp,
  memoryOf,
  OLD_KEY,
  OLD_SECRET,
  secureSessionApp,
  userOf,
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
    [() => cookieSession({ keys: [new Uint8Array()], user }), /keys is the secret/],
    [() => cookieSession({ keys, user, until: '2027-02-30' }), /until is a date/],
    [() => cookieSession({ keys, user, until: '2027-04-31T12:00:00Z' }), /until is a date/],
    [() => expressSession(undefined as never), /takes its options as an object/],
    [() => expressSession({ secret: '', store, user }), /secret is the secret/],
    [() => expressSession({ secret: OLD_SECRET, store: {} as never, user }), /no method get/],
    [() => fastifySession({ secret: OLD_SECRET, store: undefined as never, user }), /no method get/],
    [() => ironSession({ password: OLD_SECRET, cookieName: '', user }), /cookieName/],
    [() => ironSession({ password: {}, cookieName: 'iron', user }), /password is the secret/],
    [() => ironSession({ password: OLD_SECRET, cookieName: 'iron', user, ttl: '14d' as never }), /ttl is a number/],
    [() => secureSession({ key: Buffer.alloc(32), user, expiry: Number.NaN }), /expiry is a number of seconds/],
    [() => fastifySession({ secret: OLD_SECRET, store, user, algorithm: 'sha999' }), /algorithm is the name of a hash/],
    [() => fastifySession({ secret: OLD_SECRET, store, user, cookiePrefix: 1 as never }), /cookiePrefix is a text/],
    [() => secureSession({ user }), /give the key/],
    [() => secureSession({ secret: OLD_SECRET, salt: 'short', user }), /give the key/],
    [() => secureSession({ key: 'c2hvcnQ=', user }), /32 bytes/],
    [() => loadPackage('ironSession', 'no-such-package'), /npm install no-such-package/],
  ]
  for (const [make, message] of wrong) t.throws(make, { name: 'TypeError', message })
})

t.test('an option that a way in would not read is refused, and the one that was meant is named', async (t) => {
  const express = { secret: OLD_SECRET, store, user }
  const wrong: [() => unknown, RegExp][] = [
    [() => expressSession({ ...express, untill: '2027-03-31' } as never), /no option "untill"; did you mean until\?/],
    [() => expressSession({ ...express, zzz: 1 } as never), /no option "zzz"; known are: user, until/],
    [() => expressSession({ ...express, name: 'sid' } as never), /calls "name" is cookieName here/],
    [() => ironSession({ password: OLD_SECRET, cookieName: 'i', user, cookieOptions: {} } as never), /is cookie here/],
    [() => cookieSession({ secret: OLD_SECRET, user } as never), /calls "secret" is keys, a list of one, here/],
    [() => secureSession({ key: Buffer.alloc(32), sessionName: 's', user } as never), /is cookieName here/],
  ]
  for (const [make, message] of wrong) t.throws(make, { name: 'TypeError', message })
  const spread = {
    ...express,
    resave: false,
    saveUninitialized: false,
    rolling: true,
    cookie: { maxAge: 1, path: '/' },
  }
  t.doesNotThrow(() => expressSession(spread), 'options of the old library that say nothing about its cookies')
})

t.test('the name or an attribute of an old cookie that no header can carry is refused', async (t) => {
  const express = { secret: OLD_SECRET, store, user }
  for (const cookieName of ['', 5, 'a b', 'a;b', 'a=b', 'ä', null]) {
    t.throws(() => expressSession({ ...express, cookieName } as never), { message: /cookieName is the name/ })
  }
  for (const cookie of [
    null,
    5,
    () => ({}),
    { path: 5 },
    { path: '/;' },
    { path: 'x' },
    { domain: 'x;y' },
    { domain: 5 },
  ]) {
    t.throws(() => expressSession({ ...express, cookie } as never), { message: /cookie is an object/ })
  }
  t.throws(() => expressSession({ ...express, cookie: { partitioned: 'yes' } } as never), /cookie is an object/)
  for (const cookie of [
    { domain: '.example.com', path: '/app' },
    { domain: null },
    { domain: 'a-b.example', maxAge: 3 },
  ]) {
    t.doesNotThrow(() => expressSession({ ...express, cookie }))
  }
})

t.test('a package of an old format that is there and broken is told by its own error', async (t) => {
  const folder = t.testdir({
    'broken.cjs': "throw new Error('the file is half written')",
    'lacking.cjs': "require('a-package-of-that-package')",
  })
  t.throws(() => loadPackage('ironSession', join(folder, 'broken.cjs')), { message: 'the file is half written' })
  t.throws(() => loadPackage('ironSession', join(folder, 'lacking.cjs')), { code: 'MODULE_NOT_FOUND' })
})

t.test('the keys of @fastify/secure-session may be a list, of which any key opens an old cookie', async (t) => {
  const old = await secureSessionApp(t)
  const key = [Buffer.alloc(32, 7).toString('base64'), OLD_KEY.toString('base64')]
  const migrateFrom = [secureSession({ key, cookieName: 'secure', user: userOf })]
  const { visitor } = await newApp(t, old, { session: { migrateFrom } })
  t.equal((await visitor(await old.open({ userId: 'ann' })).visit()).userId, 'ann')
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
    [cookieSession({ keys: [Buffer.alloc(31, 255)], user }), /shorter than 32/],
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

t.test('a secret of bytes is as good as one of letters', async (t) => {
  const secret = Buffer.from(OLD_SECRET, 'base64')
  const kept = memoryOf()
  const old = [expressSessionApp(t, kept, { secret }), cookieSessionApp(t, [secret])]
  const ways = [
    expressSession({ secret: [Buffer.alloc(32, 9), secret], store: kept, user: userOf }),
    old[1]?.migration(),
  ]
  for (const [index, app] of old.entries()) {
    const { visitor } = await newApp(t, app, { session: { migrateFrom: [ways[index] as Migration] } })
    t.equal((await visitor(await app.open({ userId: 'ann' })).visit()).userId, 'ann', app.from)
  }
})

t.test('a cookie of @fastify/secure-session that @fastify/cookie signed as well is let in', async (t) => {
  const old = await secureSessionApp(t, false, { cookie: { signed: true } })
  const { bench, visitor } = await newApp(t, old)
  const cookies = await old.open({ userId: 'ann' })
  t.equal((await visitor(cookies).visit()).userId, 'ann')
  bench.clock.advance('31s')
  const unsigned = new Map(Array.from(cookies, ([name, value]) => [name, value.replace(/\.[^.]*$/, '')]))
  for (const again of [cookies, unsigned]) t.equal((await visitor(again).visit()).userId, null, 'and enters once')
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
  const routes = (app: FastifyInstance): void => {
    app.get('/socket', (request, reply) => {
      // Response hooks do not run for a WebSocket.
      reply.hijack()
      reply.raw.end(JSON.stringify({ userId: request.user?.id, handle: request.session.sessionId }))
    })
  }
  const { bench, visitor } = await newApp(t, old, { routes })
  const ann = visitor(await old.open({ userId: 'ann' }))
  const socket = await ann.copy().visit('/socket', { headers: { upgrade: 'websocket', connection: 'upgrade' } })
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

t.test('a user whom loadUser does not find moves nowhere, also without authHash', async (t) => {
  const old = ironSessionApp(t)
  const { bench, visitor } = await newApp(t, old, { session: { loadUser: async () => null } })
  t.equal((await visitor(await old.open({ userId: 'gone' })).visit()).userId, null)
  t.strictSame(bench.takeEvents('migrate'), [])
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

t.test('a moved session has the lifetimes of its user', async (t) => {
  const old = ironSessionApp(t)
  const session = { idleTimeout: ({ id }: { id: string }) => (id === 'ann' ? '5m' : '20m') } as const
  const { bench, visitor } = await newApp(t, old, { session })
  const [ann, bob] = [visitor(await old.open({ userId: 'ann' })), visitor(await old.open({ userId: 'bob' }))]
  for (const one of [ann, bob]) t.type((await one.visit()).userId, 'string')
  bench.clock.advance('6m')
  t.equal((await ann.visit()).userId, null)
  t.equal((await bob.visit()).userId, 'bob')
})

t.test('an old session does not move in when its user has no credentials to compare', async (t) => {
  const old = ironSessionApp(t)
  const session = { loadUser: async (id: string) => ({ id }), authHash: () => undefined as never }
  const { bench, visitor } = await newApp(t, old, { session })
  const ann = visitor(await old.open({ userId: 'ann' }))
  isNobody(t, await ann.visit())
  t.equal(ann.cookies.size, 0, 'the old cookie is cleared')
  t.strictSame(await bench.app.sessions.list('ann'), [])
})

t.test('an old session moves into a store that keeps no cutoff', async (t) => {
  const old = ironSessionApp(t)
  const makeStore: MakeStore = (_t, clock) => coreOnly(memoryStore({ clock }))
  const { visitor } = await newApp(t, old, { makeStore })
  const ann = visitor(await old.open({ userId: 'ann' }))
  const { handle } = await ann.visit()
  t.match(await ann.visit(), { userId: 'ann', handle })
})

t.test('a revocation after the last day of every way in leaves no note', async (t) => {
  const old = ironSessionApp(t)
  const until = new Date(Date.now() + 3_600_000).toISOString()
  const { bench, visitor, living } = await newApp(t, old, { migration: { until } })
  const revoke = async (): Promise<number> => {
    await visitor(new Map()).visit('/login')
    t.equal(await bench.app.sessions.revokeUser('somebody else'), 1)
    return (await living()).length
  }
  t.equal(await revoke(), 1, 'the note that old sessions of the user may not enter')
  bench.clock.advance('2h')
  t.equal(await revoke(), 0)
})

t.test('an old cookie is cleared with the SameSite of the new cookie over https, and with Lax without', async (t) => {
  const old = ironSessionApp(t)
  const cookie = { sameSite: 'none', secure: true } as const
  const { visitor } = await newApp(t, old, { session: { cookie }, fastify: { trustProxy: true } })
  for (const [protocol, attributes] of [
    ['https', /^iron=;.*Secure; SameSite=None/],
    ['http', /^iron=;(?!.*Secure).*SameSite=Lax/],
  ] as const) {
    const ann = visitor(await old.open({ userId: 'ann' }))
    const { setCookie } = await ann.visit('/me', { headers: { 'x-forwarded-proto': protocol } })
    t.ok(
      setCookie.some((line) => attributes.test(line)),
      setCookie.join('\n'),
    )
  }
})

t.test('an old cookie of our own name that leads nowhere is cleared', async (t) => {
  const old = expressSessionApp(t, memoryOf(), { name: 'session' })
  const { visitor } = await newApp(t, old, { migration: { cookieName: 'session' } as object })
  const ann = visitor(new Map([['session', 's%3Anobody.x']]))
  isNobody(t, await ann.visit())
  t.equal(ann.cookies.size, 0)
})

t.test('the guard refuses a trial in which both apps would write one cookie', async (t) => {
  const judge = (migration: Migration, cookie: object, environment = 'production'): string[] => {
    const silence = [{ rule: 'migration-open', reason: 'a trial' }]
    return named(checkConfig(good({ migrateFrom: [migration], cookie, silence }), environment))
  }
  const express = { secret: OLD_SECRET, store, user, cookieName: '__Host-sid' }
  const own = { name: '__Host-sid' }
  const trial = expressSession({ ...express, keepOld: true })
  t.strictSame(judge(trial, own), ['fatal migration-cookie-shared'])
  t.strictSame(judge(trial, { name: 'sid', secure: 'auto' }, 'development'), [])
  t.strictSame(judge(trial, {}), [], 'another name')
  t.strictSame(judge(expressSession(express), own), [], 'no trial: the new cookie takes the place of the old one')
  const signature = cookieSession({ keys, user, cookieName: '__Host-a', keepOld: true })
  t.strictSame(judge(signature, { name: '__Host-a.sig' }), ['fatal migration-cookie-shared'])
})

t.test('with one cookie for both apps, a trial logs visitors out of the old app', async (t) => {
  const old = expressSessionApp(t, memoryOf(), { name: 'session' })
  const migration = { cookieName: 'session', keepOld: true } as object
  const { visitor } = await newApp(t, old, { migration })
  const ann = visitor(await old.open({ userId: 'ann' }))
  t.equal((await ann.visit()).userId, 'ann')
  t.equal(await old.read(ann.cookies), undefined)
})
