import t from 'tap'
import { buildBank } from '../../lib/demo/app.ts'
import { testClock } from '../support/clock.ts'
import { textOf, Visitor } from './visitor.ts'

const clock = testClock()
const bank = await buildBank({ session: { clock } })
t.teardown(() => bank.close())

t.test('a visitor sees the handle of the session that the login page began', async (t) => {
  const visitor = new Visitor(bank)
  const page = textOf(await visitor.get('/'))
  const [handle = ''] = (visitor.cookies.get('session') ?? '').split('.')
  t.match(page, `Handle ${handle} Cookie session=…; Path=/; HttpOnly; SameSite=Lax`)
  t.match(page, 'Secure is missing because this is plain http in development')
})

t.test('a customer sees the handle before and after the login, and the deadlines', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.get('/')
  const [handle = ''] = (visitor.cookies.get('session') ?? '').split('.')
  await visitor.logIn('alice')
  const page = textOf(await visitor.get('/account'))
  t.match(page, `Handle before login ${handle} Handle now ${handle} The same record`)
  t.match(page, /Ends when unused in 30 minutes /)
  t.match(page, /Ends in any case in 12 hours /)
  t.match(page, 'New id at login: the one from before opens nothing any more.')
})

t.test('a customer who came without a session sees that too', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.logIn('bob')
  const page = textOf(await visitor.get('/account'))
  t.match(page, 'Handle before login none, you came without a session')
  t.match(page, 'It names the record and is no secret.')
  t.match(page, 'The browser forgets it when it closes.')
})

t.test('what happened to another device of the same customer is told as that', async (t) => {
  const [laptop, phone] = [new Visitor(bank), new Visitor(bank)]
  await laptop.logIn('bob')
  await phone.logIn('bob')
  t.match(textOf(await laptop.get('/account')), 'Another device: Logged in.')
})

t.test('no page holds the id of the session or its secret', async (t) => {
  const visitor = new Visitor(bank)
  const pages = [await visitor.get('/')]
  const ids = [visitor.cookies.get('session') ?? '']
  await visitor.logIn('alice')
  ids.push(visitor.cookies.get('session') ?? '')
  for (const url of ['/account', '/devices', '/confirm', '/nowhere']) pages.push(await visitor.get(url))
  for (const [, secret = '', signature = ''] of ids.map((id) => id.split('.'))) {
    t.equal(secret.length, 43)
    for (const { body } of pages) t.notOk(body.includes(secret) || body.includes(signature))
  }
})
