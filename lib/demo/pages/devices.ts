import type { SessionInfo } from '../../../types/index.ts'
import { deviceName } from '../device-name.ts'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { ago, instant } from '../time.ts'
import { BOUND_MINUTES } from '../timeouts.ts'
import type { View } from './layout.ts'
import { message } from './layout.ts'

export interface DevicesView {
  readonly sessions: readonly SessionInfo[]
  /** The handle of the session that asks. */
  readonly own: string
  readonly now: number
  /** Tells whether the bank binds sessions to devices. Default `false`. */
  readonly isBinding?: boolean
  readonly notice?: string | undefined
}

const BOUND = `Bound to its device. A copy of its cookies opens nothing after ${BOUND_MINUTES} minutes.`
const UNBOUND = 'Not bound to its device, because its browser offers no key.'

export function devicesPage(view: DevicesView): View {
  const others = view.sessions.length - 1
  const body = html`<h1>Your devices</h1>
    ${message('good', view.notice)}
    <p>
      These are the places where you are logged in. Is one not yours? Log it out: its next click leads to the login
      page.
    </p>
    <ul class="devices">
      ${ownFirst(view).map((session) => device(session, view))}
    </ul>
    ${others > 0 && logOutOthers(others)}`
  return { title: 'Your devices', body, place: 'devices' }
}

function ownFirst({ sessions, own }: DevicesView): readonly SessionInfo[] {
  return sessions.toSorted((a, b) => Number(b.handle === own) - Number(a.handle === own))
}

function device(
  { handle, device: facts, lastSeenAt, createdAt, remember, isDeviceBound }: SessionInfo,
  { own, now, isBinding = false }: DevicesView,
): Html {
  const name = deviceName(facts?.userAgent ?? '')
  const isThis = handle === own
  return html`<li class="card ${isThis && 'this'}">
    <div>
      <h2>${name} ${isThis && html`<span class="tag">This device</span>`}</h2>
      <p class="muted">
        ${facts?.ip} · seen ${ago(now - lastSeenAt.getTime())} · since
        <time datetime="${createdAt.toISOString()}">${instant(createdAt)}</time>${remember && ' · stays logged in'}
      </p>
      ${isBinding && html`<p class="muted">${isDeviceBound ? BOUND : UNBOUND}</p>`}
      <p class="muted">Handle <code>${handle}</code></p>
    </div>
    <form method="post" action="/devices/revoke">
      <input type="hidden" name="handle" value="${handle}" />
      <button class="quiet" type="submit">Log out <span class="away">${name}, handle ${handle}</span></button>
    </form>
  </li>`
}

function logOutOthers(count: number): Html {
  return html`<form method="post" action="/devices/revoke-others">
    <button class="danger" type="submit">Log out ${count === 1 ? 'the other device' : `all ${count} others`}</button>
  </form>`
}
