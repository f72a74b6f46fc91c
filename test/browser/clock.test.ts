import t from 'tap'
import { BankCustomer } from '../support/bank-customer.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import { openBank, SETTINGS } from '../support/sites.ts'

const certificate = makeCertificate()
const chromium = await Chromium.start(t, certificate)
const ACCOUNT = 'Good to see you, Alice Albright'

for (const setting of SETTINGS) {
  t.test(`in ${setting}, the button shows sudo mode, then a renewal, then the end of an idle session`, async (t) => {
    const bank = await openBank(t, setting, certificate)
    const alice = await BankCustomer.at(await chromium.device(t), bank)
    const { page } = alice
    const wait = async (presses: number): Promise<string> => {
      let heading = ''
      for (let press = 0; press < presses; press += 1) heading = await alice.press('Five minutes later')
      return heading
    }
    await alice.logIn('alice')
    const [first] = await alice.cookies()

    t.equal(await wait(1), 'Five minutes without a click')
    t.equal(await alice.follow('Go on banking'), ACCOUNT)
    await page.getByLabel('Amount').fill('600')
    t.equal(await alice.press('Send money'), 'Please confirm it is you')
    await page.getByLabel('Password').fill('lantern-on-the-quay')
    t.equal(await alice.press('Confirm'), ACCOUNT)

    const [confirmed] = await alice.cookies()
    t.not(confirmed?.value, first?.value)
    t.equal(await wait(3), '15 minutes without a click')
    t.equal((await alice.cookies())[0]?.value, confirmed?.value, 'waiting is no click')
    t.equal(await alice.follow('Go on banking'), ACCOUNT)
    t.not((await alice.cookies())[0]?.value, confirmed?.value)
    t.ok(await page.getByText('renewal · now').isVisible())

    t.equal(await wait(6), '30 minutes without a click')
    t.equal(await alice.follow('Go on banking'), 'Log in')
    t.ok(await page.getByText('Ended: nobody used it for too long.').last().isVisible())
  })
}

t.test('after a logout the panel says what became of the session', async (t) => {
  const bank = await openBank(t, 'production', certificate)
  const alice = await BankCustomer.at(await chromium.device(t), bank)
  await alice.logIn('alice')
  const [cookie] = await alice.cookies()
  await alice.press('Log out')
  const panel = alice.page.getByRole('complementary')
  t.match(await panel.textContent(), cookie?.value.split('.')[0])
  t.match(await panel.textContent(), 'The store has no record with this handle any more')
  await panel.getByRole('link', { name: 'Try such a cookie' }).click()
  t.equal(await alice.heading(), 'Use the cookie after logout')
})
