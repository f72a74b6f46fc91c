import t from 'tap'
import type { Test } from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { DEVICES } from '../../lib/session/known-devices.ts'
import { besideOf } from '../../lib/session/places.ts'
import type { SessionEvent } from '../../types/index.ts'
import type { Bench, BenchOptions } from '../support/app.ts'
import { boot, handleOf, loginAs, someone } from '../support/app.ts'

function bench(t: Test, session: BenchOptions['session'] = {}): Promise<Bench> {
  return boot(t, (_t, clock) => memoryStore({ clock }), { session })
}

const TICKET = { reason: 'ticket 7' } as const

/** Returns the types of the events since the last call, with the reason of a change of id. */
function told(it: Bench): string[] {
  const nameOf = (event: SessionEvent): string => (event.type === 'rotate' ? `rotate ${event.reason}` : event.type)
  return it.events.splice(0).map(nameOf)
}

t.test('the name of a device stays with the same user, and goes with another one', async (t) => {
  const it = await bench(t)
  const [ann, bob] = [someone('ann'), someone('bob')]
  const browser = it.browser()
  const refused = await browser.visit((request) => request.login(ann, { label: '' }))
  t.match(refused.body, { code: 'SESSION_LABEL_INVALID' })
  const labels: [user: { id: string }, options: { label?: string }, label: string | null][] = [
    [ann, {}, null],
    [ann, { label: 'Desk' }, 'Desk'],
    [ann, {}, 'Desk'],
    [bob, {}, null],
    [bob, { label: 'Kitchen' }, 'Kitchen'],
  ]
  for (const [user, options, label] of labels) {
    await browser.visit((request) => request.login(user, options))
    const record = await it.record(handleOf(browser.cookie))
    t.match(record, { userId: user.id, label })
    t.notOk(Object.hasOwn(record ?? {}, 'methods'), 'no way to log in was named')
  }
})

t.test('a login whose session ends beside it keeps the name of the device in a new one', async (t) => {
  const it = await bench(t)
  const ann = someone('ann')
  const browser = it.browser()
  await browser.visit((request) => request.login(ann, { label: 'Desk' }))
  const ended = handleOf(browser.cookie)
  await browser.visit(async (request) => {
    await request.login(ann)
    await it.gate.store.delete(ended)
  })
  t.not(handleOf(browser.cookie), ended)
  t.match(await it.record(handleOf(browser.cookie)), { userId: 'ann', label: 'Desk' })
})

t.test(
  'tokens against forgery that an anonymous session had are gone in the request of the login already',
  async (t) => {
    const it = await bench(t)
    const ann = someone('ann')
    const browser = await it.withData({ _csrf: 'planted', cart: 1 })
    const page = await browser.visit(async (request) => {
      await request.login(ann)
      return request.session.data()
    })
    t.strictSame(page.body, { cart: 1 })
    t.strictSame((await browser.me()).data, { cart: 1 })
    await browser.visit((request) => void Object.assign(request.session, { _csrf: 'own' }))
    const again = await browser.visit(async (request) => {
      await request.login(ann)
      return request.session.data()
    })
    t.strictSame(again.body, { cart: 1, _csrf: 'own' }, 'the same user keeps their own tokens')
    t.strictSame((await browser.me()).data, { cart: 1, _csrf: 'own' })
  },
)

t.test('a half login waits for ten minutes, to the millisecond', async (t) => {
  const it = await bench(t)
  const browser = it.browser()
  await browser.visit((request) => request.login(someone('ann'), { pending: true }))
  t.strictSame(told(it), [])
  const pending = async (): Promise<unknown> =>
    (await browser.visit((request) => ({ isPending: request.pendingUser !== null }))).body
  it.clock.advance(599_999)
  t.strictSame(await pending(), { isPending: true })
  it.clock.advance(1)
  t.strictSame(await pending(), { isPending: false })
})

