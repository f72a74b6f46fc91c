import t from 'tap'
import type { Test } from 'tap'
import type { FastifyRequest } from 'fastify'
import { memoryStore } from '../../lib/index.ts'
import { fingerprintOf } from '../../lib/session/credentials.ts'
import type { SessionUser } from '../../types/index.ts'
import type { Bench, BenchOptions } from '../support/app.ts'
import { boot, handleOf, someone } from '../support/app.ts'
import type { Browser, Handler } from '../support/browser.ts'

function bench(t: Test, session: BenchOptions['session'] = {}): Promise<Bench> {
  return boot(t, (_t, clock) => memoryStore({ clock }), { session })
}

const TICKET = { reason: 'ticket 7' } as const

/** Returns the stored record of a browser's session. */
async function recordOf(it: Bench, browser: Browser): ReturnType<Bench['record']> {
  return it.record(handleOf(browser.cookie))
}

t.test('a fresh proof, a new fingerprint and a new snapshot need somebody who is logged in', async (t) => {
  const it = await bench(t)
  const ann = someone('ann')
  const half = it.browser()
  await half.visit((request) => request.login(ann, { pending: true }))
  const calls: Handler[] = [
    (request) => request.confirmLogin(),
    (request) => request.updateAuthHash('x'),
    (request) => request.updateUser(ann),
  ]
  for (const browser of [it.browser(), await it.withData({ cart: 1 }), half]) {
    for (const call of calls) {
      t.match((await browser.visit(call)).body, { statusCode: 401, code: 'SESSION_LOGIN_REQUIRED' }, String(call))
    }
  }
})

t.test('a fresh proof begins a new login time, and keeps device, name, lifetimes and remember', async (t) => {
  const it = await bench(t, { idleTimeout: () => '5m' })
  const ann = someone('ann')
  const browser = it.browser()
  await browser.visit((request) => request.login(ann, { label: 'Desk', remember: true }))
  const before = await recordOf(it, browser)
  t.match(before, { label: 'Desk', remember: true, lifetimes: { idleTimeout: 300_000 } })
  t.notOk(Object.hasOwn(before ?? {}, 'methods'), 'no way to log in was named')
  it.clock.advance('1m')
  it.events.length = 0
  await browser.visit((request) => request.confirmLogin())
  const { label, remember, lifetimes, device, userId, user } = before ?? {}
  const after = await recordOf(it, browser)
  t.match(after, { label, remember, lifetimes, device, userId, user, authenticatedAt: it.clock() })
  t.notOk(Object.hasOwn(after ?? {}, 'methods'))
  t.match(it.takeEvents('rotate'), [{ reason: 'confirm' }])
  await browser.visit((request) => request.confirmLogin({ label: 'Kitchen', methods: ['otp'] }))
  t.match(await recordOf(it, browser), { label: 'Kitchen', methods: [{ name: 'otp', at: it.clock() }] })
  const wrong = await browser.visit((request) => request.confirmLogin({ label: '' }))
  t.match(wrong.body, { code: 'SESSION_LABEL_INVALID' })
})

t.test(
  'a fresh proof and a new login keep what somebody changes beside them, unless the app gives another',
  async (t) => {
    const it = await bench(t)
    const ann = someone('ann')
    const newer = { ...ann, name: 'Ann' }
    const own = { ...ann, name: 'Anna' }
    const cases: [visit: (request: FastifyRequest) => Promise<void>, user: object, label: string][] = [
      [(request) => request.confirmLogin(), newer, 'Kitchen'],
      [(request) => request.confirmLogin({ label: 'Own' }), newer, 'Own'],
      [async (request) => (await request.confirmLogin(), request.confirmLogin({ label: 'Own' })), newer, 'Own'],
      [async (request) => (await request.confirmLogin(), request.updateUser(own)), own, 'Kitchen'],
      [async (request) => (await request.updateUser(own), request.confirmLogin()), own, 'Kitchen'],
      [(request) => request.login(own), own, 'Kitchen'],
      [async (request) => (await request.login(own), request.confirmLogin()), own, 'Kitchen'],
      [async (request) => (await request.login(own), request.confirmLogin({ label: 'Own' })), own, 'Own'],
      [(request) => request.login(own, { keep: false }), own, 'Kitchen'],
      [(request) => request.login(own, { label: 'Own' }), own, 'Own'],
    ]
    for (const [visit, user, label] of cases) {
      const browser = it.browser()
      await browser.visit((request) => request.login(ann, { label: 'Desk' }))
      const handle = String((await recordOf(it, browser))?.handle)
      await browser.visit(async (request) => {
        await visit(request)
        await it.app.sessions.updateUser(ann.id, newer)
        await it.app.sessions.rename(handle, 'Kitchen', { userId: ann.id })
      })
      t.match(await recordOf(it, browser), { user: JSON.stringify(user), label }, String(visit))
    }
  },
)

