import type { Test } from 'tap'
import type { SessionUser } from '../../types/index.ts'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, logOut, someone, write } from '../support/app.ts'
import type { Browser } from '../support/browser.ts'
import { everyOrder } from '../support/every-order.ts'

const REFUSE = (limit: number): object => ({ session: { maxSessions: { limit, onLimit: 'refuse' } } })
const EVICT = (limit: number): object => ({ session: { maxSessions: limit } })

async function whoAreThey(browsers: readonly Browser[]): Promise<boolean[]> {
  const answers: boolean[] = []
  for (const browser of browsers) answers.push((await browser.me()).userId !== null)
  return answers
}

async function loggedInOneByOne(bench: Bench, user: SessionUser, count: number): Promise<Browser[]> {
  const browsers: Browser[] = []
  while (browsers.length < count) browsers.push(await bench.loggedIn(user))
  return browsers
}

export function limits(t: Test, makeStore: MakeStore): void {
  t.test('the login beyond the limit ends the least recently used session', async (t) => {
    const bench = await boot(t, makeStore, EVICT(2))
    const ann = someone('ann')
    const browsers: Browser[] = []
    for (let count = 0; count < 2; count += 1) {
      browsers.push(await bench.loggedIn(ann))
      bench.clock.advance('3m')
    }
    // The first one is used again, so the second one is the least recently used.
    await browsers[0]?.me()
    const evicted = handleOf(browsers[1]?.cookie)
    bench.clock.advance('1m')
    bench.events.length = 0
    browsers.push(await bench.loggedIn(ann))
    t.match(bench.takeEvents('revoke'), [{ handle: evicted, userId: ann.id, reason: 'evicted' }])
    t.strictSame(await whoAreThey(browsers), [true, false, true])
    t.equal((await bench.indexed(ann)).length, 2)
  })

  t.test('logins in the same millisecond keep the newest', async (t) => {
    const bench = await boot(t, makeStore, EVICT(2))
    for (let round = 0; round < 5; round += 1) {
      const browsers = await loggedInOneByOne(bench, someone('ann'), 5)
      const alive = await whoAreThey(browsers)
      t.equal(alive[4], true)
      t.equal(alive.filter(Boolean).length, 2)
    }
  })

  t.test(
    'two simultaneous logins cannot both pass an evicting limit, and one of them stays, in every order',
    async (t) => {
      const bench = await boot(t, makeStore, EVICT(1))
      for (const hasOld of [false, true]) {
        const orders = await everyOrder(
          bench.gate,
          async () => {
            const ann = someone('ann')
            const old = hasOld ? await bench.loggedIn(ann) : bench.browser()
            const browsers = [bench.browser(), bench.browser()]
            const statuses: number[] = []
            const login = (browser: Browser | undefined) => async (): Promise<void> => {
              statuses.push((await browser?.visit(loginAs(ann)))?.status ?? 0)
            }
            return {
              actors: { first: login(browsers[0]), second: login(browsers[1]) },
              check: async (order) => {
                const alive = (await whoAreThey(browsers)).filter(Boolean).length
                if (alive !== 1) t.fail(`${alive} sessions after ${order} (${statuses.join()})`)
                if ((await old.me()).userId !== null) t.fail(`the old one stayed after ${order}`)
                const listed = await bench.app.sessions.list(ann.id)
                if (listed.length !== 1) t.fail(`${listed.length} listed after ${order}`)
                const isKnown = statuses.every((status) => [200, 503].includes(status))
                if (!isKnown) t.fail(`${statuses.join()} after ${order}`)
              },
            }
          },
          { most: 150 },
        )
        t.ok(orders > 20, `${orders} orders`)
      }
    },
  )

  t.test('a refusing limit refuses the next login with a 403, and says nothing about the cookie', async (t) => {
    const bench = await boot(t, makeStore, REFUSE(2))
    const ann = someone('ann')
    const browsers = await loggedInOneByOne(bench, ann, 2)
    const third = await bench.withData({ cart: [1] })
    const page = await third.visit(loginAs(ann))
    t.equal(page.status, 403)
    t.match(page.body, { code: 'SESSION_LIMIT_REACHED' })
    t.strictSame(page.sessionCookies, [])
    t.strictSame((await third.me()).data, { cart: [1] })
    t.strictSame(await whoAreThey([...browsers, third]), [true, true, false])
    await browsers[0]?.visit(logOut)
    t.equal((await third.visit(loginAs(ann))).status, 200, 'a logout makes room')
  })

  t.test(
    'two simultaneous logins cannot both pass a refusing limit, and one of them does, in every order',
    async (t) => {
      const bench = await boot(t, makeStore, REFUSE(1))
      for (const start of ['apart', 'one anonymous session'] as const) {
        await everyOrder(
          bench.gate,
          async () => {
            const ann = someone('ann')
            const first = start === 'apart' ? bench.browser() : await bench.withData({ cart: [1] })
            const second = bench.browser()
            if (first.cookie !== undefined) second.plant(first.cookie)
            const statuses: number[] = []
            const login = (browser: Browser) => async (): Promise<void> => {
              statuses.push((await browser.visit(loginAs(ann))).status)
            }
            return {
              actors: { first: login(first), second: login(second) },
              check: async (order) => {
                t.strictSame(
                  statuses.toSorted((a, b) => a - b),
                  [200, 403],
                  order,
                )
                t.equal((await whoAreThey([first, second])).filter(Boolean).length, 1, order)
                t.equal((await bench.indexed(ann)).length, 1, order)
              },
            }
          },
          { most: 150 },
        )
      }
    },
  )

  t.test('logins of two users from one anonymous session do not take up each other’s places', async (t) => {
    const bench = await boot(t, makeStore, REFUSE(1))
    await everyOrder(bench.gate, async () => {
      const [ann, bob] = [someone('ann'), someone('bob')]
      const first = await bench.withData({ cart: [1] })
      const second = bench.browser()
      second.plant(first.cookie ?? '')
      return {
        actors: { first: () => first.visit(loginAs(ann)), second: () => second.visit(loginAs(bob)) },
        check: async (order) => {
          t.equal((await first.me()).userId, ann.id, order)
          t.equal((await second.me()).userId, bob.id, order)
        },
      }
    })
  })

  t.test('every way in which a session or a login ends gives its place back', async (t) => {
    const ends: Record<string, (bench: Bench, browser: Browser, user: SessionUser) => Promise<unknown>> = {
      'a revocation': (bench, browser, { id }) => bench.app.sessions.revoke(handleOf(browser.cookie), { userId: id }),
      'its idle deadline': async (bench) => bench.clock.advance('30m'),
      'another user in the same browser': (_bench, browser) => browser.visit(loginAs(someone('bob'))),
      destroy: (_bench, browser) => browser.visit((request) => request.session.destroy()),
      'a logout everywhere': (_bench, browser) => browser.visit((request) => request.logout({ everywhere: true })),
    }
    for (const [what, end] of Object.entries(ends)) {
      const bench = await boot(t, makeStore, REFUSE(1))
      const ann = someone('ann')
      const browser = await bench.loggedIn(ann)
      await end(bench, browser, ann)
      t.equal((await bench.browser().visit(loginAs(ann))).status, 200, what)
    }
  })

  t.test('a login that fails, or is never answered, holds its place for a minute at most', async (t) => {
    const bench = await boot(t, makeStore, REFUSE(1))
    const ann = someone('ann')
    await bench.browser().visit(async (request, reply) => {
      await request.login(ann)
      return reply.code(500).send({})
    })
    t.strictSame(await bench.indexed(ann), [], 'a failure gives it back at once')
    const big = await bench.browser().visit(async (request) => {
      await request.login(ann)
      Object.assign(request.session, { big: 'x'.repeat(70_000) })
    })
    t.equal(big.status, 413)
    t.strictSame(await bench.indexed(ann), [], 'so does a refusal')
    await bench.browser().visit(async (request) => {
      await request.login(ann)
      await request.logout()
    })
    t.strictSame(await bench.indexed(ann), [], 'and a logout')
    await bench.gate.store.addToIndex?.(ann.id, 'a-login-that-died', bench.clock() + 60_000)
    t.equal((await bench.browser().visit(loginAs(ann))).status, 403)
    bench.clock.advance('60s')
    t.equal((await bench.browser().visit(loginAs(ann))).status, 200)
  })

  t.test('logging in again in the same session is not one too many', async (t) => {
    for (const options of [REFUSE(1), EVICT(1)]) {
      const bench = await boot(t, makeStore, options)
      const ann = someone('ann')
      const browser = await bench.loggedIn(ann)
      t.equal((await browser.visit(loginAs(ann))).status, 200)
      t.equal((await browser.visit((request) => request.confirmLogin())).status, 200)
      t.equal((await browser.visit(write({ a: 1 }))).status, 200)
      t.equal((await browser.me()).userId, ann.id)
    }
  })
}
