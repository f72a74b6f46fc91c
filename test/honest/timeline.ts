/** Milliseconds. */
export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** A step of a simulation. A step that answers without a promise costs no turn of the event loop. */
type Step = () => void | Promise<void>

interface Entry {
  readonly at: number
  readonly order: number
  readonly step: Step
}

/** Virtual time: a queue of steps, each of which runs at its instant. No timer and no sleep is involved. */
export class Timeline {
  now: number
  readonly #heap: Entry[] = []
  #order = 0

  constructor(start: number) {
    this.now = start
  }

  /** Queues a step. Steps of one instant run in the order in which they were queued. */
  at(instant: number, step: Step): void {
    const entry = { at: Math.max(Math.round(instant), this.now), order: (this.#order += 1), step }
    const heap = this.#heap
    let child = heap.push(entry) - 1
    while (child > 0) {
      const parent = (child - 1) >> 1
      const above = heap[parent] as Entry
      if (isBefore(above, entry)) break
      heap[child] = above
      child = parent
    }
    heap[child] = entry
  }

  after(delay: number, step: Step): void {
    this.at(this.now + delay, step)
  }

  /** Runs steps until none is left, or until `isOver` says so. */
  async run(isOver: () => boolean = () => false): Promise<void> {
    for (let entry = this.#next(); entry !== undefined && !isOver(); entry = this.#next()) {
      this.now = entry.at
      const result = entry.step()
      if (result !== undefined) await result
    }
  }

  #next(): Entry | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let parent = 0
    for (let child = 1; child < heap.length; child = parent * 2 + 1) {
      const [left, right] = [heap[child] as Entry, heap[child + 1]]
      const isRight = right !== undefined && isBefore(right, left)
      const least = isRight ? right : left
      if (isBefore(last, least)) break
      heap[parent] = least
      parent = isRight ? child + 1 : child
    }
    heap[parent] = last
    return first
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
