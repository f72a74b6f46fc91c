import type { Customer } from '../accounts.ts'
import { html } from '../html.ts'
import { passwordField } from './fields.ts'
import type { View } from './layout.ts'
import { message, titleOf } from './layout.ts'

export function confirmPage(customer: Customer, error?: string): View {
  const body = html`<h1>Please confirm it is you</h1>
    <p>A large transfer needs a password that you gave in the last five minutes. Somebody else could sit here now.</p>
    ${message('bad', error)}
    <form class="card" method="post" action="/confirm">
      <input
        class="away"
        name="username"
        value="${customer.id}"
        autocomplete="username"
        readonly
        tabindex="-1"
        aria-hidden="true"
      />
      ${passwordField(`Password of ${customer.name}`, error)}
      <div class="actions">
        <button type="submit">Confirm</button>
        <a href="/account">Back to the account</a>
      </div>
    </form>`
  return { title: titleOf('Confirm it is you', error), body }
}
