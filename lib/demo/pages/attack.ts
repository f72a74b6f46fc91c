import type { Attack } from '../attacks/attack.ts'
import type { Line, Passage } from '../attacks/passage.ts'
import type { Run } from '../attacks/runner.ts'
import type { Exchange, Note, Step } from '../attacks/step.ts'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { clockTime } from '../time.ts'
import type { ListedAttack } from './attacks.ts'
import { attackButton } from './attacks.ts'
import type { View } from './layout.ts'

export interface AttackView extends ListedAttack {
  readonly passages: readonly Passage[]
}

export function attackPage(view: AttackView): View {
  const { attack, run, passages } = view
  const body = html`<p class="back"><a href="/attacks">All attacks</a></p>
    <h1>${attack.title}</h1>
    <p>${attack.aim}</p>
    ${run !== undefined && verdict(run)} ${attackButton(view)} ${run !== undefined && result(attack, run, passages)}`
  return { title: attack.title, body, place: 'attacks' }
}

function verdict({ verdict: { isStopped, words } }: Run): Html {
  return isStopped
    ? html`<p class="message good" role="status"><strong>Stopped.</strong> ${words}</p>`
    : html`<p class="message bad" role="alert">
        <strong>Not stopped.</strong> This attack worked, and it should not. Please report it.
      </p>`
}

function result({ defence }: Attack, { at, steps, verdict: { decisive } }: Run, passages: readonly Passage[]): Html {
  return html`<section aria-labelledby="steps">
      <h2 id="steps">What happened</h2>
      <p class="muted">Made at ${clockTime(at)}. Ids are shortened, passwords left out.</p>
      <ol class="steps">
        ${steps.map((one) => step(one, decisive))}
      </ol>
    </section>
    <section aria-labelledby="defence">
      <h2 id="defence">What stopped it</h2>
      <p>${defence}</p>
      ${passages.map(code)}
    </section>`
}

function step(one: Step, decisive: readonly Exchange[]): Html {
  return one.kind === 'note' ? note(one) : exchange(one, decisive.includes(one))
}

function note({ words }: Note): Html {
  return html`<li class="note">${words}</li>`
}

function exchange(one: Exchange, isDecisive: boolean): Html {
  const { words, request, answer, heading, fingerprint } = one
  return html`<li class="${isDecisive && 'decisive'}">
    <details ${isDecisive && html`open`}>
      <summary>${words} <span class="tag">${outcome(one)}</span></summary>
      <h3>Request${fingerprint !== undefined && html` with secret <code class="print">${fingerprint}</code>`}</h3>
      <pre><code>${request}</code></pre>
      <h3>Answer</h3>
      <pre><code>${answer}</code></pre>
      ${heading !== undefined && html`<p class="muted">The page says “${heading}”.</p>`}
    </details>
  </li>`
}

/** The status, and where a redirect leads: `303 to /account`. */
function outcome({ status, location }: Exchange): string {
  return location === undefined ? String(status) : `${status} to ${location.split('?')[0]}`
}

function code({ file, lines }: Passage): Html {
  return html`<figure>
    <figcaption><code>${file}</code></figcaption>
    <ol class="code">
      ${lines.map(codeLine)}
    </ol>
  </figure>`
}

function codeLine({ number, text, isStop, isAfterGap }: Line): Html {
  const shown = isStop ? html`<mark>${text}</mark>` : text
  return html`<li value="${number}" class="${isAfterGap && 'gap'}"><code>${shown}</code></li>`
}
