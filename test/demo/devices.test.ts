import t from 'tap'
import { buildBank } from '../../lib/demo/app.ts'
import { testClock } from '../support/clock.ts'
import { textOf, Visitor } from './visitor.ts'

const IPHONE = { 'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1' }

const clock = testClock()
const bank = await buildBank({ session: { clock } })
t.teardown(() => bank.close())

/** Handles on the devices page, this device's own first. */
const handlesOn = (body: string): string[] =>
  Array.from(body.matchAll(/name="handle" value="([^"]*)"/g), ([, one]) => one ?? '')

t.test('the devices page lists the sessions of this customer alone, this device first', async (t) => {
  const [laptop, phone, bob] = [new Visitor(bank), new Visitor(bank, IPHONE), new Visitor(bank)]
  await laptop.logIn('alice')
  t.match(textOf(await laptop.get('/devices')), /Firefox on Linux This device 127\.0\.0\.1 · seen just now · since/)
  clock.advance('3m')
  await phone.logIn('alice', { remember: 'yes' })
  await bob.logIn('bob')
  const text = textOf(await laptop.get('/devices'))
  t.match(
    text,
    /Firefox on Linux This device 127\.0\.0\.1 · seen 3 minutes ago .*Safari on iOS 127\.0\.0\.1 · seen just now/,
  )
  t.match(text, 'stays logged in')
  t.match(text, 'Log out the other device')
  t.equal(handlesOn((await bob.get('/devices')).body).length, 1)
  t.notMatch(textOf(await bob.get('/devices')), 'Log out the other device')
  await laptop.post('/devices/revoke-others')
  await laptop.post('/logout')
})

t.test('a device that another device logged out is turned away at its next click', async (t) => {
  const [laptop, phone] = [new Visitor(bank), new Visitor(bank, IPHONE)]
  await laptop.logIn('alice')
  await phone.logIn('alice')
  const [, handle = ''] = handlesOn((await laptop.get('/devices')).body)
  const answer = await laptop.post('/devices/revoke', { handle })
  t.equal(answer.headers.location, '/devices')
  t.equal((await phone.get('/account')).headers.location, '/?from=account', 'the bank never showed it a page')
  t.match(textOf(await laptop.get('/devices')), 'That device is logged out.')
  await laptop.post('/devices/revoke', { handle })
  t.match(textOf(await laptop.get('/devices')), 'That device was logged out already.')
  await laptop.post('/logout')
})

t.test("nobody can log out another customer's device", async (t) => {
  const [alice, bob] = [new Visitor(bank), new Visitor(bank)]
  await alice.logIn('alice')
  await bob.logIn('bob')
  const [handle = ''] = handlesOn((await alice.get('/devices')).body)
  await bob.post('/devices/revoke', { handle })
  t.equal((await alice.get('/account')).statusCode, 200)
  for (const made of ['', 'x'.repeat(5000), '../../etc', '\0']) {
    t.equal((await bob.post('/devices/revoke', { handle: made })).statusCode, 303)
  }
  await alice.post('/logout')
})

t.test('a customer can log out this device from the list of devices', async (t) => {
  const laptop = new Visitor(bank)
  await laptop.logIn('alice')
  const [own = ''] = handlesOn((await laptop.get('/devices')).body)
  t.match((await laptop.post('/devices/revoke', { handle: own })).headers.location, /^\/\?from=bye&ended=[\w-]{22}$/)
  t.equal((await laptop.get('/account')).statusCode, 303)
})

t.test('one button logs out all other devices, and this device stays logged in', async (t) => {
  const visitors = [new Visitor(bank), new Visitor(bank), new Visitor(bank, IPHONE)] as const
  for (const visitor of visitors) await visitor.logIn('alice')
  const [own, ...others] = visitors
  t.match(textOf(await own.get('/devices')), 'Log out all 2 others')
  await own.post('/devices/revoke-others')
  t.match(textOf(await own.get('/devices')), 'All other devices are logged out.')
  for (const other of others) t.equal((await other.get('/account')).statusCode, 303)
})

t.test('markup in a User-Agent is shown as text', async (t) => {
  const visitor = new Visitor(bank, { 'user-agent': '<script>alert(1)</script>' })
  await visitor.logIn('bob')
  const page = await visitor.get('/devices')
  t.notMatch(page.body, '<script>')
  t.match(textOf(page), '<script>alert(1)</script> This device')
})
