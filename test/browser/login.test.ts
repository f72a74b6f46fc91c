import t from 'tap'
import { BankCustomer } from '../support/bank-customer.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import { COOKIE_NAMES, openBank, SETTINGS } from '../support/sites.ts'

const certificate = makeCertificate()
const chromium = await Chromium.start(t, certificate)

for (const setting of SETTINGS) {
  const name = COOKIE_NAMES[setting]

  t.test(
    `in ${setting}, a login by the form brings a cookie with all its attributes, and no script sees it`,
    async (t) => {
      const bank = await openBank(t, setting, certificate)
      const alice = await BankCustomer.at(await chromium.device(t), bank)
      await alice.logIn('alice')
      t.equal(await alice.heading(), 'Good to see you, Alice Albright')
      const cookies = await alice.cookies()
      t.strictSame(
        cookies.map(({ value: _value, ...attributes }) => attributes),
        [
          {
            name,
            domain: new URL(bank.origin).hostname,
            path: '/',
            expires: -1,
            httpOnly: true,
            secure: setting === 'production',
            sameSite: 'Lax',
          },
        ],
      )
      t.equal(await alice.page.evaluate('document.cookie'), '')
      t.strictSame(await alice.page.evaluate('cookieStore.getAll()'), [])
    },
  )

  t.test(`in ${setting}, a login changes the id, and the id from before the login opens nothing`, async (t) => {
    const bank = await openBank(t, setting, certificate)
    const alice = await BankCustomer.at(await chromium.device(t), bank)
    await alice.visit('/')
    const [before] = await alice.cookies()
    await alice.logIn('alice')
    const [after] = await alice.cookies()
    t.equal(before?.name, name)
    t.equal(after?.name, name)
    t.not(after?.value, before?.value)

    const thief = await BankCustomer.at(await chromium.device(t), bank)
    if (before !== undefined) await thief.device.addCookies([before])
    await thief.visit('/account')
    t.equal(await thief.heading(), 'Log in')
  })

  t.test(`in ${setting}, an id that an attacker planted opens nothing after the victim logs in`, async (t) => {
    const bank = await openBank(t, setting, certificate)
    const mallory = await BankCustomer.at(await chromium.device(t), bank)
    await mallory.visit('/')
    const [planted] = await mallory.cookies()
    if (planted === undefined) throw new Error('the bank gave no cookie')

    const alice = await BankCustomer.at(await chromium.device(t), bank)
    await alice.device.addCookies([planted])
    await alice.logIn('alice')
    const [own] = await alice.cookies()
    t.not(own?.value, planted.value)

    await mallory.visit('/account')
    t.equal(await mallory.heading(), 'Log in')
    await alice.visit('/account')
    t.equal(await alice.heading(), 'Good to see you, Alice Albright')
  })
}

t.test('a remembered login sets a cookie that lasts two weeks', async (t) => {
  const bank = await openBank(t, 'production', certificate)
  const alice = await BankCustomer.at(await chromium.device(t), bank)
  await alice.logIn('alice', { remember: true })
  const [cookie] = await alice.cookies()
  const days = ((cookie?.expires ?? 0) - Date.now() / 1000) / 86_400
  t.ok(days > 13.9 && days <= 14, `${days} days`)
})

t.test('an id that the bank did not issue is never adopted', async (t) => {
  const bank = await openBank(t, 'production', certificate)
  const alice = await BankCustomer.at(await chromium.device(t), bank)
  const value = `${'A'.repeat(22)}.${'B'.repeat(43)}.${'C'.repeat(43)}`
  const name = COOKIE_NAMES.production
  await alice.device.addCookies([{ name, value, url: bank.origin, secure: true, httpOnly: true, sameSite: 'Lax' }])
  await alice.visit('/account')
  t.equal(await alice.heading(), 'Log in')
  await alice.logIn('alice')
  const cookies = await alice.cookies()
  t.equal(cookies.length, 1)
  t.not(cookies[0]?.value, value)
})
