import type { Announcement } from '../../types/index.ts'

/** A function that hears announcements; it must not throw. */
export type Listener = (what: Announcement) => void

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
