/** A promise given to the app that knows whether the app observed it. A failure that nothing observed is kept. */
class ObservedPromise<Value> extends Promise<Value> {
  #isObserved = false
  #failure: unknown

  /** `then` returns a plain promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  /** Returns the promise of some work. `onDone` is called when the work has succeeded. */
  static of<Value>(work: Promise<Value>, onDone?: (promise: ObservedPromise<Value>) => void): ObservedPromise<Value> {
    const promise = new ObservedPromise<Value>((resolve, reject) => {
      work.then(
        (value) => {
          onDone?.(promise)
          resolve(value)
        },
        (error: unknown) => {
          promise.#failure = error
          reject(error)
        },
      )
    })
    // Node ends the process for a rejection that has no handler. The queue reports this one instead.
    void super.prototype.then.call(promise, undefined, ignore)
    return promise
  }

  /** The failure, as long as nothing has observed the promise. */
  get unseenFailure(): unknown {
    return this.#isObserved ? undefined : this.#failure
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a subclass of Promise
  override then<Done = Value, Failed = never>(
    onDone?: ((value: Value) => Done | PromiseLike<Done>) | null,
    onFailed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Done | Failed> {
    this.#isObserved = true
    return super.then(onDone, onFailed)
  }
}

function ignore(): void {}

/** Returns a promise for the app. A failure that the app does not observe is reported, and does not end the process. */
export function observed<Value>(work: Promise<Value>, report: (error: unknown) => void): Promise<Value> {
  const promise = ObservedPromise.of(work)
  const reportUnseen = (): void => {
    if (promise.unseenFailure !== undefined) report(promise.unseenFailure)
  }
  work.catch(() => setImmediate(reportUnseen))
  return promise
}

/**
 * Runs the store operations of one request one at a time, in the order in which the app started them.
 *
 * Work that is done is forgotten, because a stream may go on for days.
 */
export class WorkQueue {
  /** Work that was given to the app. Most requests have none, so the set is made for the first one. */
  #open: Set<ObservedPromise<unknown>> | undefined
  /** Work outside the queue that the end of the request waits for. */
  #beside: Set<Promise<unknown>> | undefined
  #last: Promise<unknown> | undefined
  #ahead = 0

  /** Tells whether an operation is still running. */
  get isRunning(): boolean {
    return this.#ahead > 0
  }

  /** Tells whether work runs beside the queue. */
  get isBeside(): boolean {
    return this.#beside !== undefined && this.#beside.size > 0
  }

  /** Tells whether an operation is still running, or failed without anybody observing the failure. */
  get isBusy(): boolean {
    return this.#ahead > 0 || this.isBeside || this.unseenFailure !== undefined
  }

  /** The first failure that the app has not observed. */
  get unseenFailure(): unknown {
    if (this.#open === undefined) return undefined
    for (const { unseenFailure } of this.#open) if (unseenFailure !== undefined) return unseenFailure
    return undefined
  }

  /**
   * Runs work after all earlier work, at once if there is none. The work itself may not wait for other work of the
   * queue.
   */
  run(work: () => Promise<void>): Promise<void> {
    this.#ahead += 1
    const turn = this.#ahead === 1 || this.#last === undefined ? work() : this.#last.then(work)
    const end = (): void => void (this.#ahead -= 1)
    this.#last = turn.then(end, end)
    return turn
  }

  /** Runs work like `run`, and returns a promise for the app. A failure that the app does not observe is kept. */
  offer(work: () => Promise<void>): Promise<void> {
    return this.observe(this.run(work))
  }

  /**
   * Runs work that takes turns in the queue and waits for the app in between. In the queue itself it would wait for
   * other work of the app that waits for it.
   */
  offerBeside<Value>(work: () => Promise<Value>): Promise<Value> {
    const running = work()
    const beside = (this.#beside ??= new Set())
    beside.add(running)
    const end = (): void => void beside.delete(running)
    running.then(end, end)
    return this.observe(running)
  }

  /** Resolves once no work runs beside the queue. */
  async settled(): Promise<void> {
    while (this.#beside !== undefined && this.#beside.size > 0) await Promise.allSettled(this.#beside)
  }

  /** Reports the failures that nobody has observed by the next turn of the event loop, and forgets them. */
  reportUnseen(report: (error: unknown) => void): void {
    const open = (this.#open ??= new Set())
    const reportAll = (): void => {
      for (const promise of open) {
        if (promise.unseenFailure === undefined) continue
        open.delete(promise)
        report(promise.unseenFailure)
      }
    }
    void (this.#last ?? Promise.resolve()).then(() => setImmediate(reportAll))
  }

  /** Returns a promise for the app. A failure that the app does not observe is kept. */
  observe<Value>(work: Promise<Value>): Promise<Value> {
    const open = (this.#open ??= new Set())
    const promise = ObservedPromise.of(work, (done) => open.delete(done))
    open.add(promise)
    return promise
  }
}
