import t from 'tap'
import { ATTACKS } from '../../lib/demo/attacks/all.ts'
import { BankCustomer } from '../support/bank-customer.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import { openBank, SETTINGS } from '../support/sites.ts'

const certificate = makeCertificate()
const chromium = await Chromium.start(t, certificate)

const SIZES = { production: { width: 1280, height: 900 }, development: { width: 390, height: 844 } }

for (const setting of SETTINGS) {
  const viewport = SIZES[setting]

  t.test(
    `in ${setting}, ${viewport.width} wide, each button makes its attack and shows how it was stopped`,
    async (t) => {
      const deviceBound = setting === 'production'
      const attacks = ATTACKS.filter(({ needsBinding = false }) => deviceBound || !needsBinding)
      const bank = await openBank(t, setting, certificate, { deviceBound })
      const alice = await BankCustomer.at(await chromium.device(t, { viewport }), bank)
      const { page } = alice
      await alice.logIn('alice')
      const before = await alice.cookies()
      for (const { title, defence } of attacks) {
        t.equal(await alice.follow('Attacks'), 'Attack this bank')
        t.equal(await alice.press(`Try it : ${title}`), title)
        t.match(await page.getByRole('status').textContent(), /^Stopped\./)
        const decisive = page.locator('.decisive').first()
        t.ok(await decisive.getByText(/^(GET|POST) .* HTTP\/1\.1/).isVisible(), 'the request is open')
        t.ok(await decisive.getByText(/^HTTP\/1\.1 \d{3} /).isVisible(), 'the answer is open')
        t.ok(await page.getByText(defence).isVisible())
        t.ok(await page.locator('.code mark').first().isVisible(), 'the decisive lines are marked')
        await page.locator('.steps summary').first().click()
        t.ok(await page.locator('.steps pre').first().isVisible(), 'every other exchange opens at a click')
      }
      t.equal(await alice.follow('Attacks'), 'Attack this bank')
      t.equal(await page.getByText(/^Stopped at/).count(), attacks.length)
      t.strictSame(await alice.cookies(), before, 'the own session is as it was')
      t.equal(await alice.follow('Account'), 'Good to see you, Alice Albright')
      t.match(await page.getByText('Balance').locator('..').textContent(), '2,450.00')
    },
  )
}

t.test('an attack can be made again, from its own page and without being logged in', async (t) => {
  const bank = await openBank(t, 'production', certificate)
  const visitor = await BankCustomer.at(await chromium.device(t), bank)
  await visitor.visit('/')
  await visitor.follow('Attacks')
  await visitor.follow('Plant an id')
  t.equal(await visitor.page.getByRole('status').count(), 0)
  await visitor.press('Try it')
  await visitor.press('Try it again')
  t.match(await visitor.page.getByRole('status').textContent(), /^Stopped\./)
  await visitor.page.reload()
  t.match(await visitor.page.getByRole('status').textContent(), /^Stopped\./, 'a reload makes no attack')
})
