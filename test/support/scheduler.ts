/**
 * The fate of one store operation: it happens, or it times out. A store that times out may have written or not.
 */
export type Fate = 'done' | 'unwritten' | 'written'

/** The marks of the fates in a schedule. */
const MARKS: Readonly<Record<Fate, string>> = { done: '', unwritten: '-', written: '+' }

/**
 * The keys that a step reads and writes. Two steps can be swapped unless one writes what the other touches. A key that
 * begins another one holds it.
 */
export interface Footprint {
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  /** Tells whether the step can be swapped with no other step, because it changes the memory of the process. */
  readonly isFence?: boolean
}

/** One step that waits for its turn. */
export interface Waiting {
  /** Names the step in all orders in which it can happen. */
  readonly id: string
  readonly actor: string
  /** The operation, in words. */
  readonly label: string
  readonly footprint: Footprint
  /** The number of steps that had happened when the step was asked for. */
  readonly since: number
  /** The ways in which the step can fail. */
  readonly faults: readonly Exclude<Fate, 'done'>[]
}

/** One step that happened. Its footprint is what it did touch: a write that was refused has read. */
export interface Happened extends Waiting {
  readonly fate: Fate
}

/** One choice: which step happens next, and how. */
interface Choice {
  readonly id: string
  readonly fate: Fate
}

/** Chooses the next step. `undefined` abandons the run. */
export type Choose = (waiting: readonly Waiting[], happened: readonly Happened[]) => Choice | undefined

/** Plays one run from its beginning, and asks before each step. Resolves to `false` if the run was abandoned. */
type Play = (choose: Choose) => Promise<{ readonly happened: readonly Happened[]; readonly isWhole: boolean }>

/** The limits of a search. */
export interface SearchLimits {
  /** The number of steps that may time out in one run. */
  readonly faults: number
  /** The number of runs after which the search stops. */
  readonly most: number
}

/** The size of a search. */
export interface Searched {
  /** Runs that were played to their end. No two of them differ only in the order of independent steps. */
  readonly runs: number
  /** Interleavings that these runs stand for. */
  readonly interleavings: bigint
  /** Tells whether every interleaving was played, or one that differs only in the order of independent steps. */
  readonly isComplete: boolean
}

interface Taken extends Choice {
  readonly footprint: Footprint
}

interface Node {
  readonly waiting: readonly Waiting[]
  readonly mayFail: boolean
  /** Choices whose runs an earlier branch has played already. */
  readonly sleep: readonly Taken[]
  /** Steps that have to be tried here. */
  readonly wanted: Set<string>
  readonly done: Taken[]
  chosen: Taken
}

const NOTHING: Footprint = { reads: [], writes: [] }

/**
 * Plays every interleaving of a scene, by dynamic partial-order reduction with sleep sets (Flanagan and Godefroid, POPL
 * 2005). The search plays one of the runs that differ only in the order of steps that can be swapped. Where two steps
 * of a run cannot be swapped, the search plays the other order too.
 */
export async function search(play: Play, { faults, most }: SearchLimits): Promise<Searched> {
  const nodes: Node[] = []
  let runs = 0
  let interleavings = 0n
  do {
    const { happened, isWhole } = await play((waiting, before) => step(nodes, faults, waiting, before))
    if (isWhole) {
      runs += 1
      interleavings += ordersOf(happened)
    }
    noteLast(nodes, happened)
    addRaces(nodes, happened)
  } while (turn(nodes) && runs < most)
  return { runs, interleavings, isComplete: nodes.length === 0 }
}

