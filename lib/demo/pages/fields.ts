import type { Html } from '../html.ts'
import { html } from '../html.ts'

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
      ${invalid(error)}
    />
  </div>`
}

/** Says to assistive technology that what is in this field was refused. */
export function invalid(error: string | undefined): Html | undefined {
  return error === undefined ? undefined : html`aria-invalid="true"`
}
