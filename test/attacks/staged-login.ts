import type { Test } from 'tap'
import type { FastifyReply } from 'fastify'
import type { SessionUser } from '../../types/index.ts'
import type { MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, logOut, someone, write } from '../support/app.ts'
import type { Browser, Handler, SendOptions } from '../support/browser.ts'
import { everyOrder } from '../support/every-order.ts'
import { door } from '../support/gate-store.ts'

/** A class that looks to Fastify like another package's `Response`. */
class ForeignResponse {
  readonly status = 500
  readonly headers = new Headers()
  readonly body = null
  readonly [Symbol.toStringTag] = 'Response'
}

/** All the ways in which the response to a login becomes a failure. */
const FAILURES: Record<string, { after?: (reply: FastifyReply) => unknown; onSend?: SendOptions['onSend'] }> = {
  'a 500 from the handler': { after: (reply) => reply.code(500).send({ sorry: true }) },
  'a 503 from the handler': { after: (reply) => reply.code(503).send({ sorry: true }) },
  'an error in the handler': {
    after: () => {
      throw new Error('the handler failed')
    },
  },
  'a web Response with status 500': { after: () => new Response('sorry', { status: 500 }) },
  "another package's Response with status 500": { after: () => new ForeignResponse() },
  'an error in a later onSend hook': {
    onSend: () => {
      throw new Error('the hook failed')
    },
  },
  'an error in a later onSend hook, once': { onSend: throwOnce() },
}

function throwOnce(): () => void {
  const seen = new WeakSet<object>()
  return function (this: unknown, request?: object) {
    if (request === undefined || seen.has(request)) return
    seen.add(request)
    throw new Error('the hook failed')
  }
}

async function loginAndFail(
  browser: Browser,
  user: SessionUser,
  failure: (typeof FAILURES)[string],
): ReturnType<Browser['visit']> {
  const handler: Handler = async (request, reply) => {
    await request.login(user)
    Object.assign(request.session, { late: true })
    return failure.after?.(reply)
  }
  return browser.visit(handler, { onSend: failure.onSend })
}

/** Returns a visit that stages a login, and ends as `end` says once it may go on. */
function loginHeldUp(browser: Browser, user: SessionUser, end: () => unknown) {
  const staged = door()
  const goOn = door()
  const page = browser.visit(async (request) => {
    await request.login(user)
    staged.open()
    await goOn.opened
    return end()
  })
  return { page, staged: staged.opened, goOn: () => goOn.open() }
}

