import type { BrowserContextOptions, Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'
import { BankCustomer } from '../support/bank-customer.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import { openBank } from '../support/sites.ts'

const certificate = makeCertificate()
const chromium = await Chromium.start(t, certificate)

const PHONES: Readonly<Record<string, BrowserContextOptions>> = {
  'a phone in light colours': { viewport: { width: 375, height: 667 }, colorScheme: 'light' },
  // WCAG 2.2, 1.4.10: text reflows down to this width.
  'the smallest phone in dark colours': { viewport: { width: 320, height: 568 }, colorScheme: 'dark' },
}

/** WCAG 2.2, 1.4.3. */
const CONTRAST = 4.5

/** Goes through all pages of the bank, mistakes included, and looks at each. */
async function walk(
  t: Test,
  options: BrowserContextOptions,
  look: (name: string, page: Page) => Promise<void>,
): Promise<void> {
  const bank = await openBank(t, 'production', certificate)
  const alice = await BankCustomer.at(await chromium.device(t, options), bank)
  const { page } = alice
  await alice.visit('/')
  await look('login', page)
  await page.getByLabel('Name').fill('alice')
  await page.getByLabel('Password').fill('wrong')
  await alice.press('Log in')
  await look('login, refused', page)
  await alice.logIn('alice')
  await look('account', page)
  await page.getByLabel('Amount').fill('much')
  await alice.press('Send money')
  await look('account, refused', page)
  await page.getByLabel('Amount').fill('12')
  await page.getByLabel('Reference').fill('for_the_longest_word_that_anybody_would_type_into_a_field'.repeat(2))
  await alice.press('Send money')
  await look('account, sent', page)
  bank.clock.advance('6m')
  await page.getByLabel('Amount').fill('600')
  await alice.press('Send money')
  await look('confirm', page)
  await page.getByLabel('Password').fill('wrong')
  await alice.press('Confirm')
  await look('confirm, refused', page)
  const other = await BankCustomer.at(await chromium.device(t, { userAgent: 'unheard-of/1.0'.repeat(20) }), bank)
  await other.logIn('alice', { remember: true })
  await alice.visit('/devices')
  await look('devices', page)
  await alice.visit('/nowhere')
  await look('no such page', page)
  await alice.visit('/%zz')
  await look('no address at all', page)
  await alice.visit('/account')
  await alice.press('Log out')
  await look('logged out', page)
}

const IS_WIDER = 'document.scrollingElement.scrollWidth > document.documentElement.clientWidth'

/** Buttons and fields too small for a thumb (WCAG 2.2, 2.5.5). Links in text need not be larger than it. */
const SMALL = `[...document.querySelectorAll('button, select, input, nav a, .brand')]
  .filter((one) => one.checkVisibility() && one.type !== 'checkbox' && one.type !== 'hidden' && !one.matches('.away'))
  .filter((one) => one.getBoundingClientRect().height < 44)
  .map((one) => one.outerHTML)`

/** Texts whose colour is too near to the ground behind it. All colours of the bank are opaque. */
const PALE = `(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number)
  const luminance = (colour) => channels(colour).slice(0, 3)
    .map((one) => one / 255)
    .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0)
  const groundOf = (element) => {
    const { backgroundColor } = getComputedStyle(element)
    return channels(backgroundColor)[3] === 0 ? groundOf(element.parentElement) : backgroundColor
  }
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b)
    return (light + 0.05) / (dark + 0.05)
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const pale = []
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode
    if (data.trim() === '' || !parentElement.checkVisibility()) continue
    const ratio = contrast(getComputedStyle(parentElement).color, groundOf(parentElement))
    if (ratio < ${CONTRAST}) pale.push(data.trim() + ' ' + ratio.toFixed(2))
  }
  return pale
})()`

for (const [phone, options] of Object.entries(PHONES)) {
  t.test(`on ${phone} no page scrolls sideways, all texts can be read, and a thumb hits everything`, async (t) => {
    await walk(t, { ...options, isMobile: true, hasTouch: true }, async (name, page) => {
      t.equal(await page.evaluate(IS_WIDER), false, name)
      t.strictSame(await page.evaluate(SMALL), [], name)
      t.strictSame(await page.evaluate(PALE), [], name)
    })
  })
}

const STRUCTURE = `({
  language: document.documentElement.lang,
  title: document.title,
  headings: document.querySelectorAll('h1').length,
  landmarks: ['header', 'main', 'footer'].filter((name) => document.querySelector('body ' + name) !== null),
  viewport: document.querySelector('meta[name=viewport]').content,
  nameless: [...document.querySelectorAll('input:not([type=hidden], [aria-hidden]), select')]
    .filter((one) => one.labels.length === 0).map((one) => one.outerHTML),
  mistakes: [...document.querySelectorAll('[aria-invalid]')]
    .map((one) => document.getElementById(one.getAttribute('aria-describedby').split(' ')[0]).textContent),
  focus: document.activeElement.id,
})`

/** What can be operated, in the order of the page. */
const CONTROLS = `(() => {
  window.controls = [...document.querySelectorAll('a[href], button, input:not([type=hidden], [tabindex="-1"]), select')]
  return controls.length
})()`

/** Where the focus is, and whether that can be seen. */
const FOCUS = `(() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
  const { top, bottom, height } = document.activeElement.getBoundingClientRect()
  return {
    place: controls.indexOf(document.activeElement),
    isMarked: outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2,
    isInView: height > 1 && top >= 0 && bottom <= innerHeight,
  }
})()`

async function checkStructure(t: Test, name: string, page: Page): Promise<void> {
  const isRefused = name.endsWith('refused')
  const alert = isRefused ? await page.getByRole('alert').textContent() : ''
  const found: { mistakes: string[]; focus: string } = await page.evaluate(STRUCTURE)
  t.match(
    found,
    {
      language: 'en',
      title: isRefused ? /^Error: .* · Quayside Bank$/ : /^(?!Error).+ · Quayside Bank$/,
      headings: 1,
      landmarks: ['header', 'main', 'footer'],
      viewport: /^width=device-width, initial-scale=1$/,
      nameless: [],
    },
    name,
  )
  t.strictSame([...new Set(found.mistakes)], isRefused ? [alert] : [], `${name}: why a field was refused`)
  const mendable = name.startsWith('account') ? 'amount' : 'password'
  t.equal(found.focus, isRefused ? mendable : '', `${name}: where the cursor is`)
}

async function checkTabKey(t: Test, name: string, page: Page): Promise<void> {
  // From the beginning of the page, wherever the focus was put.
  await page.evaluate('document.body.tabIndex = -1, document.body.focus()')
  const count: number = await page.evaluate(CONTROLS)
  t.ok(count > 1, name)
  for (let place = 0; place < count; place += 1) {
    await page.keyboard.press('Tab')
    t.strictSame(await page.evaluate(FOCUS), { place, isMarked: true, isInView: true }, `${name}: stop ${place + 1}`)
  }
}

t.test(
  'every page says what it is and what was wrong, and Tab reaches everything, in order and in sight',
  async (t) => {
    await walk(t, {}, async (name, page) => {
      await checkStructure(t, name, page)
      await checkTabKey(t, name, page)
    })
  },
)

t.test('a customer banks with a keyboard and nothing else', async (t) => {
  const bank = await openBank(t, 'production', certificate)
  const alice = await BankCustomer.at(await chromium.device(t), bank)
  const { page } = alice
  const { keyboard } = page
  const tabTo = async (name: string): Promise<void> => {
    const isThere = `(document.activeElement.id || document.activeElement.innerText).startsWith('${name}')`
    for (let stops = 0; !(await page.evaluate(isThere)); stops += 1) {
      if (stops > 20) throw new Error(`no way to ${name}`)
      await keyboard.press('Tab')
    }
  }
  const enter = async (): Promise<string> => {
    await Promise.all([page.waitForEvent('load'), keyboard.press('Enter')])
    return alice.heading()
  }

  await alice.visit('/')
  await keyboard.press('Tab')
  await keyboard.press('Enter')
  t.equal(
    await page.evaluate('document.activeElement.id'),
    'main',
    'the first stop skips what is the same on all pages',
  )
  await keyboard.press('Tab')
  await keyboard.type('alice')
  await keyboard.press('Tab')
  await keyboard.type('lantern-on-the-lake')
  t.equal(await enter(), 'Log in')
  await keyboard.type('lantern-on-the-quay')
  await tabTo('remember')
  await keyboard.press('Space')
  t.equal(await enter(), 'Good to see you, Alice Albright')
  t.ok(((await alice.cookies())[0]?.expires ?? 0) > 0, 'the box was ticked')

  await tabTo('amount')
  await keyboard.type('12.50')
  await enter()
  t.equal(await page.getByRole('status').textContent(), '€12.50 sent to Bob Beaumont.')
  await tabTo('Your devices')
  t.equal(await enter(), 'Your devices')
  await tabTo('Log out')
  t.equal(await enter(), 'Log in')
  t.strictSame(await alice.cookies(), [])
})
