import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { RECENT_MINUTES } from '../ledger.ts'
import { instant } from '../time.ts'
import { IDLE_MINUTES, RENEWAL_MINUTES, STEP_MINUTES } from '../timeouts.ts'
import { laterButton } from './later-button.ts'
import type { View } from './layout.ts'

export interface WaitingView {
  /** The time of the bank, milliseconds since 1970. */
  readonly now: number
  /** The time that the visitor has waited on this page. */
  readonly minutes: number
}

interface Effect {
  readonly minutes: number
  readonly text: string
}

/** The effects of a pause on somebody who is logged in. */
const EFFECTS: readonly Effect[] = [
  { minutes: RECENT_MINUTES, text: 'A large transfer asks for your password again.' },
  { minutes: RENEWAL_MINUTES, text: 'Your next click brings a new secret. The handle stays.' },
  { minutes: IDLE_MINUTES, text: 'Your session is over, unless you chose to stay logged in.' },
]

/** The page on which time passes. It reads no session, because a click that used the session would end the pause. */
export function waitingPage({ now, minutes }: WaitingView): View {
  const body = html`<h1>${STEP_MINUTES === minutes ? 'Five' : minutes} minutes without a click</h1>
    <p>
      At the bank it is <time datetime="${new Date(now).toISOString()}">${instant(new Date(now))}</time>. The clock of
      your computer did not move.
    </p>
    <ol class="effects">
      ${EFFECTS.map((effect) => effectItem(effect, minutes))}
    </ol>
    <div class="actions">
      ${laterButton(minutes)}
      <a href="/account">Go on banking</a>
    </div>`
  return { title: `${minutes} minutes later`, body }
}

function effectItem({ minutes, text }: Effect, waited: number): Html {
  const isPassed = waited >= minutes
  return html`<li class="card ${isPassed && 'passed'}">
    <h2>After ${minutes} minutes ${isPassed && html`<span class="tag">now</span>`}</h2>
    <p>${text}</p>
  </li>`
}
