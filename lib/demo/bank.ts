import type { Accounts } from './accounts.ts'
import type { BankClock } from './clock.ts'
import type { CookieAttributes } from './cookie-facts.ts'
import type { EndedSessions } from './ended-sessions.ts'
import type { IssuedIds } from './issued-ids.ts'
import type { Journal } from './journal.ts'
import type { Ledger } from './ledger.ts'

/** Everything that all pages of the bank share. */
export interface Bank {
  readonly accounts: Accounts
  readonly ledger: Ledger
  readonly journal: Journal
  readonly issued: IssuedIds
  readonly ended: EndedSessions
  readonly cookie: CookieAttributes
  /** Tells whether sessions are bound to the devices of their browsers, which needs https. */
  readonly isBinding: boolean
  readonly clock: BankClock
}
