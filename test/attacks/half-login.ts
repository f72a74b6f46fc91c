import type { Test } from 'tap'
import type { SessionUser } from '../../types/index.ts'
import type { MakeStore } from '../support/app.ts'
import { boot, handleOf, someone } from '../support/app.ts'
import type { Handler } from '../support/browser.ts'
import { everyOrder } from '../support/every-order.ts'

const half =
  (user: SessionUser): Handler =>
  (request) =>
    request.login(user, { pending: true, methods: ['pwd'] })

const complete: Handler = async (request, reply) => {
  if (request.pendingUser === null) return reply.code(401).send({})
  await request.login(request.pendingUser, { methods: ['otp'] })
  return {}
}

/** Tests that a password without its second factor opens nothing, whoever else knows the session. */
export function halfLogin(t: Test, makeStore: MakeStore): void {
  t.test('whoever planted the session is not there when the second factor comes', async (t) => {
    const bench = await boot(t, makeStore)
    const attacker = await bench.withData({ planted: 1 })
    const victim = bench.browser()
    victim.plant(attacker.cookie ?? '')
    await victim.visit(half(someone('victim')))
    t.equal((await attacker.visit(complete)).status, 401)
    t.equal((await victim.visit(complete)).status, 200)
    t.equal((await attacker.me()).userId, null)
  })

  t.test('the id of the half login opens nothing after the second factor', async (t) => {
    const bench = await boot(t, makeStore)
    const user = someone('ann')
    const browser = bench.browser()
    await browser.visit(half(user))
    const thief = bench.browser()
    thief.plant(browser.cookie ?? '')
    await browser.visit(complete)
    t.equal((await browser.me()).userId, user.id)
    t.equal((await thief.me()).userId, null)
    t.equal((await thief.visit(complete)).status, 401)
  })

  t.test('a half login is no login: nobody, in no index, no way to confirm or to update', async (t) => {
    const bench = await boot(t, makeStore)
    const user = someone('ann')
    const browser = bench.browser()
    await browser.visit(half(user))
    t.equal((await browser.me()).userId, null)
    t.same(await bench.indexed(user), [])
    for (const act of [
      (request) => request.confirmLogin({ methods: ['otp'] }),
      (request) => request.updateUser(user),
      (request) => request.updateAuthHash('x'),
    ] satisfies Handler[]) {
      t.equal((await browser.visit(act)).status, 401)
    }
    t.equal(await bench.app.sessions.updateUser(user.id, user), 0)
  })

  t.test('revoking a user ends their half logins, and no other session without a user', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const [first, other, anonymous] = [bench.browser(), bench.browser(), await bench.withData({ a: 1 })]
    await first.visit(half(ann))
    await other.visit(half(bob))
    bench.takeEvents('rotate')
    t.equal(await bench.app.sessions.revokeUser(ann.id), 1)
    t.match(bench.takeEvents('revoke'), [{ handle: handleOf(first.cookie), userId: ann.id, reason: 'revoked' }])
    t.equal((await first.visit(complete)).status, 401)
    t.equal((await other.visit(complete)).status, 200)
    t.strictSame((await anonymous.me()).data, { a: 1 })
    t.equal(await bench.app.sessions.revokeUser(ann.id), 0)
  })

  t.test('revoking a user beside the first or the second step of a login leaves neither, in any order', async (t) => {
    const bench = await boot(t, makeStore)
    for (const step of ['first', 'second'] as const) {
      await everyOrder(bench.gate, async () => {
        const ann = someone('ann')
        const browser = await bench.withData({ cart: 1 })
        if (step === 'second') await browser.visit(half(ann))
        return {
          actors: {
            login: () => browser.visit(step === 'first' ? half(ann) : complete),
            revoke: () => bench.app.sessions.revokeUser(ann.id),
          },
          check: async (order) => {
            const beganBefore =
              step === 'second' || order.indexOf('login.addToIndex') < order.indexOf('revoke.listIndex')
            if (step === 'second') t.equal((await browser.me()).userId, null, order)
            await bench.app.sessions.revokeUser(ann.id)
            if (beganBefore) t.equal((await browser.visit(complete)).status, 401, order)
          },
        }
      })
    }
  })

  t.test('a revocation between the place in the index and the record leaves no half login', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = await bench.withData({ cart: 1 })
    const update = bench.gate.hold('update', { by: 'login' })
    const visit = bench.gate.as('login', () => browser.visit(half(ann)))
    await update.arrived
    await bench.app.sessions.revokeUser(ann.id)
    update.release()
    t.equal((await visit).status, 503)
    t.equal((await browser.visit(complete)).status, 401)
    t.strictSame((await browser.me()).data, { cart: 1 })
  })

  t.test('a second step that fails after its commit brings no revoked half login back', async (t) => {
    const bench = await boot(t, makeStore)
    for (const isSame of [true, false]) {
      await everyOrder(bench.gate, async () => {
        const ann = someone('ann')
        const browser = bench.browser()
        await browser.visit(half(ann))
        const login: Handler = isSame ? complete : (request) => request.login(someone('bob'))
        return {
          actors: {
            login: () =>
              browser.visit(login, {
                onSend: () => {
                  throw new Error('the hook failed')
                },
              }),
            revoke: () => bench.app.sessions.revokeUser(ann.id),
          },
          check: async (order) => {
            t.equal((await browser.me()).userId, null, order)
            t.equal((await browser.visit(complete)).status, 401, order)
          },
        }
      })
    }
  })

  t.test('a half login whose response fails is not there, and neither is one beside a logout', async (t) => {
    const bench = await boot(t, makeStore)
    const user = someone('ann')
    const browser = await bench.withData({ a: 1 })
    await browser.visit(half(user), {
      onSend: () => {
        throw new Error('the hook failed')
      },
    })
    t.equal((await browser.visit(complete)).status, 401)
    await browser.visit(half(user))
    const handle = handleOf(browser.cookie)
    await Promise.all([browser.visit((request) => request.session.destroy()), browser.visit(() => undefined)])
    t.equal(await bench.record(handle), undefined)
  })
}
