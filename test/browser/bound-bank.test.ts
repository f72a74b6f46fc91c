import t from 'tap'
import { bothCookies } from '../../lib/demo/attacks/both-cookies.ts'
import { BankCustomer } from '../support/bank-customer.ts'
import { makeCertificate } from '../support/certificate.ts'
import { startBoundProfile } from '../support/chromium.ts'
import { openBank } from '../support/sites.ts'
import { temporaryFolder } from '../support/sqlite.ts'

const certificate = makeCertificate()

t.test('Chromium binds a login of the bank to its device, and a copy of both cookies is nobody', async (t) => {
  const bank = await openBank(t, 'production', certificate, { deviceBound: true })
  const device = await startBoundProfile(t, certificate, temporaryFolder(t))
  const alice = await BankCustomer.at(device, bank)
  const { page } = alice
  await alice.logIn('alice')
  t.match(await bank.answered('/.session/register'), { method: 'POST', status: 200, cookies: ['__Host-session'] })

  t.equal(await alice.follow('Your devices'), 'Your devices')
  t.ok(await page.getByText('Bound to its device.').isVisible(), 'the devices page says so')

  await alice.follow('Attacks')
  t.equal(await alice.press(`Try it : ${bothCookies.title}`), bothCookies.title)
  const told = await page.getByRole('status').textContent()
  t.match(told, 'Stopped. 10 minutes after it was made, the copy of both cookies is nobody.')
  t.equal(await page.locator('.decisive pre').filter({ hasText: '303 See Other' }).count(), 1, 'the copy has to log in')
  t.equal(await page.locator('.decisive pre').filter({ hasText: '403 Forbidden' }).count(), 1, 'and no key is accepted')
  t.ok(await page.locator('.code mark').first().isVisible(), 'the decisive lines are marked')

  // The browser of the customer is made to prove its key, as after the lifetime of the bound cookie.
  await alice.press('Five minutes later')
  t.equal((await bank.answered('/.session/refresh')).status, 200)
  const names = (await alice.cookies()).map(({ name }) => name).toSorted()
  t.strictSame(names, ['__Host-session', '__Host-session-bound'])
  await alice.follow('Go on banking')
  t.equal(await alice.heading(), 'Good to see you, Alice Albright', 'the owner is still in')

  // The same cookies in a program without the key.
  const cookie = (await alice.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
  const steal = () => bank.app.inject({ url: '/account', headers: { cookie } })
  t.equal((await steal()).statusCode, 200, 'a copy works while the bound cookie lives')
  bank.clock.advance('10m')
  const late = await steal()
  t.equal(late.statusCode, 303)
  t.match(late.headers.location, /^\/\?from=account/)
})
