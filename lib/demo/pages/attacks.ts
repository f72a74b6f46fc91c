import type { Attack } from '../attacks/attack.ts'
import type { Run } from '../attacks/runner.ts'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { clockTime } from '../time.ts'
import type { View } from './layout.ts'

/** An attack and its latest run; `undefined` while nobody made this attack. */
export interface ListedAttack {
  readonly attack: Attack
  readonly run: Run | undefined
  /** Tells that this bank cannot show the attack. Default `false`. */
  readonly isMissing?: boolean
}

/** The address of an attack's own page. */
export function attackAddress({ name }: Attack): string {
  return `/attacks/${name}`
}

export function attacksPage(attacks: readonly ListedAttack[]): View {
  const body = html`<h1>Attack this bank</h1>
    <p>
      Each button makes a real attack over HTTP and shows every request, every answer, and the lines of code that
      stopped it.
    </p>
    <p class="muted">
      For each attack the bank opens a second bank on another port of this computer: the same code, with sessions and a
      clock of its own. Your own session is not touched.
    </p>
    <ol class="attacks">
      ${attacks.map(attackCard)}
    </ol>`
  return { title: 'Attack this bank', body, place: 'attacks' }
}

function attackCard(listed: ListedAttack): Html {
  const { attack, run } = listed
  return html`<li class="card">
    <h2><a href="${attackAddress(attack)}">${attack.title}</a> ${run && outcome(run)}</h2>
    <p>${attack.aim}</p>
    ${attackButton(listed)}
  </li>`
}

/** The button that makes the attack, or the reason why there is none. */
export function attackButton({ attack, run, isMissing = false }: ListedAttack): Html {
  if (isMissing) {
    return html`<p class="muted">
      This bank cannot show the attack. Browsers bind a session to a device only over https, and this bank binds none.
      Start the bank with <code>npm start -- --https</code>.
    </p>`
  }
  const text = run === undefined ? 'Try it' : 'Try it again'
  return html`<form method="post" action="${attackAddress(attack)}">
    <button type="submit">${text} <span class="away">: ${attack.title}</span></button>
  </form>`
}

function outcome({ at, verdict }: Run): Html {
  return html`<span class="tag ${verdict.isStopped ? 'good' : 'bad'}"
    >${verdict.isStopped ? 'Stopped' : 'Not stopped'} at ${clockTime(at)}</span
  >`
}
