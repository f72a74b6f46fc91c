import type { Gate, Operation, Sample } from './gate-store.ts'
import { settle } from './gate-store.ts'

/** Actors that run at once, and a check of what must be true afterwards. */
interface Scene {
  readonly actors: Readonly<Record<string, () => Promise<unknown>>>
  /** `order` names the operations in the order in which they happened. */
  check(order: string): Promise<void> | void
}

interface Held {
  readonly actor: string
  readonly happen: () => Promise<void>
}

/** Rounds without anything to release after which somebody waits for what will never come. */
const PATIENCE = 2000

/**
 * Plays a scene once for each order in which the store operations of its actors can happen. Every `await` of an actor
 * stands on either side of every `await` of the others. Where there are more than `most` orders, `most` of them are
 * drawn by `seed`. The gate may set a lower `most`, and another `seed`. Resolves to the number of orders that there
 * are.
 */
export async function everyOrder(
  gate: Gate,
  scene: () => Promise<Scene>,
  options: Partial<Sample> = {},
): Promise<number> {
  const most = Math.min(options.most ?? 120, gate.sample?.most ?? Infinity)
  const seed = options.seed ?? gate.sample?.seed ?? 1
  let prefix: number[] | undefined = []
  let count = 0
  let orders = 0
  const draw = random(seed)
  let isDrawn = false
  while (prefix !== undefined && count < most) {
    const given: readonly number[] = prefix
    const choose = (step: number, width: number): number => (isDrawn ? Math.floor(draw() * width) : (given[step] ?? 0))
    const played = await scene()
    const { choices, order } = await conduct(gate, played.actors, choose)
    await played.check(order.join(' '))
    count += 1
    if (count === 1) {
      orders = ordersOf(order)
      isDrawn = orders > most
    }
    if (!isDrawn) prefix = following(choices)
  }
  return Math.max(count, orders)
}

interface Choice {
  readonly chosen: number
  readonly width: number
}

/** Lets one held operation after the other happen, until all actors are done. */
async function conduct(
  gate: Gate,
  actors: Scene['actors'],
  choose: (step: number, width: number) => number,
): Promise<{ choices: Choice[]; order: string[] }> {
  const held: Held[] = []
  const choices: Choice[] = []
  const order: string[] = []
  gate.conductor = ({ actor, name }: Operation, run) => {
    if (actor === undefined || !Object.hasOwn(actors, actor)) return run()
    return new Promise((resolve) => {
      const happen = async (): Promise<void> => {
        order.push(`${actor}.${name}`)
        await run()
        resolve()
      }
      held.push({ actor, happen })
    })
  }
  const running = new Set<string>()
  const ends = Object.entries(actors).map(async ([actor, act]) => {
    running.add(actor)
    await gate.as(actor, act).finally(() => running.delete(actor))
  })
  const all = Promise.all(ends)
  all.catch(() => undefined)
  for (let idle = 0; running.size > 0 && idle < PATIENCE; idle += 1) {
    await settle()
    // A real store on a busy machine may take its time.
    if (gate.isAsked) idle = 0
    if (held.length === 0) continue
    held.sort((a, b) => (a.actor < b.actor ? -1 : Number(a.actor > b.actor)))
    const chosen = choose(choices.length, held.length)
    choices.push({ chosen, width: held.length })
    const [next] = held.splice(chosen, 1)
    await next?.happen()
    idle = 0
  }
  gate.conductor = undefined
  if (running.size > 0) throw new Error(`${[...running].join()} never ended: ${order.join(' ')}`)
  await all
  return { choices, order }
}

/** Returns the next sequence of choices in depth-first order; `undefined` after the last. */
function following(choices: readonly Choice[]): number[] | undefined {
  const last = choices.findLastIndex(({ chosen, width }) => chosen + 1 < width)
  const turned = choices[last]
  return turned && [...choices.slice(0, last).map(({ chosen }) => chosen), turned.chosen + 1]
}

/** Returns in how many ways sequences of these lengths can be interleaved. */
function ordersOf(order: readonly string[]): number {
  const lengths = new Map<string, number>()
  let orders = 1
  for (const [position, label] of order.entries()) {
    const [actor = ''] = label.split('.')
    const length = (lengths.get(actor) ?? 0) + 1
    lengths.set(actor, length)
    orders = (orders * (position + 1)) / length
  }
  return orders
}

/** Returns a small generator of numbers in [0, 1): the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
