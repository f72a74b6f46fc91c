import type { Test } from 'tap'
import type { SessionUser } from '../../types/index.ts'
import type { MakeStore } from '../support/app.ts'
import { boot, handleOf, someone } from '../support/app.ts'
import type { Handler } from '../support/browser.ts'

const half =
  (user: SessionUser): Handler =>
  (request) =>
    request.login(user, { pending: true, methods: ['pwd'] })

const complete: Handler = async (request, reply) => {
  if (request.pendingUser === null) return reply.code(401).send({})
  await request.login(request.pendingUser, { methods: ['otp'] })
  return {}
}

/** A password without its second factor opens nothing, whoever else knows the session. */
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
