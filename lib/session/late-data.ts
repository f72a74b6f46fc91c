/** Calls a listener once the response is over, or soon if it is over already. */
export type AfterResponse = (listener: () => void) => void

/** Calls a listener in the next turn of the event loop. */
export const soon: AfterResponse = (listener) => void setImmediate(listener)

/** Watches data that the app changed after the response started. Only a `save` can still store it. */
export class LateData {
  readonly #afterResponse: AfterResponse
  readonly #report: () => void
  #isWatched = false

  constructor(afterResponse: AfterResponse, report: () => void) {
    this.#afterResponse = afterResponse
    this.#report = report
  }

  /** Reports once the response is over. Changes until then are one report. */
  watch(): void {
    if (this.#isWatched) return
    this.#isWatched = true
    this.#afterResponse(() => {
      this.#isWatched = false
      this.#report()
    })
  }
}
