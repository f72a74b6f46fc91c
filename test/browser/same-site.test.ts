import t from 'tap'
import type { Page } from 'playwright-core'
import { BankCustomer } from '../support/bank-customer.ts'
import { makeCertificate } from '../support/certificate.ts'
import { startProfile } from '../support/chromium.ts'
import type { BankSite, Exchange, Setting } from '../support/sites.ts'
import { COOKIE_NAMES, openBank, openPages, SETTINGS } from '../support/sites.ts'

const certificate = makeCertificate()
const device = await startProfile(t, certificate)
const ACCOUNT = 'Good to see you, Alice Albright'

/** Another site, and another origin of the same site. */
const OTHERS: Readonly<Record<Setting, { site: string; origin: string }>> = {
  production: { site: 'https://evil.test', origin: 'https://shop.bank.test' },
  development: { site: 'http://127.0.0.1', origin: 'http://localhost' },
}

/** The ways in which a page can make a browser send a request to another site. */
const WAYS = {
  link: { path: '/account', use: (page: Page) => page.getByRole('link').click() },
  form: { path: '/transfers', use: (page: Page) => page.getByRole('button').click() },
  fetch: { path: '/devices', use: (page: Page) => page.evaluate('send()') },
  iframe: { path: '/confirm', use: (page: Page) => page.evaluate('embed()') },
} as const

type Way = keyof typeof WAYS

function pageAgainst({ origin }: BankSite): string {
  return `
    <a href="${origin}${WAYS.link.path}">A kitten</a>
    <form method="post" action="${origin}${WAYS.form.path}">
      <input name="to" value="bob"><input name="amount" value="1"><button>Another kitten</button>
    </form>
    <script>
      function send() { return fetch('${origin}${WAYS.fetch.path}', { mode: 'no-cors', credentials: 'include' }).then(() => {}) }
      function embed() {
        const frame = document.createElement('iframe')
        frame.src = '${origin}${WAYS.iframe.path}'
        document.body.append(frame)
      }
    </script>`
}

for (const setting of SETTINGS) {
  for (const sameSite of setting === 'production'
    ? (['lax', 'strict', 'none'] as const)
    : (['lax', 'strict'] as const)) {
    t.test(
      `in ${setting}, a browser sends a ${sameSite} cookie only with the requests that ${sameSite} allows`,
      async (t) => {
        const bank = await openBank(t, setting, certificate, {
          cookie: { sameSite, ...(sameSite === 'none' && { secure: true }) },
        })
        const pages = new Map([['/', pageAgainst(bank)]])
        const [site, origin] = [
          await openPages(t, OTHERS[setting].site, pages, certificate),
          await openPages(t, OTHERS[setting].origin, pages, certificate),
        ]
        const alice = await BankCustomer.at(device, bank)
        await alice.logIn('alice')
        await bank.answered('/account')
        const [cookie] = await alice.cookies()
        t.equal(cookie?.sameSite.toLowerCase(), sameSite)

        const go = async (from: string, way: Way): Promise<Exchange> => {
          await alice.page.goto(from)
          const { path, use } = WAYS[way]
          const [exchange] = await Promise.all([bank.answered(path), use(alice.page)])
          return exchange
        }
        const all = [COOKIE_NAMES[setting]]
        const lax = sameSite === 'strict' ? [] : all
        const none = sameSite === 'none' ? all : []

        t.match(await go(site.origin, 'link'), { site: 'cross-site', cookies: lax })
        t.equal(await alice.heading(), sameSite === 'strict' ? 'Log in' : ACCOUNT)
        t.equal(await alice.follow('Quayside Bank'), ACCOUNT, 'from one page of the bank to the next, it goes along')
        await bank.answered('/account')
        t.match(await go(site.origin, 'form'), { site: 'cross-site', cookies: none, status: 403 })
        t.equal(await alice.heading(), 'Refused')
        t.match(await go(site.origin, 'fetch'), { site: 'cross-site', cookies: none })
        t.match(await go(site.origin, 'iframe'), { site: 'cross-site', cookies: none })

        t.match(await go(origin.origin, 'link'), { site: 'same-site', cookies: all })
        t.equal(await alice.heading(), ACCOUNT)
        // SameSite compares sites, not origins. Only the plugin's protection refuses this request.
        t.match(await go(origin.origin, 'form'), { site: 'same-site', cookies: all, status: 403 })
        t.equal(await alice.heading(), 'Refused')
        t.match(await go(origin.origin, 'fetch'), { site: 'same-site', cookies: all })
        t.match(await go(origin.origin, 'iframe'), { site: 'same-site', cookies: all })

        await alice.visit('/account')
        t.equal(await alice.heading(), ACCOUNT, 'nothing of this has logged her out')
        t.match(await alice.page.getByText('Balance').locator('..').textContent(), '2,450.00', 'nor cost her a cent')
      },
    )
  }
}
