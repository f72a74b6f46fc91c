import type { Test } from 'tap'
import type { SessionUser } from '../../types/index.ts'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, logOut, someone, touch, write } from '../support/app.ts'
import type { Browser, Handler, Page } from '../support/browser.ts'
import { everyOrder } from '../support/every-order.ts'
import { door } from '../support/gate-store.ts'

/** Attempts of an attacker's request on a session that somebody else has logged in to since the request loaded it. */
const ATTEMPTS: Record<string, { handler: Handler; status: number; isWrite: boolean }> = {
  'a write': { handler: write({ planted: 'late', cart: 'changed' }), status: 200, isWrite: true },
  'a deletion': {
    handler: (request) => void Reflect.deleteProperty(request.session, 'cart'),
    status: 200,
    isWrite: true,
  },
  'a write and save': {
    handler: async (request) => {
      Object.assign(request.session, { planted: 'late' })
      await request.session.save()
      Object.assign(request.session, { planted: 'later' })
    },
    status: 200,
    isWrite: true,
  },
  'a save after a touch': {
    handler: async (request) => {
      request.session.touch()
      await request.session.save()
    },
    status: 200,
    isWrite: false,
  },
  touch: { handler: touch, status: 200, isWrite: false },
  destroy: { handler: (request) => request.session.destroy(), status: 200, isWrite: false },
  logout: { handler: logOut, status: 200, isWrite: false },
  'logout everywhere': { handler: (request) => request.logout({ everywhere: true }), status: 200, isWrite: false },
  'a reload, which shows nothing': {
    handler: async (request) => {
      await request.session.reload()
      return { user: request.user, data: request.session.data() }
    },
    status: 200,
    isWrite: false,
  },
  'a write after a reload': {
    handler: async (request) => {
      await request.session.reload()
      Object.assign(request.session, { planted: 'late' })
    },
    status: 200,
    isWrite: true,
  },
  'an own login': { handler: loginAs(someone('mallory')), status: 200, isWrite: false },
  regenerate: { handler: (request) => request.session.regenerate(), status: 200, isWrite: false },
}

/**
 * Sends a request of an attacker who shares the victim's session. The victim changes epochs before the request goes on.
 */
async function race(bench: Bench, victim: Browser, attempt: Handler, change: Handler): Promise<Page> {
  const begun = door()
  const goOn = door()
  const attacker = bench.browser()
  attacker.plant(victim.cookie ?? '')
  const late = attacker.visit(async (request, reply) => {
    request.session.data()
    begun.open()
    await goOn.opened
    return attempt(request, reply)
  })
  await begun.opened
  await victim.visit(change)
  goOn.open()
  return late
}

async function loggedInWithCart(bench: Bench, user: SessionUser): Promise<Browser> {
  const browser = await bench.loggedIn(user)
  await browser.visit(write({ cart: 'kept' }))
  return browser
}

