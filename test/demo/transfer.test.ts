import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { buildBank } from '../../lib/demo/app.ts'
import { testClock } from '../support/clock.ts'
import { textOf, Visitor } from './visitor.ts'

const clock = testClock()
let bank: FastifyInstance
let alice: Visitor

t.beforeEach(async () => {
  bank = await buildBank({ session: { clock } })
  alice = new Visitor(bank)
  await alice.logIn('alice')
})
t.afterEach(() => bank.close())

const balance = async (visitor: Visitor): Promise<string | undefined> =>
  /Balance (\S+)/.exec(textOf(await visitor.get('/account')))?.[1]

t.test('a transfer moves the money, the next page says so once, and a reload does not send it again', async (t) => {
  const answer = await alice.post('/transfers', { to: 'bob', amount: '12,50', reference: ' Coffee \n & cake ' })
  t.equal(answer.statusCode, 303)
  const first = textOf(await alice.get('/account'))
  t.match(first, '€12.50 sent to Bob Beaumont.')
  t.match(first, 'Balance €2,437.50')
  t.match(first, /To Bob Beaumont Coffee & cake −€12\.50/)
  t.notMatch(textOf(await alice.get('/account')), 'sent to')
  const bob = new Visitor(bank)
  await bob.logIn('bob')
  t.match(textOf(await bob.get('/account')), /From Alice Albright Coffee & cake \+€12\.50/)
})

t.test('markup in the reference of a transfer is shown as text', async (t) => {
  await alice.post('/transfers', { to: 'bob', amount: '1', reference: '<img src=x onerror=alert(1)>' })
  const bob = new Visitor(bank)
  await bob.logIn('bob')
  const page = await bob.get('/account')
  t.notMatch(page.body, '<img')
  t.match(textOf(page), '<img src=x onerror=alert(1)>')
})

t.test('a refused transfer says why, keeps the typed values, and moves no money', async (t) => {
  for (const [form, words] of [
    [{ to: 'bob', amount: 'lots' }, 'Write the amount like 12 or 12.50.'],
    [{ to: 'bob' }, 'Write the amount like 12 or 12.50.'],
    [{ to: 'bob', amount: '0' }, 'Send at least one cent.'],
    [{ to: 'bob', amount: '2000.01' }, 'One transfer can move €2,000.00 at most.'],
    [{ to: 'carol', amount: '1' }, 'Choose who is to receive the money.'],
    [{ amount: '1' }, 'Choose who is to receive the money.'],
  ] as const) {
    const page = await alice.post('/transfers', { reference: 'kept', ...form })
    t.equal(page.statusCode, 422)
    t.match(textOf(page), words)
    t.match(page.body, 'value="kept"')
  }
  t.equal(await balance(alice), '€2,450.00')
})

t.test('a form with two amounts is refused', async (t) => {
  const page = await alice.send('POST', '/transfers', {
    payload: 'to=bob&amount=1&amount=2',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  t.equal(page.statusCode, 422)
})

t.test('a large transfer within five minutes of the login needs no password', async (t) => {
  clock.advance('4m')
  t.equal((await alice.post('/transfers', { to: 'bob', amount: '500' })).statusCode, 303)
  t.equal(await balance(alice), '€1,950.00')
})

t.test('a large transfer five minutes after the login asks for the password, and stays filled in', async (t) => {
  clock.advance('5m')
  const asked = await alice.post('/transfers', { to: 'bob', amount: '500', reference: 'Rent' })
  t.equal(asked.statusCode, 403)
  t.match(textOf(asked), 'Please confirm it is you')
  t.equal(await balance(alice), '€2,450.00')

  const before = alice.cookies.get('session')
  const wrong = await alice.post('/confirm', { password: 'seven-grey-herons' })
  t.equal(wrong.statusCode, 403)
  t.match(textOf(wrong), 'This is not the password.')
  t.equal((await alice.post('/transfers', { to: 'bob', amount: '500' })).statusCode, 403, 'a wrong one opens nothing')

  const right = await alice.post('/confirm', { password: 'lantern-on-the-quay' })
  t.equal(right.headers.location, '/account')
  t.not(alice.cookies.get('session'), before, 'the id is a new one')
  const page = await alice.get('/account')
  t.match(textOf(page), 'Your transfer is filled in below')
  t.match(page.body, 'value="500"')
  t.equal((await alice.post('/transfers', { to: 'bob', amount: '500' })).statusCode, 303)
  const after = await alice.get('/account')
  t.match(textOf(after), 'Balance €1,950.00')
  t.notMatch(after.body, 'value="500"', 'the form is empty again')
})

t.test('a transfer below the limit needs no recent password', async (t) => {
  clock.advance('20m')
  t.equal((await alice.post('/transfers', { to: 'bob', amount: '499.99' })).statusCode, 303)
})

t.test('a customer can confirm the password without a waiting transfer', async (t) => {
  t.match(textOf(await alice.get('/confirm')), 'Password of Alice Albright')
  await alice.post('/confirm', { password: 'lantern-on-the-quay' })
  t.match(textOf(await alice.get('/account')), 'Thank you.')
})

t.test('nobody can send money, see an account or confirm a password without a login', async (t) => {
  const stranger = new Visitor(bank)
  t.equal((await stranger.post('/transfers', { to: 'bob', amount: '1' })).headers.location, '/?from=account')
  t.equal((await stranger.get('/account')).headers.location, '/?from=account')
  t.equal((await stranger.get('/confirm')).headers.location, '/?from=account')
  t.equal((await stranger.post('/confirm', { password: 'x' })).headers.location, '/?from=account')
  t.equal(await balance(alice), '€2,450.00')
})

t.test("a form on another website cannot send a customer's money", async (t) => {
  const form = {
    payload: 'to=bob&amount=1',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
  }
  const page = await alice.send('POST', '/transfers', form)
  t.equal(page.statusCode, 403)
  t.match(textOf(page), 'This request came from another website')
  t.equal(await balance(alice), '€2,450.00')
})

t.test('the account page shows the latest eight transfers', async (t) => {
  for (let count = 0; count < 9; count += 1) await alice.post('/transfers', { to: 'bob', amount: '1' })
  const page = await alice.get('/account')
  t.equal(page.body.match(/class="amount out"/g)?.length, 8)
})
