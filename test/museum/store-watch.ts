import { door } from '../support/gate-store.ts'

const OPERATIONS: ReadonlySet<PropertyKey> = new Set([
  ...['get', 'set', 'create', 'update', 'touch', 'delete'],
  ...['addToIndex', 'keepInIndex', 'removeFromIndex', 'listIndex'],
])

/** A write of a store that waits. */
interface HeldWrite {
  /** Resolves when the write has been asked for. */
  readonly arrived: Promise<void>
  release(): void
}

/** Everything that a store is asked, and the means to let it fail or wait. */
export class StoreWatch {
  isDown = false
  /** The operations so far, each with its arguments as JSON. */
  readonly calls: { readonly name: string; readonly text: string }[] = []
  #arrive: (() => void) | undefined
  #released: Promise<void> = Promise.resolve()

  /** The number of records that were ever made. */
  get created(): number {
    return this.calls.filter(({ name }) => name === 'create' || name === 'set').length
  }

  /** Returns every string that a reader of the store may find in it, keys included. */
  strings(): string[] {
    return this.calls.flatMap(({ text }) => Array.from(text.matchAll(/[\w.-]{16,}/g), ([found]) => found))
  }

  /** Lets the next writes wait. */
  hold(): HeldWrite {
    const [arrived, released] = [door(), door()]
    this.#arrive = arrived.open
    this.#released = released.opened
    return { arrived: arrived.opened, release: released.open }
  }

  /** Returns the store with this watch in front of it. */
  on<Store extends object>(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        if (!OPERATIONS.has(name)) return (member as () => unknown).bind(target)
        return (...args: unknown[]) =>
          this.#run(String(name), args, () => Reflect.apply(member, target, args) as unknown)
      },
    })
  }

  async #run(name: string, args: unknown[], operation: () => unknown): Promise<unknown> {
    this.calls.push({ name, text: JSON.stringify(args) })
    if (this.isDown) throw new Error('connect ECONNREFUSED 10.0.0.5:6379')
    if (name !== 'get') {
      this.#arrive?.()
      await this.#released
    }
    return operation()
  }
}
