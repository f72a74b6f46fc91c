import type { OutsideStep, Request, Story } from '../story.ts'

/** A step that happens at the same time as another one. */
export type Meeting = Request | Exclude<OutsideStep, { readonly name: 'restart the process' }>

/** A story that ends with two steps at the same time. */
export interface Overlap extends Story {
  readonly both: readonly [Meeting, Meeting]
  /** Tells whether the two steps happen in two processes. */
  readonly isApart: boolean
  /** Draws the orders of the steps of the store. */
  readonly seed: number
}

/** Returns the calls of a step, by name. A call of the app itself is one too. */
export function callsOf(step: Meeting): readonly string[] {
  if (step.name !== 'request') return [step.name]
  return step.calls.map((call) => (call.name === 'log out' ? `${call.name} ${call.where}` : call.name))
}

/** Steps that change the database of the app, at one moment. */
export const IN_DATABASE: ReadonlySet<string> = new Set([
  ...['change the password', 'change the name', 'delete the user', 'restore the user'],
])
