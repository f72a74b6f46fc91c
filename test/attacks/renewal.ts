import type { Test } from 'tap'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, someone, write } from '../support/app.ts'
import type { Browser, Me } from '../support/browser.ts'
import { whoAmI } from '../support/browser.ts'
import { everyOrder } from '../support/every-order.ts'

/** Returns a browser logged in long enough ago for a renewal. */
async function ripe(bench: Bench): Promise<{ browser: Browser; userId: string; old: string }> {
  const ann = someone('ann')
  const browser = await bench.loggedIn(ann)
  bench.clock.advance('15m')
  return { browser, userId: ann.id, old: browser.cookie ?? '' }
}

/** A client that no login knows. */
const STRANGER = { headers: { 'user-agent': 'curl/8.0' } }

/** Asks who a stranger is that has just this cookie. */
async function meWith(bench: Bench, cookie: string): Promise<Me> {
  const browser = bench.browser()
  browser.plant(cookie)
  return browser.me(STRANGER)
}

/** Shows a renewed id twice, a minute apart, so that it is confirmed. */
async function confirm(bench: Bench, browser: Browser): Promise<void> {
  await browser.me()
  await browser.me()
  bench.clock.advance('60s')
  await browser.me()
}

export function renewal(t: Test, makeStore: MakeStore): void {
  t.test('an id is renewed at its age, not before, and stays the same session', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = await bench.loggedIn(ann)
    const first = browser.cookie ?? ''
    bench.clock.advance(15 * 60_000 - 1)
    await browser.me()
    t.equal(browser.cookie, first)
    bench.clock.advance(1)
    bench.events.length = 0
    await browser.me()
    t.not(browser.cookie, first)
    t.equal(handleOf(browser.cookie), handleOf(first))
    t.match(bench.takeEvents('renew'), [{ handle: handleOf(first) }])
    t.equal((await browser.me()).userId, ann.id)
  })

  t.test('a lost response loses nothing: the old id goes on, and every asker is offered a renewed one', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    const lost = await Promise.all([1, 2, 3].map(() => browser.visit(whoAmI, { isLost: true })))
    const offered = lost.flatMap(({ sessionCookies }) => sessionCookies.map(({ value }) => value))
    t.equal(new Set(offered).size, 3, 'none is handed out twice')
    t.equal(browser.cookie, old)
    t.equal((await browser.me()).userId, userId)
    t.not(browser.cookie, old)
    t.equal((await browser.me()).userId, userId)
  })

  t.test('an id whose renewals are all lost works until its session ends, and is never a replay', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    for (let minutes = 0; minutes < 120; minutes += 10) {
      t.equal(((await browser.visit(whoAmI, { isLost: true })).body as Me).userId, userId)
      bench.clock.advance('10m')
    }
    t.equal(browser.cookie, old)
    t.strictSame(bench.takeEvents('replay'), [])
  })

  t.test('a thief who is offered renewals takes none from the owner, and is found out', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    const thief = bench.browser()
    thief.plant(old)
    for (let round = 0; round < 5; round += 1) {
      t.equal((await thief.visit(whoAmI, { isLost: true, ...STRANGER })).sessionCookies.length, 1)
      bench.clock.advance('30s')
    }
    await browser.visit(whoAmI)
    t.not(browser.cookie, old, 'the owner is offered one all the same')
    await browser.me()
    bench.clock.advance('30s')
    bench.events.length = 0
    thief.plant(old)
    t.equal((await thief.me(STRANGER)).userId, null)
    t.match(bench.events, [
      { type: 'replay', userId, sign: 'replaced', isEnded: true },
      { type: 'revoke', userId, reason: 'replay' },
    ])
    t.equal((await browser.me()).userId, null, 'the owner has to log in again, and the thief cannot')
    t.strictSame(await bench.indexed({ id: userId }), [])
  })

  for (const copy of ['user', 'anonymous'] as const) {
    t.test(`an id from renewals ago ends the session: ${copy}`, async (t) => {
      const bench = await boot(t, makeStore)
      const thief = copy === 'user' ? await bench.loggedIn(someone('ann')) : await bench.withData({ cart: [1] })
      const owner = bench.browser()
      owner.plant(thief.cookie ?? '')
      // The owner is away, the thief is not.
      for (let minutes = 0; minutes < 75; minutes += 15) {
        bench.clock.advance('15m')
        await confirm(bench, thief)
      }
      t.not(thief.cookie, owner.cookie)
      bench.events.length = 0
      const page = await owner.visit(whoAmI)
      t.equal((page.body as Me).userId, null)
      t.equal(owner.cookie, undefined, 'the cookie is cleared')
      t.match(bench.takeEvents('replay'), [{ sign: 'older' }])
      t.strictSame(await bench.living(), [])
    })
  }

  t.test('an id far behind an idle session is refused, and a login with it ends that session', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser: other, userId, old } = await ripe(bench)
    for (let round = 0; round < 2; round += 1) {
      await confirm(bench, other)
      bench.clock.advance('15m')
    }
    const owner = bench.browser()
    owner.plant(old)
    bench.events.length = 0
    const page = await owner.visit(whoAmI)
    t.equal((page.body as Me).userId, null)
    t.strictSame(page.sessionCookies, [])
    t.match(bench.takeEvents('fork'), [{ userId, isServed: false }])
    t.strictSame((await bench.living()).length, 1, 'the session goes on')
    await owner.visit(write({ note: 1 }))
    t.match(bench.takeEvents('dropped-write'), [{ reason: 'stale' }])
    owner.plant(old)
    await owner.visit(loginAs({ id: userId }))
    t.equal((await owner.me()).userId, userId)
    t.equal((await other.me()).userId, null)
  })

  t.test('an id that is newer than the record it meets, out of a cache, is served', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    const earlier = await bench.record(handleOf(old))
    await browser.visit(whoAmI)
    await browser.me()
    const caught = bench.gate.hold('get')
    const visit = browser.visit(whoAmI)
    await caught.arrived
    caught.answer(earlier)
    t.equal(((await visit).body as Me).userId, userId)
    t.strictSame(bench.takeEvents('replay'), [])
    t.equal((await browser.me()).userId, userId)
  })

  t.test('a save renews no id: only the response that follows renews the id', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    // This saves as a message over a WebSocket does, long after the answer to the upgrade.
    const kept = { save: async (): Promise<void> => undefined }
    await browser.visit((request) => {
      kept.save = async () => {
        request.session.touch()
        await request.session.save()
      }
      return {}
    })
    const first = browser.cookie
    t.not(first, old)
    bench.events.length = 0
    for (let round = 0; round < 3; round += 1) {
      bench.clock.advance('31s')
      await kept.save()
    }
    t.strictSame(bench.takeEvents('renew'), [])
    t.equal((await browser.me()).userId, userId)
  })

  t.test('a response after a save still renews the id', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    await browser.visit(async (request) => {
      Object.assign(request.session, { cart: [1] })
      await request.session.save()
      return {}
    })
    t.not(browser.cookie, old)
    t.match(await browser.me(), { userId, data: { cart: [1] } })
  })

  t.test('parallel requests that show a renewed id are all served, in every order of store operations', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(
      bench.gate,
      async () => {
        const { browser, userId } = await ripe(bench)
        await browser.me()
        const ask = async (): Promise<void> => {
          t.equal(((await browser.visit(whoAmI)).body as Me).userId, userId)
        }
        return {
          actors: { one: ask, two: ask, three: ask },
          check: async (order) => {
            bench.clock.advance('3m')
            t.equal((await browser.me()).userId, userId, order)
            t.equal((await browser.me()).userId, userId, order)
          },
        }
      },
      { most: 120 },
    )
  })

  t.test('a browser that was killed before its jar was written goes on with the id before', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    await browser.visit((request) => request.confirmLogin())
    const written = browser.cookie ?? ''
    t.not(written, old)
    bench.clock.advance('15m')
    await browser.me()
    await browser.me()
    bench.clock.advance('20s')
    browser.plant(written)
    bench.events.length = 0
    t.equal((await browser.me()).userId, userId)
    t.match(bench.takeEvents('fork'), [{ userId, isServed: true }])
    const sudo = await browser.visit((request) => bench.app.requireLogin({ within: '1h' })(request))
    t.equal(sudo.status, 403, 'the login is not recent any more')
    await browser.visit((request) => request.confirmLogin())
    t.equal((await browser.visit((request) => bench.app.requireLogin({ within: '1h' })(request))).status, 200)
  })

  t.test('of a killed browser’s two ids the lost one ends the session, once the other was used again', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    await browser.me()
    const lost = browser.cookie ?? ''
    await browser.me()
    browser.plant(old)
    await browser.me()
    bench.clock.advance('150s')
    t.equal((await browser.me()).userId, userId)
    bench.events.length = 0
    t.equal((await meWith(bench, lost)).userId, null)
    t.match(bench.takeEvents('replay'), [{ sign: 'second-holder' }])
    t.equal((await browser.me()).userId, null)
  })

  t.test('a stranger with the previous id has 30 s from the first show of its successor', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    await browser.me()
    bench.clock.advance('10m')
    t.equal((await meWith(bench, old)).userId, userId, 'nobody has shown the successor yet')
    t.equal((await browser.me()).userId, userId)
    bench.clock.advance(29_999)
    const late = bench.browser()
    late.plant(old)
    const page = await late.visit(write({ late: true }), STRANGER)
    t.strictSame(page.sessionCookies, [], 'a request in flight gets no cookie')
    t.strictSame((await browser.me()).data, { late: true }, 'and its write counts')
    t.strictSame(bench.takeEvents('replay'), [])
    bench.clock.advance(1)
    t.equal((await meWith(bench, old)).userId, null)
    t.equal(bench.takeEvents('replay').length, 1)
  })

  t.test('with step-up a copied session goes on, and asks for the password again', async (t) => {
    const bench = await boot(t, makeStore, { session: { onCopiedSession: 'step-up' } })
    const { browser, userId, old } = await ripe(bench)
    await browser.me()
    await browser.me()
    bench.clock.advance('30s')
    bench.events.length = 0
    t.equal((await meWith(bench, old)).userId, userId)
    t.match(bench.takeEvents('replay'), [{ isEnded: false, client: { userAgent: 'curl/8.0' } }])
    t.equal((await browser.me()).userId, userId)
    t.equal((await browser.visit((request) => bench.app.requireLogin({ within: '10h' })(request))).status, 403)
  })

  t.test('a stream carries a renewed id only when ordinary replies did not', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, old } = await ripe(bench)
    const stream = (): ReadableStream => new ReadableStream({ start: (controller) => controller.close() })
    await browser.visit(stream)
    t.equal(browser.cookie, old)
    bench.clock.advance('15m')
    await browser.visit(stream)
    t.not(browser.cookie, old)
  })

  for (const copy of ['thief', 'owner'] as const) {
    t.test(`a replaced id shown again by the ${copy} ends the session for both, and says so`, async (t) => {
      const bench = await boot(t, makeStore)
      const { browser, userId, old } = await ripe(bench)
      const handle = handleOf(old)
      // The first of the two renews; the other one has the copy.
      await browser.me()
      await browser.me()
      bench.clock.advance('30s')
      bench.events.length = 0
      const other = bench.browser()
      other.plant(old)
      const page = await other.visit(whoAmI, STRANGER)
      t.equal((page.body as Me).userId, null)
      t.equal(other.cookie, undefined, 'the cookie is cleared')
      t.match(bench.events, [
        { type: 'replay', handle, userId },
        { type: 'revoke', handle, userId, reason: 'replay' },
      ])
      t.equal((await browser.me()).userId, null)
      t.strictSame(await bench.living(), [])
      t.strictSame(await bench.indexed({ id: userId }), [])
    })
  }

  t.test('a replaced id of an anonymous session ends it too', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.withData({ cart: [1] })
    const old = browser.cookie ?? ''
    bench.clock.advance('15m')
    await browser.me()
    await browser.me()
    bench.clock.advance('30s')
    t.strictSame((await meWith(bench, old)).data, {})
    t.match(bench.takeEvents('replay'), [{ handle: handleOf(old), userId: null }])
    t.strictSame(await bench.living(), [])
  })

  t.test('a replaced id of an anonymous session does not end the login beside it, in any order', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(bench.gate, async () => {
      const ann = someone('ann')
      const browser = await bench.withData({ cart: [1] })
      const old = browser.cookie ?? ''
      bench.clock.advance('15m')
      await browser.me()
      await browser.me()
      bench.clock.advance('30s')
      return {
        actors: {
          owner: () => browser.visit(loginAs(ann)),
          thief: () => meWith(bench, old),
        },
        check: async (order) => {
          t.equal((await browser.me()).userId, ann.id, order)
        },
      }
    })
  })

  t.test('a renewal that was lost is served for five minutes, and two holders end the session', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId } = await ripe(bench)
    const lost = await browser.visit(whoAmI, { isLost: true })
    await browser.me()
    t.equal((await browser.me()).userId, userId)
    bench.clock.advance('30s')
    t.equal((await meWith(bench, lost.sessionCookies[0]?.value ?? '')).userId, userId)
    bench.clock.advance('150s')
    t.equal((await browser.me()).userId, userId)
    t.equal((await meWith(bench, lost.sessionCookies[0]?.value ?? '')).userId, null)
    t.equal((await browser.me()).userId, null)
    t.equal(bench.takeEvents('replay').length, 1)
  })

  t.test('an old id presented beside its owner never leaves a session alive, in any order', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(bench.gate, async () => {
      const { browser, userId, old } = await ripe(bench)
      await browser.me()
      await browser.me()
      bench.clock.advance('30s')
      return {
        actors: {
          owner: () => browser.visit(write({ mine: true })),
          thief: () => meWith(bench, old),
        },
        check: async (order) => {
          t.equal((await browser.me()).userId, null, order)
          t.equal(await bench.record(handleOf(old)), undefined, order)
          t.strictSame(await bench.indexed({ id: userId }), [], order)
        },
      }
    })
  })

  t.test('a login forgets successors and replaced ids: presented again they are nobody, and no alarm', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    await browser.me()
    const current = browser.cookie ?? ''
    await browser.me()
    bench.clock.advance('15m')
    const lost = await browser.visit(whoAmI, { isLost: true })
    await browser.visit(loginAs({ id: userId }))
    bench.events.length = 0
    for (const id of [old, current, lost.sessionCookies[0]?.value ?? '']) {
      t.equal((await meWith(bench, id)).userId, null)
      bench.clock.advance('31s')
    }
    t.strictSame(bench.takeEvents('replay'), [])
    t.equal((await browser.me()).userId, userId)
  })

  t.test('a renewal makes no login fresh', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser } = await ripe(bench)
    const at = async (): Promise<unknown> => (await browser.visit((request) => ({ at: request.authenticatedAt }))).body
    const before = await at()
    t.same(await at(), before)
  })

  t.test('a failed response renews nothing', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    const page = await browser.visit((_request, reply) => reply.code(500).send({}))
    t.strictSame(page.sessionCookies, [])
    t.equal(browser.cookie, old)
    t.equal((await browser.me()).userId, userId)
    t.not(browser.cookie, old)
  })

  for (const way of ['fail', 'lose'] as const) {
    t.test(`a store that fails at the first show of a renewed id (${way}) locks nobody out`, async (t) => {
      const bench = await boot(t, makeStore)
      const { browser, userId, old } = await ripe(bench)
      await browser.me()
      const renewed = browser.cookie
      t.not(renewed, old)
      const caught = bench.gate.hold('update')
      const visit = browser.visit(whoAmI)
      await caught.arrived
      caught[way]()
      await visit
      bench.clock.advance('30s')
      t.equal((await browser.me()).userId, userId)
      t.equal(browser.cookie, renewed)
    })
  }
}
