import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { buildBank } from '../../lib/demo/app.ts'
import { testClock } from '../support/clock.ts'
import { textOf, Visitor } from './visitor.ts'

let bank: FastifyInstance
let alice: Visitor

t.beforeEach(async () => {
  bank = await buildBank({ session: { clock: testClock() } })
  alice = new Visitor(bank)
  await alice.logIn('alice')
})
t.afterEach(() => bank.close())

/** Presses the button so often, each time on the page that the last press led to. Returns the last page's text. */
async function wait(visitor: Visitor, presses: number): Promise<string> {
  let page = ''
  for (let waited = 0; waited < presses * 5; waited += 5) {
    const { statusCode, headers } = await visitor.post('/clock', { waited: String(waited) })
    t.equal(statusCode, 303)
    page = textOf(await visitor.get(headers.location ?? ''))
  }
  return page
}

t.test('every page with a panel has the button, and a press moves the clock by five minutes', async (t) => {
  for (const url of ['/account', '/devices', '/attacks']) t.match(textOf(await alice.get(url)), 'Five minutes later')
  t.match(textOf(await new Visitor(bank).get('/')), 'The clock of the bank 1 Jan, 00:00 UTC Five minutes later')
  const page = await wait(alice, 1)
  t.match(page, 'Five minutes without a click At the bank it is 1 Jan, 00:05 UTC')
  t.match(textOf(await alice.get('/account')), 'The clock of the bank 1 Jan, 00:05 UTC')
})

t.test('five minutes later a large transfer asks for the password', async (t) => {
  t.match(await wait(alice, 1), /After 5 minutes now A large transfer .* After 15 minutes Your next click/)
  t.match(textOf(await alice.post('/transfers', { to: 'bob', amount: '600' })), 'Please confirm it is you')
})

t.test('fifteen minutes later the next click brings a new secret', async (t) => {
  const before = alice.cookies.get('session')
  t.match(await wait(alice, 3), /15 minutes without a click .* After 15 minutes now Your next click/)
  t.equal(alice.cookies.get('session'), before, 'waiting is no click')
  t.match(textOf(await alice.get('/account')), 'renewal · now')
  t.not(alice.cookies.get('session'), before)
})

t.test('thirty minutes later the session is over, because waiting does not count as use', async (t) => {
  await alice.get('/account')
  t.match(await wait(alice, 6), /After 30 minutes now Your session is over/)
  const { location = '' } = (await alice.get('/account')).headers
  t.match(textOf(await alice.get(location)), 'Ended: nobody used it for too long.')
})

t.test('the waiting page takes no waiting time but a number of four digits at most', async (t) => {
  for (const typed of ['-5', '1e9', '99999', '<b>', 'NaN']) {
    t.match(textOf(await alice.get(`/clock?waited=${encodeURIComponent(typed)}`)), '0 minutes without a click', typed)
    t.equal((await alice.post('/clock', { waited: typed })).headers.location, '/clock?waited=5', typed)
  }
})

t.test('another site cannot move the clock of the bank', async (t) => {
  const answer = await alice.send('POST', '/clock', { headers: { 'sec-fetch-site': 'cross-site' } })
  t.equal(answer.statusCode, 403)
  t.match(textOf(await alice.get('/account')), 'The clock of the bank 1 Jan, 00:00 UTC')
})
