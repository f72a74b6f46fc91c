import type { Test } from 'tap'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, loginAs, someone, touch, write } from '../support/app.ts'
import type { Browser, Handler, Page } from '../support/browser.ts'
import { everyOrder } from '../support/every-order.ts'
import { door } from '../support/gate-store.ts'

/**
 * Runs handlers in requests that have all loaded the session before the first of them goes on; then one after the
 * other.
 */
async function together(browser: Browser, handlers: readonly Handler[]): Promise<Page[]> {
  const turns = handlers.map(() => door())
  const begun = handlers.map(() => door())
  const pages = handlers.map((handler, position) =>
    browser.visit(async (request, reply) => {
      // The data is read now, as it was.
      request.session.data()
      begun[position]?.open()
      await turns[position]?.opened
      return handler(request, reply)
    }),
  )
  await Promise.all(begun.map(({ opened }) => opened))
  for (const [position, { open }] of turns.entries()) {
    open()
    await pages[position]
  }
  return Promise.all(pages)
}

const remove =
  (...keys: string[]): Handler =>
  (request) => {
    for (const key of keys) Reflect.deleteProperty(request.session, key)
  }

export function lostUpdate(t: Test, makeStore: MakeStore): void {
  const start = async (t: Test, data: object): Promise<{ bench: Bench; browser: Browser }> => {
    const bench = await boot(t, makeStore)
    return { bench, browser: await bench.withData(data) }
  }

  t.test('twenty requests at once that write different keys all win', async (t) => {
    const { browser } = await start(t, { first: true })
    const keys = Array.from({ length: 20 }, (_, number) => `key${number}`)
    const pages = await Promise.all(keys.map((key) => browser.visit(write({ [key]: key }))))
    t.ok(pages.every(({ status }) => status === 200))
    const wanted = Object.fromEntries(keys.map((key) => [key, key]))
    t.same((await browser.me()).data, { first: true, ...wanted })
  })

  t.test('requests that loaded the same version and write different keys all win', async (t) => {
    const { browser } = await start(t, { first: true })
    await together(browser, [write({ a: 1 }), write({ b: 2 }), remove('first'), write({ c: 3 })])
    t.same((await browser.me()).data, { a: 1, b: 2, c: 3 })
  })

  t.test('of two writes to the same key the last one wins, whole', async (t) => {
    const { browser } = await start(t, { profile: { name: 'n', old: true }, list: [1, 2, 3] })
    await together(browser, [
      write({ profile: { name: 'n', theme: 'dark' }, list: [1, 2, 3, 4] }),
      write({ profile: { language: 'fr' }, list: [0] }),
    ])
    t.strictSame((await browser.me()).data, { profile: { language: 'fr' }, list: [0] }, 'nothing is merged')
  })

  t.test('a change inside a value replaces that value and no other', async (t) => {
    const { browser } = await start(t, { cart: { items: ['a'] }, seen: { pages: 1 } })
    await together(browser, [
      (request) => changeInside(request.session, 'cart', { items: ['a', 'b'] }),
      (request) => changeInside(request.session, 'seen', { pages: 2 }),
    ])
    t.same((await browser.me()).data, { cart: { items: ['a', 'b'] }, seen: { pages: 2 } })
  })

  t.test('a value read and not changed is not written back', async (t) => {
    const { browser } = await start(t, { balance: 100, visits: 1 })
    await together(browser, [
      write({ balance: 50 }),
      (request) => {
        const { balance } = request.session.data()
        Object.assign(request.session, { visits: 2, balance })
      },
    ])
    t.same((await browser.me()).data, { balance: 50, visits: 2 })
  })

  t.test('a deleted key stays deleted when another request writes beside it', async (t) => {
    const { browser } = await start(t, { coupon: 'used', other: 1 })
    await together(browser, [remove('coupon'), write({ other: 2 })])
    t.strictSame((await browser.me()).data, { other: 2 })
  })

  t.test('of a write and a deletion of the same key the last one wins', async (t) => {
    const { browser } = await start(t, { a: 1, b: 1 })
    await together(browser, [write({ a: 2 }), remove('a'), remove('b'), write({ b: 2 })])
    t.strictSame((await browser.me()).data, { b: 2 })
  })

  t.test('data that others wrote before a save is still there after the writes that follow the save', async (t) => {
    const { browser } = await start(t, { first: true })
    const pages = await together(browser, [
      write({ other: 1 }),
      async (request) => {
        Object.assign(request.session, { mine: 1 })
        await request.session.save()
        Object.assign(request.session, { more: 1 })
      },
    ])
    t.ok(pages.every(({ status }) => status === 200))
    t.same((await browser.me()).data, { first: true, other: 1, mine: 1, more: 1 })
  })

  t.test('saved data is not written again over the change of another request', async (t) => {
    const { browser } = await start(t, { cart: 0 })
    const saved = door()
    const goOn = door()
    const saving = browser.visit(async (request) => {
      Object.assign(request.session, { cart: 1 })
      await request.session.save()
      saved.open()
      await goOn.opened
      Object.assign(request.session, { more: 1 })
    })
    await saved.opened
    await browser.visit(write({ cart: 2 }))
    goOn.open()
    await saving
    t.same((await browser.me()).data, { cart: 2, more: 1 })
  })

  t.test('a save with nothing after it leaves what others wrote meanwhile', async (t) => {
    const { browser } = await start(t, { first: true, gone: true })
    const saving: Handler = async (request) => {
      Object.assign(request.session, { mine: 1 })
      await request.session.save()
      await request.session.save()
    }
    await together(browser, [write({ other: 1 }), remove('gone'), saving])
    t.same((await browser.me()).data, { first: true, other: 1, mine: 1 })
  })

  t.test('a login keeps what other requests wrote to the anonymous session while it ran', async (t) => {
    const { browser } = await start(t, { cart: [1] })
    await together(browser, [write({ seen: true }), loginAs(someone('ann'))])
    t.same((await browser.me()).data, { cart: [1], seen: true })
  })

  t.test('a renewal and a touch beside a write lose nothing', async (t) => {
    const { bench, browser } = await start(t, { first: true })
    bench.clock.advance('16m')
    await together(browser, [
      touch,
      write({ a: 1 }),
      () => undefined,
      (request) => {
        request.session.touch()
        Object.assign(request.session, { b: 1 })
      },
    ])
    t.same((await browser.me()).data, { first: true, a: 1, b: 1 })
  })

  t.test('in every order a touch takes nothing back, and moves the deadline', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(bench.gate, async () => {
      const browser = await bench.withData({ first: true })
      bench.clock.advance('2m')
      return {
        actors: {
          toucher: () => browser.visit(touch),
          reader: () => browser.visit(() => undefined),
          writer: () => browser.visit(write({ second: true })),
        },
        check: async (order) => {
          const { handle, data } = await browser.me()
          t.same(data, { first: true, second: true }, order)
          t.equal((await bench.record(handle))?.idleDeadline, bench.clock() + 30 * 60_000, order)
        },
      }
    })
  })

  t.test('in every order of store operations two writers and their saves all win', async (t) => {
    const bench = await boot(t, makeStore)
    const orders = await everyOrder(
      bench.gate,
      async () => {
        const browser = await bench.withData({ first: true, gone: true })
        const saving: Handler = async (request) => {
          Object.assign(request.session, { one: 1 })
          await request.session.save()
          Object.assign(request.session, { two: 2 })
        }
        return {
          actors: {
            saver: () => browser.visit(saving),
            writer: () => browser.visit(write({ three: 3 })),
            remover: () => browser.visit(remove('gone')),
          },
          check: async (order) => {
            t.same((await browser.me()).data, { first: true, one: 1, two: 2, three: 3 }, order)
          },
        }
      },
      { most: 150 },
    )
    t.ok(orders > 20, `${orders} orders`)
  })
}

/** Changes a value in place, without assigning it. */
function changeInside(session: object, key: string, content: object): void {
  Object.assign(Reflect.get(session, key) as object, content)
}
