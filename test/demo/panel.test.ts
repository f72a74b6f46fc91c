import t from 'tap'
import { buildBank } from '../../lib/demo/app.ts'
import { fingerprintOf } from '../../lib/demo/fingerprint.ts'
import { memoryStore } from '../../lib/index.ts'
import { SECRET } from '../support/app.ts'
import { testClock } from '../support/clock.ts'
import { textOf, Visitor } from './visitor.ts'

const clock = testClock()
const bank = await buildBank({ clock })
t.teardown(() => bank.close())

/** Returns the handle and the fingerprint of the secret in a visitor's cookie. */
function idOf({ cookies }: Visitor): { handle: string; print: string } {
  const cookie = cookies.get('session') ?? ''
  return { handle: cookie.split('.')[0] ?? '', print: fingerprintOf(cookie) }
}

t.test(
  'the first page of a visitor shows the handle and the fingerprint of the secret that comes with it',
  async (t) => {
    const visitor = new Visitor(bank)
    const page = textOf(await visitor.get('/'))
    const { handle, print } = idOf(visitor)
    t.match(page, `Not logged in · secret ${print}`)
    t.match(page, `Handle ${handle} Secret ${print} first visit · now`)
    t.match(page, 'Cookie session=…; Path=/; HttpOnly; SameSite=Lax')
    t.match(page, 'Secure is missing because this is plain http in development')
  },
)

t.test('after a login the panel shows the same handle, and the secret before and after', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.get('/')
  const before = idOf(visitor)
  await visitor.logIn('alice')
  const after = idOf(visitor)
  t.equal(after.handle, before.handle)
  t.not(after.print, before.print)
  const page = textOf(await visitor.get('/account'))
  t.match(page, `Your secret ${after.print} · 30 minutes left`)
  t.match(page, `Handle ${after.handle} It names the record and is no secret.`)
  t.match(page, `Secret ${before.print} first visit · replaced ${after.print} login · now`)
  t.match(page, 'A secret from before a login opens nothing')
  t.match(page, /Ends when unused in 30 minutes /)
  t.match(page, /Ends in any case in 12 hours /)
  t.match(page, 'New secret at login. The secret from before the login opens nothing now.')
})

t.test('the page that renews the secret shows the new secret', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.logIn('alice')
  const before = idOf(visitor)
  clock.advance('15m')
  const page = textOf(await visitor.get('/account'))
  const after = idOf(visitor)
  t.equal(after.handle, before.handle)
  t.match(page, `Secret ${before.print} login · replaced ${after.print} renewal · now`)
  t.match(page, 'New secret, because the old one was 15 minutes old.')
  t.match(page, /Ends when unused in 30 minutes /, 'this page counts as use')
})

t.test('a confirmed password brings a new secret, which the panel shows', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.logIn('alice')
  await visitor.post('/confirm', { password: 'lantern-on-the-quay' })
  t.match(textOf(await visitor.get('/account')), `login · replaced ${idOf(visitor).print} password confirmed · now`)
})

t.test('a customer who came without a session sees one secret', async (t) => {
  const visitor = new Visitor(bank)
  await visitor.logIn('bob')
  const page = textOf(await visitor.get('/account'))
  t.match(page, `Secret ${idOf(visitor).print} login · now`)
  t.notMatch(page, 'replaced')
  t.notMatch(page, 'A secret from before a login')
  t.match(page, 'The browser forgets it when it closes.')
})

t.test('the panel marks events of other devices of the same customer', async (t) => {
  const [laptop, phone] = [new Visitor(bank), new Visitor(bank)]
  await laptop.logIn('bob')
  await phone.logIn('bob')
  t.match(textOf(await laptop.get('/account')), 'Another device: Logged in.')
})

t.test('no page contains the id of the session or its secret', async (t) => {
  const visitor = new Visitor(bank)
  const pages = [await visitor.get('/')]
  const ids = [visitor.cookies.get('session') ?? '']
  await visitor.logIn('alice')
  ids.push(visitor.cookies.get('session') ?? '')
  for (const url of ['/account', '/devices', '/confirm', '/attacks', '/nowhere']) pages.push(await visitor.get(url))
  const { location = '' } = (await visitor.post('/logout')).headers
  pages.push(await visitor.get(location))
  for (const [, secret = '', signature = ''] of ids.map((id) => id.split('.'))) {
    t.ok(secret.length > 20 && signature.length > 20)
    for (const { body } of pages) t.notOk(body.includes(secret) || body.includes(signature))
  }
})

t.test('a session that is older than the process is shown with the secret that the browser sent', async (t) => {
  const session = { store: memoryStore({ clock }), secret: SECRET }
  const [before, after] = [await buildBank({ clock, session }), await buildBank({ clock, session })]
  t.teardown(() => Promise.all([before.close(), after.close()]))
  const first = new Visitor(before)
  await first.logIn('alice')
  const second = new Visitor(after)
  second.cookies.set('session', first.cookies.get('session') ?? '')
  t.match(textOf(await second.get('/account')), `Secret ${idOf(first).print} from before the bank opened · now`)
})
