import type { SessionEvent } from '../../../types/index.ts'
import { MINUTE } from '../timeouts.ts'
import type { Step } from './step.ts'
import { Party } from './party.ts'
import type { Target } from './target.ts'

/** Everything that the script of an attack works with. */
export class Scene {
  /** The victim, a customer of the bank. */
  readonly alice: Party
  readonly attacker: Party
  readonly #steps: Step[] = []
  readonly #target: Target
  readonly #began: number

  constructor(target: Target) {
    this.#target = target
    this.#began = target.clock()
    const { port, certificate } = target
    this.alice = new Party(port, this.#steps, certificate)
    this.attacker = new Party(port, this.#steps, certificate)
  }

  /** Everything that happened so far, in order. */
  get steps(): readonly Step[] {
    return this.#steps
  }

  /** Minutes since the scene began, by the clock of the target. */
  get minutes(): number {
    return (this.#target.clock() - this.#began) / MINUTE
  }

  /** Tells something that happens outside HTTP. */
  note(words: string): void {
    this.#steps.push({ kind: 'note', words })
  }

  /** Moves the clock of the target. */
  wait(minutes: number): void {
    this.#target.clock.advance(minutes * MINUTE)
    this.#steps.push({ kind: 'note', words: `${minutes} minutes pass.` })
  }

  /** Tells whether the session layer reported an event of this type. */
  isReported(wanted: SessionEvent['type']): boolean {
    return this.#target.events.some(({ type }) => type === wanted)
  }
}
