import t from 'tap'
import { buildBank } from '../../lib/demo/app.ts'
import { fingerprintOf } from '../../lib/demo/fingerprint.ts'
import { memoryStore } from '../../lib/index.ts'
import { testClock } from '../support/clock.ts'
import { textOf, Visitor } from './visitor.ts'

const clock = testClock()
const bank = await buildBank({ clock, session: { store: memoryStore({ clock }), absoluteTimeout: '2h' } })
t.teardown(() => bank.close())

/** A customer who has seen the account. */
async function customer(id: string): Promise<Visitor> {
  const visitor = new Visitor(bank)
  await visitor.logIn(id)
  await visitor.get('/account')
  return visitor
}

/** Asks for the account and follows the redirect to the login page. */
async function turnedAway(visitor: Visitor): Promise<string> {
  const { location = '' } = (await visitor.get('/account')).headers
  t.match(location, /^\/\?from=account&ended=/)
  return textOf(await visitor.get(location))
}

t.test('after a logout the panel says what became of the session', async (t) => {
  const [laptop, phone] = [await customer('alice'), await customer('alice')]
  const cookie = laptop.cookies.get('session') ?? ''
  const { location = '' } = (await laptop.post('/logout')).headers
  const page = textOf(await laptop.get(location))
  t.match(page, 'Logged out. The record was deleted. What the session layer did')
  t.match(
    page,
    `Your session until now ${cookie.split('.')[0]} Logged out. The record was deleted. The store has no record`,
  )
  t.match(page, `Its last secret ${fingerprintOf(cookie)} It opens nothing now.`)
  t.match(page, 'Your other sessions 1 still open on other devices.')
  t.notOk(laptop.cookies.has('session'))
  const { location: last = '' } = (await phone.post('/logout')).headers
  t.match(textOf(await phone.get(last)), 'Your other sessions None is open.')
})

t.test('a session that ended by idling, by age, or from another device: the panel says how', async (t) => {
  const idle = await customer('alice')
  clock.advance('31m')
  t.match(await turnedAway(idle), 'Ended: nobody used it for too long. The store has no record')

  const old = await customer('alice')
  for (let count = 0; count < 7; count += 1) {
    clock.advance('16m')
    await old.get('/account')
  }
  clock.advance('16m')
  t.match(await turnedAway(old), 'Ended: it reached its greatest age. The store has no record')

  const [laptop, phone] = [await customer('alice'), await customer('alice')]
  await laptop.post('/devices/revoke-others')
  t.match(await turnedAway(phone), 'Ended from the list of devices. The store has no record')
})

t.test('an old secret of a session that lives on tells its holder nothing', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.get('/')
  const thief = new Visitor(bank)
  thief.cookies.set('session', visitor.cookies.get('session') ?? '')
  await visitor.logIn('bob')
  await visitor.get('/account')
  const { location = '' } = (await thief.get('/account')).headers
  t.notMatch(textOf(await thief.get(location)), 'Your session until now')
})

t.test('whoever knows a handle and not the whole id does not learn how the session ended', async (t) => {
  const visitor = await customer('bob')
  const [handle = '', secret = '', signature = ''] = (visitor.cookies.get('session') ?? '').split('.')
  await visitor.post('/logout')
  for (const forged of [handle, `${handle}.${signature}.${secret}`, '.']) {
    const thief = new Visitor(bank)
    thief.cookies.set('session', forged)
    t.equal((await thief.get('/account')).headers.location, '/?from=account')
  }
  for (const ticket of [handle, '__proto__', '']) {
    t.notMatch(textOf(await new Visitor(bank).get(`/?from=bye&ended=${ticket}`)), 'Your session until now')
  }
})
