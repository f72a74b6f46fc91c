import type { Test } from 'tap'
import type { Duration, SessionUser } from '../../types/index.ts'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, logOut, someone, touch, write } from '../support/app.ts'
import type { Browser, Handler, Page } from '../support/browser.ts'
import { everyOrder } from '../support/every-order.ts'
import { door } from '../support/gate-store.ts'

interface Victim {
  readonly bench: Bench
  readonly user: SessionUser
  readonly browser: Browser
  readonly handle: string
}

/** All the ways in which a session ends while one of its requests runs. */
const ENDS: Record<string, (victim: Victim) => Promise<unknown>> = {
  logout: ({ browser }) => browser.visit(logOut),
  destroy: ({ browser }) => browser.visit((request) => request.session.destroy()),
  'revoking it': ({ bench, user, handle }) => bench.app.sessions.revoke(handle, { userId: user.id }),
  'revoking its user': ({ bench, user }) => bench.app.sessions.revokeUser(user.id),
  'its idle deadline': async ({ bench }) => bench.clock.advance('30m'),
  'its absolute deadline': async ({ bench }) => bench.clock.advance('12h'),
}

/** All the ways in which a request can write to its session, and whether a failure of that must be told. */
const WRITES: Record<string, { handler: Handler; status: number; age?: Duration }> = {
  'a new value': { handler: write({ late: true }), status: 200 },
  'a deleted value': { handler: (request) => void Reflect.deleteProperty(request.session, 'kept'), status: 200 },
  save: { handler: write({ late: true }), status: 200 },
  touch: { handler: touch, status: 200, age: '1m' },
  'a touch that is due': { handler: () => undefined, status: 200, age: '2m' },
  'a renewal': { handler: () => undefined, status: 200 },
  'a confirmed login': { handler: (request) => request.confirmLogin(), status: 503 },
  regenerate: { handler: (request) => request.session.regenerate(), status: 503 },
}

/** `age`: by default old enough for a renewal, so that every request has something to write. */
async function victimOf(bench: Bench, age: Duration = '16m'): Promise<Victim> {
  const user = someone('ann')
  const browser = await bench.loggedIn(user)
  await browser.visit(write({ kept: true }))
  bench.clock.advance(age)
  return { bench, user, browser, handle: handleOf(browser.cookie) }
}

/** Starts a request, lets the session end in the middle of it, and then lets it go on. */
async function overtake(victim: Victim, handler: Handler, end: () => Promise<unknown>): Promise<Page> {
  const begun = door()
  const goOn = door()
  const tab = victim.bench.browser()
  tab.plant(victim.browser.cookie ?? '')
  const late = tab.visit(async (request, reply) => {
    begun.open()
    await goOn.opened
    return handler(request, reply)
  })
  await begun.opened
  await end()
  goOn.open()
  return late
}

