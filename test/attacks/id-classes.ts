import type { Test } from 'tap'
import { boundClient } from '../../lib/testing/index.ts'
import type { SessionUser } from '../../types/index.ts'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, logOut, someone, write } from '../support/app.ts'
import type { Browser, Handler, Me } from '../support/browser.ts'
import { bootBound } from './device-bound.ts'

const BOTH = { session: { headerTransport: {} } }

/** Returns a browser that is logged in, by a cookie or by a header. */
async function loggedIn(bench: Bench, isByHeader: boolean, user: SessionUser): Promise<Browser> {
  const browser = bench.browser(isByHeader)
  await browser.visit(loginAs(user))
  return browser
}

/** Returns the headers of a request that brings both ids. */
function bothIds(byCookie: string | undefined, byHeader: string | undefined): { headers: Record<string, string> } {
  return { headers: { cookie: `session=${byCookie}`, authorization: `Session ${byHeader}` } }
}

/** Returns a handler that logs somebody in by header, and gives the id to the app. */
function logInByHeader(user: SessionUser): Handler {
  return async (request) => {
    await request.login(user, { transport: 'header' })
    return { id: request.sessionToken }
  }
}

/** Ids of one class in the place of the other: those of cookies in a header, those of a header in a cookie. */
export function idClasses(t: Test, makeStore: MakeStore): void {
  const works: Record<string, Handler> = {
    'a write': write({ planted: true }),
    'a login': loginAs(someone('mallory')),
    'a logout': logOut,
    regenerate: (request) => request.session.regenerate(),
  }
  for (const isByHeader of [true, false]) {
    const [own, other] = isByHeader ? ['a header', 'a cookie'] : ['a cookie', 'a header']
    t.test(`an id of ${own} opens, changes and ends nothing in ${other}`, async (t) => {
      const bench = await boot(t, makeStore, BOTH)
      const ann = someone('ann')
      const owner = await loggedIn(bench, isByHeader, ann)
      const handle = handleOf(owner.cookie)
      const before = await bench.record(handle)
      for (const [what, work] of Object.entries(works)) {
        const thief = bench.browser(!isByHeader)
        thief.plant(owner.cookie ?? '')
        t.equal((await thief.me()).userId, null)
        thief.plant(owner.cookie ?? '')
        await thief.visit(work)
        t.not((await thief.me()).userId, ann.id, what)
        t.not((await thief.me()).handle, handle, what)
        t.strictSame(await bench.record(handle), before, what)
      }
      const wrong = isByHeader ? { cookie: `session=${owner.cookie}` } : { authorization: `Session ${owner.cookie}` }
      t.equal(await bench.app.sessions.open({ headers: wrong }), null)
      t.equal((await owner.me()).userId, ann.id)
      t.equal(await bench.app.sessions.revokeUser(ann.id), 1)
      t.equal((await owner.me()).userId, null)
    })
  }

  t.test(
    'of two ids in one request that of the header counts, and the session of the cookie is untouched',
    async (t) => {
      const bench = await boot(t, makeStore, BOTH)
      const [ann, bob, eve] = [someone('ann'), someone('bob'), someone('eve')]
      const [byCookie, byHeader] = [await loggedIn(bench, false, ann), await loggedIn(bench, true, bob)]
      const before = await bench.record(handleOf(byCookie.cookie))
      const both = (): { headers: Record<string, string> } => bothIds(byCookie.cookie, byHeader.cookie)
      t.equal((await byHeader.me(both())).userId, bob.id)
      const opened = await bench.app.sessions.open(both())
      t.equal(opened?.userId, bob.id)
      opened?.close()
      const known = byHeader.cookie
      await byHeader.visit(loginAs(eve), both())
      t.not(byHeader.cookie, known)
      t.equal((await byHeader.me(both())).userId, eve.id)
      t.equal((await byHeader.me(bothIds(byCookie.cookie, known))).userId, null, 'the id before the login')
      byHeader.plant(known ?? '')
      t.strictSame(await bench.app.sessions.list(bob.id), [])
      await bench.app.sessions.revokeUser(eve.id)
      const last = await loggedIn(bench, true, eve)
      await last.visit(logOut, bothIds(byCookie.cookie, last.cookie))
      t.equal((await last.me(bothIds(byCookie.cookie, last.cookie))).userId, null, 'the cookie counts for nothing')
      t.strictSame(await bench.record(handleOf(byCookie.cookie)), before)
      t.equal((await byCookie.me()).userId, ann.id)
    },
  )

  t.test('a login by header takes a session out of its cookie, and no id of it works in the other place', async (t) => {
    const bench = await boot(t, makeStore, BOTH)
    const ann = someone('ann')
    const browser = bench.browser(false)
    await browser.visit(write({ cart: [1] }))
    const planted = browser.cookie ?? ''
    const page = await browser.visit(logInByHeader(ann))
    const { id } = page.body as { id: string }
    t.equal(browser.cookie, undefined, 'the cookie is cleared')
    const native = bench.browser(true)
    for (const wrong of [planted, id]) {
      browser.plant(wrong)
      const { userId, data } = await browser.me()
      t.strictSame({ userId, data }, { userId: null, data: {} })
    }
    native.plant(planted)
    t.equal((await native.me()).userId, null)
    native.plant(id)
    t.match(await native.me(), { userId: ann.id, data: { cart: [1] } })
  })

  t.test('the cookies of a device-bound session open nothing in the header, and its owner stays bound', async (t) => {
    const bench = await bootBound(t, makeStore, BOTH.session)
    const ann = someone('ann')
    const client = await boundClient(bench.app)
    await client.inject({ method: 'POST', url: '/login', payload: { id: ann.id } })
    const { userId, handle } = (await client.inject({ url: '/me' })).json<Me>()
    t.equal(userId, ann.id)
    const id = client.cookies.get('session')?.value
    for (const headers of [
      { authorization: `Session ${id}` },
      { authorization: `Session ${id}`, cookie: client.cookie },
      { authorization: `Session ${client.cookies.get('session-bound')?.value}`, cookie: client.cookie },
    ]) {
      t.match((await bench.app.inject({ url: '/me', headers })).json(), { userId: null })
      await bench.app.inject({ method: 'POST', url: '/logout', headers })
    }
    bench.clock.advance('11m')
    t.match((await client.inject({ url: '/me' })).json(), { userId: ann.id, handle })
    t.match(await bench.app.sessions.list(ann.id), [{ isDeviceBound: true }])
  })

  t.test(
    'a session whose login is by header is not bound, and a bound session that moves to a header is free',
    async (t) => {
      const bench = await bootBound(t, makeStore, BOTH.session)
      const ann = someone('ann')
      const client = await boundClient(bench.app)
      await client.inject({ method: 'POST', url: '/login', payload: { id: ann.id } })
      t.match(await bench.app.sessions.list(ann.id), [{ isDeviceBound: true }])
      const native = bench.browser(true)
      const visit = await bench.browser(false).visit(logInByHeader(ann), { headers: { cookie: client.cookie } })
      t.notOk(visit.headers['secure-session-registration'], 'nobody is asked to bind a session of a header')
      native.plant((visit.body as { id: string }).id)
      t.equal((await native.me()).userId, ann.id)
      bench.clock.advance('11m')
      t.equal((await native.me()).userId, ann.id, 'without a bound cookie')
      t.match(await bench.app.sessions.list(ann.id), [{ isDeviceBound: false }])
      t.equal((await client.inject({ url: '/me' })).json<Me>().userId, null)
    },
  )
}
