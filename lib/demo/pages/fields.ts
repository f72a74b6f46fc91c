import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { ERROR_ID } from './layout.ts'

/** A password to type, marked when the one before was wrong. */
export function passwordField(label: string, error: string | undefined): Html {
  return html`<div class="field">
    <label for="password">${label}</label>
    <input
      id="password"
      name="password"
      type="password"
      autocomplete="current-password"
      required
      maxlength="128"
      ${notes(error)}
      ${goOnHere(error)}
    />
  </div>`
}

/** What assistive technology says of a field: what was wrong with it, and its hint, which has that id. */
export function notes(error: string | undefined, hint?: string): Html {
  const ids = [...(error === undefined ? [] : [ERROR_ID]), ...(hint === undefined ? [] : [hint])]
  return html`${error !== undefined && html`aria-invalid="true"`}
  ${ids.length > 0 && html`aria-describedby="${ids.join(' ')}"`}`
}

/** After a mistake, the cursor is where it can be mended. */
export function goOnHere(error: string | undefined): Html | undefined {
  return error === undefined ? undefined : html`autofocus`
}