/** Follows the planned choices, then takes the first choice that nobody has played. */
function step(
  nodes: Node[],
  faults: number,
  waiting: readonly Waiting[],
  happened: readonly Happened[],
): Choice | undefined {
  const planned = nodes[happened.length]
  if (planned !== undefined) {
    if (waiting.some(({ id }) => id === planned.chosen.id)) return planned.chosen
    throw new Error(`the run took another way than before: ${planned.chosen.id} is not waiting`)
  }
  noteLast(nodes, happened)
  const before = nodes.at(-1)
  const sleep = before === undefined ? [] : asleepAfter(before)
  const mayFail = happened.filter(({ fate }) => fate !== 'done').length < faults
  const isAwake = (one: Waiting): boolean => choicesOf(one, mayFail).some((choice) => !isIn(sleep, choice))
  const last = happened.at(-1)?.actor
  const next = waiting.find((one) => one.actor === last && isAwake(one)) ?? waiting.find(isAwake)
  const chosen = next && choicesOf(next, mayFail).find((choice) => !isIn(sleep, choice))
  if (next === undefined || chosen === undefined) return undefined
  nodes.push({ waiting, mayFail, sleep, wanted: new Set([next.id]), done: [], chosen })
  return chosen
}

/** Notes what the last step has touched, once it is over. */
function noteLast(nodes: readonly Node[], happened: readonly Happened[]): void {
  const node = nodes.at(-1)
  if (node !== undefined) node.chosen = { ...node.chosen, footprint: footprintOf(happened, nodes.length - 1) }
}

function asleepAfter({ sleep, done, chosen }: Node): readonly Taken[] {
  return [...sleep, ...done].filter((one) => one.id !== chosen.id && !areBound(one.footprint, chosen.footprint))
}

function choicesOf({ id, footprint, faults }: Waiting, mayFail: boolean): readonly Taken[] {
  const fates: readonly Fate[] = mayFail ? ['done', ...faults] : ['done']
  return fates.map((fate) => ({ id, fate, footprint: footprintAt(footprint, fate) }))
}

function footprintAt(footprint: Footprint, fate: Fate): Footprint {
  return fate === 'unwritten' ? NOTHING : footprint
}

/** Returns what a step has touched. */
function footprintOf(happened: readonly Happened[], place: number): Footprint {
  const one = happened[place]
  return one === undefined ? NOTHING : footprintAt(one.footprint, one.fate)
}

function isIn(list: readonly Choice[], { id, fate }: Choice): boolean {
  return list.some((one) => one.id === id && one.fate === fate)
}

/** Goes back to the last place where something is left to try. `false` if there is none. */
function turn(nodes: Node[]): boolean {
  for (let node = nodes.at(-1); node !== undefined; node = nodes.at(-1)) {
    const { waiting, wanted, done, sleep, chosen, mayFail } = node
    done.push(chosen)
    const left = waiting.filter(({ id }) => wanted.has(id)).flatMap((one) => choicesOf(one, mayFail))
    const next = left.find((choice) => !isIn(done, choice) && !isIn(sleep, choice))
    if (next !== undefined) {
      node.chosen = next
      return true
    }
    nodes.pop()
  }
  return false
}

/** Tells whether two steps cannot be swapped. */
function areBound(one: Footprint, other: Footprint): boolean {
  if (one.isFence === true || other.isFence === true) return true
  const isTouched = (key: string): boolean => isAmong(other.reads, key) || isAmong(other.writes, key)
  return one.writes.some(isTouched) || one.reads.some((key) => isAmong(other.writes, key))
}

function isAmong(keys: readonly string[], key: string): boolean {
  return keys.some((one) => one.startsWith(key) || key.startsWith(one))
}

/** Footprints that were seen, and which of them are bound to which. There are few, and they come back all the time. */
class Bonds {
  readonly #places = new Map<string, number>()
  readonly #footprints: Footprint[] = []
  readonly #known: boolean[][] = []

  placeOf(footprint: Footprint): number {
    const { reads, writes, isFence = false } = footprint
    const text = isFence ? '!' : `${reads.join()} ${writes.join()}`
    const known = this.#places.get(text)
    if (known !== undefined) return known
    this.#places.set(text, this.#footprints.length)
    this.#known.push([])
    return this.#footprints.push(footprint) - 1
  }

