import type { Customer } from '../accounts.ts'
import { Html, html } from '../html.ts'

/** The content of one page. The frame around it is the same for all. */
export interface View {
  readonly title: string
  readonly body: Html
  /** The entry of the navigation that leads to this page. */
  readonly place?: 'account' | 'devices' | 'attacks'
}

/** The contents of the frame around a page. */
export interface Frame {
  /** The customer who is logged in. */
  readonly customer: Customer | undefined
  /** Tells whether the page has a panel, which needs a session that can be read. */
  readonly hasPanel: boolean
}

/**
 * The place of the panel, which is filled in when the response is about to leave. No visitor's text can hold this mark.
 */
export const PANEL_MARK = '<!--panel-->'

/** Returns a whole document. */
export function layout({ title, body, place }: View, { customer, hasPanel }: Frame): string {
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
            ${hasPanel && navigation(customer, place)}
          </div>
        </header>
        <div class="columns">
          <main id="main" tabindex="-1">${body}</main>
          ${hasPanel && new Html(PANEL_MARK)}
        </div>
        <footer>
          <p>A demonstration of fastify-session-guard. No real money, and nothing leaves this computer.</p>
        </footer>
      </body>
    </html>`.toString()
}

function navigation(customer: Customer | undefined, place: View['place']): Html {
  return html`<nav aria-label="Your bank">
    ${customer !== undefined && link('/account', 'Account', place === 'account')}
    ${customer !== undefined && link('/devices', 'Your devices', place === 'devices')}
    ${link('/attacks', 'Attacks', place === 'attacks')} ${customer !== undefined && logOutButton(customer)}
  </nav>`
}

function logOutButton({ name }: Customer): Html {
  return html`<form method="post" action="/logout">
    <button class="quiet" type="submit">Log out <span class="away">${name}</span></button>
  </form>`
}

function link(href: string, text: string, isHere: boolean): Html {
  return isHere ? html`<a href="${href}" aria-current="page">${text}</a>` : html`<a href="${href}">${text}</a>`
}

/** The id of the message that says what was wrong with a field. */
export const ERROR_ID = 'error'

/** Returns a title that begins with a mistake, because a screen reader begins with the title. */
export function titleOf(name: string, error: string | undefined): string {
  return error === undefined ? name : `Error: ${name}`
}

/** Shows a message about what just happened. Nothing without a text. */
export function message(kind: 'good' | 'bad', text: string | undefined): Html | undefined {
  if (text === undefined) return undefined
  return kind === 'bad'
    ? html`<p class="message bad" id="${ERROR_ID}" role="alert">${text}</p>`
    : html`<p class="message good" role="status">${text}</p>`
}
