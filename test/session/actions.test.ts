import t from 'tap'
import type { Test } from 'tap'
import { memoryStore } from '../../lib/index.ts'
import type { Bench } from '../support/app.ts'
import { boot, handleOf, someone } from '../support/app.ts'

function bench(t: Test): Promise<Bench> {
  return boot(t, (_t, clock) => memoryStore({ clock }))
}

t.test('a second login in one request gives back the place of the first one', async (t) => {
  const it = await bench(t)
  const [ann, bob] = [someone('ann'), someone('bob')]
  const browser = it.browser()
  await browser.visit(async (request) => {
    await request.login(ann)
    t.strictSame(await it.indexed(ann), [request.session.sessionId])
    await request.login(bob)
    t.strictSame(await it.indexed(ann), [])
    await request.login(bob)
    t.strictSame(await it.indexed(bob), [request.session.sessionId])
  })
  t.strictSame(await it.indexed(bob), [handleOf(browser.cookie)])
  t.equal((await browser.me()).userId, bob.id)
})

t.test('a second login rejects where the place of the first one cannot be given back', async (t) => {
  const it = await bench(t)
  const [ann, bob] = [someone('ann'), someone('bob')]
  const browser = it.browser()
  const page = await browser.visit(async (request) => {
    await request.login(ann)
    it.gate.hold('removeFromIndex').fail()
    await t.rejects(request.login(bob), { code: 'SESSION_STORE_UNAVAILABLE' })
    t.equal(request.user, null)
  })
  t.strictSame(page.sessionCookies, [])
  t.equal((await browser.me()).userId, null, 'neither login stands')
  t.strictSame(await it.indexed(bob), [])
})

t.test('a login with transport takes effect only by its name, and pending only by true', async (t) => {
  const it = await boot(t, (_t, clock) => memoryStore({ clock }), { session: { headerTransport: {} } })
  const ann = someone('ann')
  const browser = it.browser()
  await browser.visit(async (request) => {
    await request.login(ann, { pending: false })
    t.equal(request.user?.id, ann.id)
    t.equal(request.sessionToken, null, 'the cookie carries the id')
  })
  t.equal((await browser.me()).userId, ann.id)
  const half = it.browser()
  await half.visit(async (request) => {
    await request.login(ann, { pending: true })
    t.equal(request.user, null)
  })
  t.strictSame(await it.indexed(ann), [handleOf(browser.cookie)], 'half a login is none')
})
