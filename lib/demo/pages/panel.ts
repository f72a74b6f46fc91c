import type { SessionInfo } from '../../../types/index.ts'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import type { JournalEntry } from '../journal.ts'
import { clockTime, instant, inWords } from '../time.ts'
import { MINUTE } from '../timeouts.ts'
import { laterButton } from './later-button.ts'

/** Everything that the panel shows. No id and no secret. */
export interface PanelFacts {
  readonly now: number
  /** The name of the record; `undefined` when the visitor has none. */
  readonly handle: string | undefined
  /** The secrets that the session had, the oldest first. */
  readonly secrets: readonly SecretFacts[]
  /** The session as the device list knows it; `undefined` while nobody is logged in. */
  readonly session: SessionInfo | undefined
  /** The session that the visitor had until now; `undefined` unless it just ended. */
  readonly ended: EndedFacts | undefined
  readonly cookie: CookieFacts
  readonly journal: readonly JournalEntry[]
}

/** One secret of a session, by its short name. */
export interface SecretFacts {
  readonly fingerprint: string
  /** The reason why the secret was issued. */
  readonly reason: string
  /** Tells whether the browser has this secret now. */
  readonly isCurrent: boolean
}

/** The end of a session, as the page shows it. */
export interface EndedFacts {
  readonly handle: string
  /** The reason of the end, in words. */
  readonly how: string
  /** The short name of its last secret. */
  readonly fingerprint: string | undefined
  /** The number of the same customer's sessions that are still open. */
  readonly others: number
}

/** The cookie's attributes as they are sent, in words. */
export interface CookieFacts {
  /** The attributes of the cookie as in `Set-Cookie`, without the value. */
  readonly line: string
  readonly isSecure: boolean
}

/** Shows what the session layer did. On a narrow screen the panel is one line until it is opened. */
export function panel(facts: PanelFacts): Html {
  return html`<aside class="panel" aria-labelledby="panel-title">
    <details>
      <summary>${summary(facts)}</summary>
      <div class="facts">
        <h2 id="panel-title">What the session layer did</h2>
        ${facts.ended !== undefined && endedSection(facts.ended)}
        ${facts.session === undefined ? anonymous(facts) : loggedIn(facts, facts.session)}
        ${facts.handle !== undefined && cookieSection(facts)} ${clockSection(facts)}
        ${facts.journal.length > 0 && journal(facts.journal)}
      </div>
    </details>
  </aside>`
}

/** Sums the panel up in one line of a phone. */
function summary({ now, session, ended, secrets }: PanelFacts): Html {
  const current = secrets.find(({ isCurrent }) => isCurrent)
  const secret = current === undefined ? 'no session' : html`secret ${print(current.fingerprint)}`
  if (session !== undefined) return html`Your ${secret} · ${rest(now, session.idleDeadline)} left`
  return ended === undefined ? html`Not logged in · ${secret}` : html`${ended.how}`
}

function anonymous({ handle, secrets, ended }: PanelFacts): Html | undefined {
  if (handle === undefined) {
    return ended === undefined
      ? html`<p>Nothing. You are not logged in, so there is no record and no cookie.</p>`
      : undefined
  }
  return html`<p>
      You are not logged in. This page left one note in a session, so you have an id already. Log in, and see what
      happens to the secret.
    </p>
    <dl>
      <dt>Handle</dt>
      <dd><code>${handle}</code></dd>
      ${secretList(secrets)}
    </dl>`
}

function endedSection({ handle, how, fingerprint, others }: EndedFacts): Html {
  return html`<dl>
    <dt>Your session until now</dt>
    <dd>
      <code>${handle}</code>
      <p>${how} The store has no record with this handle any more, and the cookie was removed from this browser.</p>
    </dd>
    ${
      fingerprint !== undefined &&
      html`<dt>Its last secret</dt>
        <dd>
          ${print(fingerprint)}
          <p>It opens nothing now. <a href="/attacks/cookie-after-logout">Try such a cookie</a></p>
        </dd>`
    }
    <dt>Your other sessions</dt>
    <dd>${others === 0 ? 'None is open.' : `${others} still open on other devices.`}</dd>
  </dl>`
}

function loggedIn({ now, handle, secrets }: PanelFacts, session: SessionInfo): Html {
  return html`<dl>
    <dt>Handle</dt>
    <dd>
      <code>${handle}</code>
      <p>It names the record and is no secret. A login does not change it, so nothing you had is lost.</p>
    </dd>
    ${secretList(secrets)} ${deadline('Ends when unused', now, session.idleDeadline)}
    ${deadline('Ends in any case', now, session.absoluteDeadline)}
    <dt>Password last given</dt>
    <dd>${time(session.authenticatedAt)}</dd>
    ${
      session.isDeviceBound &&
      html`<dt>Device</dt>
        <dd>
          Bound
          <p>Your browser holds a key for this session, and proves the key every few minutes.</p>
        </dd>`
    }
  </dl>`
}

function secretList(secrets: readonly SecretFacts[]): Html {
  return html`<dt>Secret</dt>
    <dd>
      <ol class="secrets">
        ${secrets.map(secretItem)}
      </ol>
      <p>
        A fingerprint: the first 32 bits of a SHA-256. The secret itself is in your cookie only; the server keeps a
        hash.
        ${
          secrets.length > 1 &&
          html`A secret from before a login opens nothing: <a href="/attacks/cookie-from-before-login">try one</a>.`
        }
      </p>
    </dd>`
}

function secretItem({ fingerprint, reason, isCurrent }: SecretFacts): Html {
  return html`<li class="${!isCurrent && 'old'}">
    ${print(fingerprint)} <span>${reason} · ${isCurrent ? 'now' : 'replaced'}</span>
  </li>`
}

function print(fingerprint: string): Html {
  return html`<code class="print">${fingerprint}</code>`
}

function deadline(name: string, now: number, at: Date): Html {
  return html`<dt>${name}</dt>
    <dd>
      in ${rest(now, at)}
      <p>${time(at)}</p>
    </dd>`
}

function rest(now: number, at: Date): string {
  return inWords(Math.round((at.getTime() - now) / MINUTE) * MINUTE)
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
      : 'Secure is missing because this is plain http in development. Production refuses to start like that.',
    session?.remember === true ? 'It outlives the browser, as you asked.' : 'The browser forgets it when it closes.',
  ].join(' ')
}

function clockSection({ now }: PanelFacts): Html {
  return html`<dl>
      <dt>The clock of the bank</dt>
      <dd>${time(new Date(now))}</dd>
    </dl>
    ${laterButton(0)}`
}

function journal(entries: readonly JournalEntry[]): Html {
  return html`<h3>Latest events</h3>
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
