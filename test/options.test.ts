import t from 'tap'
import { checkConfig } from '../lib/index.ts'
import { COOKIE_NAMES, ROOT_NAMES } from '../lib/guard/read/schema.ts'
import { DECORATORS, defaultCookie, environmentOf, lifetimesOf, resolveOptions } from '../lib/options.ts'
import type { SecureSessionOptions } from '../types/index.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

t.test('everything but development and test is production', async (t) => {
  t.equal(environmentOf('development'), 'development')
  t.equal(environmentOf('test'), 'test')
  for (const name of ['production', 'prod', 'staging', 'Development', '', undefined, null]) {
    t.equal(environmentOf(name), 'production', String(name))
  }
})

t.test('the cookie of production is bound to its host', async (t) => {
  t.same(resolveOptions({}, 'production').cookie, {
    name: '__Host-session',
    path: '/',
    secure: true,
    httpOnly: true,
    sameSite: 'lax',
    partitioned: false,
  })
  t.equal(defaultCookie('production', 'example.org').name, '__Secure-session', 'a domain rules __Host- out')
})

t.test('the cookie of development works over http', async (t) => {
  t.match(resolveOptions({}, 'development').cookie, { name: 'session', secure: 'auto' })
})

t.test('an attribute that is undefined keeps its default', async (t) => {
  const cookie = { sameSite: 'strict', secure: undefined } as never
  t.match(resolveOptions({ cookie }, 'production').cookie, { sameSite: 'strict', secure: true })
})

t.test('lifetimes by default: 30 minutes idle, 12 hours at most, renewal after 15 minutes', async (t) => {
  t.same(lifetimesOf({}), {
    idleTimeout: 30 * MINUTE,
    absoluteTimeout: 12 * HOUR,
    renewalTimeout: 15 * MINUTE,
    rememberTimeout: 14 * DAY,
  })
})

t.test('assurance levels set the limits of NIST SP 800-63B-4', async (t) => {
  const limits = { aal1: [24 * HOUR, 30 * DAY], aal2: [HOUR, 24 * HOUR], aal3: [15 * MINUTE, 12 * HOUR] } as const
  for (const [assurance, [idleTimeout, absoluteTimeout]] of Object.entries(limits)) {
    const lifetimes = lifetimesOf({ assurance: assurance as keyof typeof limits })
    t.match(lifetimes, { idleTimeout, absoluteTimeout, renewalTimeout: 15 * MINUTE }, assurance)
    t.equal(lifetimes.rememberTimeout, absoluteTimeout, `${assurance}: remember-me outlives no level`)
  }
  t.equal(lifetimesOf({ assurance: 'aal2', idleTimeout: '5m' }).idleTimeout, 5 * MINUTE, 'a lifetime of its own counts')
})

t.test('a default gives way to the lifetime that was chosen', async (t) => {
  t.match(lifetimesOf({ absoluteTimeout: '10m' }), { idleTimeout: 10 * MINUTE, renewalTimeout: 10 * MINUTE })
  t.match(lifetimesOf({ idleTimeout: '5m' }), { renewalTimeout: 5 * MINUTE, absoluteTimeout: 12 * HOUR })
  t.match(lifetimesOf({ absoluteTimeout: '60d', idleTimeout: '60d' }), { rememberTimeout: 60 * DAY })
  t.match(lifetimesOf({ rememberTimeout: '1d', renewalTimeout: '0s' }), { rememberTimeout: DAY, renewalTimeout: 0 })
  t.equal(lifetimesOf({ renewalTimeout: 0 as never }).renewalTimeout, 0, 'zero needs no unit')
})

t.test('a malformed duration never becomes a lifetime', async (t) => {
  t.throws(() => lifetimesOf({ idleTimeout: '15' as never }), TypeError)
})

t.test('without a secret each process makes one of its own', async (t) => {
  const [first] = resolveOptions({}, 'development').secrets
  const [second] = resolveOptions({}, 'development').secrets
  t.equal(Buffer.from(first ?? '', 'base64url').length, 32)
  t.not(first, second)
})

t.test('an empty secret signs nothing', async (t) => {
  const [secret] = resolveOptions({ secret: '  ' }, 'development').secrets
  t.equal(Buffer.from(secret ?? '', 'base64url').length, 32)
  t.same(resolveOptions({ secret: ['', 'good', ' '] }, 'development').secrets, ['good'])
})

function twoForAll(): number {
  return 2
}

function resolved(maxSessions: NonNullable<SecureSessionOptions['maxSessions']>): unknown {
  return resolveOptions({ maxSessions }, 'test').maxSessions
}

t.test('maxSessions is a number, a function, or an object', async (t) => {
  t.equal(resolveOptions({}, 'test').maxSessions, undefined)
  t.same(resolved(3), { limit: 3, onLimit: 'evict' })
  t.same(resolved(twoForAll), { limit: twoForAll, onLimit: 'evict' })
  t.same(resolved({ limit: 1 }), { limit: 1, onLimit: 'evict' })
  t.same(resolved({ limit: 1, onLimit: 'refuse' }), { limit: 1, onLimit: 'refuse' })
})

t.test('settings cannot change while the app runs', async (t) => {
  const settings = resolveOptions({}, 'production')
  t.ok(Object.isFrozen(settings))
  t.ok(Object.isFrozen(settings.cookie))
  t.ok(Object.isFrozen(settings.decorators))
})

t.test('an option that is undefined is an absent option, at every depth', async (t) => {
  const nothing = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, undefined]))
  for (const environment of ['production', 'development'] as const) {
    const absent = checkConfig({}, environment)
    t.strictSame(checkConfig(nothing(ROOT_NAMES), environment), absent)
    const inside = { cookie: nothing(COOKIE_NAMES), decorators: nothing(Object.keys(DECORATORS)) }
    t.strictSame(checkConfig(inside, environment), absent)
  }
})
