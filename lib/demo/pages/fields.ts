import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { ERROR_ID } from './layout.ts'

/** The field for a password, marked when the last password was wrong. */
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

/**
 * The attributes from which a screen reader learns what was wrong with a field, and the field's hint. `hint` is an id.
 */
export function notes(error: string | undefined, hint?: string): Html {
  const ids = [...(error === undefined ? [] : [ERROR_ID]), ...(hint === undefined ? [] : [hint])]
  return html`${error !== undefined && html`aria-invalid="true"`}
  ${ids.length > 0 && html`aria-describedby="${ids.join(' ')}"`}`
}

/** Puts the cursor into the field after a mistake. */
export function goOnHere(error: string | undefined): Html | undefined {
  return error === undefined ? undefined : html`autofocus`
}
