import type { EngineSession } from './engine.ts'
import type { Edit, SessionData } from './json-data.ts'
import { isSameData, parseData, pick, rebase, serialize } from './json-data.ts'

/** Makes the object behind `req.session` around some values. */
export type MakeObject = (data: RequestData, values: SessionData) => EngineSession

interface OpenData {
  readonly values: SessionData
  readonly object: EngineSession
}

/** Most requests take nothing away, and share this list. */
const NO_CUTS: readonly ((data: RequestData) => void)[] = []

/**
 * The app's data in one request: unopened, open or destroyed. Unopened data costs nothing, because nothing is parsed.
 * This object knows no store; `edit` says what the request changed.
 */
export class RequestData {
  readonly #makeObject: MakeObject
  #state: 'unopened' | 'destroyed' | OpenData = 'unopened'
  /** The data as this request last read or wrote it. Other requests' data that a write merged in is not part of it. */
  #baseline: string
  #isWhole = false
  #isAllOwn = false
  /** The keys of the old content that stay. */
  #kept: readonly string[] | undefined
  /** The steps by which changes of the id took something away from the data since the last write. */
  #cuts: readonly ((data: RequestData) => void)[] = NO_CUTS

  constructor(json: string, makeObject: MakeObject) {
    this.#baseline = json
    this.#makeObject = makeObject
  }

  /** The object behind `req.session`; `null` after `destroy`. */
  get object(): EngineSession | null {
    if (this.#state === 'destroyed') return null
    return (this.#state === 'unopened' ? this.#open() : this.#state).object
  }

  get isDestroyed(): boolean {
    return this.#state === 'destroyed'
  }

  /** Tells whether the old content was replaced and nothing of it kept, so that this request wrote all there is. */
  get isAllOwn(): boolean {
    return this.#isAllOwn
  }

  /** Tells whether the content was replaced, even if it reads the same. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /**
   * Tells whether these are the values that a write would store. A login or a logout may have put other values in their
   * place.
   */
  holds(values: SessionData): boolean {
    return typeof this.#state === 'object' && this.#state.values === values
  }

  /** Tells whether the app holds something inside the data, and may change it unseen. */
  get isDeep(): boolean {
    return typeof this.#state === 'object' && Object.values(this.#state.values).some(isDeep)
  }

  /** Tells whether the data differs from what was read. */
  isModified(): boolean {
    return typeof this.#state === 'object' && !isSameData(this.#state.values, this.#baseline)
  }

  /**
   * The change that this request made to the data.
   * @throws `SESSION_VALUE_UNSERIALIZABLE`, `SESSION_KEY_RESERVED`, `SESSION_RECORD_TOO_LARGE`
   */
  edit(maxSize: number): Edit {
    const from = this.#baseline
    // Data that was stored under a larger limit may stay.
    const limit = Math.max(maxSize, from.length)
    const to = typeof this.#state === 'object' ? serialize(this.#state.values, limit) : from
    return { from, to, isWhole: this.#isWhole, ...(this.#isWhole && { kept: this.#kept }) }
  }

  /**
   * Takes over data that was made from `seen`, in place of `now`. Changes that the request made since `seen` stay. With
   * `isStored` the record has this data already. The caller holds the object, so the data is open.
   */
  adopt(json: string, seen: string, now: string, isStored: boolean): void {
    const { values } = this.#state as OpenData
    replaceAll(values, parseData(rebase(json, seen, now)))
    if (isStored) this.#baseline = json
  }

  /**
   * Notes that the edit was written. `stored` is the record's data after the write, with other requests' changes in it.
   */
  markWritten({ to }: Edit, stored: string): void {
    this.#isWhole = false
    this.#cuts = NO_CUTS
    this.#baseline = typeof this.#state === 'object' ? to : stored
  }

  /** Returns the data as it is stored now. What a staged login takes away does not come back. */
  afresh(json: string): RequestData {
    const fresh = new RequestData(json, this.#makeObject)
    for (const cut of this.#cuts) cut(fresh)
    return fresh
  }

  /**
   * Returns a function that puts back what there is now, also deep inside. The object of now is the right one again.
   */
  backup(): () => RequestData {
    const [state, baseline, cuts] = [this.#state, this.#baseline, this.#cuts]
    const [isWhole, isAllOwn, kept] = [this.#isWhole, this.#isAllOwn, this.#kept]
    const values = typeof state === 'object' ? Object.entries(state.values).map(keptValue) : []
    return () => {
      if (typeof state === 'object') replaceAll(state.values, Object.fromEntries(values.map((valueOf) => valueOf())))
      this.#state = state
      this.#baseline = baseline
      this.#cuts = cuts
      this.#isWhole = isWhole
      this.#isAllOwn = isAllOwn
      this.#kept = kept
      return this
    }
  }

  /** Keeps only these keys. Changes by other requests to the rest of the old content do not come back. */
  keepOnly(keys: readonly string[]): void {
    this.#cuts = [...this.#cuts, (data) => data.keepOnly(keys)]
    // Destroyed data has no keys to keep, and nobody asks.
    const kept = pick(this.object as EngineSession, keys)
    // These are the values of kept keys that the record has. The request itself wrote the other values.
    const known = pick(parseData(this.#baseline), keys)
    this.#open(kept)
    this.#baseline = JSON.stringify(known)
    // What was dropped before stays away.
    this.#kept = this.#isWhole ? keys.filter((key) => this.#kept?.includes(key)) : keys
    this.#isWhole = true
    this.#isAllOwn = Object.keys(kept).length === 0
  }

  /** Removes a key. Data that cannot hold the key stays unopened. */
  removeKey(key: string): void {
    this.#cuts = [...this.#cuts, (data) => data.removeKey(key)]
    if (this.#state === 'unopened' && this.#baseline.includes(key)) this.#open()
    if (typeof this.#state === 'object') delete this.#state.values[key]
  }

  destroy(): void {
    this.#state = 'destroyed'
  }

  #open(values = parseData(this.#baseline)): OpenData {
    const open = { values, object: this.#makeObject(this, values) }
    this.#state = open
    return open
  }
}

function replaceAll(values: SessionData, next: SessionData): void {
  // A key that stayed would keep its place among the others, and the data would read as changed.
  for (const key of Object.keys(values)) delete values[key]
  Object.assign(values, next)
}

/** Returns a function that returns a member as it is now. An object that has changed since is made anew. */
function keptValue([key, value]: [string, unknown]): () => [string, unknown] {
  const json = isDeep(value) ? jsonOf(value) : undefined
  return () => [key, json === undefined || jsonOf(value) === json ? value : JSON.parse(json)]
}

/** Returns a value as JSON; `undefined` for one that JSON cannot carry, which no write would store either. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function isDeep(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