  areBound(one: number, other: number): boolean {
    const row = this.#known[one] ?? []
    return (row[other] ??= areBound(this.#footprints[one] ?? NOTHING, this.#footprints[other] ?? NOTHING))
  }
}

const bonds = new Bonds()

/** The steps that had to come before others in a run. */
interface Causes {
  /** For each step, the positions of the steps that it cannot be swapped with, and that came before. */
  readonly direct: readonly (readonly number[])[]
  /** Tells whether one step had to come before another one, if only because of the steps between them. */
  readonly isBefore: (earlier: number, later: number) => boolean
}

const foundCauses = new WeakMap<readonly Happened[], Causes>()

function causesOf(happened: readonly Happened[]): Causes {
  const known = foundCauses.get(happened) ?? findCauses(happened)
  foundCauses.set(happened, known)
  return known
}

function findCauses(happened: readonly Happened[]): Causes {
  const direct: number[][] = []
  const places = happened.map((_one, position) => bonds.placeOf(footprintOf(happened, position)))
  // One row of marks for each step.
  const size = happened.length
  const marks = new Uint8Array(size * size)
  for (const [position, one] of happened.entries()) {
    const own: number[] = []
    for (let earlier = position - 1; earlier >= 0; earlier -= 1) {
      const isOrdered = happened[earlier]?.actor === one.actor && earlier < one.since
      if (!isOrdered && !bonds.areBound(places[earlier] ?? 0, places[position] ?? 0)) continue
      own.push(earlier)
      if (marks[position * size + earlier] === 1) continue
      marks[position * size + earlier] = 1
      for (let before = 0; before < earlier; before += 1) {
        if (marks[earlier * size + before] === 1) marks[position * size + before] = 1
      }
    }
    direct.push(own)
  }
  return { direct, isBefore: (earlier, later) => marks[later * size + earlier] === 1 }
}

/** Asks for the other order of each two steps that were neighbours in time and cannot be swapped. */
function addRaces(nodes: readonly Node[], happened: readonly Happened[]): void {
  const { direct, isBefore } = causesOf(happened)
  for (const [later, causes] of direct.entries()) {
    const second = happened[later] as Happened
    for (const earlier of causes) {
      const first = happened[earlier] as Happened
      const isOrdered = first.actor === second.actor && earlier < second.since
      const isBetween = causes.some((other) => other !== earlier && isBefore(earlier, other))
      const node = nodes[earlier]
      if (node === undefined || isOrdered || isBetween) continue
      want(node, earlier, later, happened)
    }
  }
}

function want({ waiting, wanted }: Node, earlier: number, later: number, happened: readonly Happened[]): void {
  const { isBefore } = causesOf(happened)
  const { id } = happened[later] as Happened
  if (waiting.some((one) => one.id === id)) return void wanted.add(id)
  // The step itself was not asked for yet. What led to it comes first.
  const leading = waiting.filter((one) => {
    const position = happened.findIndex((other, index) => index > earlier && other.id === one.id)
    return position > 0 && isBefore(position, later)
  })
  if (leading.some((one) => wanted.has(one.id))) return
  const [lead] = leading
  for (const one of lead === undefined ? waiting : [lead]) wanted.add(one.id)
}

/**
 * Returns every set of steps that a process may have taken when it died: with each step, all that had to come before
 * it.
 */
export function* cutsOf<Step extends Happened>(happened: readonly Step[]): Generator<readonly Step[]> {
  const { direct } = causesOf(happened)
  const chains = chainsOf(happened)
  function* extend(chain: number, past: ReadonlySet<number>): Generator<readonly Step[]> {
    const own = chains[chain]
    if (own === undefined) {
      const isClosed = [...past].every((position) => (direct[position] ?? []).every((cause) => past.has(cause)))
      if (isClosed) yield happened.filter((_one, position) => past.has(position))
      return
    }
    for (let length = 0; length <= own.length; length += 1) {
      yield* extend(chain + 1, new Set([...past, ...own.slice(0, length)]))
    }
  }
  yield* extend(0, new Set())
}

/** Returns the number of orders of all steps that differ from a run only in the order of independent steps. */
function ordersOf(happened: readonly Happened[]): bigint {
  const { direct } = causesOf(happened)
  const chains = chainsOf(happened)
  const chainOf = new Map(chains.flatMap((chain, place) => chain.map((position) => [position, place] as const)))
  const inChain = new Map(chains.flatMap((chain) => chain.map((position, place) => [position, place] as const)))
  // For each step, how far each chain has to have come.
  const needs = direct.map((own) =>
    chains.map((_chain, place) => {
      const there = own.filter((cause) => chainOf.get(cause) === place).map((cause) => (inChain.get(cause) ?? 0) + 1)
      return Math.max(0, ...there)
    }),
  )
  const known = new Map<string, bigint>()
  const count = (progress: readonly number[], left: number): bigint => {
    if (left === 0) return 1n
    const key = progress.join()
    const found = known.get(key)
    if (found !== undefined) return found
    let orders = 0n
    for (const [chain, length] of progress.entries()) {
      const next = chains[chain]?.[length]
      if (next === undefined || needs[next]?.some((need, place) => need > (progress[place] ?? 0))) continue
      orders += count(progress.with(chain, length + 1), left - 1)
    }
    known.set(key, orders)
    return orders
  }
  return count(
    chains.map(() => 0),
    happened.length,
  )
}

/** Returns the positions of each actor's steps. */
function chainsOf(happened: readonly Happened[]): number[][] {
  const actors = [...new Set(happened.map(({ actor }) => actor))]
  return actors.map((actor) => happened.flatMap((one, position) => (one.actor === actor ? [position] : [])))
}

/** Returns a run in one line, which `follow` plays again. */
export function scheduleOf(choices: readonly (Choice & { readonly waiting: readonly Waiting[] })[]): string {
  return choices
    .map(({ id, fate, waiting }) => {
      const actor = waiting.find((one) => one.id === id)?.actor ?? ''
      const own = waiting.filter((one) => one.actor === actor)
      const place = own.findIndex((one) => one.id === id)
      return `${actor}${place > 0 ? place : ''}${MARKS[fate]}`
    })
    .join('')
}

/** Returns the choices that a schedule names. */
export function follow(schedule: string): Choose {
  const tokens = [...schedule.matchAll(/([a-z])(\d*)([-+]?)/g)]
  return (waiting, happened) => {
    const token = tokens[happened.length]
    if (token === undefined) return undefined
    const [, actor, place, mark] = token
    const chosen = waiting.filter((one) => one.actor === actor)[Number(place)]
    if (chosen === undefined) throw new Error(`the schedule does not fit: ${token[0]} is not waiting`)
    const fate = (Object.keys(MARKS) as Fate[]).find((one) => MARKS[one] === mark) ?? 'done'
    return { id: chosen.id, fate }
  }
}

/** Returns choices drawn by chance, with at most one fault. */
export function drawn(random: () => number, faultShare: number): Choose {
  return (waiting, happened) => {
    const one = waiting[Math.floor(random() * waiting.length)]
    if (one === undefined) return undefined
    const isFree = happened.every(({ fate }) => fate === 'done')
    const fault = isFree && random() < faultShare ? one.faults[Math.floor(random() * one.faults.length)] : undefined
    return { id: one.id, fate: fault ?? 'done' }
  }
}

/**
 * Returns choices in which one actor acts at a time. The `first` one begins. At each of these places another one goes
 * on, and so it does when somebody is done. Few switches are enough for most races.
 */
export function switching(first: string, places: readonly number[], faultAt?: number): Choose {
  let actor = first
  return (waiting, happened) => {
    const actors = [...new Set(waiting.map((one) => one.actor))].toSorted()
    const isDone = !actors.includes(actor)
    if (isDone || places.includes(happened.length)) actor = actors.find((one) => one > actor) ?? actors[0] ?? actor
    const one = waiting.find((own) => own.actor === actor)
    if (one === undefined) return undefined
    const fault = happened.length === faultAt ? one.faults[happened.length % one.faults.length] : undefined
    return { id: one.id, fate: fault ?? 'done' }
  }
}

/** Returns choices with one to three switches at places drawn by chance, in a run of about this length. */
export function drawnSwitches(
  random: () => number,
  length: number,
  faultShare: number,
  actors: readonly string[],
): Choose {
  const place = (): number => 1 + Math.floor(random() * length)
  const places = Array.from({ length: 1 + Math.floor(random() * 3) }, place)
  const fault = random() < faultShare ? place() : undefined
  return switching(actors[Math.floor(random() * actors.length)] ?? '', places, fault)
}