export function stagedLogin(t: Test, makeStore: MakeStore): void {
  for (const [what, failure] of Object.entries(FAILURES)) {
    t.test(`${what} leaves an anonymous session, its cart and its id as they were`, async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const browser = await bench.withData({ cart: [1] })
      const { cookie } = browser
      const page = await loginAndFail(browser, ann, failure)
      t.ok(page.status >= 500)
      t.strictSame(page.sessionCookies, [], 'the response says nothing about the cookie')
      t.equal(browser.cookie, cookie)
      t.same(await browser.me(), { userId: null, handle: handleOf(cookie), data: { cart: [1] } })
      t.strictSame(await bench.living(), [handleOf(cookie)])
      t.strictSame(await bench.indexed(ann), [], 'no entry is left in the index')
    })

    t.test(`${what} leaves nothing of the login of a visitor without a session`, async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const page = await loginAndFail(bench.browser(), ann, failure)
      t.ok(page.status >= 500)
      t.strictSame(page.sessionCookies, [])
      t.strictSame(await bench.living(), [])
      t.strictSame(await bench.indexed(ann), [])
    })

    t.test(`${what} leaves the user before logged in, listed, and within reach of a revocation`, async (t) => {
      const bench = await boot(t, makeStore)
      const [ann, bob] = [someone('ann'), someone('bob')]
      const browser = await bench.loggedIn(ann)
      await browser.visit(write({ draft: 1 }))
      await loginAndFail(browser, bob, failure)
      t.same(await browser.me(), { userId: ann.id, handle: handleOf(browser.cookie), data: { draft: 1 } })
      t.strictSame(await bench.indexed(bob), [])
      t.equal((await bench.app.sessions.list(ann.id)).length, 1)
      t.equal(await bench.app.sessions.revokeUser(ann.id), 1)
      t.equal((await browser.me()).userId, null)
    })

    t.test(`${what} leaves the same user's session and its id as they were`, async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const browser = await bench.loggedIn(ann)
      const { cookie } = browser
      await loginAndFail(browser, ann, failure)
      t.equal(browser.cookie, cookie)
      t.equal((await browser.me()).userId, ann.id)
      t.strictSame(await bench.indexed(ann), [handleOf(cookie)])
    })
  }

  t.test('a login that fails after a commit does not bring back a session that was revoked meanwhile', async (t) => {
    for (const revoke of ['one', 'all'] as const) {
      const bench = await boot(t, makeStore)
      const [ann, bob] = [someone('ann'), someone('bob')]
      const browser = await bench.loggedIn(ann)
      const { cookie } = browser
      const onSend = throwOnce()
      const page = await browser.visit(loginAs(bob), {
        onSend: async (...rest) => {
          // The hook also sees the reply that says that it failed.
          if (rest[1].statusCode === 500) return
          const { sessions } = bench.app
          if (revoke === 'all') await sessions.revokeUser(ann.id)
          else await sessions.revoke(handleOf(cookie), { userId: ann.id })
          Reflect.apply(onSend, undefined, rest)
        },
      })
      t.equal(page.status, 500)
      t.equal((await browser.me()).userId, null, `revoking ${revoke}`)
      t.strictSame(await bench.living(), [])
    }
  })

  t.test('a revocation of the user of a failed login does not end the session it went back to', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const browser = await bench.loggedIn(ann)
    const caught = bench.gate.hold('delete', { by: 'revocation' })
    const onSend = throwOnce()
    let revoked: Promise<number> | undefined
    await browser.visit(loginAs(bob), {
      onSend: async (...rest) => {
        revoked ??= bench.gate.as('revocation', () => bench.app.sessions.revokeUser(bob.id))
        await caught.arrived
        Reflect.apply(onSend, undefined, rest)
      },
    })
    await browser.visit(write({ cart: [1] }))
    caught.release()
    t.equal(await revoked, 0)
    t.match(await browser.me(), { userId: ann.id, data: { cart: [1] } })
  })

  t.test('a login is committed before the first byte: a store that fails then makes it a 503', async (t) => {
    for (const operation of ['create', 'update'] as const) {
      for (const way of ['fail', 'lose'] as const) {
        const bench = await boot(t, makeStore)
        const ann = someone('ann')
        const browser = operation === 'create' ? bench.browser() : await bench.withData({ cart: [1] })
        const { cookie } = browser
        const before = await bench.living()
        const caught = bench.gate.hold(operation)
        const visit = browser.visit(loginAs(ann))
        await caught.arrived
        caught[way]()
        const page = await visit
        const label = `${operation}, ${way}`
        t.equal(page.status, 503, label)
        t.ok(Number(page.headers['retry-after']) > 0, label)
        t.strictSame(page.sessionCookies, [], label)
        t.equal(browser.cookie, cookie)
        const { userId, data } = await browser.me()
        t.equal(userId, null, label)
        t.same(data, operation === 'create' ? {} : { cart: [1] }, label)
        t.strictSame(await bench.living(), before, `no orphan: ${label}`)
        t.strictSame(await bench.indexed(ann), [], `no entry: ${label}`)
        t.equal((await browser.visit(loginAs(ann))).status, 200, `trying again works: ${label}`)
        t.equal((await browser.me()).userId, ann.id)
      }
    }
  })

  for (const [operation, way] of [
    ['update', 'lose'],
    ['keepInIndex', 'fail'],
  ] as const) {
    t.test(`a login whose save fails (${operation}) locks nobody out, also when the app goes on`, async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const browser = await bench.withData({ cart: [1] })
      const { cookie } = browser
      const caught = bench.gate.hold(operation)
      const visit = browser.visit(async (request) => {
        await request.login(ann)
        await request.session.save().catch(() => undefined)
      })
      await caught.arrived
      caught[way]()
      const page = await visit
      t.equal(page.status, 200)
      t.strictSame(page.sessionCookies, [])
      t.same(await browser.me(), { userId: null, handle: handleOf(cookie), data: { cart: [1] } })
      t.strictSame(await bench.indexed(ann), [])
    })
  }

  t.test('a store that fails after the commit of a login takes the login back', async (t) => {
    const bench = await boot(t, makeStore, { session: { maxSessions: 2 } })
    for (const operation of ['keepInIndex', 'listIndex'] as const) {
      const ann = someone('ann')
      const browser = await bench.withData({ cart: [1] })
      const { cookie } = browser
      const caught = bench.gate.hold(operation, { after: operation === 'listIndex' ? 1 : 0 })
      const visit = browser.visit(loginAs(ann))
      await caught.arrived
      caught.fail()
      const page = await visit
      t.equal(page.status, 503, operation)
      t.strictSame(page.sessionCookies, [])
      t.same(await browser.me(), { userId: null, handle: handleOf(cookie), data: { cart: [1] } })
      t.strictSame(await bench.indexed(ann), [])
    }
  })

  t.test('a store that cannot take the place of a login fails the login and nothing else', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.withData({ cart: [1] })
    const caught = bench.gate.hold('addToIndex')
    const visit = browser.visit(loginAs(someone('ann')))
    await caught.arrived
    caught.fail()
    t.equal((await visit).status, 503)
    t.same(await browser.me(), { userId: null, handle: handleOf(browser.cookie), data: { cart: [1] } })
  })

  t.test('session data that is too large, or that JSON cannot carry, fails the login and nothing else', async (t) => {
    for (const [status, data] of [
      [413, { big: 'x'.repeat(70_000) }],
      [500, { big: 1n }],
    ] as const) {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const browser = await bench.withData({ cart: [1] })
      const { cookie } = browser
      const page = await browser.visit(async (request) => {
        await request.login(ann)
        Object.assign(request.session, data)
      })
      t.equal(page.status, status)
      t.strictSame(page.sessionCookies, [])
      t.same(await browser.me(), { userId: null, handle: handleOf(cookie), data: { cart: [1] } })
      t.strictSame(await bench.indexed(ann), [], 'its place is given back')
    }
  })

  t.test('a 4xx is an answer, not a failure: the login stands', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = bench.browser()
    await browser.visit(async (request, reply) => {
      await request.login(ann)
      return reply.code(422).send({})
    })
    t.equal((await browser.me()).userId, ann.id)
  })

  t.test('what was saved stays saved, and its cookie is sent, whatever the response becomes', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = await bench.withData({ cart: [1] })
    const page = await browser.visit(async (request, reply) => {
      await request.login(ann)
      await request.session.save()
      return reply.code(500).send({})
    })
    t.equal(page.sessionCookies.length, 1)
    t.same(await browser.me(), { userId: ann.id, handle: handleOf(browser.cookie), data: { cart: [1] } })
    t.strictSame(await bench.indexed(ann), [handleOf(browser.cookie)])
  })

  t.test('a staged login is seen by its own request at once and by nobody else before the response', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = await bench.withData({ cart: [1] })
    const tab = bench.browser()
    tab.plant(browser.cookie ?? '')
    const page = await browser.visit(async (request) => {
      await request.login(ann)
      const other = await tab.me()
      return { mine: request.user, others: other.userId }
    })
    t.same(page.body, { mine: { id: ann.id }, others: null })
  })

  t.test('of two logins in one request the last one counts, and the first leaves nothing', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const browser = await bench.withData({ cart: [1] })
    const page = await browser.visit(async (request) => {
      await request.login(ann)
      Object.assign(request.session, { private: 'of ann' })
      await request.login(bob)
    })
    t.equal(page.sessionCookies.length, 1)
    t.same(await browser.me(), { userId: bob.id, handle: handleOf(browser.cookie), data: {} })
    t.strictSame(await bench.indexed(ann), [])
    t.equal((await bench.living()).length, 1)
    t.strictSame(
      bench.takeEvents('login').map(({ userId }) => userId),
      [bob.id],
    )
  })

  t.test('a login and a logout in one request leave an anonymous visitor and no record', async (t) => {
    for (const start of ['nothing', 'data', 'a login'] as const) {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const browser = start === 'data' ? await bench.withData({ cart: [1] }) : bench.browser()
      if (start === 'a login') await browser.visit(loginAs(ann))
      const page = await browser.visit(async (request) => {
        await request.login(ann)
        await request.logout()
        return { user: request.user }
      })
      t.same(page.body, { user: null })
      t.equal(browser.cookie, undefined, `after ${start}`)
      t.strictSame(await bench.living(), [], `after ${start}`)
      t.strictSame(await bench.indexed(ann), [], `after ${start}`)
    }
  })

  t.test('a logout and a login in one request are a new session with nothing of the old', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const browser = await bench.loggedIn(ann)
    await browser.visit(write({ private: 'of ann' }))
    const old = handleOf(browser.cookie)
    const page = await browser.visit(async (request) => {
      await request.logout()
      await request.login(bob)
    })
    t.equal(page.sessionCookies.length, 1)
    const { userId, handle, data } = await browser.me()
    t.same({ userId, data }, { userId: bob.id, data: {} })
    t.not(handle, old)
    t.strictSame(await bench.living(), [handle])
  })

  t.test('a failed login after a logout in the same request does not undo the logout', async (t) => {
    for (const [what, failure] of Object.entries(FAILURES)) {
      const bench = await boot(t, makeStore)
      const [ann, bob] = [someone('ann'), someone('bob')]
      const browser = await bench.loggedIn(ann)
      const page = await browser.visit(
        async (request, reply) => {
          await request.logout()
          await request.login(bob)
          return failure.after?.(reply)
        },
        { onSend: failure.onSend },
      )
      t.equal(browser.cookie, undefined, what)
      t.equal(page.sessionCookies.length, 1, `cleared once after ${what}`)
      t.strictSame(await bench.living(), [], what)
      t.strictSame([...(await bench.indexed(ann)), ...(await bench.indexed(bob))], [], what)
    }
  })

  t.test(
    'in every order two logins from one anonymous session are two sessions, and neither sees the other',
    async (t) => {
      const bench = await boot(t, makeStore)
      for (const isSame of [false, true]) {
        const orders = await everyOrder(bench.gate, async () => {
          const ann = someone('ann')
          const bob = isSame ? ann : someone('bob')
          const first = await bench.withData({ cart: 'shared' })
          const second = bench.browser()
          second.plant(first.cookie ?? '')
          const login =
            (browser: Browser, user: SessionUser, mine: object): (() => Promise<unknown>) =>
            () =>
              browser.visit(async (request) => {
                await request.login(user)
                Object.assign(request.session, mine)
              })
          return {
            actors: { first: login(first, ann, { ofAnn: 1 }), second: login(second, bob, { ofBob: 1 }) },
            check: async (order) => {
              const [one, two] = [await first.me(), await second.me()]
              t.equal(one.userId, ann.id, order)
              t.equal(two.userId, bob.id, order)
              t.not(one.handle, two.handle, order)
              t.notOk('ofBob' in one.data || 'ofAnn' in two.data, order)
              t.equal(
                Number('cart' in one.data) + Number('cart' in two.data),
                1,
                `the cart goes to one of them: ${order}`,
              )
              t.strictSame(await bench.indexed(ann), isSame ? [one.handle, two.handle].toSorted() : [one.handle], order)
              t.strictSame(await bench.indexed(bob), isSame ? [one.handle, two.handle].toSorted() : [two.handle], order)
            },
          }
        })
        t.ok(orders > 10, `${orders} orders`)
      }
    },
  )

  t.test('a login beside a failed login from the same session is not disturbed, in any order', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(bench.gate, async () => {
      const [ann, bob] = [someone('ann'), someone('bob')]
      const first = await bench.withData({ cart: 'shared' })
      const second = bench.browser()
      second.plant(first.cookie ?? '')
      return {
        actors: {
          first: () => first.visit(loginAs(ann)),
          second: () => loginAndFail(second, bob, FAILURES['an error in a later onSend hook'] ?? {}),
        },
        check: async (order) => {
          const me = await first.me()
          t.equal(me.userId, ann.id, order)
          t.strictSame(await bench.indexed(ann), [me.handle], order)
          t.strictSame(await bench.indexed(bob), [], order)
          t.equal((await second.me()).userId, null, order)
        },
      }
    })
  })

  t.test('a failed login takes no place from a login of the same user beside it, in any order', async (t) => {
    const bench = await boot(t, makeStore)
    for (const what of ['a 500 from the handler', 'an error in a later onSend hook'] as const) {
      await everyOrder(bench.gate, async () => {
        const ann = someone('ann')
        const first = await bench.withData({ cart: 'shared' })
        const second = bench.browser()
        second.plant(first.cookie ?? '')
        let status = 0
        return {
          actors: {
            first: async () => {
              ;({ status } = await first.visit(loginAs(ann)))
            },
            second: () => loginAndFail(second, ann, FAILURES[what] ?? {}),
          },
          check: async (order) => {
            const me = await first.me()
            if (status !== 200 && status !== 503) t.fail(`${status} after ${order}`)
            if (status === 503 && me.userId !== null) t.fail(`logged in by a 503 after ${order}`)
            const places = me.userId === null ? [] : [me.handle]
            t.strictSame(await bench.indexed(ann), places, `within reach of a revocation after ${order}`)
          },
        }
      })
    }
  })

  t.test('a login that fails leaves the finished one of the same user from the same session alone', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const first = await bench.withData({ cart: 'shared' })
    const second = bench.browser()
    second.plant(first.cookie ?? '')
    const failing = loginHeldUp(second, ann, () => {
      throw new Error('later')
    })
    await failing.staged
    await first.visit(loginAs(ann))
    failing.goOn()
    t.equal((await failing.page).status, 500)
    const me = await first.me()
    t.equal(me.userId, ann.id)
    t.strictSame(await bench.indexed(ann), [me.handle])
  })

  t.test('a user who is revoked while another’s login fails on their session is not back for a moment', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const browser = await bench.loggedIn(ann)
    const old = browser.cookie ?? ''
    const tab = bench.browser()
    tab.plant(old)
    // The login, and the way back from it.
    const wayBack = bench.gate.hold('update', { by: 'failing', after: 1 })
    const confirmation = bench.gate.hold('keepInIndex', { by: 'failing', after: 1 })
    const failing = bench.gate.as('failing', () =>
      loginAndFail(browser, bob, FAILURES['an error in a later onSend hook'] ?? {}),
    )
    await wayBack.arrived
    await bench.app.sessions.revokeUser(ann.id)
    wayBack.release()
    await confirmation.arrived
    t.equal((await tab.me()).userId, null)
    confirmation.release()
    await failing
    t.equal((await tab.me()).userId, null)
    t.strictSame(await bench.indexed(ann), [])
  })

  t.test('a login that is taken back while nothing else happens leaves the session as it was', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const browser = await bench.loggedIn(ann)
    await loginAndFail(browser, bob, FAILURES['an error in a later onSend hook'] ?? {})
    t.equal((await browser.me()).userId, ann.id)
  })

  t.test(
    'a CSRF secret that an attacker makes while the login is under way is dropped like an older one',
    async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const browser = await bench.withData({ cart: 'planted' })
      const thief = bench.browser()
      thief.plant(browser.cookie ?? '')
      const login = loginHeldUp(browser, ann, () => ({}))
      await login.staged
      await thief.visit(write({ _csrf: 'known', seen: true }))
      login.goOn()
      await login.page
      t.match(await browser.me(), { userId: ann.id, data: { cart: 'planted', seen: true, _csrf: undefined } })
    },
  )

  t.test('a CSRF secret that the login’s own request makes stays', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.withData({ _csrf: 'planted' })
    await browser.visit(async (request) => {
      await request.login(someone('ann'))
      Object.assign(request.session, { _csrf: 'fresh' })
      return {}
    })
    t.match((await browser.me()).data, { _csrf: 'fresh' })
  })

  t.test('a logout beside a failing login of another user leaves nobody out of reach of a revocation', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const browser = await bench.loggedIn(ann)
    const tab = bench.browser()
    tab.plant(browser.cookie ?? '')
    const deletion = bench.gate.hold('delete', { by: 'logout' })
    const removal = bench.gate.hold('removeFromIndex', { by: 'logout' })
    const wayBack = bench.gate.hold('update', { by: 'failing', after: 1 })
    const logout = bench.gate.as('logout', () => tab.visit(logOut))
    await deletion.arrived
    const failing = bench.gate.as('failing', () =>
      loginAndFail(browser, bob, FAILURES['an error in a later onSend hook'] ?? {}),
    )
    await wayBack.arrived
    deletion.release()
    await removal.arrived
    const lastStep = bench.gate.hold('update', { by: 'failing' })
    wayBack.release()
    await lastStep.arrived
    removal.release()
    await logout
    lastStep.release()
    await failing
    await bench.app.sessions.revokeUser(ann.id)
    t.equal((await browser.me()).userId, null)
    t.equal((await tab.me()).userId, null)
  })

  t.test('a login and a logout beside it never leave the user who logged out', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(bench.gate, async () => {
      const [ann, bob] = [someone('ann'), someone('bob')]
      const browser = await bench.loggedIn(ann)
      const old = browser.cookie ?? ''
      const tab = bench.browser()
      tab.plant(old)
      return {
        actors: { login: () => browser.visit(loginAs(bob)), logout: () => tab.visit(logOut) },
        check: async (order) => {
          t.strictSame(await bench.app.sessions.list(ann.id), [], order)
          const thief = bench.browser()
          thief.plant(old)
          t.equal((await thief.me()).userId, null, order)
          t.equal((await browser.me()).userId, bob.id, order)
        },
      }
    })
  })
}
