import type { Test } from 'tap'
import type { MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, logOut, someone, touch, write } from '../support/app.ts'
import type { Browser, Handler } from '../support/browser.ts'
import { everyOrder } from '../support/every-order.ts'
import { door } from '../support/gate-store.ts'

export function staleId(t: Test, makeStore: MakeStore): void {
  for (const [what, handler] of Object.entries<Handler>({
    'reads the session': (request) => request.session.data(),
    'asks for the user': (request) => ({ user: request.user }),
    'writes to the session': write({ late: true }),
    'saves it': async (request) => {
      Object.assign(request.session, { late: true })
      await request.session.save()
    },
    'destroys it': (request) => request.session.destroy(),
    'logs out': logOut,
  })) {
    t.test(
      `a request that ${what} with an id that lost a rotation moments ago says nothing about the cookie`,
      async (t) => {
        const bench = await boot(t, makeStore)
        const browser = await bench.withData({ cart: [1] })
        const loser = bench.browser()
        loser.plant(browser.cookie ?? '')
        await browser.visit(loginAs(someone('ann')))
        const page = await loser.visit(handler)
        const isEnd = what === 'destroys it' || what === 'logs out'
        t.equal(page.status, isEnd ? 503 : 200, 'an end that ends nothing is never a success')
        t.strictSame(page.sessionCookies, [])
        t.not((await browser.me()).userId, null)
        t.strictSame((await browser.me()).data, { cart: [1] })
      },
    )

    t.test(`a request that ${what} and loses the rotation while it runs says nothing about the cookie`, async (t) => {
      const bench = await boot(t, makeStore)
      const browser = await bench.withData({ cart: [1] })
      const loser = bench.browser()
      loser.plant(browser.cookie ?? '')
      const begun = door()
      const goOn = door()
      const late = loser.visit(async (request, reply) => {
        begun.open()
        await goOn.opened
        return handler(request, reply)
      })
      await begun.opened
      await browser.visit(loginAs(someone('ann')))
      goOn.open()
      t.strictSame((await late).sessionCookies, [])
      t.not((await browser.me()).userId, null)
    })
  }

  const again = someone('again')
  for (const [what, handler] of Object.entries<Handler>({
    'a new login': loginAs(again),
    confirmLogin: (request) => request.confirmLogin(),
    updateAuthHash: (request) => request.updateAuthHash('another'),
    regenerate: (request) => request.session.regenerate(),
  })) {
    t.test(`after ${what} no older id of that login opens anything, and none is an alarm`, async (t) => {
      const bench = await boot(t, makeStore)
      const browser = await bench.loggedIn(again)
      const ids = [browser.cookie]
      for (let renewal = 0; renewal < 2; renewal += 1) {
        bench.clock.advance('16m')
        await browser.me()
        ids.push(browser.cookie)
        await browser.me()
        bench.clock.advance('61s')
        await browser.me()
      }
      await browser.visit(handler)
      t.equal(new Set([...ids, browser.cookie]).size, 4, 'two renewals and a change of epoch')
      bench.takeEvents('replay')
      for (const wait of ['1s', '2m', '20m'] as const) {
        bench.clock.advance(wait)
        for (const id of ids) {
          const copy = bench.browser()
          copy.plant(id ?? '')
          t.equal((await copy.me()).userId, null, `${wait} later`)
        }
        t.equal((await browser.me()).userId, again.id, `${wait} later the owner is here`)
      }
      t.strictSame(bench.takeEvents('replay'), [])
    })
  }

  t.test(
    'a request that was renewed by a save and loses a rotation after it does not hand out the dead id',
    async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const browser = await bench.withData({ cart: [1] })
      const loser = bench.browser()
      loser.plant(browser.cookie ?? '')
      bench.clock.advance('15m')
      const saved = door()
      const goOn = door()
      const late = loser.visit(async (request) => {
        await request.session.save()
        saved.open()
        await goOn.opened
        Object.assign(request.session, { late: true })
      })
      await saved.opened
      await browser.visit(loginAs(ann))
      goOn.open()
      t.strictSame((await late).sessionCookies, [])
      t.match(await browser.me(), { userId: ann.id, data: { cart: [1] } })
    },
  )

  t.test('a stale id from long ago may begin a session of its own, and still clears nothing', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.withData({ cart: [1] })
    const loser = bench.browser()
    loser.plant(browser.cookie ?? '')
    await browser.visit(loginAs(someone('ann')))
    bench.clock.advance('31s')
    t.strictSame((await loser.visit((request) => ({ user: request.user }))).sessionCookies, [])
    await loser.visit(write({ mine: true }))
    t.strictSame((await loser.me()).data, { mine: true })
    t.not((await loser.me()).handle, handleOf(browser.cookie))
  })

  t.test('a write dropped for its stale id is told in an event', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.withData({ cart: [1] })
    const loser = bench.browser()
    loser.plant(browser.cookie ?? '')
    await browser.visit(loginAs(someone('ann')))
    bench.events.length = 0
    await loser.visit(write({ late: true }))
    t.match(bench.takeEvents('dropped-write'), [{ reason: 'stale' }])
    t.equal((await bench.living()).length, 1, 'no session begins in its place')
    await loser.visit(async (request) => {
      Object.assign(request.session, { late: true })
      await request.session.save()
      t.strictSame(request.session.data(), {})
    })
    t.equal(bench.takeEvents('dropped-write').length, 1, 'a loss is told once')
  })

  for (const [ending, end] of Object.entries<(browser: Browser) => Promise<unknown>>({
    'a logout': (browser) => browser.visit(logOut),
    destroy: (browser) => browser.visit((request) => request.session.destroy()),
  })) {
    t.test(`an id whose record went with ${ending} is cleared`, async (t) => {
      const bench = await boot(t, makeStore)
      const browser = await bench.loggedIn(someone('ann'))
      const tab = bench.browser()
      tab.plant(browser.cookie ?? '')
      await end(browser)
      const page = await tab.visit((request) => ({ user: request.user }))
      t.equal(page.sessionCookies.length, 1)
      t.equal(tab.cookie, undefined)
    })
  }

  t.test('an id whose record expired is cleared', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.loggedIn(someone('ann'))
    bench.clock.advance('30m')
    t.equal((await browser.me()).userId, null)
    t.equal(browser.cookie, undefined)
  })

  t.test('an id that is gone makes room for a new session in the same response', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.loggedIn(someone('ann'))
    bench.clock.advance('30m')
    const page = await browser.visit(write({ fresh: true }))
    t.equal(page.sessionCookies.length, 1)
    t.strictSame((await browser.me()).data, { fresh: true })
  })

  t.test('one browser that logs in and writes in parallel ends up logged in, in every order', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(
      bench.gate,
      async () => {
        const ann = someone('ann')
        const browser = await bench.withData({ cart: [1] })
        return {
          actors: {
            login: () => browser.visit(loginAs(ann)),
            one: () => browser.visit(write({ one: 1 })),
            two: () => browser.visit(touch),
          },
          check: async (order) => {
            t.equal((await browser.me()).userId, ann.id, order)
          },
        }
      },
      { most: 150 },
    )
  })

  t.test('no response to a request with a session cookie ever sets it twice', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.withData({ cart: [1] })
    const page = await browser.visit(async (request) => {
      await request.login(someone('ann'))
      await request.session.save()
      await request.confirmLogin()
      await request.session.save()
      await request.login(someone('bob'))
    })
    t.equal(page.sessionCookies.length, 1)
    t.not((await browser.me()).userId, null)
  })
}
