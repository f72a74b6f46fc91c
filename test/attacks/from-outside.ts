import type { Test } from 'tap'
import type { SessionUser } from '../../types/index.ts'
import type { MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, logOut, someone, write } from '../support/app.ts'
import { everyOrder } from '../support/every-order.ts'
import { door } from '../support/gate-store.ts'

/** Operations on one session from outside its requests: they give nobody more than they say. */
export function fromOutside(t: Test, makeStore: MakeStore): void {
  t.test('a change of data from outside is not lost beside a write of another key, in any order', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(bench.gate, async () => {
      const browser = await bench.withData({ count: 0 })
      const handle = handleOf(browser.cookie)
      const add = (data: Record<string, unknown>): void => void (data['count'] = Number(data['count']) + 1)
      return {
        actors: {
          one: () => bench.app.sessions.update(handle, add),
          two: () => bench.app.sessions.update(handle, add),
          request: () => browser.visit(write({ note: 'kept' })),
        },
        check: async (order) => {
          t.strictSame((await browser.me()).data, { count: 2, note: 'kept' }, order)
        },
      }
    })
  })

  t.test('a change of data from outside brings no session back, in any order', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(bench.gate, async () => {
      const browser = await bench.loggedIn(someone('ann'))
      const handle = handleOf(browser.cookie)
      return {
        actors: {
          update: () => bench.app.sessions.update(handle, (data) => ({ ...data, late: true })),
          rename: () => bench.app.sessions.rename(handle, 'late', { userId: 'nobody' }),
          logout: () => browser.visit(logOut),
        },
        check: async (order) => {
          t.equal(await bench.record(handle), undefined, order)
          t.equal(await bench.app.sessions.update(handle, () => ({ back: true })), false)
        },
      }
    })
  })

  t.test('data that is changed from outside makes nobody somebody else', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = await bench.loggedIn(ann)
    const handle = handleOf(browser.cookie)
    const before = await bench.record(handle)
    t.equal(await bench.app.sessions.update(handle, () => ({ userId: 'root', user: { id: 'root' }, label: 'x' })), true)
    t.equal((await browser.me()).userId, ann.id)
    const after = await bench.record(handle)
    t.strictSame(after, { ...before, data: after?.data, version: Number(before?.version) + 1 })
    for (const name of ['cookie', 'signal', 'constructor', 'toString']) {
      await t.rejects(
        bench.app.sessions.update(handle, () => ({ [name]: 1 })),
        { code: 'SESSION_KEY_RESERVED' },
        name,
      )
    }
    await t.rejects(
      bench.app.sessions.update(handle, () => ({ big: 'x'.repeat(70_000) })),
      { code: 'SESSION_RECORD_TOO_LARGE' },
    )
    t.strictSame(await bench.record(handle), after, 'what is refused changes nothing')
  })

  t.test("a handle renames only its own user's session, and a name gives neither freshness nor time", async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const browser = await bench.loggedIn(ann)
    const anonymous = await bench.withData({ cart: [1] })
    const handle = handleOf(browser.cookie)
    const { sessions } = bench.app
    const before = await bench.record(handle)
    bench.clock.advance('2m')
    t.equal(await sessions.rename(handle, 'Stolen', { userId: bob.id }), false)
    t.equal(await sessions.rename(handleOf(anonymous.cookie), 'Stolen', { userId: ann.id }), false)
    t.equal(await sessions.rename('../../etc', 'x', { userId: ann.id }), false)
    t.strictSame(await bench.record(handle), before)
    t.equal(await sessions.rename(handle, 'Kitchen tablet', { userId: ann.id }), true)
    t.strictSame(await bench.record(handle), {
      ...before,
      label: 'Kitchen tablet',
      version: Number(before?.version) + 1,
    })
    t.match(await sessions.list(ann.id, { current: handle }), [{ label: 'Kitchen tablet', current: true }])
    t.equal((await browser.me()).userId, ann.id)
  })

  t.test('what somebody changes beside a login that fails stays with the user whom it was for', async (t) => {
    const bench = await boot(t, makeStore)
    const { sessions } = bench.app
    for (const isOther of [false, true]) {
      const [ann, bob] = [someone('ann'), someone('bob')]
      const next = isOther ? bob : ann
      const browser = await bench.loggedIn(ann)
      const handle = handleOf(browser.cookie)
      const page = await browser.visit(loginAs(next), {
        onSend: async (_request, reply) => {
          // The hook also sees the reply that says that it failed.
          if (reply.statusCode === 500) return
          await sessions.updateUser(next.id, { ...next, name: 'new' } as SessionUser)
          t.equal(await sessions.rename(handle, 'Desk', { userId: next.id }), true)
          throw new Error('the hook failed')
        },
      })
      t.equal(page.status, 500)
      const { body } = await browser.visit((request) => ({ user: request.user }))
      t.strictSame(body, { user: isOther ? ann : { ...ann, name: 'new' } })
      t.match(await sessions.list(ann.id), [{ label: isOther ? null : 'Desk' }])
    }
  })

  t.test(
    'a confirmation with a name is as fresh as one without, and the name of one user is not the next one’s',
    async (t) => {
      const bench = await boot(t, makeStore)
      const [ann, bob] = [someone('ann'), someone('bob')]
      const browser = bench.browser()
      await browser.visit((request) => request.login(ann, { label: 'Phone' }))
      const labels = async (id: string): Promise<unknown[]> =>
        (await bench.app.sessions.list(id)).map(({ label }) => label)
      t.strictSame(await labels(ann.id), ['Phone'])
      bench.clock.advance('1m')
      await browser.visit((request) => request.confirmLogin())
      await browser.visit(loginAs(ann))
      t.strictSame(await labels(ann.id), ['Phone'], 'the name stays with the user')
      await browser.visit((request) => request.confirmLogin({ label: 'Mobile' }))
      t.strictSame(await labels(ann.id), ['Mobile'])
      await browser.visit(loginAs(bob))
      t.strictSame(await labels(bob.id), [null])
      const refused = await browser.visit((request) => request.confirmLogin({ label: 'a\u001b[2Jb' }))
      t.equal(refused.status, 400)
      t.strictSame(await labels(bob.id), [null])
    },
  )

  t.test('a kind of client is new to a user once, whatever comes between', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const logIn = async (user: typeof ann, agent: string): Promise<unknown> => {
      const browser = bench.browser()
      bench.events.length = 0
      await browser.visit(loginAs(user), { headers: { 'user-agent': agent } })
      const [login] = bench.takeEvents('login')
      await browser.visit(logOut)
      return login?.isNewDevice
    }
    t.equal(await logIn(ann, 'Firefox/140.0 Linux'), true)
    t.equal(await logIn(ann, 'Firefox/141.0 Linux'), false, 'an update is no new client')
    t.equal(await logIn(ann, 'Chrome/140.0 Windows'), true)
    t.equal(await logIn(bob, 'Firefox/140.0 Linux'), true, 'each user has clients of their own')
    await bench.app.sessions.revokeUser(ann.id)
    bench.clock.advance('100d')
    t.equal(await logIn(ann, 'Chrome/160.0 Windows'), false)
    bench.clock.advance('179d')
    t.equal(await logIn(ann, 'Chrome/160.0 Windows'), false, 'each login prolongs the memory')
    bench.clock.advance('181d')
    t.equal(await logIn(ann, 'Chrome/160.0 Windows'), true)
    t.equal(await logIn(ann, ''), true, 'a client without a name is a kind too')
    t.equal(await logIn(ann, ''), false)
  })

  t.test('a cookie from before a login or a logout opens no connection', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = await bench.withData({ cart: [1] })
    const open = (id: string | undefined) => bench.app.sessions.open({ headers: bench.headersOf(id) })
    const planted = browser.cookie
    t.match(await open(planted), { userId: null, user: null, data: { cart: [1] } })
    await browser.visit(loginAs(ann))
    t.equal(await open(planted), null)
    const opened = await open(browser.cookie)
    t.match(opened, { userId: ann.id, user: { id: ann.id }, data: { cart: [1] } })
    t.notMatch(
      JSON.stringify(opened),
      new RegExp(`secretHash|${(await bench.record(handleOf(browser.cookie)))?.secretHash}`),
    )
    const last = browser.cookie
    await browser.visit(logOut)
    t.equal(opened?.signal.aborted, true)
    t.match(opened?.signal.reason, { code: 'SESSION_CLOSED', detail: 'logout' })
    t.equal(await open(last), null)
    t.equal(await open(undefined), null)
  })

  t.test('a signal aborts when its session ends, whether it is asked for before or after the end', async (t) => {
    const bench = await boot(t, makeStore)
    for (const asks of ['before', 'after']) {
      const ann = someone('ann')
      const browser = await bench.loggedIn(ann)
      const [arrival, revoked] = [door(), door()]
      const signals: AbortSignal[] = []
      const visit = browser.visit(async ({ session }) => {
        if (asks === 'before') signals.push(session.signal)
        arrival.open()
        await revoked.opened
        if (asks === 'after') signals.push(session.signal)
      })
      await arrival.opened
      await bench.app.sessions.revokeUser(ann.id)
      revoked.open()
      await visit
      const [signal] = signals
      if (signal?.aborted === false) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      t.equal(signal?.aborted, true, asks)
    }
  })
}
