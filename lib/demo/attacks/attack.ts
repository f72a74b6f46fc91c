import type { PassageName } from './passage.ts'
import type { Scene } from './scene.ts'
import type { Exchange } from './step.ts'

/** The end of an attack. */
export interface Verdict {
  readonly isStopped: boolean
  /** The exchanges that decided it. */
  readonly decisive: readonly Exchange[]
  /** The result of the exchanges, in words. */
  readonly words: string
}

/** One way to attack a session, and what stands in its way. */
export interface Attack {
  /** Its place in the address: `/attacks/<name>`. */
  readonly name: string
  readonly title: string
  /** The attacker's steps and aim. */
  readonly aim: string
  /** The protection that stops the attack. */
  readonly defence: string
  /** The code that stops it. */
  readonly passages: readonly PassageName[]
  /** Tells that only a bank with device-bound sessions can show the attack. */
  readonly needsBinding?: boolean
  /** Makes the attack over HTTP. */
  run(scene: Scene): Promise<Verdict>
}

/** Tells whether an answer is the account of a customer. */
export function showsAccount({ status, heading }: Exchange): boolean {
  return status === 200 && heading?.startsWith('Good to see you') === true
}
