import type { Test } from 'tap'
import type { SessionFacts, SessionStore } from '../../types/index.ts'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, someone, write } from '../support/app.ts'
import type { Handler } from '../support/browser.ts'
import { everyOrder } from '../support/every-order.ts'

async function everything({ app }: Bench): Promise<SessionFacts[]> {
  const facts: SessionFacts[] = []
  for await (const one of app.sessions.all()) facts.push(one)
  return facts
}

/**
 * Tests the end of all sessions at once: nobody whose session began before comes in again, and nobody new is kept out.
 */
export function everybodyOut(t: Test, makeStore: MakeStore): void {
  t.test('everybody is out at once, also who is not logged in, and whoever logs in again is in', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const browsers = [await bench.loggedIn(ann), await bench.loggedIn(bob)]
    const anonymous = await bench.withData({ cart: [1] })
    const { before, ended } = await bench.app.sessions.revokeAll()
    for (const browser of browsers) t.equal((await browser.me()).userId, null)
    t.strictSame((await anonymous.me()).data, {})
    t.ok(before.getTime() > bench.clock(), 'clocks of other servers may be ahead')
    t.ok((await ended) >= 3)
    t.strictSame(await bench.indexed(ann), [], 'nothing is left in the index')
    const [again] = browsers
    await again?.visit(loginAs(ann))
    t.equal((await again?.me())?.userId, ann.id)
    bench.clock.advance('1m')
    t.equal((await again?.me())?.userId, ann.id, 'and stays in')
    const fresh = await bench.withData({ cart: [2] })
    t.strictSame((await fresh.me()).data, { cart: [2] })
  })

  t.test(
    'a cookie that was copied before everybody was out opens nothing, also while its record is there',
    async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const browser = await bench.loggedIn(ann)
      const stolen = browser.cookie ?? ''
      const held = bench.gate.hold('delete', { by: 'removal' })
      const revoking = bench.gate.as('removal', () => bench.app.sessions.revokeAll())
      const { ended } = await revoking
      const thief = bench.browser()
      thief.plant(stolen)
      t.equal((await thief.me()).userId, null)
      await thief.visit(write({ planted: true }))
      t.strictSame(await bench.app.sessions.get(handleOf(stolen)), undefined)
      t.equal(await bench.app.sessions.open({ headers: bench.headersOf(stolen) }), null)
      held.release()
      await ended
      t.equal((await thief.me()).userId, null)
    },
  )

  const works: Record<string, Handler> = {
    'a write': write({ late: true }),
    regenerate: (request) => request.session.regenerate(),
    'a renewal': () => undefined,
    save: async (request) => {
      Object.assign(request.session, { late: true })
      await request.session.save()
    },
  }
  for (const [what, handler] of Object.entries(works)) {
    t.test(`${what} beside the end of all sessions brings nobody back, in any order`, async (t) => {
      const bench = await boot(t, makeStore)
      await (
        await bench.app.sessions.revokeAll()
      ).ended
      await everyOrder(
        bench.gate,
        async () => {
          const browser = await bench.loggedIn(someone('ann'))
          bench.clock.advance('16m')
          return {
            actors: {
              request: () => browser.visit(handler),
              revoke: async () => (await bench.app.sessions.revokeAll()).ended,
            },
            check: async (order) => {
              t.equal((await browser.me()).userId, null, order)
            },
          }
        },
        { most: 30 },
      )
    })
  }

  t.test('an instant ends older sessions only, and no later call takes that back', async (t) => {
    const bench = await boot(t, makeStore)
    // Other tests share the store, and have clocks of their own.
    const { before: inForce } = await bench.app.sessions.revokeAll()
    bench.clock.set(Math.max(bench.clock(), inForce.getTime()) + 600_000)
    const old = await bench.loggedIn(someone('ann'))
    bench.clock.advance('1m')
    const before = new Date(bench.clock())
    const young = await bench.loggedIn(someone('bob'))
    bench.clock.advance('1m')
    t.equal((await bench.app.sessions.revokeAll({ before })).before.getTime(), before.getTime())
    t.equal((await old.me()).userId, null)
    t.not((await young.me()).userId, null)
    const earlier = await bench.app.sessions.revokeAll({ before: new Date(before.getTime() - 60_000) })
    t.equal(earlier.before.getTime(), before.getTime(), 'the cutoff never goes back')
    t.equal((await old.me()).userId, null)
    await t.rejects(bench.app.sessions.revokeAll({ before: new Date(bench.clock() + 1) }), {
      code: 'SESSION_OPTION_INVALID',
    })
  })

  t.test('the one who is spared stays in, and gains neither freshness nor time', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const [mine, other] = [await bench.loggedIn(ann), await bench.loggedIn(ann)]
    const handle = handleOf(mine.cookie)
    bench.clock.advance('2m')
    const before = await bench.record(handle)
    await (
      await bench.app.sessions.revokeAll({ except: handle })
    ).ended
    t.equal((await mine.me()).userId, ann.id)
    t.equal((await other.me()).userId, null)
    const after = await bench.record(handle)
    for (const field of ['authenticatedAt', 'createdAt', 'absoluteDeadline', 'secretHash', 'epoch'] as const) {
      t.equal(after?.[field], before?.[field], field)
    }
    t.strictSame(await bench.indexed(ann), [handle])
    await (
      await bench.app.sessions.revokeAll()
    ).ended
    t.equal((await mine.me()).userId, null, 'it is spared once')
  })

  t.test('a server that cannot learn the cutoff answers 503, and never with the old session', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = await bench.loggedIn(ann)
    const held = bench.gate.hold('delete', { by: 'removal' })
    const { ended } = await bench.gate.as('removal', () => bench.app.sessions.revokeAll())
    const isDown = { now: true }
    const withoutCutoff = (): SessionStore => {
      const { store } = bench.gate
      return new Proxy(store, {
        get: (target, name) => {
          if (name === 'readCutoff' && isDown.now) return () => Promise.reject(new Error('away'))
          return Reflect.get(target, name) as unknown
        },
      })
    }
    const other = await boot(t, Object.assign(withoutCutoff, { isByHeader: makeStore.isByHeader === true }))
    const elsewhere = other.browser()
    elsewhere.plant(browser.cookie ?? '')
    t.equal((await elsewhere.visit(() => undefined)).status, 503)
    t.equal((await other.browser().visit(loginAs(ann))).status, 503, 'nor does a login begin')
    isDown.now = false
    t.equal((await elsewhere.me()).userId, null)
    held.release()
    await ended
  })

  t.test('all sessions are listed and counted, without secrets', async (t) => {
    const bench = await boot(t, makeStore)
    await (
      await bench.app.sessions.revokeAll()
    ).ended
    const ann = someone('ann')
    const browser = await bench.loggedIn(ann)
    const anonymous = await bench.withData({ cart: ['secret'] })
    const listed = await everything(bench)
    const byHandle = new Map(listed.map((one) => [one.handle, one]))
    t.match(byHandle.get(handleOf(browser.cookie)), { userId: ann.id, label: null, authenticatedAt: Date })
    t.match(byHandle.get(handleOf(anonymous.cookie)), { userId: null, authenticatedAt: null })
    // The store may still count records of other tests that a cutoff has ended.
    t.ok((await bench.app.sessions.count()) >= byHandle.size)
    const record = await bench.record(handleOf(browser.cookie))
    t.notMatch(JSON.stringify(listed), new RegExp(`secret|${record?.secretHash}`))
    await bench.app.sessions.revokeAll()
    const left = (await everything(bench)).map(({ handle }) => handle)
    for (const { cookie } of [browser, anonymous]) t.notOk(left.includes(handleOf(cookie)), 'who is out is not listed')
  })

  t.test('a session that began after everybody was out stays in when the clock is set back', async (t) => {
    for (const back of [1, 10, 120, 1200, 7200]) {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      await bench.app.sessions.revokeAll()
      bench.clock.advance('31s')
      const [browser, guest] = [await bench.loggedIn(ann), await bench.withData({ cart: 1 })]
      bench.clock.advance(-back * 1000)
      for (let visits = 0; visits < 3; visits += 1) {
        t.equal((await browser.me()).userId, ann.id, `${back} s`)
        t.strictSame((await guest.me()).data, { cart: 1 }, `${back} s`)
      }
      await (
        await bench.app.sessions.revokeAll()
      ).ended
      t.equal((await browser.me()).userId, null)
      t.strictSame((await guest.me()).data, {})
    }
  })
}
