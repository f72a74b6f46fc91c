import type { Test } from 'tap'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, someone, write } from '../support/app.ts'
import type { Browser, Me } from '../support/browser.ts'
import { whoAmI } from '../support/browser.ts'
import { everyOrder } from '../support/every-order.ts'

/** A browser logged in long enough ago for a renewal. */
async function ripe(bench: Bench): Promise<{ browser: Browser; userId: string; old: string }> {
  const ann = someone('ann')
  const browser = await bench.loggedIn(ann)
  bench.clock.advance('15m')
  return { browser, userId: ann.id, old: browser.cookie ?? '' }
}

/** What a browser with just this cookie is told. */
async function meWith(bench: Bench, cookie: string): Promise<Me> {
  const browser = bench.browser()
  browser.plant(cookie)
  return browser.me()
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

  t.test('a lost response loses nothing: the old id goes on, and is renewed again after 30 s', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    const lost = await browser.visit(whoAmI, { isLost: true })
    t.equal(lost.sessionCookies.length, 1)
    bench.clock.advance(29_999)
    t.strictSame((await browser.visit(whoAmI)).sessionCookies, [], 'not again within 30 s')
    t.equal(browser.cookie, old)
    bench.clock.advance(1)
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

  t.test('at most two unseen successors are remembered', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId } = await ripe(bench)
    const successors: string[] = []
    for (let round = 0; round < 4; round += 1) {
      const page = await browser.visit(whoAmI, { isLost: true })
      successors.push(page.sessionCookies[0]?.value ?? '')
      bench.clock.advance('30s')
    }
    t.equal(new Set(successors).size, 4)
    t.equal((await bench.record(handleOf(browser.cookie)))?.successors.length, 2)
    t.equal((await meWith(bench, successors[2] ?? '')).userId, userId)
    t.equal((await meWith(bench, successors[3] ?? '')).userId, userId, 'the other one, in flight, has its grace')
  })

  t.test('a thief who has the owner’s new id forgotten, and takes a newer one, is found out by it', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    await browser.visit(whoAmI)
    t.not(browser.cookie, old, 'the owner has the first successor, and reads the page for a while')
    const thief = bench.browser()
    for (let round = 0; round < 2; round += 1) {
      bench.clock.advance('30s')
      thief.plant(old)
      await thief.visit(whoAmI)
    }
    t.equal((await thief.me()).userId, userId)
    bench.events.length = 0
    t.equal((await browser.me()).userId, null)
    t.match(bench.events, [
      { type: 'replay', userId },
      { type: 'revoke', userId, reason: 'replay' },
    ])
    t.equal((await thief.me()).userId, null, 'and shares the owner’s fate')
    t.strictSame(await bench.indexed({ id: userId }), [])
  })

  for (const copy of ['user', 'anonymous'] as const) {
    t.test(`an id from renewals ago ends the session all the same: ${copy}`, async (t) => {
      const bench = await boot(t, makeStore)
      const thief = copy === 'user' ? await bench.loggedIn(someone('ann')) : await bench.withData({ cart: [1] })
      const owner = bench.browser()
      owner.plant(thief.cookie ?? '')
      // The owner is away, the thief is not.
      for (let minutes = 0; minutes < 75; minutes += 15) {
        bench.clock.advance('15m')
        await thief.me()
        await thief.me()
      }
      t.not(thief.cookie, owner.cookie)
      bench.events.length = 0
      const page = await owner.visit(whoAmI)
      t.equal((page.body as Me).userId, null)
      t.equal(owner.cookie, undefined, 'its cookie is cleared')
      t.equal(bench.takeEvents('replay').length, 1)
      t.strictSame(await bench.living(), [])
    })
  }

  t.test('an id that is newer than the record it meets, out of a cache, ends nothing', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    const earlier = await bench.record(handleOf(old))
    await browser.visit(whoAmI)
    const caught = bench.gate.hold('get')
    const visit = browser.visit(whoAmI)
    await caught.arrived
    caught.answer(earlier)
    const page = await visit
    t.equal((page.body as Me).userId, null, 'it is nobody’s for this request')
    t.strictSame(page.sessionCookies, [])
    t.strictSame(bench.takeEvents('replay'), [])
    t.equal((await browser.me()).userId, userId)
  })

  t.test('what is saved renews no id: only a response that follows does', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    // As a message over a WebSocket does, whose upgrade has been answered long ago.
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
    for (let round = 0; round < 3; round += 1) {
      bench.clock.advance('31s')
      await kept.save()
    }
    t.equal((await bench.record(handleOf(old)))?.successors.length, 1)
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

  t.test('parallel requests are renewed by one cookie, in every order of store operations', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(
      bench.gate,
      async () => {
        const { browser, userId } = await ripe(bench)
        const cookies: string[] = []
        const ask = async (): Promise<void> => {
          const page = await browser.visit(whoAmI)
          t.equal((page.body as Me).userId, userId)
          cookies.push(...page.sessionCookies.map(({ value }) => value))
        }
        return {
          actors: { one: ask, two: ask, three: ask },
          check: async (order) => {
            t.equal(new Set(cookies).size, 1, order)
            t.equal(cookies.length, 1, order)
            t.equal((await browser.me()).userId, userId, order)
          },
        }
      },
      { most: 120 },
    )
  })

  t.test('the id before has 30 s from the moment its successor is presented, and not a millisecond more', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId, old } = await ripe(bench)
    await browser.me()
    bench.clock.advance('10m')
    t.equal((await meWith(bench, old)).userId, userId, 'nobody has presented the successor yet')
    t.equal((await browser.me()).userId, userId)
    bench.clock.advance(29_999)
    const late = bench.browser()
    late.plant(old)
    const page = await late.visit(write({ late: true }))
    t.strictSame(page.sessionCookies, [], 'a request in flight gets no cookie')
    t.strictSame((await browser.me()).data, { late: true }, 'and its write counts')
    t.strictSame(bench.takeEvents('replay'), [])
    bench.clock.advance(1)
    t.equal((await meWith(bench, old)).userId, null)
    t.equal(bench.takeEvents('replay').length, 1)
  })

  for (const copy of ['thief', 'owner'] as const) {
    t.test(`a replaced id presented again by the ${copy} ends the session for both, and says so`, async (t) => {
      const bench = await boot(t, makeStore)
      const { browser, userId, old } = await ripe(bench)
      const handle = handleOf(old)
      // Either of the two renews first; the other one has the copy.
      await browser.me()
      await browser.me()
      bench.clock.advance('30s')
      bench.events.length = 0
      const other = bench.browser()
      other.plant(old)
      const page = await other.visit(whoAmI)
      t.equal((page.body as Me).userId, null)
      t.equal(other.cookie, undefined, 'its cookie is cleared')
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

  t.test('the unseen one of two successors is a replay once the other has had its 30 s', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, userId } = await ripe(bench)
    const lost = await browser.visit(whoAmI, { isLost: true })
    bench.clock.advance('30s')
    await browser.me()
    t.equal((await browser.me()).userId, userId)
    bench.clock.advance('30s')
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
    t.test(`a store that fails at a renewal (${way}) is a 503, and the id goes on`, async (t) => {
      const bench = await boot(t, makeStore)
      const { browser, userId, old } = await ripe(bench)
      const caught = bench.gate.hold('update')
      const visit = browser.visit(whoAmI)
      await caught.arrived
      caught[way]()
      const page = await visit
      t.equal(page.status, 503)
      t.strictSame(page.sessionCookies, [])
      t.equal(browser.cookie, old)
      bench.clock.advance('30s')
      t.equal((await browser.me()).userId, userId)
      t.not(browser.cookie, old)
      t.equal((await browser.me()).userId, userId)
    })
  }
}
