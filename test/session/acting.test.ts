import t from 'tap'
import type { Test } from 'tap'
import { memoryStore } from '../../lib/index.ts'
import type { Bench } from '../support/app.ts'
import { boot, someone, write } from '../support/app.ts'
import type { Handler } from '../support/browser.ts'

const TICKET = { reason: 'ticket 7' } as const

function bench(t: Test): Promise<Bench> {
  return boot(t, (_t, clock) => memoryStore({ clock }))
}

t.test('a refusal of actAs or stopActing says what the call lacks', async (t) => {
  const it = await bench(t)
  const [ann, bob] = [someone('ann'), someone('bob')]
  const browser = await it.loggedIn(ann)
  const wrong: [code: string, message: RegExp, handler: Handler][] = [
    ['SESSION_OPTION_INVALID', /reason of actAs says why, in 1 to 200/, (request) => request.actAs(bob, {} as never)],
    ['SESSION_USER_INVALID', /another user than the one who calls/, (request) => request.actAs(ann, TICKET)],
    [
      'SESSION_OPTION_INVALID',
      /actAs needs a request without a login or another change of the id/,
      async (request) => {
        await request.session.regenerate()
        await request.actAs(bob, TICKET)
      },
    ],
    [
      'SESSION_OPTION_INVALID',
      /stopActing needs a request without another change of the id/,
      async (request) => {
        await request.actAs(bob, TICKET)
        await request.session.save()
        await request.session.regenerate()
        await request.stopActing()
      },
    ],
  ]
  for (const [code, message, handler] of wrong) {
    t.match((await browser.visit(handler)).body, { statusCode: 500, code, message })
    await browser.visit((request) => request.stopActing())
  }
  t.equal((await browser.me()).userId, ann.id)
})

t.test('stopActing where nobody acts changes nothing, and a login beside it stands', async (t) => {
  const it = await bench(t)
  const [ann, bob, carl] = [someone('ann'), someone('bob'), someone('carl')]
  const browser = await it.withData({ cart: 1 })
  const { cookie } = browser
  t.equal((await browser.visit((request) => request.stopActing())).status, 200)
  t.equal(browser.cookie, cookie)
  const logInAndStop =
    (user: { id: string }): Handler =>
    async (request) => {
      await request.login(user)
      await request.stopActing()
    }
  t.equal((await browser.visit(logInAndStop(ann))).status, 200)
  t.match(await browser.me(), { userId: ann.id, data: { cart: 1 } })
  await browser.visit((request) => request.actAs(bob, TICKET))
  await browser.visit(write({ theirs: 1 }))
  t.equal((await browser.visit(logInAndStop(carl))).status, 200, 'the login ended the acting already')
  t.strictSame(await browser.me(), { userId: carl.id, handle: (await browser.me()).handle, data: {} })
})

t.test('actAs rejects where the store keeps no place for it, and nobody acts', async (t) => {
  const it = await bench(t)
  const [ann, bob] = [someone('ann'), someone('bob')]
  const browser = await it.loggedIn(ann)
  it.gate.hold('addToIndex').fail()
  await browser.visit(async (request) => {
    await t.rejects(request.actAs(bob, TICKET), { code: 'SESSION_STORE_UNAVAILABLE' })
    t.equal(request.user?.id, ann.id)
  })
  t.strictSame(await browser.me(), { userId: ann.id, handle: (await browser.me()).handle, data: {} })
})
