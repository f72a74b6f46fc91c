import type { OutsideStep, Request, Story } from '../story.ts'

/** A request of the protocol of device-bound sessions, about the session of the first browser. */
export interface ProofStep {
  readonly name: 'prove'
  readonly device: 'refresh' | 'old proof' | 'other key' | 'bind'
}

/** A step that happens at the same time as another one. */
export type Meeting = Request | ProofStep | Exclude<OutsideStep, { readonly name: 'restart the process' }>

/** A story that ends with two steps at the same time. */
export interface Overlap extends Story {
  readonly both: readonly [Meeting, Meeting]
  /** Tells whether the two steps happen in two processes. */
  readonly isApart: boolean
  /** Tells whether the first browser binds its session to a device, and shows the bound cookie. */
  readonly binding: 'none' | 'registered' | 'bound'
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
