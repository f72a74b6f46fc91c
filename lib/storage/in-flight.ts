/** The place of one item in a collection. */
export interface Place<Item> {
  readonly item: Item
  /** The index in the collection; -1 once the item is removed. */
  index: number
}

/**
 * A collection of work that begins and ends with each request. A `Map` or `Set` in its place would cost more than the
 * rest of a request. It replaces its table again and again, and the old tables keep what was removed alive until the
 * next full garbage collection.
 */
export class InFlight<Item> implements Iterable<Item> {
  readonly #places: Place<Item>[] = []

  get size(): number {
    return this.#places.length
  }

  add(item: Item): Place<Item> {
    const place = { item, index: this.#places.length }
    this.#places.push(place)
    return place
  }

  has(place: Place<Item>): boolean {
    return this.#places[place.index] === place
  }

  /** Removes an item. Returns whether it was there. */
  remove(place: Place<Item>): boolean {
    if (!this.has(place)) return false
    const last = this.#places.pop() as Place<Item>
    if (last !== place) {
      this.#places[place.index] = last
      last.index = place.index
    }
    place.index = -1
    return true
  }

  /** Returns the items that a test picks. */
  filter(isWanted: (item: Item) => boolean): Item[] {
    const found: Item[] = []
    for (const { item } of this.#places) if (isWanted(item)) found.push(item)
    return found
  }

  /** Goes through the items that are there now, whatever is removed meanwhile. */
  *[Symbol.iterator](): Generator<Item> {
    for (const place of this.#places.slice()) if (this.has(place)) yield place.item
  }
}
