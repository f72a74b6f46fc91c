import { html } from '../html.ts'
import type { View } from './layout.ts'

interface Problem {
  readonly title: string
  readonly text: string
}

const PROBLEMS: Readonly<Record<number, Problem>> = {
  403: {
    title: 'Refused',
    text: 'This request came from another website, not from a page of this bank. Nothing was done.',
  },
  404: { title: 'There is no such page', text: 'The address may be mistyped, or the page has moved.' },
  429: {
    title: 'One attack at a time',
    text: 'Other attacks are still waiting for their turn. Try again in a moment.',
  },
  413: { title: 'That was too much', text: 'The form was larger than this bank accepts. Nothing was done.' },
  503: {
    title: 'We cannot look after you just now',
    text: 'The place where sessions are kept does not answer. You are not logged out, and nothing was done. Try again in a moment.',
  },
}

const CLIENT: Problem = { title: 'That did not work', text: 'The request could not be understood. Nothing was done.' }

const SERVER: Problem = {
  title: 'Something broke',
  text: 'The fault is ours, and the bank has logged it. Try again later.',
}

/** Explains a status to people. The cause is left out, because it belongs in the log. */
export function problemPage(status: number): View {
  const { title, text } = PROBLEMS[status] ?? (status < 500 ? CLIENT : SERVER)
  const body = html`<p class="status">${status}</p>
    <h1>${title}</h1>
    <p>${text}</p>
    <p><a href="/">Back to the bank</a></p>`
  return { title, body }
}
