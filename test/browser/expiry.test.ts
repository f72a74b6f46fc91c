import t from 'tap'
import { BankCustomer } from '../support/bank-customer.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import { openBank, SETTINGS } from '../support/sites.ts'

const certificate = makeCertificate()
const chromium = await Chromium.start(t, certificate)
const ACCOUNT = 'Good to see you, Alice Albright'

for (const setting of SETTINGS) {
  t.test(`in ${setting}, a session ends when nobody used it for the idle timeout, and not before`, async (t) => {
    const bank = await openBank(t, setting, certificate)
    const alice = await BankCustomer.at(await chromium.device(t), bank)
    await alice.logIn('alice')
    for (const pause of ['29m', '29m'] as const) {
      bank.clock.advance(pause)
      t.equal(await alice.follow('Account'), ACCOUNT)
    }
    const [used] = await alice.cookies()
    bank.clock.advance('30m')
    t.equal(await alice.follow('Account'), 'Log in')
    t.match(await alice.page.getByRole('status').textContent(), 'Your session has ended')
    t.not((await alice.cookies())[0]?.value, used?.value, 'the dead id is not kept')
  })
}

t.test('a session in constant use ends at its absolute timeout', async (t) => {
  const bank = await openBank(t, 'production', certificate, { absoluteTimeout: '1h' })
  const alice = await BankCustomer.at(await chromium.device(t), bank)
  await alice.logIn('alice')
  for (const pause of ['25m', '25m'] as const) {
    bank.clock.advance(pause)
    t.equal(await alice.follow('Account'), ACCOUNT)
  }
  bank.clock.advance('10m')
  t.equal(await alice.follow('Account'), 'Log in')
})

t.test('a remembered session lasts two weeks without use, by the clock of the server', async (t) => {
  const bank = await openBank(t, 'production', certificate)
  const alice = await BankCustomer.at(await chromium.device(t), bank)
  await alice.logIn('alice', { remember: true })
  bank.clock.advance('13d')
  t.equal(await alice.follow('Account'), ACCOUNT)
  // The clock of the browser did not move, so the browser still sends the cookie. The server decides by its own clock.
  bank.clock.advance('1d')
  t.equal(await alice.follow('Account'), 'Log in')
})
