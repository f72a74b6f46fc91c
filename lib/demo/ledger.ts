import type { Cents } from './money.ts'
import { formatMoney } from './money.ts'

export interface Transfer {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly from: string
  readonly to: string
  readonly amount: Cents
  readonly reference: string
}

/** The greatest amount of one transfer. */
export const MAX_TRANSFER: Cents = 200_000

/** A transfer of this amount or more needs a recent login. */
export const LARGE_TRANSFER: Cents = 50_000

/** The greatest age of that login, and the same in minutes. */
export const RECENT = '5m'
export const RECENT_MINUTES = 5

/** The number of transfers that are kept. The demo keeps everything in memory. */
const MAX_KEPT = 1000

const DAY = 86_400_000

/** Keeps balances and transfers. No method waits for anything, so no two transfers can spend the same money. */
export class Ledger {
  readonly #balances = new Map<string, Cents>([
    ['alice', 245_000],
    ['bob', 118_050],
  ])
  #transfers: Transfer[]

  constructor(now: number) {
    this.#transfers = [
      { at: now - 2 * DAY, from: 'bob', to: 'alice', amount: 1840, reference: 'Pizza & a film' },
      { at: now - 5 * DAY, from: 'alice', to: 'bob', amount: 6250, reference: 'Half of the electricity' },
      { at: now - 12 * DAY, from: 'alice', to: 'bob', amount: 42_000, reference: 'Rent, last part' },
    ]
  }

  balanceOf(id: string): Cents {
    return this.#balances.get(id) ?? 0
  }

  /** Returns the transfers of a customer, the newest first. */
  recent(id: string, count: number): readonly Transfer[] {
    return this.#transfers.filter(({ from, to }) => from === id || to === id).slice(0, count)
  }

  /** Says why a transfer cannot be made, in words for the customer. `undefined` when it can. */
  refusal({ from, to, amount }: Transfer): string | undefined {
    if (!this.#balances.has(to) || to === from) return 'Choose who is to receive the money.'
    if (amount < 1) return 'Send at least one cent.'
    if (amount > MAX_TRANSFER) return `One transfer can move ${formatMoney(MAX_TRANSFER)} at most.`
    if (amount > this.balanceOf(from)) return `Your balance is ${formatMoney(this.balanceOf(from))}.`
    return undefined
  }

  /** Moves the money. Call `refusal` first, with no `await` between the two calls. */
  send(transfer: Transfer): void {
    const { from, to, amount } = transfer
    this.#balances.set(from, this.balanceOf(from) - amount)
    this.#balances.set(to, this.balanceOf(to) + amount)
    this.#transfers = [transfer, ...this.#transfers].slice(0, MAX_KEPT)
  }
}
