import type { Test } from 'tap'
import type { SessionUser } from '../../types/index.ts'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, logOut, someone, write } from '../support/app.ts'
import type { Browser, Handler } from '../support/browser.ts'
import { everyOrder } from '../support/every-order.ts'

const actAs =
  (user: SessionUser): Handler =>
  (request) =>
    request.actAs(user, { reason: 'a ticket', for: '30m' })

const stop: Handler = (request) => request.stopActing()

const roles: Handler = (request) => ({ user: request.user?.id ?? null, actor: request.actor?.id ?? null })

const fail = {
  onSend: () => {
    throw new Error('the hook failed')
  },
}

/** The two users of a session that acts. */
interface Cast {
  readonly staff: SessionUser
  readonly customer: SessionUser
  readonly browser: Browser
}

async function cast(bench: Bench, isActing: boolean): Promise<Cast> {
  const [staff, customer] = [someone('staff'), someone('customer')]
  const browser = await bench.loggedIn(staff)
  await browser.visit(write({ owner: 'staff' }))
  if (isActing) await browser.visit(actAs(customer))
  return { staff, customer, browser }
}

/** Returns the place of an operation's name in an order, or `Infinity` if the name is not there. */
function placeOf(order: string, name: string): number {
  const at = order.indexOf(name)
  return at === -1 ? Infinity : at
}

async function isNobody(bench: Bench, cookie: string | undefined): Promise<boolean> {
  const thief = bench.browser()
  thief.plant(cookie ?? '')
  return (await thief.me()).userId === null
}

