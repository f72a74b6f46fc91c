import type { SessionStore, StorePowers } from '../../types/index.ts'
import { atomicChecks } from './contract/atomic.ts'
import type { Check } from './contract/check.ts'
import { TestClock } from './contract/check.ts'
import { damageChecks } from './contract/damage.ts'
import { indexChecks } from './contract/index-entries.ts'
import { recordChecks } from './contract/records.ts'
import { sweepChecks } from './contract/sweep.ts'

/** A store made ready for one check. */
export interface OpenedStore {
  /** Empty, or holding nothing that a check can meet: each one makes handles and user ids of its own. */
  readonly store: SessionStore & Partial<StorePowers>
  /** Makes what is stored under a handle unreadable. Without it the checks of damaged records fail. */
  damage?(handle: string): Promise<void>
  /** Called after the check, whatever came of it. */
  close?(): Promise<void>
}

/**
 * Which promise a check is about: `records` (the five methods), `atomic` (the same methods called at once), `index`
 * (`UserIndex`), `sweep` (`Sweeping`), `damage` (unreadable records).
 */
export type ContractPart = 'records' | 'atomic' | 'index' | 'sweep' | 'damage'

/** One promise of the store contract, ready to run. */
export interface ContractCheck {
  readonly part: ContractPart
  /** The promise in plain words. */
  readonly name: string
  /** Opens a store, checks, closes. Rejects with an `AssertionError` of `node:assert` when the promise is broken. */
  run(): Promise<void>
}

/**
 * Everything that the interfaces `SessionStore`, `UserIndex` and `Sweeping` promise, as checks for any test runner:
 *
 * ```ts
 * for (const check of storeContract(open)) test(check.name, () => check.run())
 * ```
 *
 * `open` is called once for each check, with the clock that the store has to go by. Time passes only on that clock, which
 * starts at the present: no check waits. A store that makes only some of the promises filters the list by `part`.
 */
export function storeContract(open: (clock: () => number) => OpenedStore | Promise<OpenedStore>): ContractCheck[] {
  const parts: [ContractPart, readonly Check[]][] = [
    ['records', recordChecks],
    ['atomic', atomicChecks],
    ['index', indexChecks],
    ['sweep', sweepChecks],
    ['damage', damageChecks],
  ]
  return parts.flatMap(([part, checks]) =>
    checks.map(([name, body]) => ({
      part,
      name,
      run: async (): Promise<void> => {
        const clock = new TestClock()
        const opened = await open(clock.read)
        try {
          await body({ store: opened.store, clock, damage: opened.damage?.bind(opened) })
        } finally {
          await opened.close?.()
        }
      },
    })),
  )
}
