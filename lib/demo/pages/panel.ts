import type { SessionInfo } from '../../../types/index.ts'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import type { JournalEntry } from '../journal.ts'
import { clockTime, instant, inWords } from '../time.ts'

const MINUTE = 60_000

/** What a page may know of its own session. No id and no secret. */
export interface PanelFacts {
  readonly now: number
  /** Names the record; `undefined` when the visitor has none. */
  readonly handle: string | undefined
  /** The handle at the moment of the login; `undefined` when there was none. */
  readonly handleBefore: string | undefined
  /** The session as the device list knows it; `undefined` while anonymous. */
  readonly session: SessionInfo | undefined
  readonly cookie: CookieFacts
  readonly journal: readonly JournalEntry[]
}

/** The cookie's attributes as they are sent, in words. */
export interface CookieFacts {
  /** As in `Set-Cookie`, with the value left out. */
  readonly line: string
  readonly isSecure: boolean
}

/** What the session layer did, for everyone to see. */
export function panel(facts: PanelFacts): Html {
  return html`<aside class="panel" aria-labelledby="panel-title">
    <h2 id="panel-title">What the session layer did</h2>
    ${facts.session === undefined ? anonymous(facts) : loggedIn(facts, facts.session)}
    ${facts.handle !== undefined && cookieSection(facts)} ${facts.journal.length > 0 && journal(facts.journal)}
  </aside>`
}

function anonymous({ handle }: PanelFacts): Html {
  if (handle === undefined) return html`<p>Nothing: you are not logged in, so there is no record and no cookie.</p>`
  return html`<p>
      You are not logged in. This page left one note in a session, so that you have an id already: watch what a login
      does to it.
    </p>
    <dl>
      <dt>Handle</dt>
      <dd><code>${handle}</code></dd>
    </dl>`
}

function loggedIn({ now, handle, handleBefore }: PanelFacts, session: SessionInfo): Html {
  return html`<dl>
    <dt>Handle before login</dt>
    <dd>${handleBefore === undefined ? 'none, you came without a session' : html`<code>${handleBefore}</code>`}</dd>
    <dt>Handle now</dt>
    <dd>
      <code>${handle}</code>
      <p>${handleWords(handle, handleBefore)}</p>
    </dd>
    ${deadline('Ends when unused', now, session.idleDeadline)}
    ${deadline('Ends in any case', now, session.absoluteDeadline)}
    <dt>Password last given</dt>
    <dd>${time(session.authenticatedAt)}</dd>
  </dl>`
}

function handleWords(handle: string | undefined, before: string | undefined): string {
  return handle === before
    ? 'The same record, so nothing you had was lost; but a new secret. An id known before the login opens nothing.'
    : 'It names the record and is no secret. The secret half of the id is in your cookie only; the server keeps its hash.'
}

function deadline(name: string, now: number, at: Date): Html {
  return html`<dt>${name}</dt>
    <dd>
      in ${inWords(Math.round((at.getTime() - now) / MINUTE) * MINUTE)}
      <p>${time(at)}</p>
    </dd>`
}

function time(at: Date): Html {
  return html`<time datetime="${at.toISOString()}">${instant(at)}</time>`
}

function cookieSection(facts: PanelFacts): Html {
  return html`<dl>
    <dt>Cookie</dt>
    <dd>
      <code>${facts.cookie.line}</code>
      <p>${cookieWords(facts)}</p>
    </dd>
  </dl>`
}

function cookieWords({ cookie, session }: PanelFacts): string {
  return [
    'No script can read it.',
    cookie.isSecure
      ? 'It travels over https only.'
      : 'Secure is missing because this is plain http in development; production refuses to start like that.',
    session?.remember === true ? 'It outlives the browser, as you asked.' : 'The browser forgets it when it closes.',
  ].join(' ')
}

function journal(entries: readonly JournalEntry[]): Html {
  return html`<h3>Lately</h3>
    <ol class="journal">
      ${entries.map(journalLine)}
    </ol>`
}

function journalLine({ at, text, isOther }: JournalEntry): Html {
  return html`<li>
    <time datetime="${at.toISOString()}">${clockTime(at)}</time>
    <span>${isOther && html`<b>Another device:</b>`} ${text}</span>
  </li>`
}
