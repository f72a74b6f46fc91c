import type { DemoCustomer } from '../accounts.ts'
import { CUSTOMERS } from '../accounts.ts'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { notes, passwordField } from './fields.ts'
import type { View } from './layout.ts'
import { message, titleOf } from './layout.ts'

/** The values that the login form keeps from the last try. */
export interface LoginView {
  readonly name: string
  readonly remember: boolean
  readonly error?: string | undefined
  readonly notice?: string | undefined
  /** The page that follows the login: one of the names in `routes/login.ts`. */
  readonly next: string
}

export function loginPage(view: LoginView): View {
  const body = html`<h1>Log in</h1>
    ${message('good', view.notice)} ${message('bad', view.error)} ${loginForm(view)} ${demoCustomers()}`
  return { title: titleOf('Log in', view.error), body }
}

function loginForm({ name, remember, error, next }: LoginView): Html {
  return html`<form class="card" method="post" action="/login">
    <input type="hidden" name="next" value="${next}" />
    <div class="field">
      <label for="name">Name</label>
      <input
        id="name"
        name="name"
        value="${name}"
        autocomplete="username"
        autocapitalize="none"
        spellcheck="false"
        required
        maxlength="40"
        ${notes(error)}
      />
    </div>
    ${passwordField('Password', error)}
    <div class="check">
      <input id="remember" name="remember" type="checkbox" value="yes" ${remember && html`checked`} />
      <label for="remember">Stay logged in on this device</label>
    </div>
    <button type="submit">Log in</button>
  </form>`
}

function demoCustomers(): Html {
  return html`<section aria-labelledby="who">
    <h2 id="who">Who banks here</h2>
    <p>This is a demo, so the page prints the passwords.</p>
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Password</th>
        </tr>
      </thead>
      <tbody>
        ${CUSTOMERS.map(demoCustomer)}
      </tbody>
    </table>
  </section>`
}

function demoCustomer({ id, password }: DemoCustomer): Html {
  return html`<tr>
    <td><code>${id}</code></td>
    <td><code>${password}</code></td>
  </tr>`
}
