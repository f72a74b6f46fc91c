import type { Test } from 'tap'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, someone, touch, write } from '../support/app.ts'
import type { Browser, Handler } from '../support/browser.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** The ways in which a request uses a session. */
const USES: Readonly<Record<string, Handler>> = {
  'only reads': (request) => ({ user: request.user }),
  'writes data': write({ late: true }),
  'asks for a touch': touch,
  'saves by itself': async (request) => {
    Object.assign(request.session, { late: true })
    await request.session.save()
  },
  'confirms the login': (request) => request.confirmLogin(),
}

/** Checks that nothing in the stored record lies later than a use at this moment can make it. */
async function isTrue(t: Test, bench: Bench, browser: Browser, absolute: number): Promise<void> {
  const now = bench.clock()
  const record = await bench.record(handleOf(browser.cookie))
  if (record === undefined) throw new Error('no record')
  t.ok(record.lastSeenAt <= now, 'last seen')
  t.ok(record.idleDeadline <= now + (record.remember ? absolute : 30 * MINUTE), 'idle deadline')
  t.ok(record.absoluteDeadline <= now + absolute, 'absolute deadline')
  t.ok(Number(record.authenticatedAt) <= now && record.createdAt <= now, 'begin')
}

export function clockSetBack(t: Test, makeStore: MakeStore): void {
  for (const [what, handler] of Object.entries(USES)) {
    for (const remember of [false, true]) {
      for (const minutes of [1, 60]) {
        const who = remember ? 'a remembered session' : 'a session'
        t.test(`a request that ${what} leaves no later deadline in ${who}, ${minutes} min back`, async (t) => {
          const bench = await boot(t, makeStore)
          const browser = bench.browser()
          await browser.visit(loginAs(someone('ann'), { remember }))
          bench.clock.advance(-minutes * MINUTE)
          t.equal((await browser.visit(handler)).status, 200)
          await isTrue(t, bench, browser, remember ? 14 * 24 * HOUR : 12 * HOUR)
          t.not((await browser.me()).userId, null)
          bench.clock.advance('31m')
          t.equal((await browser.me()).userId === null, !remember, 'it ends when it should')
        })
      }
    }
  }

  t.test('a login does not count as recent for longer than it may after the clock was set back', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.loggedIn(someone('ann'))
    bench.clock.advance(-HOUR)
    await browser.me()
    bench.clock.advance('11m')
    const require = bench.app.requireLogin({ within: '10m' })
    const page = await browser.visit((request) => require.call(bench.app, request))
    t.equal(page.status, 403)
  })

  t.test('a way to log in does not count as recent for longer than it may after the clock was set back', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = bench.browser()
    await browser.visit((request) => request.login(someone('ann'), { methods: ['otp'] }))
    bench.clock.advance(-HOUR)
    await browser.me()
    bench.clock.advance('11m')
    const require = bench.app.requireLogin({ methods: ['otp'], within: '10m' })
    t.equal((await browser.visit((request) => require.call(bench.app, request))).status, 403)
  })

  t.test('a passive request moves a deadline back after the clock was set back, and never forward', async (t) => {
    const bench = await boot(t, makeStore)
    const user = someone('ann')
    const browser = await bench.loggedIn(user)
    await browser.visit((request) => request.updateUser(user))
    bench.clock.advance(-HOUR)
    const passive = { headers: { 'sec-purpose': 'prefetch' } }
    await browser.me(passive)
    await isTrue(t, bench, browser, 12 * HOUR)
    const record = await bench.record(handleOf(browser.cookie))
    t.ok(Number(record?.userAt) <= bench.clock())
    bench.clock.advance('20m')
    await browser.me(passive)
    t.equal((await bench.record(handleOf(browser.cookie)))?.idleDeadline, record?.idleDeadline)
    bench.clock.advance('10m')
    t.equal((await browser.me(passive)).userId, null)
  })

  t.test('after the clock was set back no older id is served for longer than its window', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.loggedIn(someone('ann'))
    const old = browser.cookie ?? ''
    bench.clock.advance('16m')
    await browser.me()
    await browser.me()
    bench.clock.advance('1m')
    await browser.me()
    bench.clock.advance(-HOUR)
    await browser.me()
    bench.clock.advance('3m')
    await browser.me()
    const thief = bench.browser()
    thief.plant(old)
    t.equal((await thief.me({ headers: { 'user-agent': 'curl/8.0' } })).userId, null)
    t.equal(bench.takeEvents('replay').length, 1)
  })

  t.test('servers whose clocks are two minutes apart do not shorten the windows of each other', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.loggedIn(someone('ann'))
    bench.clock.advance('16m')
    await browser.me()
    await browser.me()
    const { tip } = (await bench.record(handleOf(browser.cookie))) ?? {}
    bench.clock.advance(-2 * MINUTE)
    await browser.me()
    t.strictSame((await bench.record(handleOf(browser.cookie)))?.tip, tip)
  })
}
