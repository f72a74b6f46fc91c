/** Remembers the latest entries: at most twice `limit`. Two generations need no list to keep in order. */
export class Recent<Value> {
  readonly #limit: number
  #entries = new Map<string, Value>()
  #older = new Map<string, Value>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key) ?? this.#older.get(key)
  }

  set(key: string, value: Value): void {
    if (this.#entries.size >= this.#limit) {
      this.#older = this.#entries
      this.#entries = new Map()
    }
    this.#entries.set(key, value)
  }
}
