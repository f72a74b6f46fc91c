import { AsyncLocalStorage } from 'node:async_hooks'
import { DEVICES } from '../../lib/session/known-devices.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { answerAtOnce } from '../../lib/storage/immediate.ts'
import type { IndexEntry, SessionRecord, SessionStore } from '../../types/index.ts'
import type { Fate, Footprint, Happened, Waiting } from '../support/scheduler.ts'

/** All that a store holds. */
export interface Contents {
  readonly records: ReadonlyMap<string, SessionRecord>
  readonly index: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly cutoff: number
}

/** One step of an actor that happened, with what it did. */
export interface Deed extends Happened {
  readonly name: string
  readonly args: readonly unknown[]
  readonly answer: unknown
  /** The record as it was before. */
  readonly before: SessionRecord | undefined
}

type Methods = Record<string, (...args: unknown[]) => Promise<unknown>>

interface Held extends Waiting {
  readonly name: string
  readonly args: readonly unknown[]
  happen(fate: Fate): Promise<unknown>
}

const READS = new Set(['get', 'getMany', 'listIndex', 'listAll', 'load', 'recall'])
const RECORDS = new Set(['get', 'getMany', 'create', 'update', 'touch', 'delete'])
const INDEX = new Set(['addToIndex', 'keepInIndex', 'removeFromIndex', 'listIndex'])

/** Steps that only say how far an actor is. */
const IDLE = new Set(['start', 'begin', 'answer'])

/** Steps of actors that change or read what the process remembers. They are swapped with no other step. */
const FENCES = new Set(['time', 'raiseCutoff', 'loadUser', 'answer'])

/**
 * The store in memory, with every operation of an actor held until the scheduler lets it happen. What nobody is
 * labelled for, such as the preparation of a scene, happens at once.
 */
export class SteppedStore {
  readonly store: SessionStore
  readonly deeds: Deed[] = []
  readonly #real: Methods
  readonly #held: Held[] = []
  readonly #actors: AsyncLocalStorage<string>
  readonly #records: Map<string, SessionRecord>
  readonly #index: Map<string, Map<string, number>>
  readonly #counts = new Map<string, number>()
  readonly #cache = new Map<string, SessionRecord>()
  readonly #isCached: boolean
  #cutoff: number

