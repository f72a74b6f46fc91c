import type { Announcement } from '../../types/index.ts'

/** A function that hears announcements. A listener must not throw. */
export type Listener = (what: Announcement) => void

/** Ends a subscription. */
export type Unsubscribe = () => Promise<void>

/** The listeners of one store in this process. */
export class Listeners {
  readonly #listeners = new Set<{ readonly hear: Listener }>()

  get size(): number {
    return this.#listeners.size
  }

  /** Adds a listener, a second time if it is there already. Returns the function that removes it. */
  add(hear: Listener): () => void {
    const entry = { hear }
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  tell(what: Announcement): void {
    for (const { hear } of this.#listeners) hear(what)
  }

  /** Tells after the store's operation that is under way, so that a listener finds it done. */
  tellSoon(what: Announcement): void {
    if (this.#listeners.size > 0) queueMicrotask(() => this.tell(what))
  }
}

/** A subscription at the server that all listeners of one store share. It is open while there is a listener. */
export class SharedSubscription {
  readonly listeners: Listeners = new Listeners()
  readonly #open: (tell: Listener) => Promise<Unsubscribe>
  #opened: Promise<Unsubscribe> | undefined

  /** `open` subscribes at the server, and rejects when the server cannot announce. */
  constructor(open: (tell: Listener) => Promise<Unsubscribe>) {
    this.#open = open
  }

  async subscribe(listener: Listener): Promise<Unsubscribe> {
    const remove = this.listeners.add(listener)
    this.#opened ??= this.#open((what) => this.listeners.tell(what))
    const opened = this.#opened
    try {
      await opened
    } catch (error) {
      remove()
      if (this.#opened === opened) this.#opened = undefined
      throw error
    }
    return async () => {
      remove()
      if (this.listeners.size > 0 || this.#opened !== opened) return
      this.#opened = undefined
      const close = await opened
      await close()
    }
  }
}