export function resurrection(t: Test, makeStore: MakeStore): void {
  for (const [ending, end] of Object.entries(ENDS)) {
    for (const [writing, { handler, status, age }] of Object.entries(WRITES)) {
      t.test(`${writing} in flight during ${ending} does not bring the session back`, async (t) => {
        const bench = await boot(t, makeStore)
        const victim = await victimOf(bench, age)
        const stolen = victim.browser.cookie ?? ''
        bench.events.length = 0
        const page = await overtake(victim, handler, () => end(victim))
        t.equal(page.status, status)
        t.strictSame(page.sessionCookies, [], 'the response carries no session cookie')
        t.strictSame(await bench.living(), [])
        t.strictSame(await bench.app.sessions.list(victim.user.id), [])
        if (!['touch', 'a touch that is due', 'a renewal'].includes(writing)) {
          t.match(bench.takeEvents('dropped-write'), [{ handle: victim.handle, reason: 'gone' }])
        }
        const thief = bench.browser()
        thief.plant(stolen)
        t.equal((await thief.me()).userId, null)
      })
    }
  }

  t.test('a save of a session that has ended neither fails nor stores, and leaves an empty session', async (t) => {
    const bench = await boot(t, makeStore)
    const victim = await victimOf(bench)
    const saving: Handler = async (request) => {
      Object.assign(request.session, { late: true })
      await request.session.save()
      return { user: request.user, data: request.session.data() }
    }
    const page = await overtake(victim, saving, () => victim.browser.visit(logOut))
    t.strictSame(page.body, { user: null, data: {} })
    t.strictSame(await bench.living(), [])
    t.strictSame(page.sessionCookies, [])
  })

  t.test('in no order of store operations does a write outlive a logout', async (t) => {
    const bench = await boot(t, makeStore)
    const orders = await everyOrder(bench.gate, async () => {
      const victim = await victimOf(bench)
      const tab = bench.browser()
      tab.plant(victim.browser.cookie ?? '')
      const pages: Page[] = []
      return {
        actors: {
          writer: async () => pages.push(await tab.visit(write({ late: true }))),
          logout: () => victim.browser.visit(logOut),
        },
        check: async (order) => {
          if ((await bench.record(victim.handle)) !== undefined) t.fail(`alive again after ${order}`)
          if ((await bench.indexed(victim.user)).length > 0) t.fail(`still in the index after ${order}`)
          if (victim.browser.cookie !== undefined) t.fail(`the browser kept its cookie after ${order}`)
          t.equal(pages[0]?.status, 200, order)
          if ((await tab.me()).userId !== null) t.fail(`logged in again after ${order}`)
        },
      }
    })
    t.ok(orders > 10, `${orders} orders`)
  })

  t.test('in no order do two requests that log out and a write leave anything', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(
      bench.gate,
      async () => {
        const victim = await victimOf(bench)
        const visit = (handler: Handler) => async (): Promise<void> => {
          const tab = bench.browser()
          tab.plant(victim.browser.cookie ?? '')
          t.equal((await tab.visit(handler)).status, 200)
        }
        return {
          actors: { one: visit(logOut), two: visit(logOut), writer: visit(write({ late: true })) },
          check: async (order) => {
            t.equal(await bench.record(victim.handle), undefined, order)
          },
        }
      },
      { most: 80 },
    )
  })

  t.test('an anonymous session that a request destroys stays away, whatever the others write', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.withData({ kept: true })
    const begun = door()
    const goOn = door()
    const tab = bench.browser()
    tab.plant(browser.cookie ?? '')
    const late = tab.visit(async (request) => {
      begun.open()
      await goOn.opened
      Object.assign(request.session, { late: true })
    })
    await begun.opened
    await browser.visit((request) => request.session.destroy())
    goOn.open()
    t.strictSame((await late).sessionCookies, [])
    t.strictSame(await bench.living(), [])
  })

  t.test('data that a regenerate wanted to keep of an anonymous session ends with that session', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.withData({ kept: true })
    const begun = door()
    const goOn = door()
    const tab = bench.browser()
    tab.plant(browser.cookie ?? '')
    const late = tab.visit(async (request) => {
      await request.session.regenerate(['kept'])
      begun.open()
      await goOn.opened
    })
    await begun.opened
    await browser.visit((request) => request.session.destroy())
    goOn.open()
    const { status, sessionCookies } = await late
    t.equal(status, 503)
    t.strictSame(sessionCookies, [])
    t.strictSame(await bench.living(), [])
  })

  t.test('a login that runs while its own old session ends is a new session, or none', async (t) => {
    const bench = await boot(t, makeStore)
    const victim = await victimOf(bench)
    const bob = someone('bob')
    const page = await overtake(victim, loginAs(bob), () => victim.browser.visit(logOut))
    t.equal(page.status, 200)
    t.equal(page.sessionCookies.length, 1)
    t.not(handleOf(page.sessionCookies[0]?.value), victim.handle)
    t.equal(await bench.record(victim.handle), undefined)
    t.strictSame(await bench.indexed(bob), await bench.living(), 'the index names the new session alone')
  })
}
