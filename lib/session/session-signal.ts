import { getEventListeners } from 'node:events'
import type { SessionRecord } from '../../types/index.ts'
import type { Guest, SessionEnd, Watch } from './watch.ts'
import { endedBecause } from './watch.ts'

/** The controllers of signals that somebody still holds. */
const controllers = new WeakMap<AbortSignal, AbortController>()

/** Signals that are kept, because somebody may listen and hold nothing else. */
const kept = new Set<AbortSignal>()

/**
 * A signal that ends with its session. Nobody says when a signal is no longer needed, so the watch holds it only while
 * somebody listens. A signal without listeners stays as long as the app itself holds it.
 */
class SignalGuest implements Guest {
  readonly #signal: WeakRef<AbortSignal>

  constructor(signal: AbortSignal) {
    this.#signal = new WeakRef(signal)
    kept.add(signal)
  }

  end(why: SessionEnd): void {
    const signal = this.#signal.deref()
    if (signal === undefined) return
    kept.delete(signal)
    controllers.get(signal)?.abort(endedBecause(why))
  }

  isThere(): boolean {
    const signal = this.#signal.deref()
    if (signal === undefined) return false
    if (getEventListeners(signal, 'abort').length > 0) kept.add(signal)
    else kept.delete(signal)
    return true
  }
}

/** Returns a signal that aborts with the session of a record, and a function that forgets it. */
export function signalOf(
  watch: Watch,
  record: SessionRecord,
  isAsked = false,
): { signal: AbortSignal; release: () => void } {
  const signal = newSignal()
  const forget = watch.open(record, new SignalGuest(signal), isAsked)
  const release = (): void => {
    kept.delete(signal)
    forget()
  }
  return { signal, release }
}

function newSignal(): AbortSignal {
  const controller = new AbortController()
  controllers.set(controller.signal, controller)
  return controller.signal
}

/**
 * The signal of one request. A signal that is asked for before the session has a record follows the record that this
 * request writes.
 */
export class RequestSignal {
  readonly #watch: Watch
  #signal: AbortSignal | undefined
  #isWaiting = false

  constructor(watch: Watch) {
    this.#watch = watch
  }

  /**
   * Returns the signal. `record` is that of the session as this request leaves it; absent until the request has written
   * it.
   */
  of(record: SessionRecord | undefined): AbortSignal {
    if (this.#signal?.aborted === false) return this.#signal
    this.#signal = newSignal()
    this.#isWaiting = true
    this.watch(record)
    return this.#signal
  }

  /** Notes that this request wrote the record of its session. */
  watch(record: SessionRecord | undefined): void {
    if (!this.#isWaiting || this.#signal === undefined || record === undefined) return
    this.#isWaiting = false
    this.#watch.open(record, new SignalGuest(this.#signal))
  }
}
