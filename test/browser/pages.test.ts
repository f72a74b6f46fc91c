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
  'a phone in light colours': { viewport: { width: 390, height: 844 }, colorScheme: 'light' },
  // WCAG 2.2, 1.4.10: text reflows down to this width.
  'the smallest phone in dark colours': { viewport: { width: 320, height: 568 }, colorScheme: 'dark' },
}

/** WCAG 2.2, 1.4.3. */
const CONTRAST = 4.5

/** Visits all pages of the bank, mistakes included, and calls `look` on each. */
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
  await alice.visit('/attacks')
  await look('attacks', page)
  await alice.press('Post from another origin')
  await look('attack, made', page)
  await alice.visit('/nowhere')
  await look('no such page', page)
  await alice.visit('/%zz')
  await look('no address at all', page)
  await alice.visit('/account')
  await openPanel(page)
  await look('account, panel open', page)
  await alice.press('Five minutes later')
  await look('waiting', page)
  await alice.follow('Go on banking')
  await alice.press('Log out')
  await openPanel(page)
  await look('logged out', page)
}

/** Opens the panel where it is closed: on a narrow screen. */
async function openPanel(page: Page): Promise<void> {
  const summary = page.locator('.panel summary')
  if (await summary.isVisible()) await summary.click()
}

const IS_WIDER = 'document.scrollingElement.scrollWidth > document.documentElement.clientWidth'

/** Lists buttons and fields that are too small for a thumb (WCAG 2.2, 2.5.5). Links inside text may be smaller. */
const SMALL = `[...document.querySelectorAll('button, select, input, summary, nav a, .brand')]
  .filter((one) => one.checkVisibility() && one.type !== 'checkbox' && one.type !== 'hidden' && !one.matches('.away'))
  .filter((one) => one.getBoundingClientRect().height < 44)
  .map((one) => one.outerHTML)`

/** Lists texts with too little contrast to their background. All colours of the bank are opaque. */
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
  t.test(
    `on ${phone} no page scrolls sideways, all texts have enough contrast, and all controls are large enough`,
    async (t) => {
      await walk(t, { ...options, isMobile: true, hasTouch: true }, async (name, page) => {
        t.equal(await page.evaluate(IS_WIDER), false, name)
        t.strictSame(await page.evaluate(SMALL), [], name)
        t.strictSame(await page.evaluate(PALE), [], name)
      })
    },
  )
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

/** Everything that can be operated, in the order of the page. */
const CONTROLS = `(() => {
  window.controls = [...document.querySelectorAll(
    'a[href], button, summary, input:not([type=hidden], [tabindex="-1"]), select'
  )].filter((one) => one.checkVisibility())
  return controls.length
})()`

/** The place of the focus, and whether it can be seen. */
const FOCUS = `(() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
  const { top, bottom, height } = document.activeElement.getBoundingClientRect()
  return {
    place: controls.indexOf(document.activeElement),
    isMarked: outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2,
    isInView: height > 1 && top > -1 && bottom < innerHeight + 1,
  }
})()`

async function checkStructure(t: Test, name: string, page: Page): Promise<void> {
  const isRefused = name.endsWith('refused')
  const alert = isRefused ? await page.getByRole('alert').textContent() : ''
  const found: { nameless: string[]; mistakes: string[]; focus: string } = await page.evaluate(STRUCTURE)
  t.match(
    found,
    {
      language: 'en',
      title: isRefused ? /^Error: .* · Quayside Bank$/ : /^(?!Error).+ · Quayside Bank$/,
      headings: 1,
      landmarks: ['header', 'main', 'footer'],
      viewport: /^width=device-width, initial-scale=1$/,
    },
    name,
  )
  t.strictSame(found.nameless, [], `${name}: fields without a label`)
  t.strictSame([...new Set(found.mistakes)], isRefused ? [alert] : [], `${name}: why a field was refused`)
  const corrected = name.startsWith('account') ? 'amount' : 'password'
  t.equal(found.focus, isRefused ? corrected : '', `${name}: where the cursor is`)
}

async function checkTabKey(t: Test, name: string, page: Page): Promise<void> {
  // The focus begins at the top of the page, because some pages put it elsewhere.
  await page.evaluate('document.body.tabIndex = -1, document.body.focus()')
  const count: number = await page.evaluate(CONTROLS)
  t.ok(count > 1, name)
  for (let place = 0; place < count; place += 1) {
    await page.keyboard.press('Tab')
    t.strictSame(await page.evaluate(FOCUS), { place, isMarked: true, isInView: true }, `${name}: stop ${place + 1}`)
  }
}

t.test(
  'every page has a title, landmarks and labels, and Tab reaches every control in order and in view',
  async (t) => {
    await walk(t, {}, async (name, page) => {
      await checkStructure(t, name, page)
      await checkTabKey(t, name, page)
    })
  },
)

t.test('a customer can log in, send money and log out with the keyboard alone', async (t) => {
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

/** Script that counts the lines of text in the summary of the panel. */
const LINES = `(() => {
  const summary = document.querySelector('.panel summary')
  const { lineHeight, paddingTop, paddingBottom } = getComputedStyle(summary)
  const height = summary.getBoundingClientRect().height - parseFloat(paddingTop) - parseFloat(paddingBottom)
  return Math.round(height / parseFloat(lineHeight))
})()`

t.test('on a phone the panel is one line above the page, and opens at a touch', async (t) => {
  const bank = await openBank(t, 'production', certificate)
  const viewport = { width: 390, height: 844 }
  const alice = await BankCustomer.at(await chromium.device(t, { viewport, isMobile: true, hasTouch: true }), bank)
  const summary = alice.page.locator('.panel summary')
  const facts = alice.page.getByRole('heading', { name: 'What the session layer did' })
  const isAbove = async (): Promise<boolean> => {
    const [panel, page] = [
      await summary.boundingBox(),
      await alice.page.getByRole('heading', { level: 1 }).boundingBox(),
    ]
    return (panel?.y ?? Infinity) < (page?.y ?? 0)
  }
  await alice.visit('/')
  t.match(await summary.textContent(), /^Not logged in · secret/)
  t.equal(await alice.page.evaluate(LINES), 1)
  await alice.logIn('alice')
  t.match(await summary.textContent(), /^Your secret .* 30 minutes left$/)
  t.equal(await alice.page.evaluate(LINES), 1)
  t.ok(await isAbove())
  t.notOk(await facts.isVisible())
  await summary.tap()
  t.ok(await facts.isVisible())
})

t.test('on a wide screen the whole panel stands beside the page', async (t) => {
  const bank = await openBank(t, 'production', certificate)
  const viewport = { width: 1280, height: 900 }
  const alice = await BankCustomer.at(await chromium.device(t, { viewport }), bank)
  await alice.logIn('alice')
  t.ok(await alice.page.getByRole('heading', { name: 'What the session layer did' }).isVisible())
  t.notOk(await alice.page.locator('.panel summary').isVisible())
})
