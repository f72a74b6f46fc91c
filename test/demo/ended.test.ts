import t from 'tap'
import { buildBank } from '../../lib/demo/app.ts'
import { fingerprintOf } from '../../lib/demo/fingerprint.ts'
import { memoryStore } from '../../lib/index.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import { testClock } from '../support/clock.ts'
import { betterSqlite } from '../support/sqlite.ts'
import { textOf, Visitor } from './visitor.ts'

const clock = testClock()
const store = memoryStore({ clock })
const bank = await buildBank({ clock, session: { store } })
t.teardown(() => bank.close())

/** Returns a customer who has seen the account. */
async function customer(id: string, app = bank): Promise<Visitor> {
  const visitor = new Visitor(app)
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

for (const [name, options] of [
  ['memory', () => ({ store: memoryStore({ clock }) })],
  // This store removes an expired record without an event.
  ['sqlite', () => ({ store: sqliteStore({ database: betterSqlite.open(':memory:'), clock }) })],
] as const) {
  t.test(`with the ${name} store the panel says whether a session ended by idling or by its age`, async (t) => {
    const app = await buildBank({ clock, session: { ...options(), absoluteTimeout: '2h' } })
    t.teardown(() => app.close())
    const idle = await customer('alice', app)
    clock.advance('31m')
    t.match(await turnedAway(idle), 'Ended: nobody used it for too long. The store has no record')

    const old = await customer('alice', app)
    for (let count = 0; count < 7; count += 1) {
      clock.advance('16m')
      await old.get('/account')
    }
    clock.advance('16m')
    t.match(await turnedAway(old), 'Ended: it reached its greatest age. The store has no record')
  })
}

t.test('the panel says when a session was ended from another device', async (t) => {
  const [laptop, phone] = [await customer('alice'), await customer('alice')]
  await laptop.post('/devices/revoke-others')
  t.match(await turnedAway(phone), 'Ended from the list of devices. The store has no record')
})

t.test('the holder of an old secret learns nothing about a session that lives on', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.get('/')
  const thief = new Visitor(bank)
  thief.cookies.set('session', visitor.cookies.get('session') ?? '')
  await visitor.logIn('bob')
  await visitor.get('/account')
  const { location = '' } = (await thief.get('/account')).headers
  t.notMatch(textOf(await thief.get(location)), 'Your session until now')
})

t.test('a handle without its secret is not enough to learn how a session ended', async (t) => {
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

t.test('when nothing says how a session ended, the panel says only that it ended', async (t) => {
  const visitor = await customer('bob')
  const [handle = ''] = (visitor.cookies.get('session') ?? '').split('.')
  await store.delete(handle)
  t.match(await turnedAway(visitor), 'Ended. The store has no record')
})
