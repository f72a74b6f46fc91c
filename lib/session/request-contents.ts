import type { Edit } from './json-data.ts'
import type { RequestData } from './request-data.ts'
import type { Staged } from './staging.ts'

/**
 * The data of one request. A staged change of the id takes data away before it is written. If it is refused, the data
 * comes back as it was, and what the app changed since goes.
 */
export class RequestContents {
  readonly #begin: () => RequestData
  #data: RequestData | undefined
  /** Returns the data from before the first change of the id that is not written yet. */
  #before: (() => RequestData | undefined) | undefined

  /** @param begin makes the data out of the record, or of the user who is shown from now on */
  constructor(begin: () => RequestData) {
    this.#begin = begin
  }

  /** The data; `undefined` while nobody has asked for it. */
  get known(): RequestData | undefined {
    return this.#data
  }

  /** Tells whether the app changed the data, or a change of the id replaced it. */
  get isChanged(): boolean {
    return this.#data?.isWhole === true || this.#data?.isModified() === true
  }

  /** Returns the data. */
  open(): RequestData {
    return (this.#data ??= this.#begin())
  }

  /** Takes away what a staged change of the id does not keep. */
  keep(kept: NonNullable<Staged['kept']>): void {
    this.#before ??= this.#data?.backup() ?? nothing
    if (kept === 'role' || this.#data?.isDestroyed === true) this.#data = undefined
    if (kept === 'role') return
    if ('keys' in kept) this.open().keepOnly(kept.keys)
    else if (kept.without !== undefined) this.open().removeKey(kept.without)
  }

  /** Notes that the edit was written, and with it the change of the id. `stored` is the data of the record. */
  markWritten(edit: Edit, stored: string): void {
    this.#data?.markWritten(edit, stored)
    this.#before = undefined
  }

  /** Forgets what the request did to the data, and starts from `json`. What was taken away stays away. */
  reload(json: string): void {
    this.#data = this.#data?.afresh(json)
    this.#before &&= nothing
  }

  /** Runs work. If it fails, and the change of the id is refused with it, what that took away comes back. */
  async orBringBack(work: () => Promise<void>, isRefused: () => boolean): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (this.#before !== undefined && isRefused()) {
        this.#data = this.#before()
        this.#before = undefined
      }
      throw error
    }
  }

  /** Forgets everything. Whoever asks next gets the data that is stored. */
  forget(): void {
    this.#data = undefined
    this.#before = undefined
  }
}

function nothing(): undefined {
  return undefined
}
