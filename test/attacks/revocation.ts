import type { Test } from 'tap'
import { leavingOf } from '../../lib/session/places.ts'
import type { SessionUser } from '../../types/index.ts'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, someone, write } from '../support/app.ts'
import type { Browser, Handler } from '../support/browser.ts'
import { everyOrder } from '../support/every-order.ts'

/** Tells whether the login took its place before the revocation looked for places, in an order of operations. */
function beganBefore(order: string): boolean {
  const login = order.indexOf('login.addToIndex')
  return login !== -1 && login < order.indexOf('revoke.listIndex')
}

export function revocation(t: Test, makeStore: MakeStore): void {
  const starts: Record<string, (bench: Bench, user: SessionUser) => Promise<Browser>> = {
    'of a visitor': async (bench) => bench.browser(),
    'of an anonymous session': (bench) => bench.withData({ cart: [1] }),
    'from a session of the same user': (bench, user) => bench.loggedIn(user),
    "from another user's session": (bench) => bench.loggedIn(someone('other')),
  }
  for (const [what, start] of Object.entries(starts)) {
    t.test(`revoking a user leaves no login ${what} that began before it, in any order`, async (t) => {
      const bench = await boot(t, makeStore)
      const orders = await everyOrder(bench.gate, async () => {
        const ann = someone('ann')
        const browser = await start(bench, ann)
        const before = browser.cookie
        let status = 0
        return {
          actors: {
            login: async () => {
              ;({ status } = await browser.visit(loginAs(ann)))
            },
            revoke: () => bench.app.sessions.revokeUser(ann.id),
          },
          check: async (order) => {
            if (status !== 200 && status !== 503) t.fail(`${status} after ${order}`)
            const { userId } = await browser.me()
            if (beganBefore(order) && userId === ann.id) t.fail(`still logged in after ${order}`)
            if (status === 503 && userId === ann.id) t.fail(`logged in by a 503 after ${order}`)
            if (before !== undefined && before !== browser.cookie) {
              const thief = bench.browser()
              thief.plant(before)
              if ((await thief.me()).userId === ann.id) t.fail(`the old id works after ${order}`)
            }
            await bench.app.sessions.revokeUser(ann.id)
            t.not((await browser.me()).userId, ann.id, `what is left can be revoked after ${order}`)
            t.strictSame(await bench.indexed(ann), [], order)
          },
        }
      })
      t.ok(orders > 10, `${orders} orders`)
    })
  }

  t.test('revoking a user leaves no login whose session another login took, in any order', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(
      bench.gate,
      async () => {
        const [ann, bob] = [someone('ann'), someone('bob')]
        const rival = await bench.withData({ cart: [1] })
        const browser = bench.browser()
        browser.plant(rival.cookie ?? '')
        return {
          actors: {
            login: () => browser.visit(loginAs(ann)),
            revoke: () => bench.app.sessions.revokeUser(ann.id),
            rival: () => rival.visit(loginAs(bob)),
          },
          check: async (order) => {
            const { userId } = await browser.me()
            if (beganBefore(order) && userId === ann.id) t.fail(`still logged in after ${order}`)
            if ((await rival.me()).userId !== bob.id) t.fail(`somebody else was logged out by ${order}`)
            await bench.app.sessions.revokeUser(ann.id)
            if ((await browser.me()).userId === ann.id) t.fail(`out of reach after ${order}`)
          },
        }
      },
      { most: 150 },
    )
  })

  t.test('a login that was overtaken leaves no hole for a revocation between its two places', async (t) => {
    for (const pause of ['listIndex', 'addToIndex', 'create', 'keepInIndex', 'removeFromIndex'] as const) {
      const bench = await boot(t, makeStore)
      const [ann, bob] = [someone('ann'), someone('bob')]
      const rival = await bench.withData({ cart: [1] })
      const browser = bench.browser()
      browser.plant(rival.cookie ?? '')
      const update = bench.gate.hold('update', { by: 'login' })
      const visit = bench.gate.as('login', () => browser.visit(loginAs(ann)))
      await update.arrived
      await rival.visit(loginAs(bob))
      const caught = bench.gate.hold(pause, { by: 'login' })
      update.release()
      await Promise.race([caught.arrived, visit])
      await bench.app.sessions.revokeUser(ann.id)
      caught.release()
      await visit
      t.not((await browser.me()).userId, ann.id, `revoked before ${pause}`)
      t.equal((await rival.me()).userId, bob.id)
    }
  })

  const works: Record<string, Handler> = {
    'a write': write({ late: true }),
    'a confirmed login': (request) => request.confirmLogin(),
    regenerate: (request) => request.session.regenerate(),
    'a renewal': () => undefined,
  }
  for (const [what, handler] of Object.entries(works)) {
    t.test(`${what} beside a revocation keeps nobody logged in, in any order`, async (t) => {
      const bench = await boot(t, makeStore)
      await everyOrder(bench.gate, async () => {
        const ann = someone('ann')
        const browser = await bench.loggedIn(ann)
        bench.clock.advance('16m')
        let status = 0
        return {
          actors: {
            request: async () => {
              ;({ status } = await browser.visit(handler))
            },
            revoke: () => bench.app.sessions.revokeUser(ann.id),
          },
          check: async (order) => {
            t.ok([200, 401, 503].includes(status), order)
            t.equal((await browser.me()).userId, null, order)
            t.strictSame(await bench.indexed(ann), [], order)
          },
        }
      })
    })
  }

  t.test('a login that fails after its commit brings back nothing that was revoked, in any order', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(bench.gate, async () => {
      const [ann, bob] = [someone('ann'), someone('bob')]
      const browser = await bench.loggedIn(ann)
      const { cookie } = browser
      return {
        actors: {
          login: () =>
            browser.visit(loginAs(bob), {
              onSend: () => {
                throw new Error('the hook failed')
              },
            }),
          revoke: () => bench.app.sessions.revokeUser(ann.id),
        },
        check: async (order) => {
          t.equal((await browser.me()).userId, null, order)
          t.equal(await bench.record(handleOf(cookie)), undefined, order)
        },
      }
    })
  })

  t.test("a handle ends only its own user's session", async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const browser = await bench.loggedIn(ann)
    const anonymous = await bench.withData({ cart: [1] })
    const { sessions } = bench.app
    t.equal(await sessions.revoke(handleOf(browser.cookie), { userId: bob.id }), false)
    t.equal(await sessions.revoke(handleOf(anonymous.cookie), { userId: ann.id }), false)
    t.equal((await browser.me()).userId, ann.id)
    t.strictSame((await anonymous.me()).data, { cart: [1] })
    t.strictSame(await bench.indexed(ann), [handleOf(browser.cookie)], 'nor is it forgotten')
    t.strictSame(bench.takeEvents('revoke'), [])
    t.equal(await sessions.revoke(handleOf(browser.cookie), { userId: ann.id }), true)
    t.equal(await sessions.revoke(handleOf(browser.cookie), { userId: ann.id }), false, 'once')
    t.match(bench.takeEvents('revoke'), [{ handle: handleOf(browser.cookie), userId: ann.id, reason: 'revoked' }])
  })

  t.test('a stale device list cannot end the session of the user who came after, in any order', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(bench.gate, async () => {
      const [ann, bob] = [someone('ann'), someone('bob')]
      const browser = await bench.loggedIn(ann)
      const [device] = await bench.app.sessions.list(ann.id)
      const old = browser.cookie ?? ''
      return {
        actors: {
          login: () => browser.visit(loginAs(bob)),
          revoke: () => bench.app.sessions.revoke(device?.handle ?? '', { userId: ann.id }),
        },
        check: async (order) => {
          t.equal((await browser.me()).userId, bob.id, order)
          const thief = bench.browser()
          thief.plant(old)
          t.equal((await thief.me()).userId, null, order)
          t.equal(await bench.app.sessions.revokeUser(bob.id), 1, order)
        },
      }
    })
  })

  t.test('revoking a user spares one handle, other users and nobody else', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const browsers = [await bench.loggedIn(ann), await bench.loggedIn(ann), await bench.loggedIn(ann)]
    const other = await bench.loggedIn(bob)
    const except = handleOf(browsers[1]?.cookie)
    t.equal(await bench.app.sessions.revokeUser(ann.id, { except }), 2)
    t.strictSame(await Promise.all(browsers.map(async (browser) => (await browser.me()).userId)), [null, ann.id, null])
    t.equal((await other.me()).userId, bob.id)
    t.strictSame(await bench.indexed(ann), [except])
  })

  t.test('a login that begins while its user is being revoked is revoked with the others', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const first = await bench.loggedIn(ann)
    const second = bench.browser()
    const caught = bench.gate.hold('delete', { by: 'revoke' })
    const revoking = bench.gate.as('revoke', () => bench.app.sessions.revokeUser(ann.id))
    await caught.arrived
    await second.visit(loginAs(ann))
    caught.release()
    await revoking
    t.equal((await first.me()).userId, null)
    t.equal((await second.me()).userId, null)
    t.strictSame(await bench.indexed(ann), [])
  })

  t.test('the place in the index is taken before the record is written', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.withData({ cart: [1] })
    for (const user of [someone('ann'), someone('bob')]) {
      await bench.gate.as(user.id, () => browser.visit(loginAs(user)))
      const names = bench.gate.namesBy(user.id)
      t.ok(names.indexOf('addToIndex') < names.indexOf('update'))
      t.ok(names.indexOf('update') < names.indexOf('keepInIndex'), 'and confirmed after it')
    }
  })

  t.test('an entry without a record is skipped and removed', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = await bench.loggedIn(ann)
    await bench.gate.store.addToIndex?.(ann.id, 'a-handle-without-record', bench.clock() + 3_600_000)
    t.strictSame(
      (await bench.app.sessions.list(ann.id)).map(({ handle }) => handle),
      [handleOf(browser.cookie)],
    )
    t.strictSame(await bench.indexed(ann), [handleOf(browser.cookie)])
  })

  t.test('a revocation that the store cannot carry out is an error, and can be repeated', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const read = bench.readsMany ? 'getMany' : 'get'
    for (const operation of ['listIndex', read, 'delete', 'removeFromIndex'] as const) {
      const browser = await bench.loggedIn(ann)
      const caught = bench.gate.hold(operation, { by: 'revoke' })
      const revoking = bench.gate.as('revoke', () => bench.app.sessions.revokeUser(ann.id))
      await caught.arrived
      caught.fail()
      await t.rejects(revoking, { code: 'SESSION_STORE_UNAVAILABLE' })
      await bench.app.sessions.revokeUser(ann.id)
      t.equal((await browser.me()).userId, null, operation)
      t.strictSame(await bench.indexed(ann), [], operation)
    }
  })

  t.test(
    'a revocation that fails after a login filled its place can be repeated, and then finds the login',
    async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const { sessions } = bench.app
      const { gate } = bench
      const look = bench.readsMany ? 'getMany' : 'get'
      const browser = bench.browser()
      const created = gate.as('login', () => gate.hold('create', { by: 'login' }))
      const login = gate.as('login', () => browser.visit(loginAs(ann)))
      await created.arrived
      const removed = gate.as('revoke', () => gate.hold('removeFromIndex', { by: 'revoke' }))
      const revoked = gate.as('revoke', () => sessions.revokeUser(ann.id))
      await removed.arrived
      created.release()
      t.equal((await login).status, 200)
      const looked = gate.as('revoke', () => gate.hold(look, { by: 'revoke' }))
      removed.release()
      await looked.arrived
      looked.fail()
      await t.rejects(revoked, { code: 'SESSION_STORE_UNAVAILABLE' })
      t.equal((await browser.me()).userId, ann.id, 'the login was not revoked yet')
      t.equal(await sessions.revokeUser(ann.id), 1)
      t.equal((await browser.me()).userId, null)
    },
  )

  t.test(
    'a revocation ends a login that filled a place which somebody removes, before that somebody looks again',
    async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const { sessions } = bench.app
      const { gate } = bench
      const look = bench.readsMany ? 'getMany' : 'get'
      const browser = bench.browser()
      const created = gate.as('login', () => gate.hold('create', { by: 'login' }))
      const login = gate.as('login', () => browser.visit(loginAs(ann)))
      await created.arrived
      const removed = gate.as('stopped', () => gate.hold('removeFromIndex', { by: 'stopped' }))
      const stopped = gate.as('stopped', () => sessions.revokeUser(ann.id))
      await removed.arrived
      created.release()
      t.equal((await login).status, 200)
      const looked = gate.as('stopped', () => gate.hold(look, { by: 'stopped' }))
      removed.release()
      await looked.arrived
      t.equal((await browser.me()).userId, ann.id)
      t.equal(await sessions.revokeUser(ann.id), 1)
      t.equal((await browser.me()).userId, null)
      looked.release()
      t.equal(await stopped, 0)
      t.strictSame(await gate.store.listIndex?.(leavingOf(ann.id)), [], 'no note is left')
    },
  )

  t.test('a process that dies while it removes a long session leaves it to a later revocation', async (t) => {
    const bench = await boot(t, makeStore, { session: { rememberTimeout: () => '90d' } })
    const ann = someone('ann')
    const { sessions } = bench.app
    const { gate } = bench
    const browser = bench.browser()
    const created = gate.as('login', () => gate.hold('create', { by: 'login' }))
    const login = gate.as('login', () => browser.visit(loginAs(ann, { remember: true })))
    await created.arrived
    const removed = gate.as('dead', () => gate.hold('removeFromIndex', { by: 'dead' }))
    void gate.as('dead', () => sessions.revokeUser(ann.id))
    await removed.arrived
    created.release()
    t.equal((await login).status, 200)
    const looked = gate.as('dead', () => gate.hold(bench.readsMany ? 'getMany' : 'get', { by: 'dead' }))
    removed.release()
    await looked.arrived
    looked.forget()
    bench.clock.advance('15d')
    t.equal((await browser.me()).userId, ann.id)
    t.equal(await sessions.revokeUser(ann.id), 1)
    t.equal((await browser.me()).userId, null)
  })

  t.test('of two processes that remove one entry, neither takes the note of the other away', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const { sessions } = bench.app
    const { gate } = bench
    const browser = bench.browser()
    const created = gate.as('login', () => gate.hold('create', { by: 'login' }))
    const login = gate.as('login', () => browser.visit(loginAs(ann)))
    await created.arrived
    const [handle = ''] = await bench.indexed(ann)
    const removed = gate.as('dead', () => gate.hold('removeFromIndex', { by: 'dead' }))
    void gate.as('dead', () => sessions.revokeUser(ann.id))
    await removed.arrived
    await sessions.revoke(handle, { userId: ann.id })
    // Another login in the same session takes the place again.
    await gate.store.addToIndex?.(ann.id, handle, bench.clock() + 60_000)
    created.release()
    t.equal((await login).status, 200)
    const looked = gate.as('dead', () => gate.hold(bench.readsMany ? 'getMany' : 'get', { by: 'dead' }))
    removed.release()
    await looked.arrived
    looked.forget()
    t.equal((await browser.me()).userId, ann.id)
    t.equal(await sessions.revokeUser(ann.id), 1)
    t.equal((await browser.me()).userId, null)
    t.strictSame(await gate.store.listIndex?.(leavingOf(ann.id)), [], 'the note goes with the session')
  })

  t.test('a handle that is none of the user’s writes nothing to the index', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    await bench.gate.as('revoke', () => bench.app.sessions.revoke('A'.repeat(22), { userId: ann.id }))
    t.notOk(bench.gate.namesBy('revoke').includes('addToIndex'))
  })

  t.test('a revocation of one session tells of the login that it found by its second look', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const { gate } = bench
    const browser = bench.browser()
    const created = gate.as('login', () => gate.hold('create', { by: 'login' }))
    const login = gate.as('login', () => browser.visit(loginAs(ann)))
    await created.arrived
    const [handle = ''] = await bench.indexed(ann)
    const removed = gate.as('revoke', () => gate.hold('removeFromIndex', { by: 'revoke' }))
    const revoked = gate.as('revoke', () => bench.app.sessions.revoke(handle, { userId: ann.id }))
    await removed.arrived
    created.release()
    t.equal((await login).status, 200)
    removed.release()
    t.equal(await revoked, true)
    t.match(bench.takeEvents('revoke'), [{ handle, userId: ann.id, reason: 'revoked' }])
    t.equal((await browser.me()).userId, null)
    t.strictSame(await gate.store.listIndex?.(leavingOf(ann.id)), [], 'no note is left')
  })
}
