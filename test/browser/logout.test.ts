import t from 'tap'
import { BankCustomer } from '../support/bank-customer.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import { openBank, SETTINGS } from '../support/sites.ts'

const certificate = makeCertificate()
const chromium = await Chromium.start(t, certificate)

for (const setting of SETTINGS) {
  t.test(
    `in ${setting}, a logout removes the cookie from the browser, and a replay of the cookie opens nothing`,
    async (t) => {
      const bank = await openBank(t, setting, certificate)
      const alice = await BankCustomer.at(await chromium.device(t), bank)
      await alice.logIn('alice')
      const copied = await alice.cookies()
      t.equal(await alice.press('Log out'), 'Log in')
      t.match(await alice.page.getByRole('status').textContent(), 'You are logged out.')
      t.strictSame(await alice.cookies(), [])

      for (const device of [alice.device, await chromium.device(t)]) {
        const thief = await BankCustomer.at(device, bank)
        await device.addCookies(copied)
        await thief.visit('/account')
        t.equal(await thief.heading(), 'Log in')
        const [held] = await thief.cookies()
        t.not(held?.value, copied[0]?.value, 'the dead id is not kept')
      }
    },
  )

  t.test(`in ${setting}, the Back button shows nothing of the account after a logout`, async (t) => {
    const bank = await openBank(t, setting, certificate)
    const alice = await BankCustomer.at(await chromium.device(t), bank)
    await alice.logIn('alice')
    t.match(await alice.page.content(), 'Balance')
    await alice.press('Log out')
    await alice.visit('/nowhere')
    await alice.page.evaluate('history.go(-2)')
    const shown = alice.page.getByRole('heading', { name: /^(Log in|Good to see you)/ })
    t.equal(await shown.textContent({ timeout: 20_000 }), 'Log in')
    t.notMatch(await alice.page.content(), 'Balance')
  })
}