t.test('a half login takes a place beside the user, and gives back that of a half login before', async (t) => {
  const it = await bench(t)
  const [ann, bob] = [someone('ann'), someone('bob')]
  const beside = ({ id }: { id: string }): Promise<string[]> => it.indexed({ id: besideOf(id) })
  const browser = await it.withData({ cart: 1 })
  told(it)
  await browser.visit(async (request) => {
    await request.login(ann, { pending: true })
    t.strictSame(await beside(ann), [request.session.sessionId])
    await request.login(bob, { pending: true })
    t.strictSame(await beside(ann), [])
    it.gate.hold('removeFromIndex').fail()
    await t.rejects(request.login(ann, { pending: true }), { code: 'SESSION_STORE_UNAVAILABLE' })
    it.gate.hold('addToIndex').fail()
    await t.rejects(request.login(ann, { pending: true }), { code: 'SESSION_STORE_UNAVAILABLE' })
    t.equal(request.pendingUser, null)
    await request.login(ann, { pending: true })
  })
  t.strictSame(await beside(ann), [handleOf(browser.cookie)])
  t.strictSame(told(it), ['store-failure', 'store-failure', 'rotate pending'])
})

t.test('a login beyond the limit is not over before the session that goes is gone', async (t) => {
  const it = await bench(t, { maxSessions: { limit: 1, onLimit: 'evict' } })
  const ann = someone('ann')
  const first = await it.loggedIn(ann)
  it.clock.advance('1s')
  const second = it.browser()
  it.gate.hold('delete').fail()
  const page = await second.visit(loginAs(ann))
  t.match(page.body, { statusCode: 503, code: 'SESSION_STORE_UNAVAILABLE' })
  t.equal((await first.me()).userId, ann.id)
  t.equal((await second.visit(loginAs(ann))).status, 200)
  t.equal((await first.me()).userId, null)
})

t.test('a login whose user is revoked before the index confirms it is superseded', async (t) => {
  const it = await bench(t)
  const ann = someone('ann')
  const browser = it.browser()
  const confirmed = it.gate.hold('keepInIndex', { by: 'login' })
  const login = it.gate.as('login', () => browser.visit(loginAs(ann)))
  await confirmed.arrived
  t.equal(await it.app.sessions.revokeUser(ann.id), 1)
  confirmed.release()
  const page = await login
  t.match(page.body, { statusCode: 503, code: 'SESSION_SUPERSEDED' })
  t.strictSame(page.sessionCookies, [])
  t.strictSame(await it.living(), [])
})

t.test('each change of the id is told once, and as what it is', async (t) => {
  const it = await bench(t)
  const [ann, bob, carl] = [someone('ann'), someone('bob'), someone('carl')]
  const browser = await it.loggedIn(ann)
  t.strictSame(told(it), ['login'])
  await browser.visit((request) => request.actAs(bob, TICKET))
  t.strictSame(told(it), ['act', 'rotate act'])
  await browser.visit((request) => request.session.regenerate())
  t.strictSame(told(it), ['rotate regenerate'])
  await browser.visit((request) => request.stopActing())
  t.strictSame(told(it), ['stop-acting', 'rotate stop-acting'])
  await browser.visit((request) => request.session.regenerate())
  t.strictSame(told(it), ['rotate regenerate'])
  await browser.visit((request) => request.actAs(bob, TICKET))
  t.strictSame(told(it), ['act', 'rotate act'])
  await browser.visit(loginAs(carl))
  t.strictSame(told(it), ['login', 'rotate login'])
})

t.test('only a login remembers the kind of a client', async (t) => {
  const it = await bench(t)
  const ann = someone('ann')
  const browser = await it.loggedIn(ann)
  const kinds = `${DEVICES}${ann.id}`
  const remembered = async (): Promise<string[]> => it.indexed({ id: kinds })
  const [kind = ''] = await remembered()
  t.not(kind, '')
  await it.gate.store.removeFromIndex?.(kinds, kind)
  await browser.visit((request) => request.confirmLogin())
  t.strictSame(await remembered(), [])
  await browser.visit(loginAs(ann))
  t.strictSame(await remembered(), [kind])
})