  constructor(actors: AsyncLocalStorage<string>, clock: () => number, contents: Contents, isCached = false) {
    this.#actors = actors
    this.#records = new Map(contents.records)
    this.#index = new Map([...contents.index].map(([user, entries]) => [user, new Map(entries)]))
    this.#cutoff = contents.cutoff
    this.#isCached = isCached
    // The process has read every record before.
    if (isCached) for (const [handle, record] of contents.records) this.#cache.set(handle, record)
    // Every method of the store returns a promise.
    this.#real = filled(clock, contents) as unknown as Methods
    this.store = this.#wrap()
    if (isCached) answerAtOnce(this.store, { recall: (handle) => this.#recall(handle) })
  }

  /** The steps that wait, in an order that does not depend on chance. */
  get waiting(): readonly Held[] {
    return this.#held.toSorted((a, b) => (a.actor < b.actor ? -1 : Number(a.actor > b.actor)))
  }

  get contents(): Contents {
    return { records: this.#records, index: this.#index, cutoff: this.#cutoff }
  }

  /** Lets one step happen. */
  async happen(id: string, fate: Fate): Promise<void> {
    const place = this.#held.findIndex((one) => one.id === id)
    const [held] = this.#held.splice(place, 1)
    await held?.happen(fate)
  }

  /** Lets nothing happen any more: every operation fails. */
  async abandon(): Promise<void> {
    while (this.#held.length > 0) {
      for (const held of this.#held.splice(0)) void held.happen('unwritten')
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Holds a step that is no operation of the store. */
  step(name: string, args: readonly unknown[], run: () => Promise<unknown>, canFail = true): Promise<unknown> {
    const actor = this.#actors.getStore()
    if (actor === undefined || actor === '') return run()
    const footprint = this.#isCached ? footprintWithCache(name, args) : footprintOf(name, args)
    const key = `${actor}/${name}/${footprint.reads.concat(footprint.writes).join()}`
    const count = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, count)
    const faults = !canFail ? [] : READS.has(name) ? (['unwritten'] as const) : (['unwritten', 'written'] as const)
    return new Promise((resolve, reject) => {
      const waiting = { id: `${key}/${count}`, actor, label: name, footprint, since: this.deeds.length, faults }
      const happen = async (fate: Fate): Promise<void> => {
        const before = this.#records.get(handleIn(args))
        const held = this.#heldFor(name, args)
        const answer = fate === 'unwritten' ? undefined : await run()
        const isRefused = held === this.#heldFor(name, args)
        const touched = isRefused ? readingOnly(footprint) : footprint
        this.deeds.push({ ...waiting, footprint: touched, fate, name, args, answer, before })
        if (fate === 'done') resolve(answer)
        else reject(new Error('no answer in time, as the schedule wants it'))
      }
      this.#held.push({ ...waiting, name, args, happen })
    })
  }

  /** Returns what is held where a step writes. It is another object once it has changed. */
  #heldFor(name: string, args: readonly unknown[]): unknown {
    if (name === 'get') return this.#cache.get(handleIn(args))
    if (name !== 'getMany' && RECORDS.has(name)) return this.#records.get(handleIn(args))
    return INDEX.has(name) ? this.#index.get(String(args[0]))?.get(String(args[1])) : {}
  }

  /** Answers from the cache, and notes that the last step of the actor led to that. */
  #recall(handle: string): SessionRecord | undefined {
    const actor = this.#actors.getStore()
    const place = this.deeds.findLastIndex((one) => one.actor === actor)
    const deed = this.deeds[place]
    if (deed !== undefined) {
      const { reads } = deed.footprint
      this.deeds[place] = { ...deed, footprint: { ...deed.footprint, reads: [...reads, `c:${handle}`] } }
    }
    return this.#cache.get(handle)
  }

  #wrap(): SessionStore {
    const names = [...RECORDS, ...INDEX, 'raiseCutoff', 'readCutoff', 'listAll', 'count', 'sweep']
    const methods = names.map((name) => [name, (...args: unknown[]) => this.#perform(name, args)])
    return Object.fromEntries(methods) as SessionStore
  }

  #perform(name: string, args: unknown[]): Promise<unknown> {
    const run = async (): Promise<unknown> => {
      const answer = await this.#real[name]?.(...args)
      this.#note(name, args, answer)
      return name === 'listIndex' ? byHandle(answer as readonly IndexEntry[]) : answer
    }
    // The kinds of clients of a user decide nothing, and the cutoff in force is known to the process.
    const isPlain = name === 'readCutoff' || String(args[0]).startsWith(DEVICES)
    return isPlain ? run() : this.step(name, args, run)
  }

  /** Keeps a copy of what the store holds. */
  #note(name: string, args: readonly unknown[], answer: unknown): void {
    if (this.#isCached && name === 'get' && answer !== undefined) {
      this.#cache.set(String(args[0]), answer as SessionRecord)
    }
    if (name === 'raiseCutoff') this.#cutoff = Number(answer)
    if (INDEX.has(name)) this.#noteIndex(name, String(args[0]), String(args[1]), Number(args[2]), answer)
    if (answer !== true || !RECORDS.has(name)) return
    this.#invalidate(handleIn(args))
    if (name === 'delete') this.#records.delete(String(args[0]))
    else if (name === 'touch') this.#noteTouch(String(args[0]), args[2] as Partial<SessionRecord>)
    else this.#records.set((args[0] as SessionRecord).handle, args[0] as SessionRecord)
  }

  /** Tells the cache, some time later, that a record changed. */
  #invalidate(handle: string): void {
    if (!this.#cache.has(handle)) return
    const forget = async (): Promise<void> => void this.#cache.delete(handle)
    this.#actors.run(this.#actors.getStore() === '' ? '' : 'z', () => {
      this.step('invalidate', [handle], forget, false).catch(() => undefined)
    })
  }

  #noteTouch(handle: string, seen: Partial<SessionRecord>): void {
    const record = this.#records.get(handle)
    const isChanged = record?.lastSeenAt !== seen.lastSeenAt || record?.idleDeadline !== seen.idleDeadline
    if (record !== undefined && isChanged) this.#records.set(handle, { ...record, ...pick(seen) })
  }

  #noteIndex(name: string, user: string, handle: string, expiresAt: number, answer: unknown): void {
    const entries = this.#index.get(user) ?? new Map<string, number>()
    this.#index.set(user, entries)
    if (name === 'removeFromIndex') entries.delete(handle)
    if (answer !== true) return
    const held = entries.get(handle) ?? 0
    if (name === 'addToIndex') entries.set(handle, Math.max(held, expiresAt))
    if (name === 'keepInIndex') entries.set(handle, expiresAt)
  }
}

