import t from 'tap'
import { CUSTOMERS } from '../../lib/demo/accounts.ts'
import { buildBank } from '../../lib/demo/app.ts'
import { boundClient } from '../../lib/testing/index.ts'
import type { BoundClient } from '../../lib/testing/index.ts'
import { makeCertificate } from '../support/certificate.ts'
import { testClock } from '../support/clock.ts'
import { textOf } from './visitor.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
const clock = testClock()
const bank = await buildBank({
  https: makeCertificate(),
  session: { clock, cookie: { name: '__Host-session', secure: true }, deviceBound: true },
})
t.teardown(() => bank.close())

const browser = (): Promise<BoundClient> => boundClient(bank, { headers: { host: 'localhost' } })

function post(client: BoundClient, url: string, form: Record<string, string> = {}) {
  return client.inject({ method: 'POST', url, headers: FORM, payload: new URLSearchParams(form).toString() })
}

function logIn(client: BoundClient) {
  const [alice] = CUSTOMERS
  return post(client, '/login', { name: alice?.id ?? '', password: alice?.password ?? '' })
}

/** Presses the button that moves the clock of the bank by five minutes. */
async function wait(client: BoundClient, presses: number): Promise<void> {
  for (let count = 0; count < presses; count += 1) await post(client, '/clock')
}

t.test('the devices page says of each session whether it is bound to its device', async (t) => {
  const client = await browser()
  await logIn(client)
  t.ok(client.isBound)
  const [alice] = CUSTOMERS
  const payload = new URLSearchParams({ name: alice?.id ?? '', password: alice?.password ?? '' }).toString()
  await bank.inject({ method: 'POST', url: '/login', headers: FORM, payload })
  const text = textOf(await client.inject({ url: '/devices' }))
  t.match(text, /This device .* Bound to its device\. A copy of its cookies opens nothing after 10 minutes\./)
  t.match(text, 'Not bound to its device, because its browser offers no key.')
  t.match(text, 'Device Bound Your browser holds a key for this session')
  t.match(text, 'Bound to a key of the device.')
  await post(client, '/devices/revoke-others')
  await post(client, '/logout')
})

t.test('a bank that binds no session says nothing of devices that are bound', async (t) => {
  const plain = await buildBank()
  t.teardown(() => plain.close())
  const client = await boundClient(plain)
  await logIn(client)
  t.notMatch(textOf(await client.inject({ url: '/devices' })), /[Bb]ound/)
})

t.test('the button that moves the clock removes the bound cookie, so that the browser proves its key', async (t) => {
  const client = await browser()
  await logIn(client)
  await client.inject({ url: '/account' })
  await wait(client, 1)
  t.equal(client.cookies.get('__Host-session-bound'), undefined)
  const page = textOf(await client.inject({ url: '/account' }))
  t.match(page, 'Good to see you, Alice Albright')
  t.match(page, 'The browser proved its key. It has a new bound cookie.')
  await post(client, '/logout')
})

t.test('proofs of the key do not count as use: thirty minutes without a click end a bound session', async (t) => {
  const client = await browser()
  await logIn(client)
  await client.inject({ url: '/account' })
  await wait(client, 6)
  t.match((await client.inject({ url: '/account' })).headers.location, /^\/\?from=account/)
})

t.test('a browser without the proof gets a login form, and can log in', async (t) => {
  const client = await browser()
  await logIn(client)
  await client.inject({ url: '/account' })
  const [cookie = ''] = client.cookie.split('; ')
  t.match(cookie, '__Host-session=')
  const home = await bank.inject({ url: '/', headers: { cookie, host: 'localhost' } })
  t.match(textOf(home), 'This browser gave no proof of the key that your session is bound to.')
  t.equal(home.statusCode, 401)
  const [alice] = CUSTOMERS
  const payload = new URLSearchParams({ name: alice?.id ?? '', password: alice?.password ?? '' }).toString()
  const login = await bank.inject({ method: 'POST', url: '/login', headers: { ...FORM, cookie }, payload })
  t.equal(login.headers.location, '/account')
  clock.advance('1h')
})
