import type { Test } from 'tap'
import type { SecureSessionOptions } from '../../types/index.ts'
import type { MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, logOut, SECRET, someone, write } from '../support/app.ts'
import type { Browser, SendOptions } from '../support/browser.ts'
import type { SetCookie } from '../support/jar.ts'

/** Cookies of every shape. All of them have to be cleared by a browser that honours attributes. */
const COOKIES: Record<string, { session: SecureSessionOptions; name: string }> = {
  'a __Host- cookie': { session: { environment: 'production', tls: 'proxy' }, name: '__Host-session' },
  'a cookie with a domain and a path': {
    session: { cookie: { domain: 'app.example', path: '/app', secure: true, sameSite: 'strict' } },
    name: 'session',
  },
  'a partitioned cookie': {
    session: { cookie: { partitioned: true, secure: true, sameSite: 'none', priority: 'high' } },
    name: 'session',
  },
}

/** Returns the attributes that a clearing must share with what it clears. */
function identityOf(cookie: SetCookie | undefined): object {
  const { 'max-age': _age, expires: _expires, ...rest } = Object.fromEntries(cookie?.attributes ?? [])
  return rest
}

export function logout(t: Test, makeStore: MakeStore): void {
  t.test('when logout resolves the record is gone, before the response is', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = await bench.loggedIn(ann)
    const handle = handleOf(browser.cookie)
    const page = await browser.visit(async (request) => {
      await request.logout()
      const other = bench.browser()
      other.plant(browser.cookie ?? '')
      return { record: (await bench.record(handle)) ?? null, other: (await other.me()).userId, user: request.user }
    })
    t.same(page.body, { record: null, other: null, user: null })
    t.strictSame(await bench.indexed(ann), [])
    t.match(bench.takeEvents('logout'), [{ handle, userId: ann.id }])
  })

  const failures: Record<string, { status: number; send: (browser: Browser) => ReturnType<Browser['visit']> }> = {
    'a 500': {
      status: 500,
      send: (browser) =>
        browser.visit(async (request, reply) => {
          await request.logout()
          return reply.code(500).send({})
        }),
    },
    'an error': {
      status: 500,
      send: (browser) =>
        browser.visit(async (request) => {
          await request.logout()
          throw new Error('the handler failed')
        }),
    },
    'an error in a later hook': {
      status: 500,
      send: (browser) => browser.visit(logOut, { onSend: failing }),
    },
  }
  for (const [what, { status, send }] of Object.entries(failures)) {
    t.test(`a logout whose response becomes ${what} is a logout, and its cookie is cleared once`, async (t) => {
      const bench = await boot(t, makeStore)
      const browser = await bench.loggedIn(someone('ann'))
      const page = await send(browser)
      t.equal(page.status, status)
      t.equal(page.sessionCookies.length, 1)
      t.equal(browser.cookie, undefined)
      t.strictSame(await bench.living(), [])
    })
  }

  t.test('a logout that the store cannot carry out is a 503 and not a logout', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = await bench.loggedIn(ann)
    const caught = bench.gate.hold('delete')
    const visit = browser.visit(logOut)
    await caught.arrived
    caught.fail()
    const page = await visit
    t.equal(page.status, 503)
    t.ok(Number(page.headers['retry-after']) > 0)
    t.strictSame(page.sessionCookies, [], 'the cookie still opens the session, so it is not cleared')
    t.equal((await browser.me()).userId, ann.id)
    await browser.visit(logOut)
    t.equal((await browser.me()).userId, null)
  })

  const cookies = makeStore.isByHeader === true ? {} : COOKIES
  for (const [what, { session, name }] of Object.entries(cookies)) {
    t.test(`${what} is cleared with the attributes it was set with`, async (t) => {
      const bench = await boot(t, makeStore, {
        session: { ...session, secret: SECRET },
        fastify: { trustProxy: '127.0.0.1' },
      })
      const ann = someone('ann')
      const browser = bench.browser()
      const https: SendOptions = { headers: { 'x-forwarded-proto': 'https' } }
      const login = await browser.visit(loginAs(ann), https)
      t.equal(login.sessionCookies[0]?.name, name)
      t.ok(browser.cookie, 'the browser took it')
      t.equal((await browser.me(https)).userId, ann.id)
      const page = await browser.visit(logOut, https)
      t.strictSame(identityOf(page.sessionCookies[0]), identityOf(login.sessionCookies[0]))
      t.equal(page.sessionCookies[0]?.attributes.get('max-age'), '0')
      t.equal(browser.cookie, undefined, 'the browser let it go')
      t.equal(page.headers['cache-control'], 'no-store')
    })
  }

  t.test('a remembered session is cleared although its cookie had years to live', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = bench.browser()
    const login = await browser.visit(loginAs(someone('ann'), { remember: true }))
    const maxAge = Number(login.sessionCookies[0]?.attributes.get('max-age'))
    t.equal(maxAge > 0, makeStore.isByHeader !== true)
    await browser.visit(logOut)
    t.equal(browser.cookie, undefined)
    t.strictSame(await bench.living(), [])
  })

  t.test('logging out without a session does nothing, and an anonymous session ends like any other', async (t) => {
    const bench = await boot(t, makeStore)
    const visitor = bench.browser()
    t.strictSame((await visitor.visit(logOut)).sessionCookies, [])
    const anonymous = await bench.withData({ cart: [1] })
    const page = await anonymous.visit(logOut)
    t.equal(page.status, 200)
    t.equal(anonymous.cookie, undefined, 'the cookie is cleared')
    t.strictSame(await bench.living(), [])
  })

  t.test('logging out everywhere ends a login that the same session had begun', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = await bench.loggedIn(ann)
    const other = bench.browser()
    other.plant(browser.cookie ?? '')
    const written = bench.gate.as('login', () => bench.gate.hold('update', { by: 'login' }))
    const login = bench.gate.as('login', () => browser.visit(loginAs(ann)))
    await written.arrived
    const released = bench.gate.as('logout', () => bench.gate.hold('removeFromIndex', { by: 'logout' }))
    const ended = bench.gate.as('logout', () => other.visit((request) => request.logout({ everywhere: true })))
    await released.arrived
    written.release()
    t.equal((await login).status, 200, 'the login took another place')
    released.release()
    t.equal((await ended).status, 200)
    t.equal((await browser.me()).userId, null)
    t.strictSame(await bench.living(), [])
  })

  t.test('logging out everywhere, or of the others, ends what it says and nothing of other users', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const [first, second, third, other] = [
      await bench.loggedIn(ann),
      await bench.loggedIn(ann),
      await bench.loggedIn(ann),
      await bench.loggedIn(bob),
    ]
    await first.visit((request) => request.logout({ others: true }))
    t.strictSame(
      [(await first.me()).userId, (await second.me()).userId, (await third.me()).userId, (await other.me()).userId],
      [ann.id, null, null, bob.id],
    )
    await third.visit(loginAs(ann))
    await first.visit((request) => request.logout({ everywhere: true }))
    t.strictSame(
      [(await first.me()).userId, (await third.me()).userId, (await other.me()).userId],
      [null, null, bob.id],
    )
    t.strictSame(await bench.indexed(ann), [])
  })

  t.test('data that a request writes after its logout belongs to a new anonymous session', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.loggedIn(someone('ann'))
    await browser.visit(write({ private: 'of ann' }))
    const old = handleOf(browser.cookie)
    const page = await browser.visit(async (request) => {
      await request.logout()
      Object.assign(request.session, { flash: 'goodbye' })
    })
    t.equal(page.sessionCookies.length, 1)
    const { userId, handle, data } = await browser.me()
    t.same({ userId, data }, { userId: null, data: { flash: 'goodbye' } })
    t.not(handle, old)
  })
}

function failing(): never {
  throw new Error('the hook failed')
}
