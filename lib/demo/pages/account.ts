import type { Customer } from '../accounts.ts'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import type { Transfer } from '../ledger.ts'
import { LARGE_TRANSFER, MAX_TRANSFER } from '../ledger.ts'
import type { Cents } from '../money.ts'
import { formatMoney } from '../money.ts'
import { day } from '../time.ts'
import { goOnHere, notes } from './fields.ts'
import type { View } from './layout.ts'
import { message, titleOf } from './layout.ts'

/** A transfer as the customer typed it. */
export interface TransferForm {
  readonly to: string
  readonly amount: string
  readonly reference: string
}

export interface AccountView {
  readonly customer: Customer
  readonly balance: Cents
  readonly transfers: readonly Transfer[]
  readonly recipients: readonly Customer[]
  readonly form: TransferForm
  readonly notice?: string | undefined
  readonly error?: string | undefined
}

export function accountPage(view: AccountView): View {
  const body = html`<h1>Good to see you, ${view.customer.name}</h1>
    ${message('good', view.notice)}
    <p class="balance"><span>Balance</span> <strong>${formatMoney(view.balance)}</strong></p>
    ${transferForm(view)}
    <section aria-labelledby="recent">
      <h2 id="recent">Recent transfers</h2>
      ${transferList(view)}
    </section>`
  return { title: titleOf('Account', view.error), body, place: 'account' }
}

function transferForm({ recipients, form, error }: AccountView): Html {
  return html`<section aria-labelledby="send">
    <h2 id="send">Send money</h2>
    ${message('bad', error)}
    <form class="card" method="post" action="/transfers">
      <div class="row">
        <div class="field">
          <label for="to">To</label>
          <select id="to" name="to" required>
            ${recipients.map(({ id, name }) => html`<option value="${id}" ${form.to === id && html`selected`}>${name}</option>`)}
          </select>
        </div>
        <div class="field">
          <label for="amount">Amount in euros</label>
          <input
            id="amount"
            name="amount"
            value="${form.amount}"
            inputmode="decimal"
            autocomplete="off"
            required
            maxlength="12"
            placeholder="0.00"
            ${notes(error, 'limits')}
            ${goOnHere(error)}
          />
        </div>
      </div>
      <div class="field">
        <label for="reference">Reference <span class="muted">(optional)</span></label>
        <input id="reference" name="reference" value="${form.reference}" autocomplete="off" maxlength="80" />
      </div>
      <p id="limits" class="muted">
        Up to ${formatMoney(MAX_TRANSFER)}. For ${formatMoney(LARGE_TRANSFER)} or more, you must have given your
        password in the last five minutes.
      </p>
      <button type="submit">Send money</button>
    </form>
  </section>`
}

function transferList({ customer, transfers, recipients }: AccountView): Html {
  if (transfers.length === 0) return html`<p>None yet.</p>`
  const names = new Map(recipients.map(({ id, name }) => [id, name]))
  return html`<ul class="transfers">
    ${transfers.map((transfer) => transferItem(transfer, customer, names))}
  </ul>`
}

function transferItem(transfer: Transfer, customer: Customer, names: ReadonlyMap<string, string>): Html {
  const { at, from, to, amount, reference } = transfer
  const when = new Date(at)
  const isOut = from === customer.id
  const party = isOut ? `To ${names.get(to)}` : `From ${names.get(from)}`
  return html`<li>
    <time datetime="${when.toISOString()}">${day(when)}</time>
    <div class="what">
      <p>${party}</p>
      <p class="muted">${reference}</p>
    </div>
    <span class="amount ${isOut ? 'out' : 'in'}">${isOut ? '−' : '+'}${formatMoney(amount)}</span>
  </li>`
}
