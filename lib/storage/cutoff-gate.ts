import { MAX_AHEAD, MAX_SKEW } from './clocks.ts'
import { withFields } from '../session/copy-record.ts'
import type { SessionRecord } from '../../types/index.ts'
import { CutoffWatch } from './cutoff.ts'
import type { Answer } from './immediate.ts'
import { afterwards } from './immediate.ts'
import { beganAt } from './remove-before.ts'
import type { Gate, TimedStore } from './timed-store.ts'

/** Lets no session pass that began before the cutoff of its store. */
export class CutoffGate implements Gate {
  readonly #store: TimedStore
  readonly #watch: CutoffWatch
  readonly #isImmediate: boolean

  constructor(store: TimedStore) {
    this.#store = store
    this.#watch = new CutoffWatch(async () => this.#read())
    this.#isImmediate = store.isImmediate('readCutoff')
  }

  /** Called for each record that is looked up. */
  onUse: (() => void) | undefined

  /** Hears each time that this process learns of a later cutoff. */
  set onRaise(hear: () => void) {
    this.#watch.onRaise = hear
  }

  /** Asks for the cutoff while the record is on its way, so that the two questions take the time of one. */
  pass(answer: Answer<SessionRecord | undefined>): Answer<SessionRecord | undefined> {
    this.onUse?.()
    const cutoff = this.current()
    // Nobody looks at the cutoff if the record does not come.
    if (cutoff instanceof Promise) cutoff.catch(ignore)
    return afterwards(answer, (record) => {
      if (record === undefined) return undefined
      return afterwards(cutoff, (instant) => (beganAt(record) < instant ? undefined : record))
    })
  }

  passesNow(record: SessionRecord): boolean {
    const cutoff = this.current()
    if (typeof cutoff === 'number') return beganAt(record) >= cutoff
    cutoff.catch(ignore)
    return false
  }

  /** Tells whether a session that began at this instant is cut off, as far as this process has learned. */
  isCutOff(instant: number): boolean {
    return instant < this.#watch.known
  }

  /**
   * Returns the cutoff in force.
   * @throws `SESSION_STORE_UNAVAILABLE`
   */
  current(): Answer<number> {
    return this.#isImmediate ? this.#read() : this.#watch.current()
  }

  /** Asks the store again, because an announcement says that the cutoff was raised. */
  check(): void {
    this.#watch.check().catch(ignore)
  }

  /** Raises the cutoff of the store. From the next record on, this process obeys. */
  async raise(instant: number): Promise<number> {
    const cutoff = await this.#store.ask('raiseCutoff', (store) => store.raiseCutoff?.(instant) ?? Promise.resolve(0))
    this.#watch.obey(cutoff)
    return cutoff
  }

  /** Returns a record that begins now, marked where its clock is behind a cutoff that came before. */
  async admit(record: SessionRecord): Promise<SessionRecord> {
    const cutoff = await this.current()
    return beganAt(record) < cutoff ? withFields(record, { sparedAt: cutoff }) : record
  }

  /**
   * Returns a record whose beginning was moved back to now, because it lay ahead of the clock. If the session began
   * after the cutoff by the clock of its login, the session is marked, so that it stays in. One that began further
   * ahead than clocks differ may be from before the cutoff, unless the clock was set back since the cutoff itself.
   */
  async moved(record: SessionRecord, before: SessionRecord, now: number): Promise<SessionRecord> {
    const cutoff = await this.current()
    const isIn = beganAt(record) >= cutoff || beganAt(before) < cutoff
    const isUnsure = beganAt(before) > now + MAX_SKEW && cutoff <= now + MAX_AHEAD
    return isIn || isUnsure ? record : withFields(record, { sparedAt: cutoff })
  }

  stop(): void {
    this.#watch.stop()
  }

  #read(): Answer<number> {
    return this.#store.ask('readCutoff', (store) => store.readCutoff?.() ?? Promise.resolve(0))
  }
}

function ignore(): void {
  // The request that needs the cutoff asks for it, and fails.
}
