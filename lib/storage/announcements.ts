import type { Announcement } from '../../types/index.ts'
import { inTime } from './in-time.ts'
import type { TimedStore } from './timed-store.ts'

/** The pause after which a store that could not announce is tried again, in milliseconds. */
const PAUSE = 60_000

/** The time that the end of a subscription may take, in milliseconds. */
const END_TIMEOUT = 1_000

/** Functions that hear what a store announces. */
export interface Hearers {
  /** A session ended or changed hands, or somebody says so. */
  readonly onHandle: (handle: string) => void
  /** The cutoff was raised, or somebody says so. */
  readonly onCutoff: () => void
  /** Called when announcements begin to arrive. Earlier announcements were missed. */
  readonly onReady: () => void
}

/**
 * The announcements of a store, subscribed to when they are first needed. A store that cannot announce changes nothing:
 * whoever listens looks at the store now and then.
 */
export class Announcements {
  readonly #store: TimedStore
  readonly #hearers: Hearers
  #subscription: Promise<(() => Promise<void>) | undefined> | undefined
  #mayAskAt = -Infinity
  #isStopped = false

  constructor(store: TimedStore, hearers: Hearers) {
    this.#store = store
    this.#hearers = hearers
  }

  /** Subscribes, unless this was done or has just failed. */
  listen(): void {
    if (this.#subscription !== undefined || this.#isStopped) return
    if (!this.#store.has('subscribe') || performance.now() < this.#mayAskAt) return
    this.#subscription = this.#subscribe()
  }

  /** Ends the subscription. */
  async stop(): Promise<void> {
    this.#isStopped = true
    const ended = this.#subscription?.then((end) => end?.())
    if (ended !== undefined) await inTime(ended, END_TIMEOUT, () => undefined).catch(() => undefined)
  }

  async #subscribe(): Promise<(() => Promise<void>) | undefined> {
    const hear = (what: Announcement): void => this.#tell(what)
    try {
      const end = await this.#store.askPatiently('subscribe', (store) => store.subscribe?.(hear))
      if (!this.#isStopped) this.#hearers.onReady()
      return end
    } catch {
      // An event told of the failure.
      this.#mayAskAt = performance.now() + PAUSE
      this.#subscription = undefined
      return undefined
    }
  }

  #tell(what: Announcement): void {
    if (this.#isStopped) return
    if ('handle' in what) this.#hearers.onHandle(what.handle)
    else this.#hearers.onCutoff()
  }
}
