import type { Customer } from '../accounts.ts'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import type { PanelFacts } from './panel.ts'
import { panel } from './panel.ts'

/** What one route has to say; the frame around it is the same for all. */
export interface View {
  readonly title: string
  readonly body: Html
  /** Where in the navigation this page is. */
  readonly place?: 'account' | 'devices'
}

/** What the frame shows: who is logged in, and the panel, where the session could be read at all. */
export interface Frame {
  readonly customer: Customer | undefined
  readonly facts: PanelFacts | undefined
}

/** A whole document. */
export function layout({ title, body, place }: View, { customer, facts }: Frame): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Quayside Bank</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header>
          <div class="bar">
            <a class="brand" href="/">Quayside Bank</a>
            ${customer !== undefined && navigation(customer, place)}
          </div>
        </header>
        <div class="columns">
          <main id="main" tabindex="-1">${body}</main>
          ${facts !== undefined && panel(facts)}
        </div>
        <footer>
          <p>A demonstration of fastify-session-guard. No real money, and nothing leaves this computer.</p>
        </footer>
      </body>
    </html>`.toString()
}

function navigation(customer: Customer, place: View['place']): Html {
  return html`<nav aria-label="Your bank">
    ${link('/account', 'Account', place === 'account')} ${link('/devices', 'Your devices', place === 'devices')}
    <form method="post" action="/logout">
      <button class="quiet" type="submit">Log out <span class="away">${customer.name}</span></button>
    </form>
  </nav>`
}

function link(href: string, text: string, isHere: boolean): Html {
  return isHere ? html`<a href="${href}" aria-current="page">${text}</a>` : html`<a href="${href}">${text}</a>`
}

/** By this a field refers to what was wrong with it. */
export const ERROR_ID = 'error'

/** A title that says first of all when something went wrong: it is what a screen reader begins with. */
export function titleOf(name: string, error: string | undefined): string {
  return error === undefined ? name : `Error: ${name}`
}

/** A message about what just happened. Nothing without a text. */
export function message(kind: 'good' | 'bad', text: string | undefined): Html | undefined {
  if (text === undefined) return undefined
  return kind === 'bad'
    ? html`<p class="message bad" id="${ERROR_ID}" role="alert">${text}</p>`
    : html`<p class="message good" role="status">${text}</p>`
}