function pick({ lastSeenAt = 0, idleDeadline = 0 }: Partial<SessionRecord>): Partial<SessionRecord> {
  return { lastSeenAt, idleDeadline }
}

/** Contents of an empty store. */
export const EMPTY: Contents = { records: new Map(), index: new Map(), cutoff: 0 }

/** Returns a store in memory that holds this. The store in memory does everything before it returns its promise. */
function filled(clock: () => number, { records, index, cutoff }: Contents): ReturnType<typeof memoryStore> {
  const store = memoryStore({ clock })
  for (const record of records.values()) void store.create(record)
  for (const [user, entries] of index) {
    for (const [handle, expiresAt] of entries) void store.addToIndex(user, handle, expiresAt)
  }
  if (cutoff > 0) void store.raiseCutoff(cutoff)
  return store
}

/** Tells whether a deed leaves another state of the store or of the app's database, or another time. */
export function changes({ name, args, fate }: Deed): boolean {
  if (name === 'loadUser') return args.length > 0
  return fate !== 'unwritten' && !READS.has(name) && !IDLE.has(name)
}

/** Returns what a store holds after some of the deeds that were done to it. */
export async function contentsAfter(begin: number, contents: Contents, deeds: readonly Deed[]): Promise<Contents> {
  let now = begin
  const stepped = new SteppedStore(new AsyncLocalStorage<string>(), () => now, contents)
  // Deeds that are none of the store's, such as a timer, have no method.
  const methods = stepped.store as unknown as Partial<Methods>
  for (const { name, args, fate } of deeds) {
    if (name === 'time') now += Number(args[0])
    else if (fate !== 'unwritten') await methods[name]?.(...args)
  }
  return stepped.contents
}

/** Returns the handle that an operation is about: its first argument, or that of a record. */
export function handleIn([first]: readonly unknown[]): string {
  return typeof first === 'object' ? (first as SessionRecord).handle : (first as string)
}

function footprintOf(name: string, args: readonly unknown[]): Footprint {
  const isFence = FENCES.has(name)
  if (name === 'getMany') return { reads: (args[0] as readonly string[]).map((handle) => `r:${handle}`), writes: [] }
  if (INDEX.has(name)) return footprintInIndex(name, args)
  if (name === 'listAll') return { reads: ['r:'], writes: [] }
  const keys = RECORDS.has(name) ? [`r:${handleIn(args)}`] : args.map(String)
  return READS.has(name) ? { reads: keys, writes: [], isFence } : { reads: [], writes: keys, isFence }
}

/** Returns a footprint where records are cached. A read fills the cache, and a write looks whether to tell it. */
function footprintWithCache(name: string, args: readonly unknown[]): Footprint {
  const footprint = footprintOf(name, args)
  const [handle] = name === 'invalidate' || RECORDS.has(name) ? [handleIn(args)] : []
  if (handle === undefined || name === 'getMany') return footprint
  const cached = `c:${handle}`
  if (name === 'invalidate') return { reads: [`r:${handle}`], writes: [cached] }
  const { reads, writes } = footprint
  return name === 'get' ? { reads, writes: [cached] } : { reads: [...reads, cached], writes }
}

/** A write touches one entry of a user. A list and a write with a limit read all of them. */
function footprintInIndex(name: string, [user, handle, , limit]: readonly unknown[]): Footprint {
  const all = `i:${String(user)}/`
  if (name === 'listIndex') return { reads: [all], writes: [] }
  return { reads: limit === undefined || limit === Infinity ? [] : [all], writes: [`${all}${String(handle)}`] }
}

function readingOnly({ reads, writes, isFence = false }: Footprint): Footprint {
  return { reads: [...reads, ...writes], writes: [], isFence }
}

/** The order in which entries were added decides nothing. */
function byHandle(entries: readonly IndexEntry[]): readonly IndexEntry[] {
  return entries.toSorted((one, other) => (one.handle < other.handle ? -1 : 1))
}
