import { types } from 'node:util'
import { ROOT_NAMES } from './schema.ts'
import { MAX_ITEMS } from './schema-node.ts'
import { OPTIONS_WITH_LISTED_MEMBERS, OPTIONS_WITH_LISTS, OPTIONS_WITH_MEMBERS } from './schema-places.ts'
import { showDoubtful } from './show-value.ts'
import type { Path } from './show-value.ts'

/** Keys and values without a prototype: nothing inherited, no getter left. */
export type Bag = Record<string, unknown>

/** A copy of the options, as deep as they have options and no deeper. */
export interface ReadOptions {
  /** Empty when the options are no object at all. */
  readonly root: Bag
  readonly isObject: boolean
  /** The given value, as a report shows it. */
  readonly shown: string
  readonly unreadable: readonly Unreadable[]
}

/** A place that could not be read. */
export interface Unreadable {
  readonly path: Path
  /**
   * The reason: a getter or a proxy threw, or a promise stands there. `strange` is an object that only looks like
   * options, such as a map or too many keys.
   */
  readonly reason: 'threw' | 'promise' | 'strange'
}

const MAX_KEYS = 1000

// Read by Fastify itself from the same object, at every register.
const FASTIFY_KEYS = new Set(['logLevel', 'logSerializers'])

const READ = new WeakMap<object, ReadOptions>()

/**
 * Copies options, which may be hostile: cyclic, proxies, getters that throw. Each value is read once, here, and never
 * again: whoever reads the copy (`root`) gets what the first reading found.
 */
export function readOptions(options: unknown): ReadOptions {
  const known = isBag(options) ? READ.get(options) : undefined
  if (known !== undefined) return known
  const unreadable: Unreadable[] = []
  return remember({ ...readRoot(options, unreadable), shown: showDoubtful(options), unreadable })
}

/** Makes a copy readable again as what it is. */
export function remember(read: ReadOptions): ReadOptions {
  READ.set(read.root, read)
  return read
}

function readRoot(options: unknown, unreadable: Unreadable[]): { root: Bag; isObject: boolean } {
  if (options === undefined) return { root: emptyBag(), isObject: true }
  const root = readBag(options, [], unreadable, ROOT_NAMES)
  if (!isBag(root)) return { root: emptyBag(), isObject: false }
  for (const key of Object.keys(root)) {
    if (FASTIFY_KEYS.has(key) || (key === 'prefix' && isRoutePrefix(root[key]))) delete root[key]
  }
  for (const key of OPTIONS_WITH_MEMBERS) {
    if (key in root) root[key] = readBag(root[key], [key], unreadable)
  }
  for (const key of OPTIONS_WITH_LISTS) {
    if (key in root) root[key] = readList(root[key], [key], unreadable)
  }
  for (const key of OPTIONS_WITH_LISTED_MEMBERS) {
    const list = root[key]
    if (Array.isArray(list)) root[key] = list.map((entry: unknown, index) => readBag(entry, [key, index], unreadable))
  }
  return { root, isObject: true }
}

/** Tells whether a value is a copy made here. */
export function isBag(value: unknown): value is Bag {
  return typeof value === 'object' && value !== null && BAGS.has(value)
}

const BAGS = new WeakSet<object>()

/** A copy without members. */
export function emptyBag(): Bag {
  const bag = Object.create(null) as Bag
  BAGS.add(bag)
  return bag
}

function isRoutePrefix(value: unknown): boolean {
  return typeof value === 'string' && (value === '' || value.startsWith('/'))
}

function readBag(value: unknown, path: Path, unreadable: Unreadable[], inherited: readonly string[] = []): unknown {
  try {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const keys = Object.keys(value)
    if (!isPlain(value, keys.length === 0) || keys.length > MAX_KEYS) {
      unreadable.push({ path, reason: isPromise(value) ? 'promise' : 'strange' })
      return emptyBag()
    }
    const bag = emptyBag()
    const others = inherited.filter((key) => !keys.includes(key) && isMember(value, key))
    for (const key of [...keys, ...others]) readMember(value, key, bag, path, unreadable)
    return bag
  } catch {
    unreadable.push({ path, reason: 'threw' })
    return emptyBag()
  }
}

/** Proxies around a configuration throw for what they do not know: such a name is absent. */
function isMember(value: object, key: string): boolean {
  try {
    return key in value
  } catch {
    return false
  }
}

/** `undefined` is absence: `secure: undefined` leaves the default in place. */
function readMember(source: Bag, key: string, bag: Bag, path: Path, unreadable: Unreadable[]): void {
  try {
    const member = inspectable(source[key])
    if (isPromise(member)) unreadable.push({ path: [...path, key], reason: 'promise' })
    else if (member !== undefined) bag[key] = member
  } catch {
    unreadable.push({ path: [...path, key], reason: 'threw' })
  }
}

/** @throws TypeError for a revoked proxy, which cannot be asked anything later on either. */
function inspectable(value: unknown): unknown {
  Array.isArray(value)
  return value
}

function isPromise(value: unknown): boolean {
  return types.isPromise(value) || hasThen(value)
}

/** Promises of other libraries. A proxy that throws here throws later too, where it is judged. */
function hasThen(value: unknown): boolean {
  try {
    return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
  } catch {
    return false
  }
}

function readList(value: unknown, path: Path, unreadable: Unreadable[]): unknown {
  try {
    if (!Array.isArray(value)) return value
    // An absent element stays visible: [process.env.NEW, process.env.OLD].
    return Array.from({ length: Math.min(value.length, MAX_ITEMS + 1) }, (_, index) =>
      readElement(value[index] ?? null, [...path, index], unreadable),
    )
  } catch {
    unreadable.push({ path, reason: 'threw' })
    return []
  }
}

function readElement(value: unknown, path: Path, unreadable: Unreadable[]): unknown {
  if (!isPromise(inspectable(value))) return value
  unreadable.push({ path, reason: 'promise' })
  return undefined
}

/** A promise or a map has no keys of its own, and would be judged as no options at all. */
function isPlain(value: object, isEmpty: boolean): value is Bag {
  try {
    return Object.prototype.toString.call(value) === '[object Object]'
  } catch (error) {
    // A strict proxy has no name for its kind either, but it shows its members.
    if (isEmpty) throw error
    return true
  }
}
