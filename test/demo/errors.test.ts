import t from 'tap'
import { buildBank } from '../../lib/demo/app.ts'
import { memoryStore } from '../../lib/index.ts'
import type { SessionStore } from '../../types/index.ts'
import { setCookies, textOf, Visitor } from './visitor.ts'

/** The store methods that fail at this moment. */
const broken = new Set<string>()
const store: SessionStore = new Proxy(memoryStore(), {
  get(target, name) {
    if (broken.has(String(name))) return () => Promise.reject(new Error('connection lost to secret-host'))
    const value: unknown = Reflect.get(target, name)
    return typeof value === 'function' ? value.bind(target) : value
  },
})

const bank = await buildBank({ session: { store } })
bank.get('/broken', () => {
  throw new Error('an inner matter')
})
bank.get('/stranger', async (request) => {
  await request.login({ id: 'mallory' })
  return 'logged in'
})
t.teardown(() => bank.close())
t.afterEach(() => broken.clear())

t.test('an unknown address is answered with a page, for visitors and for customers', async (t) => {
  const visitor = new Visitor(bank)
  const page = await visitor.get('/no<b>where')
  t.equal(page.statusCode, 404)
  t.match(textOf(page), 'There is no such page')
  t.notMatch(page.body, 'where', 'the address is not repeated')
  await visitor.logIn('alice')
  t.match(textOf(await visitor.get('/nowhere')), 'Alice Albright')
})

t.test('an address that cannot be decoded is answered with a page', async (t) => {
  const page = await new Visitor(bank).get('/%zz')
  t.equal(page.statusCode, 400)
  t.match(textOf(page), 'That did not work')
  t.match(page.headers['content-security-policy'], "default-src 'none'")
})

t.test('a form that is too large or of an unknown type is answered with a page', async (t) => {
  const visitor = new Visitor(bank)
  const large = await visitor.post('/login', { name: 'x'.repeat(20_000) })
  t.equal(large.statusCode, 413)
  t.match(textOf(large), 'That was too much')
  const unknown = await visitor.send('POST', '/login', { payload: 'x', headers: { 'content-type': 'text/x-nothing' } })
  t.equal(unknown.statusCode, 415)
  t.match(unknown.headers['content-type'], 'text/html')
})

t.test('an error inside the bank is answered with a page that does not tell the cause', async (t) => {
  const page = await new Visitor(bank).get('/broken')
  t.equal(page.statusCode, 500)
  t.match(textOf(page), 'Something broke')
  t.notMatch(page.body, 'inner matter')
})

t.test('a session of a user who is not a customer opens no account', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.get('/stranger')
  t.equal((await visitor.get('/account')).statusCode, 500)
  t.notMatch(textOf(await visitor.get('/nowhere')), 'Log out')
})

t.test('while the store is down a customer gets a page that says so, and is not logged out', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.logIn('alice')
  broken.add('get')
  for (const url of ['/account', '/', '/nowhere']) {
    const page = await visitor.get(url)
    t.equal(page.statusCode, 503)
    t.match(page.headers['retry-after'], /^\d+$/)
    t.match(textOf(page), 'The place where sessions are kept does not answer.')
    t.notMatch(page.body, 'secret-host')
    t.strictSame(setCookies(page), [])
  }
  t.equal((await visitor.get('/style.css')).statusCode, 200)
  broken.clear()
  t.equal((await visitor.get('/account')).statusCode, 200)
})

t.test('a login that cannot be stored is not reported as a login', async (t) => {
  broken.add('create')
  const page = await new Visitor(bank).logIn('alice')
  t.equal(page.statusCode, 503)
  t.match(page.headers['content-type'], 'text/html')
  t.strictSame(setCookies(page), [])
})

t.test('when the page of an error cannot store its session, the visitor gets a page without a session', async (t) => {
  const now = Date.now()
  let time = now
  const late = await buildBank({ session: { store, clock: () => time } })
  t.teardown(() => late.close())
  const visitor = new Visitor(late)
  await visitor.logIn('alice')
  time = now + 360_000
  broken.add('update')
  const page = await visitor.post('/transfers', { to: 'bob', amount: '900' })
  t.equal(page.statusCode, 503)
  t.match(page.headers['content-type'], 'text/html')
  t.match(page.headers['retry-after'], /^\d+$/)
})