/** Acting as another user gives nobody more than that, and ends with the sessions of both. */
export function actingAsAnother(t: Test, makeStore: MakeStore): void {
  for (const who of ['staff', 'customer'] as const) {
    t.test(`revoking the ${who} beside actAs leaves nobody acting, in any order`, async (t) => {
      const bench = await boot(t, makeStore)
      const orders = await everyOrder(bench.gate, async () => {
        const people = await cast(bench, false)
        const { browser } = people
        const before = browser.cookie
        let status = 0
        return {
          actors: {
            act: async () => {
              ;({ status } = await browser.visit(actAs(people.customer)))
            },
            revoke: () => bench.app.sessions.revokeUser(people[who].id),
          },
          check: async (order) => {
            t.ok([200, 401, 503].includes(status), `${status} after ${order}`)
            const { body } = await browser.visit(roles)
            const { user, actor } = body as { user: string | null; actor: string | null }
            const beganBefore = placeOf(order, 'act.addToIndex') < placeOf(order, 'revoke.listIndex')
            if (who === 'staff' && user !== null) t.fail(`still there after ${order}`)
            if (who === 'customer' && beganBefore && actor !== null) t.fail(`still acting after ${order}`)
            if (actor !== null && user !== people.customer.id) t.fail(`acting as ${user} after ${order}`)
            if (status === 200 && !(await isNobody(bench, before))) t.fail(`the old id works after ${order}`)
            for (const { id } of [people.staff, people.customer]) await bench.app.sessions.revokeUser(id)
            t.strictSame((await browser.visit(roles)).body, { user: null, actor: null }, `out of reach after ${order}`)
          },
        }
      })
      t.ok(orders > 10, `${orders} orders`)
    })

    t.test(`revoking the ${who} beside stopActing leaves nobody of them, in any order`, async (t) => {
      const bench = await boot(t, makeStore)
      await everyOrder(bench.gate, async () => {
        const people = await cast(bench, true)
        const { browser } = people
        const before = browser.cookie
        return {
          actors: {
            stop: () => browser.visit(stop),
            revoke: () => bench.app.sessions.revokeUser(people[who].id),
          },
          check: async (order) => {
            const { body } = await browser.visit(roles)
            const { user } = body as { user: string | null }
            if (user === people[who].id || user === people.customer.id) t.fail(`${user} is there after ${order}`)
            if (user !== null && !(await isNobody(bench, before))) t.fail(`the old id works after ${order}`)
            await bench.app.sessions.revokeUser(people.staff.id)
            t.strictSame((await browser.visit(roles)).body, { user: null, actor: null }, `out of reach after ${order}`)
          },
        }
      })
    })

    t.test(`a change of roles that fails after its commit brings back nothing of a revoked ${who}`, async (t) => {
      const bench = await boot(t, makeStore)
      for (const isActing of [false, true]) {
        await everyOrder(bench.gate, async () => {
          const people = await cast(bench, isActing)
          const { browser, customer } = people
          return {
            actors: {
              change: () => browser.visit(isActing ? stop : actAs(customer), fail),
              revoke: () => bench.app.sessions.revokeUser(people[who].id),
            },
            check: async (order) => {
              const { body } = await browser.visit(roles)
              const { user } = body as { user: string | null }
              // The end of the other user's sessions does not touch people who did not act yet.
              const isFine = user === null || (who === 'customer' && !isActing && user === people.staff.id)
              if (!isFine) t.fail(`${user} is there after ${order}`)
              await bench.app.sessions.revokeUser(people.staff.id)
              t.strictSame((await browser.visit(roles)).body, { user: null, actor: null }, order)
            },
          }
        })
      }
    })
  }

  t.test('a revocation between the place in the index and the record leaves nobody acting', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, customer, staff } = await cast(bench, false)
    const update = bench.gate.hold('update', { by: 'act' })
    const visit = bench.gate.as('act', () => browser.visit(actAs(customer)))
    await update.arrived
    t.equal(await bench.app.sessions.revokeUser(customer.id), 0)
    update.release()
    t.equal((await visit).status, 503)
    t.strictSame((await browser.visit(roles)).body, { user: staff.id, actor: null })
  })

  t.test('the store finds a session that acts under both users, and nobody else', async (t) => {
    const bench = await boot(t, makeStore)
    for (const who of ['staff', 'customer'] as const) {
      const people = await cast(bench, true)
      const handle = handleOf(people.browser.cookie)
      for (const { id } of [people.staff, people.customer]) {
        t.match(await bench.app.sessions.list(id), [{ handle, acting: { actorId: people.staff.id } }])
      }
      t.equal(await bench.app.sessions.revokeUser(someone('other').id), 0)
      t.equal(await bench.app.sessions.revokeUser(people[who].id, { except: handle }), 0)
      t.equal(await bench.app.sessions.revokeUser(people[who].id), 1)
      t.equal(await bench.record(handle), undefined)
      for (const { id } of [people.staff, people.customer]) t.strictSame(await bench.app.sessions.list(id), [])
      t.strictSame(await bench.indexed(people.staff), [])
    }
  })

  t.test('a session that acts ends with both users where the store has kept it for the longest time', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, customer } = await cast(bench, true)
    bench.clock.advance('29m')
    t.equal((await browser.me()).userId, customer.id)
    bench.clock.advance('1m')
    t.equal((await browser.me()).userId, null)
    t.strictSame(await bench.app.sessions.list(customer.id), [])
  })

  t.test('the data of one user never shows in the session of the other, in any order of two tabs', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(
      bench.gate,
      async () => {
        const { browser, customer } = await cast(bench, false)
        const tab = bench.browser()
        tab.plant(browser.cookie ?? '')
        return {
          actors: {
            act: () => browser.visit(actAs(customer)),
            write: () => tab.visit(write({ late: 'staff' })),
          },
          check: async (order) => {
            const acting = await browser.me()
            if (acting.userId === customer.id) t.strictSame(acting.data, {}, order)
            await browser.visit(write({ owner: 'customer' }))
            await browser.visit(stop)
            t.equal((await browser.me()).data['owner'], acting.userId === customer.id ? 'staff' : 'customer', order)
          },
        }
      },
      { most: 40 },
    )
  })

  t.test('an id from before the change acts as nobody, and one from the change is nobody after it', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, customer, staff } = await cast(bench, false)
    const planted = browser.cookie
    await browser.visit(actAs(customer))
    t.ok(await isNobody(bench, planted))
    const acting = browser.cookie
    await browser.visit(stop)
    t.ok(await isNobody(bench, acting))
    t.equal((await browser.me()).userId, staff.id)
    t.strictSame(await bench.app.sessions.list(customer.id), [])
  })

  t.test('a logout ends a session that acts, also one that was under way at the change, in any order', async (t) => {
    const bench = await boot(t, makeStore)
    for (const isActing of [false, true]) {
      await everyOrder(bench.gate, async () => {
        const { browser, customer, staff } = await cast(bench, isActing)
        const tab = bench.browser()
        tab.plant(browser.cookie ?? '')
        let wasThere = false
        return {
          actors: {
            change: () => browser.visit(isActing ? stop : actAs(customer)),
            logout: () =>
              tab.visit((request, reply) => {
                wasThere = request.user !== null
                return logOut(request, reply)
              }),
          },
          check: async (order) => {
            const { userId } = await browser.me()
            if (wasThere) t.equal(userId, null, order)
            for (const { id } of [staff, customer]) {
              await bench.app.sessions.revokeUser(id)
            }
            t.equal((await browser.me()).userId, null, `out of reach after ${order}`)
          },
        }
      })
    }
  })

  t.test('neither change makes a login recent or a session longer', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, customer } = await cast(bench, false)
    const before = await bench.record(handleOf(browser.cookie))
    for (let round = 0; round < 3; round += 1) {
      bench.clock.advance('9m')
      await browser.visit(actAs(customer))
      bench.clock.advance('1m')
      await browser.visit(stop)
    }
    const after = await bench.record(handleOf(browser.cookie))
    for (const field of ['authenticatedAt', 'absoluteDeadline', 'remember', 'createdAt', 'userId', 'data'] as const) {
      t.equal(after?.[field], before?.[field], field)
    }
    t.equal(after?.isForked, true, 'no earlier login counts as recent')
    for (let round = 0; round < 40; round += 1) {
      bench.clock.advance('20m')
      await browser.visit(actAs(customer))
      await browser.visit(stop)
    }
    t.equal((await browser.me()).userId, null)
  })

  t.test('a clock that is set back gives nobody more time to act', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, customer, staff } = await cast(bench, true)
    bench.clock.advance(-2 * 3_600_000)
    t.equal((await browser.me()).userId, customer.id)
    bench.clock.advance('29m')
    t.equal((await browser.me()).userId, customer.id)
    await browser.visit(stop)
    t.equal((await browser.me()).userId, staff.id)
    await browser.visit(actAs(customer))
    bench.clock.advance('15m')
    t.equal((await browser.me()).userId, customer.id)
    bench.clock.advance('15m')
    t.equal((await browser.me()).userId, null)
  })

  t.test('a clock that was set back after the login leaves the end of the actor’s session where it was', async (t) => {
    const bench = await boot(t, makeStore)
    const { browser, customer } = await cast(bench, false)
    const before = await bench.record(handleOf(browser.cookie))
    bench.clock.advance('20m')
    await browser.visit(actAs(customer))
    bench.clock.advance(-600_000)
    await browser.visit(write({ a: 1 }))
    await browser.visit(stop)
    t.equal((await bench.record(handleOf(browser.cookie)))?.absoluteDeadline, before?.absoluteDeadline)
  })

  t.test('what somebody changes beside a change of roles that fails stays, for the user who is there', async (t) => {
    const bench = await boot(t, makeStore)
    for (const isActing of [false, true]) {
      const { browser, customer, staff } = await cast(bench, isActing)
      const { sessions } = bench.app
      const page = await browser.visit(isActing ? stop : actAs(customer), {
        onSend: async (_request, reply) => {
          // The hook also sees the reply that says that it failed.
          if (reply.statusCode === 500) return
          await sessions.updateUser(staff.id, { ...staff, name: 'new' } as SessionUser)
          await sessions.rename(handleOf(browser.cookie), 'Desk', { userId: staff.id })
          throw new Error('the hook failed')
        },
      })
      t.equal(page.status, 500)
      const { body } = await browser.visit((request) => ({ there: request.actor ?? request.user }))
      t.match(body, { there: { id: staff.id, name: 'new' } })
      t.match(await sessions.list(staff.id), [{ label: 'Desk' }])
      const other = await cast(bench, isActing)
      await other.browser.visit(isActing ? stop : actAs(customer), fail)
      t.equal((await other.browser.me()).userId, isActing ? other.customer.id : other.staff.id)
    }
  })

  t.test('a login of another user beside actAs takes the session over whole, in any order', async (t) => {
    const bench = await boot(t, makeStore)
    await everyOrder(
      bench.gate,
      async () => {
        const { browser, customer, staff } = await cast(bench, false)
        const carl = someone('carl')
        const tab = bench.browser()
        tab.plant(browser.cookie ?? '')
        return {
          actors: {
            act: () => browser.visit(actAs(customer)),
            login: () => tab.visit(loginAs(carl)),
          },
          check: async (order) => {
            t.equal((await tab.me()).userId, carl.id, order)
            for (const { id } of [staff, customer]) await bench.app.sessions.revokeUser(id)
            t.equal((await tab.me()).userId, carl.id, `not theirs after ${order}`)
            t.equal((await browser.me()).userId, null, `out of reach after ${order}`)
          },
        }
      },
      { most: 80 },
    )
  })
}
