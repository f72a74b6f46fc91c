import type { SessionStore, StorePowers } from '../../types/index.ts'
import { announcingChecks } from './contract/announcing.ts'
import { atomicChecks } from './contract/atomic.ts'
import type { Check } from './contract/check.ts'
import { TestClock } from './contract/check.ts'
import { clockChecks } from './contract/clock.ts'
import { cutoffChecks } from './contract/cutoff.ts'
import { damageChecks } from './contract/damage.ts'
import { indexChecks } from './contract/index-entries.ts'
import { listingChecks } from './contract/listing.ts'
import { manyChecks } from './contract/many.ts'
import { recordChecks } from './contract/records.ts'
import { sweepChecks } from './contract/sweep.ts'

/** A store made ready for one check. */
export interface OpenedStore {
  /** A store that may hold other records: each check makes its own handles and user ids. */
  readonly store: SessionStore & Partial<StorePowers>
  /** Makes what is stored under a handle unreadable. Without it the checks of damaged records fail. */
  damage?(handle: string): Promise<void>
  /** Called after the check, whether it passed or failed. */
  close?(): Promise<void>
}

/**
 * The promise that a check is about. `records` are the five methods. `atomic` is the same methods called at once.
 * `damage` is unreadable records. The other names stand for one power each: `index` (`UserIndex`), `sweep`
 * (`Sweeping`), `many` (`ReadingMany`), `listing` (`Enumerating`), `cutoff` (`Cutoff`), `announcing` (`Announcing`),
 * `clock` (`Clocked`).
 */
export type ContractPart =
  | 'records'
  | 'atomic'
  | 'damage'
  | 'index'
  | 'sweep'
  | 'many'
  | 'listing'
  | 'cutoff'
  | 'announcing'
  | 'clock'

/** One promise of the store contract, ready to run. */
export interface ContractCheck {
  readonly part: ContractPart
  /** The promise in plain words. */
  readonly name: string
  /** Opens a store, checks, closes. Rejects with an `AssertionError` of `node:assert` when the promise is broken. */
  run(): Promise<void>
}

/**
 * Returns the promises of `SessionStore` and of the interfaces of its powers, as checks for any test runner:
 *
 * ```ts
 * for (const check of storeContract(open)) test(check.name, () => check.run())
 * ```
 *
 * `open` is called once for each check, with the clock that the store has to go by. Time passes only on that clock,
 * which starts at the present. No check waits, except for an announcement that is on its way. A store that makes only
 * some of the promises filters the list by `part`.
 */
export function storeContract(open: (clock: () => number) => OpenedStore | Promise<OpenedStore>): ContractCheck[] {
  const parts: [ContractPart, readonly Check[]][] = [
    ['records', recordChecks],
    ['atomic', atomicChecks],
    ['index', indexChecks],
    ['sweep', sweepChecks],
    ['damage', damageChecks],
    ['many', manyChecks],
    ['listing', listingChecks],
    ['cutoff', cutoffChecks],
    ['announcing', announcingChecks],
    ['clock', clockChecks],
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
