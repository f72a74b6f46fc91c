import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import type { SessionUser } from '../../types/index.ts'
import type { MakeStore } from '../support/app.ts'
import type { Handler } from '../support/browser.ts'
import { boot, handleOf, loginAs, someone, write } from '../support/app.ts'

export function fixation(t: Test, makeStore: MakeStore): void {
  t.test('an id chosen by the client is never adopted, not even one that is signed', async (t) => {
    const bench = await boot(t, makeStore)
    const handle = randomBytes(16).toString('base64url')
    const victim = bench.browser()
    victim.plant(bench.forged(handle))
    const page = await victim.visit(write({ cart: 1 }))
    t.equal(page.status, 200)
    t.not(handleOf(victim.cookie), handle, 'the record has a handle of its own')
    victim.plant(bench.forged(handle))
    await victim.visit(loginAs(someone('ann')))
    t.not(handleOf(victim.cookie), handle)
    t.equal(await bench.record(handle), undefined, 'nothing is stored under the planted handle')
  })

  t.test('a handle with a secret that was never handed out opens nothing', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = await bench.loggedIn(someone('ann'))
    const bob = await bench.loggedIn(someone('bob'))
    const thief = bench.browser()
    thief.plant(bench.forged(handleOf(ann.cookie)))
    t.equal((await thief.me()).userId, null)
    const [, secret] = (bob.cookie ?? '').split('.')
    thief.plant(`${handleOf(ann.cookie)}.${secret}.${(bob.cookie ?? '').split('.')[2]}`)
    t.equal((await thief.me()).userId, null)
    await thief.visit(write({ stolen: true }))
    t.not(handleOf(thief.cookie), handleOf(ann.cookie))
    t.strictSame((await ann.me()).data, {})
  })

  t.test('an id that was known before a login opens nothing after the login', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const attacker = await bench.withData({ planted: true })
    const victim = bench.browser()
    victim.plant(attacker.cookie ?? '')
    await victim.visit(loginAs(ann))
    t.equal((await victim.me()).userId, ann.id)
    t.not(victim.cookie, attacker.cookie)

    const known = attacker.cookie ?? ''
    for (const wait of ['0s', '29s', '1s', '5m'] as const) {
      bench.clock.advance(wait)
      attacker.plant(known)
      const { userId, data } = await attacker.me()
      t.equal(userId, null, `nobody, ${wait} later`)
      t.strictSame(data, {}, 'not even what the session held before is shown')
      await attacker.visit(write({ hijacked: true }))
    }
    t.strictSame((await victim.me()).data, { planted: true })
    t.equal((await victim.me()).userId, ann.id, 'the victim stays logged in')
  })

  const ROTATIONS: Record<string, (user: SessionUser) => Handler> = {
    'a login as the same user': (user) => loginAs(user),
    'a login as somebody else': () => loginAs(someone('bob')),
    'a confirmed login': () => (request) => request.confirmLogin(),
    regenerate: () => (request) => request.session.regenerate(),
  }
  for (const [way, rotate] of Object.entries(ROTATIONS)) {
    t.test(`${way} kills the id before it at once, without grace`, async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const browser = await bench.loggedIn(ann)
      const thief = bench.browser()
      thief.plant(browser.cookie ?? '')
      t.equal((await thief.me()).userId, ann.id, 'a copied cookie works until then')
      await browser.visit(rotate(ann))
      t.not(browser.cookie, thief.cookie)
      t.equal((await thief.me()).userId, null)
      t.not((await browser.me()).userId, null)
    })
  }

  t.test(
    "a victim who logs in over an attacker's own session takes nothing of it along, and leaves nothing in it",
    async (t) => {
      const bench = await boot(t, makeStore)
      const [mallory, ann] = [someone('mallory'), someone('ann')]
      const attacker = await bench.loggedIn(mallory)
      await attacker.visit(write({ address: 'where mallory lives' }))
      const victim = bench.browser()
      victim.plant(attacker.cookie ?? '')
      await victim.visit(loginAs(ann, { keep: true }))
      await victim.visit(write({ card: 'secret' }))
      t.strictSame((await victim.me()).data, { card: 'secret' })
      t.equal((await attacker.me()).userId, null)
      t.strictSame((await attacker.me()).data, {})
      t.equal(await bench.app.sessions.revoke(handleOf(victim.cookie), { userId: mallory.id }), false)
      t.strictSame(await bench.app.sessions.list(mallory.id), [])
      t.equal((await victim.me()).userId, ann.id)
    },
  )
}
