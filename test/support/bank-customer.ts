import type { BrowserContext, Cookie, Page } from 'playwright-core'
import { CUSTOMERS } from '../../lib/demo/accounts.ts'
import type { Site } from './sites.ts'

/** A person at a device who uses the forms and links of the bank. */
export class BankCustomer {
  readonly device: BrowserContext
  readonly page: Page
  readonly #origin: string

  private constructor(device: BrowserContext, page: Page, origin: string) {
    this.device = device
    this.page = page
    this.#origin = origin
  }

  static async at(device: BrowserContext, { origin }: Pick<Site, 'origin'>): Promise<BankCustomer> {
    return new BankCustomer(device, await device.newPage(), origin)
  }

  async visit(path: string): Promise<void> {
    await this.page.goto(this.#origin + path)
  }

  /** Fills in the form of the login page and waits for the account. */
  async logIn(id: string, { remember = false } = {}): Promise<void> {
    const password = CUSTOMERS.find((customer) => customer.id === id)?.password ?? ''
    await this.visit('/')
    await this.page.getByLabel('Name').fill(id)
    await this.page.getByLabel('Password').fill(password)
    if (remember) await this.page.getByLabel('Stay logged in').check()
    await this.page.getByRole('button', { name: 'Log in' }).click()
    await this.page.waitForURL('**/account')
  }

  /** Clicks a link and returns the heading of the page that it leads to. */
  async follow(name: string): Promise<string> {
    await Promise.all([this.page.waitForEvent('load'), this.page.getByRole('link', { name, exact: true }).click()])
    return this.heading()
  }

  /** Presses a button and returns the heading of the page that it leads to. */
  async press(name: string): Promise<string> {
    await Promise.all([this.page.waitForEvent('load'), this.page.getByRole('button', { name }).click()])
    return this.heading()
  }

  /** Returns the main heading of the page. */
  async heading(): Promise<string> {
    return (await this.page.getByRole('heading', { level: 1 }).textContent()) ?? ''
  }

  /** Returns all cookies that the device would send to the bank. */
  cookies(): Promise<Cookie[]> {
    return this.device.cookies(this.#origin)
  }
}
