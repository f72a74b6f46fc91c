import type { Html } from '../html.ts'
import { html } from '../html.ts'

/** The button that moves the bank's clock. `waited` is how many minutes the visitor has waited already. */
export function laterButton(waited: number): Html {
  return html`<form method="post" action="/clock">
    <input type="hidden" name="waited" value="${waited}" />
    <button class="quiet" type="submit">Five minutes later</button>
  </form>`
}
