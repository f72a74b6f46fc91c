import { pageLimit } from './page-limit.ts'
import type { RedisNode } from './redis-nodes.ts'

/** Keys that one step looks at, at least: a database may hold far more keys of other programs. */
const MIN_STEP = 100

/** Steps that one page may take. A page that found nothing until then is empty, and has a `next`. */
const MAX_STEPS = 200

/** The point that a listing has reached: a cursor of a node. */
interface Place {
  readonly address: string
  readonly cursor: string
}

/** The names of one page. */
export interface NamePage {
  readonly names: string[]
  readonly next?: string
}

/** Lists the keys that begin with one prefix, by `SCAN` on each node in turn. */
export class RedisListing {
  readonly #nodes: () => RedisNode[]
  readonly #prefix: string

  /** `prefix` as the server has it, a driver's own prefix included. */
  constructor(nodes: () => RedisNode[], prefix: string) {
    this.#nodes = nodes
    this.#prefix = prefix
  }

  /**
   * About `limit` names of keys, without the prefix. Steps are never cut, because the server lists every key only to a
   * caller who takes each step whole. After its table has shrunk, the server gives out the rest of a cut step
   * differently.
   */
  async page({ after, limit }: { readonly after?: string | undefined; readonly limit: number }): Promise<NamePage> {
    const most = pageLimit(limit)
    const names = new Set<string>()
    let place: Place | undefined = placeOf(after)
    for (let steps = 0; steps < MAX_STEPS && names.size < most && place !== undefined; steps += 1) {
      place = await this.#step(place, Math.max(MIN_STEP, most), names)
    }
    return place === undefined ? { names: [...names] } : { names: [...names], next: textOf(place) }
  }

  /** The number of keys. */
  async count(): Promise<number> {
    let count = 0
    for (const node of this.#nodes()) {
      let cursor = '0'
      do {
        const answer = await node.scan(cursor, this.#pattern, 10 * MIN_STEP)
        count += new Set(answer.keys).size
        cursor = answer.cursor
      } while (cursor !== '0')
    }
    return count
  }

  /** Adds the names that one step finds. Returns the place of the next step, `undefined` at the end. */
  async #step(place: Place, count: number, names: Set<string>): Promise<Place | undefined> {
    const [node, following] = this.#nodes().filter(({ address }) => address >= place.address)
    if (node === undefined) return undefined
    // The node of the place may have left the Cluster meanwhile.
    const begun = node.address === place.address ? place.cursor : '0'
    const { cursor, keys } = await node.scan(begun, this.#pattern, count)
    for (const key of keys) names.add(key.slice(this.#prefix.length))
    if (cursor !== '0') return { address: node.address, cursor }
    return following === undefined ? undefined : { address: following.address, cursor }
  }

  get #pattern(): string {
    return `${this.#prefix.replaceAll(/[\\*?[\]^]/g, '\\$&')}*`
  }
}

const BEGINNING: Place = { address: '', cursor: '0' }

function textOf({ address, cursor }: Place): string {
  return `${cursor}@${address}`
}

/** @throws `RangeError` for a text that no page gave */
function placeOf(after: string | undefined): Place {
  if (after === undefined) return BEGINNING
  const [, cursor, address] = /^(\d{1,20})@(\S*)$/.exec(after) ?? []
  if (cursor === undefined || address === undefined) throw new RangeError('after: the `next` of the page before')
  return { cursor, address }
}
