import t from 'tap'
import { BankCustomer } from '../support/bank-customer.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import { openBank, SETTINGS } from '../support/sites.ts'

const certificate = makeCertificate()
const chromium = await Chromium.start(t, certificate)

for (const setting of SETTINGS) {
  t.test(`in ${setting}, a session ended on another device shows as ended on the next click`, async (t) => {
    const bank = await openBank(t, setting, certificate)
    const phone = await BankCustomer.at(await chromium.device(t), bank)
    const desk = await BankCustomer.at(await chromium.device(t), bank)
    await phone.logIn('alice')
    await desk.logIn('alice')

    t.equal(await desk.follow('Your devices'), 'Your devices')
    const others = desk.page.getByRole('listitem').filter({ hasNotText: 'This device' })
    await others.getByRole('button', { name: 'Log out' }).click()
    t.match(await desk.page.getByRole('status').textContent(), 'That device is logged out.')

    t.equal(await phone.follow('Your devices'), 'Log in')
    t.match(await phone.page.getByRole('status').textContent(), 'Your session has ended')
    t.equal(await desk.follow('Account'), 'Good to see you, Alice Albright')
  })
}

t.test('one click logs out all other devices', async (t) => {
  const bank = await openBank(t, 'production', certificate)
  const [desk, ...others] = [
    await BankCustomer.at(await chromium.device(t), bank),
    await BankCustomer.at(await chromium.device(t), bank),
    await BankCustomer.at(await chromium.device(t), bank),
  ] as const
  for (const customer of [desk, ...others]) await customer.logIn('alice')
  await desk.follow('Your devices')
  await desk.press('Log out all 2 others')
  for (const other of others) t.equal(await other.follow('Your devices'), 'Log in')
  t.equal(await desk.follow('Account'), 'Good to see you, Alice Albright')
})
