import t from 'tap'
import { buildBank } from '../../lib/demo/app.ts'
import { testClock } from '../support/clock.ts'
import { setCookies, textOf, Visitor } from './visitor.ts'

const clock = testClock()
const bank = await buildBank({ session: { clock } })
t.teardown(() => bank.close())

t.test('the login page prints the customers and links to no page that needs a login', async (t) => {
  const page = await new Visitor(bank).get('/')
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-type'], 'text/html')
  t.match(textOf(page), /alice lantern-on-the-quay bob seven-grey-herons/)
  t.notMatch(page.body, 'Your devices')
})

t.test('the right password leads to the account, by a redirect', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.get('/')
  const answer = await visitor.logIn(' Alice ', { password: 'lantern-on-the-quay' })
  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, '/account')
  t.match(textOf(await visitor.get('/account')), 'Good to see you, Alice Albright')
  const front = await visitor.get('/')
  t.equal(front.headers.location, '/account', 'who is logged in has no use for the login page')
})

t.test('an id from before a login opens nothing after the login', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.get('/')
  const planted = visitor.cookies.get('session') ?? ''
  await visitor.logIn('alice')
  t.not(visitor.cookies.get('session'), planted)
  const thief = new Visitor(bank)
  thief.cookies.set('session', planted)
  t.equal((await thief.get('/account')).headers.location, '/?from=account')
})

t.test('a visitor who follows a link of another site gets no session that would replace an existing one', async (t) => {
  const visitor = new Visitor(bank)
  const headers = { 'sec-fetch-site': 'cross-site' }
  t.strictSame(setCookies(await visitor.send('GET', '/', { headers })), [])
  t.strictSame(setCookies(await visitor.send('GET', '/?from=account', { headers })), [])
  t.equal(setCookies(await visitor.get('/')).length, 1)
})

t.test('a wrong password and an unknown name get the same answer, and no session', async (t) => {
  const visitor = new Visitor(bank)
  const wrong = await visitor.post('/login', { name: 'alice', password: 'wrong', remember: 'yes' })
  const unknown = await visitor.post('/login', { name: 'alicf', password: 'wrong', remember: 'yes' })
  for (const answer of [wrong, unknown]) {
    t.equal(answer.statusCode, 401)
    t.match(textOf(answer), 'This name and password do not belong together.')
    t.match(answer.body, 'aria-invalid')
    t.match(answer.body, /type="checkbox" value="yes" checked/, 'what was ticked stays ticked')
    t.strictSame(setCookies(answer), [])
  }
  t.equal(wrong.body.replaceAll('alice"', 'alicf"'), unknown.body)
})

t.test('a typed name is shown again as text', async (t) => {
  const page = await new Visitor(bank).post('/login', { name: '"><script>', password: 'x' })
  t.notMatch(page.body, '<script>')
  t.match(page.body, 'value="&#34;&#62;&#60;script&#62;"')
})

t.test('a login body that is not a form counts as a wrong password and is no error', async (t) => {
  const visitor = new Visitor(bank)
  for (const payload of ['null', '[]', '"alice"', '{"name":["alice"],"password":{}}']) {
    const answer = await visitor.send('POST', '/login', { payload, headers: { 'content-type': 'application/json' } })
    t.equal(answer.statusCode, 401, payload)
  }
  t.equal((await visitor.send('POST', '/login')).statusCode, 401)
})

t.test('a customer who chooses to stay logged in gets a cookie that outlives the browser', async (t) => {
  const [short, long] = [new Visitor(bank), new Visitor(bank)]
  t.notMatch(setCookies(await short.logIn('alice'))[0], 'Max-Age')
  t.match(setCookies(await long.logIn('alice', { remember: 'yes' }))[0], 'Max-Age=1209600')
  t.match(textOf(await long.get('/account')), 'It outlives the browser, as you asked.')
})

t.test('a login leads to the page that the visitor asked for, and never outside the bank', async (t) => {
  const visitor = new Visitor(bank)
  const refused = await visitor.get('/devices')
  t.equal(refused.statusCode, 303)
  t.equal(refused.headers.location, '/?from=devices')
  const page = await visitor.get('/?from=devices')
  t.match(textOf(page), 'Please log in')
  t.match(page.body, 'name="next" value="devices"')
  t.equal((await visitor.logIn('alice', { next: 'devices' })).headers.location, '/devices')
  t.equal((await new Visitor(bank).logIn('alice', { next: 'https://evil.example' })).headers.location, '/account')
})

t.test('after a logout the old cookie opens nothing', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.logIn('bob')
  const kept = visitor.cookies.get('session') ?? ''
  const answer = await visitor.post('/logout')
  t.equal(answer.headers.location, '/?from=bye')
  t.match(setCookies(answer)[0], 'Expires=Thu, 01 Jan 1970')
  const page = await visitor.get('/?from=bye')
  t.match(textOf(page), 'You are logged out.')
  t.match(textOf(page), 'there is no record and no cookie')
  t.strictSame(setCookies(page), [], 'nobody is given a new session right away')
  const thief = new Visitor(bank)
  thief.cookies.set('session', kept)
  t.equal((await thief.get('/account')).statusCode, 303)
})

t.test('a logout without a session is no error', async (t) => {
  t.equal((await new Visitor(bank).post('/logout')).statusCode, 303)
})

t.test('a session that nobody uses for the idle timeout ends', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.logIn('bob')
  clock.advance('31m')
  t.equal((await visitor.get('/account')).headers.location, '/?from=account')
})
