import type { Test } from 'tap'
import type { MakeStore } from '../support/app.ts'
import { boot, handleOf, logOut, loginAs, someone, write } from '../support/app.ts'
import type { Browser, Handler, Page } from '../support/browser.ts'
import { door } from '../support/gate-store.ts'

const count: Handler = (request) => request.session.update('count', (value: number = 0) => value + 1)

const countInAll: Handler = (request) =>
  request.session.update((data) => {
    data['count'] = Number(data['count'] ?? 0) + 1
    return data['count']
  })

/** Starts an update that waits in the middle, and goes on when told to. */
async function heldUpdate(browser: Browser): Promise<{ goOn: () => Promise<Page> }> {
  const begun = door()
  const gate = door()
  const page = browser.visit(async (request) => {
    await request.session.update(async (data) => {
      begun.open()
      await gate.opened
      data['late'] = true
    })
  })
  await begun.opened
  return {
    goOn: () => {
      gate.open()
      return page
    },
  }
}

/** `req.session.update` reads, changes and writes in one. */
export function dataUpdates(t: Test, makeStore: MakeStore): void {
  t.test('requests at once that count lose no count, on one key and on all', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.loggedIn(someone('ann'))
    for (const [round, handler] of [count, countInAll].entries()) {
      const pages = await Promise.all(Array.from({ length: 15 }, () => browser.visit(handler)))
      t.same(new Set(pages.map(({ status }) => status)), new Set([200]))
      t.same((await browser.me()).data, { count: 15 * (round + 1) })
    }
  })

  t.test('updates of one request at once lose no count either, with a record and before the first', async (t) => {
    const bench = await boot(t, makeStore)
    const twice: Handler = async (request, reply) => {
      const counts = await Promise.all([count(request, reply), countInAll(request, reply), count(request, reply)])
      return { counts: counts.toSorted() }
    }
    for (const browser of [bench.browser(), await bench.withData({ first: true })]) {
      t.same((await browser.visit(twice)).body, { counts: [1, 2, 3] })
      t.match((await browser.me()).data, { count: 3 })
    }
  })

  t.test('an update that was under way during a logout brings nothing back', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.loggedIn(someone('ann'))
    const handle = handleOf(browser.cookie)
    const { goOn } = await heldUpdate(browser)
    await browser.visit(logOut)
    const page = await goOn()
    t.equal(page.status, 503)
    t.equal(await bench.record(handle), undefined)
    t.match(bench.takeEvents('dropped-write'), [{ handle, reason: 'gone' }])
  })

  t.test('an update that began before a login does not reach into the session after it', async (t) => {
    const bench = await boot(t, makeStore)
    const attacker = await bench.withData({ planted: 1 })
    const victim = bench.browser()
    victim.plant(attacker.cookie ?? '')
    const { goOn } = await heldUpdate(attacker)
    await victim.visit(loginAs(someone('victim'), { keep: false }))
    t.equal((await goOn()).status, 503)
    t.same((await victim.me()).data, {})
  })

  t.test('an update that fails writes nothing, and one whose response fails stays', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.withData({ count: 1 })
    const failing = await browser.visit((request) =>
      request.session.update((data) => {
        data['count'] = 7
        throw new Error('no')
      }),
    )
    t.equal(failing.status, 500)
    t.same((await browser.me()).data, { count: 1 })
    const failed = await browser.visit(async (request, reply) => {
      await count(request, reply)
      throw new Error('after the update')
    })
    t.equal(failed.status, 500)
    t.same((await browser.me()).data, { count: 2 }, 'a failed attempt is counted all the same')
  })

  t.test('an update takes what this request changed along, and leaves what others changed', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.withData({ a: 1, b: 1 })
    const page = await browser.visit(async (request, reply) => {
      Object.assign(request.session, { a: 2 })
      await browser.visit(write({ b: 3, c: 3 }))
      await count(request, reply)
      Object.assign(request.session, { d: 4 })
      return request.session.data()
    })
    t.same(page.body, { a: 2, b: 3, c: 3, count: 1, d: 4 })
    t.same((await browser.me()).data, { a: 2, b: 3, c: 3, count: 1, d: 4 })
  })
}
