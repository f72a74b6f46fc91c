import type { Attack, Verdict } from './attack.ts'
import { Scene } from './scene.ts'
import type { Step } from './step.ts'
import type { Target } from './target.ts'

/** The result of an attack. */
export interface Run {
  readonly at: Date
  readonly steps: readonly Step[]
  readonly verdict: Verdict
}

/** Attacks that may wait for their turn. Each one costs a few password hashes. */
const MAX_WAITING = 4

/** An attack that was refused because too many others wait. */
export class TooManyAttacks extends Error {
  readonly statusCode = 429
}

/** Makes attacks, one at a time, each on a target of its own. Keeps the latest run of each. */
export class AttackRunner {
  readonly #clock: () => number
  readonly #openTarget: () => Promise<Target>
  readonly #latest = new Map<string, Run>()
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(clock: () => number, open: () => Promise<Target>) {
    this.#clock = clock
    this.#openTarget = open
  }

  latest(attack: Attack): Run | undefined {
    return this.#latest.get(attack.name)
  }

  /** Makes an attack when its turn comes. Rejects with `TooManyAttacks` when too many wait. */
  run(attack: Attack): Promise<void> {
    if (this.#waiting >= MAX_WAITING) return Promise.reject(new TooManyAttacks('too many attacks wait'))
    this.#waiting += 1
    const turn = this.#turn.then(() => this.#make(attack)).finally(() => (this.#waiting -= 1))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #make(attack: Attack): Promise<void> {
    const target = await this.#openTarget()
    try {
      const scene = new Scene(target)
      const verdict = await attack.run(scene)
      this.#latest.set(attack.name, { at: new Date(this.#clock()), steps: scene.steps, verdict })
    } finally {
      await target.close()
    }
  }
}
