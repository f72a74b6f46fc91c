import type { Accounts } from './accounts.ts'
import type { CookieAttributes } from './cookie-facts.ts'
import type { Journal } from './journal.ts'
import type { Ledger } from './ledger.ts'

/** What all pages of the bank share. */
export interface Bank {
  readonly accounts: Accounts
  readonly ledger: Ledger
  readonly journal: Journal
  readonly cookie: CookieAttributes
  /** Milliseconds since 1970. */
  readonly clock: () => number
}