export function crossEpochWrite(t: Test, makeStore: MakeStore): void {
  for (const [attempt, { handler, status, isWrite }] of Object.entries(ATTEMPTS)) {
    t.test(`${attempt} by a request from before a login does not reach the session after it`, async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const victim = await bench.withData({ cart: 'kept' })
      bench.events.length = 0
      const page = await race(bench, victim, handler, async (request) => {
        await request.login(ann)
        Object.assign(request.session, { card: 'secret' })
      })
      t.equal(page.status, status)
      t.notMatch(JSON.stringify(page.body), /secret/, 'nothing of the new session is shown')
      t.notOk(
        page.sessionCookies.some(({ value }) => value === '' || handleOf(value) === handleOf(victim.cookie)),
        'the response neither clears nor opens the new session',
      )
      t.same(await victim.me(), {
        userId: ann.id,
        handle: handleOf(victim.cookie),
        data: { cart: 'kept', card: 'secret' },
      })
      const [dropped] = bench.takeEvents('dropped-write')
      t.equal(dropped?.handle, isWrite ? handleOf(victim.cookie) : undefined, 'an event tells of a dropped write')
    })
  }

  for (const [attempt, handler] of Object.entries<Handler>({
    'a write': write({ planted: 'late' }),
    destroy: (request) => request.session.destroy(),
    logout: logOut,
    'logout everywhere': (request) => request.logout({ everywhere: true }),
    'a reload': async (request) => {
      await request.session.reload()
      return request.session.data()
    },
  })) {
    t.test(`${attempt} by the user before does not reach the session of the user after`, async (t) => {
      const bench = await boot(t, makeStore)
      const [ann, bob] = [someone('ann'), someone('bob')]
      const browser = await loggedInWithCart(bench, ann)
      const page = await race(bench, browser, handler, async (request) => {
        await request.login(bob)
        Object.assign(request.session, { card: 'secret' })
      })
      t.equal(page.status, 200)
      t.notMatch(JSON.stringify(page.body), /secret/)
      t.strictSame(page.sessionCookies, [])
      t.same(await browser.me(), { userId: bob.id, handle: handleOf(browser.cookie), data: { card: 'secret' } })
    })
  }

  for (const [change, handler] of Object.entries<Handler>({
    'a login again': (request) => request.login({ id: request.user?.id ?? '' }),
    'a confirmed login': (request) => request.confirmLogin(),
    regenerate: (request) => request.session.regenerate(['cart']),
  })) {
    t.test(`${change} begins a new epoch, which writes with a copied cookie do not cross`, async (t) => {
      const bench = await boot(t, makeStore)
      const browser = await loggedInWithCart(bench, someone('ann'))
      const page = await race(bench, browser, write({ planted: 'late' }), handler)
      t.strictSame(page.sessionCookies, [])
      t.strictSame((await browser.me()).data, { cart: 'kept' })
    })
  }

  t.test('an anonymous session that was regenerated is out of reach of requests from before', async (t) => {
    for (const attempt of [write({ planted: 'late' }), (request) => request.session.destroy()] satisfies Handler[]) {
      const bench = await boot(t, makeStore)
      const browser = await bench.withData({ cart: 'kept' })
      const page = await race(bench, browser, attempt, (request) => request.session.regenerate(['cart']))
      t.strictSame(page.sessionCookies, [])
      t.strictSame((await browser.me()).data, { cart: 'kept' })
    }
  })

  t.test('a confirmed login does not cross a login: it fails and changes nothing', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const browser = await loggedInWithCart(bench, ann)
    const page = await race(bench, browser, (request) => request.confirmLogin(), loginAs(bob))
    t.equal(page.status, 503)
    t.strictSame(page.sessionCookies, [])
    t.equal((await browser.me()).userId, bob.id)
  })

  t.test('a login whose session went to another user takes along only what its own request wrote', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, mallory] = [someone('ann'), someone('mallory')]
    const victim = await bench.withData({ cart: 'of the victim' })
    let seen: unknown
    const login: Handler = async (request) => {
      await request.login(mallory)
      Object.assign(request.session, { own: true })
      await request.session.save()
      seen = request.user?.id
      Object.assign(request.session, { more: true })
    }
    const page = await race(bench, victim, login, loginAs(ann))
    t.equal(seen, mallory.id)
    const record = await bench.record(handleOf(page.sessionCookies[0]?.value))
    t.equal(record?.userId, mallory.id)
    t.same(JSON.parse(record?.data ?? ''), { own: true, more: true })
    t.equal((await victim.me()).userId, ann.id)
  })

  t.test(
    'a login that keeps some of the old data, and whose session went to another user, keeps only its own writes',
    async (t) => {
      const bench = await boot(t, makeStore)
      const mallory = someone('mallory')
      const victim = await bench.withData({ cart: 'of the victim', seen: 1 })
      const login: Handler = async (request) => {
        Object.assign(request.session, { early: true })
        await request.login(mallory, { keep: ['cart', 'early'] })
        Object.assign(request.session, { own: true })
      }
      const page = await race(bench, victim, login, loginAs(someone('ann')))
      const record = await bench.record(handleOf(page.sessionCookies[0]?.value))
      t.equal(record?.userId, mallory.id)
      t.same(JSON.parse(record?.data ?? ''), { early: true, own: true })
    },
  )

  t.test('in no order of store operations does a request from before a login reach the session after it', async (t) => {
    const bench = await boot(t, makeStore)
    const orders = await everyOrder(
      bench.gate,
      async () => {
        const ann = someone('ann')
        const victim = await bench.withData({ cart: 'kept' })
        const attacker = bench.browser()
        attacker.plant(victim.cookie ?? '')
        return {
          actors: {
            attacker: async () => {
              await attacker.visit(async (request) => {
                Object.assign(request.session, { planted: 'early' })
                await request.session.save()
                Object.assign(request.session, { planted: 'late' })
              })
              await attacker.visit((request) => request.session.destroy())
            },
            victim: () =>
              victim.visit(async (request) => {
                await request.login(ann)
                Object.assign(request.session, { card: 'secret' })
              }),
          },
          check: async (order) => {
            const { userId, data } = await victim.me()
            if (userId !== ann.id || data['card'] !== 'secret') t.fail(`the victim's login was lost by ${order}`)
            if ((await attacker.me()).userId !== null) t.fail(`the attacker is in after ${order}`)
          },
        }
      },
      { most: 150 },
    )
    t.ok(orders > 20, `${orders} orders`)
  })
}
