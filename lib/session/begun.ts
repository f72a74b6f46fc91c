/** A promise given to the app, which knows whether the app ever looked at it. What fails unseen is not lost: its failure is kept. */
class Begun extends Promise<void> {
  #isLookedAt = false
  #failure: unknown

  /** What `then` gives is a plain promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  static of(work: Promise<void>): Begun {
    const begun = new Begun((resolve) => resolve(work))
    work.catch((error: unknown) => (begun.#failure = error))
    // To Node this one is looked at.
    void super.prototype.then.call(begun, undefined, () => undefined)
    return begun
  }

  /** What it failed with, as long as nobody has looked. */
  get unseenFailure(): unknown {
    return this.#isLookedAt ? undefined : this.#failure
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is one
  override then<Done = void, Failed = never>(
    onDone?: ((value: void) => Done | PromiseLike<Done>) | null,
    onFailed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Done | Failed> {
    this.#isLookedAt = true
    return super.then(onDone, onFailed)
  }
}

/** What an app began during one request. What is done is forgotten, for a stream may go on for days. */
export class BegunWork {
  readonly #open = new Set<Begun>()

  /** The promise to give to the app. */
  add(work: Promise<void>): Begun {
    const begun = Begun.of(work)
    this.#open.add(begun)
    work.then(
      () => this.#open.delete(begun),
      () => undefined,
    )
    return begun
  }

  get unseenFailure(): unknown {
    for (const { unseenFailure } of this.#open) if (unseenFailure !== undefined) return unseenFailure
    return undefined
  }
}