t.test('a fresh proof in the request of the login is part of the login', async (t) => {
  const it = await bench(t)
  const ann = someone('ann')
  const confirm: [given: object, label: string | null][] = [
    [{}, 'Desk'],
    [{ label: 'Kitchen' }, 'Kitchen'],
  ]
  for (const [given, label] of confirm) {
    const browser = it.browser()
    await browser.visit(async (request) => {
      await request.login(ann, { label: 'Desk', methods: ['pwd'] })
      await request.confirmLogin({ ...given, methods: ['otp'] })
    })
    t.match(await recordOf(it, browser), { userId: ann.id, label, methods: [{ name: 'pwd' }, { name: 'otp' }] })
    t.match(it.events.splice(0), [{ type: 'login', label }])
  }
  const browser = it.browser()
  await browser.visit(async (request) => {
    await request.login(ann)
    await request.confirmLogin()
  })
  const record = await recordOf(it, browser)
  t.equal(record?.label, null)
  t.notOk(Object.hasOwn(record ?? {}, 'methods'))
})

t.test('a new fingerprint gives a new id, and a fresh proof beside it keeps the fingerprint', async (t) => {
  const it = await bench(t, { loadUser: async (id) => ({ id }), authHash: () => 'one' })
  const ann = someone('ann')
  const browser = await it.loggedIn(ann)
  const { cookie } = browser
  it.events.length = 0
  it.clock.advance('1s')
  await browser.visit((request) => request.updateAuthHash('two'))
  t.not(browser.cookie, cookie)
  t.match(it.takeEvents('rotate'), [{ reason: 'auth-hash' }])
  t.match(await recordOf(it, browser), { authHash: fingerprintOf(ann.id, 'two'), authCheckedAt: it.clock() })
  it.clock.advance('1s')
  await browser.visit(async (request) => {
    await request.updateAuthHash('three')
    await request.confirmLogin()
  })
  t.match(await recordOf(it, browser), { authHash: fingerprintOf(ann.id, 'three'), authCheckedAt: it.clock() })
  it.clock.advance('1s')
  await browser.visit((request) => request.confirmLogin())
  t.equal((await recordOf(it, browser))?.authCheckedAt, it.clock() - 1_000, 'a proof is no look at the credentials')
})

t.test('a new fingerprint and a new snapshot in the request of a login belong to the login', async (t) => {
  const it = await bench(t)
  const [ann, bob] = [someone('ann'), someone('bob')]
  const named: SessionUser & { name: string } = { ...bob, name: 'Bob' }
  const browser = await it.loggedIn(ann)
  await browser.visit((request) => request.actAs(someone('customer'), TICKET))
  it.events.length = 0
  const page = await browser.visit(async (request) => {
    await request.login(bob)
    await request.updateAuthHash('bobs')
    await request.updateUser(named)
    return { ...request.user }
  })
  t.strictSame(page.body, named)
  t.match(await recordOf(it, browser), {
    ...{ userId: bob.id, user: JSON.stringify(named), acting: null },
    ...{ authHash: fingerprintOf(bob.id, 'bobs'), authCheckedAt: it.clock() },
  })
  t.strictSame(
    it.events.map(({ type }) => type),
    ['login', 'rotate'],
    'and no other event',
  )
})
