import { MOST_ITEMS, ROOT_NAMES } from './schema.ts'
import { showDoubtful } from './show-value.ts'
import type { Path } from './show-value.ts'

/** Keys and values without a prototype: nothing inherited, no getter left. */
export type Bag = Record<string, unknown>

/** A copy of the options, as deep as they have options and no deeper. */
export interface ReadOptions {
  /** Empty when the options are no object at all. */
  readonly root: Bag
  readonly isObject: boolean
  /** What was given, as a report shows it. */
  readonly shown: string
  /** Places whose getter or proxy threw, or that hold something else than options: a promise, too many keys. */
  readonly unreadable: Path[]
}

const MOST_KEYS = 1000

// Read by Fastify itself from the same object, at every register.
const FASTIFY_KEYS = new Set(['logLevel', 'logSerializers'])

/** Options may be hostile: cyclic, proxies, getters that throw. Each value is read once, here, and never again. */
export function readOptions(options: unknown): ReadOptions {
  const unreadable: Path[] = []
  const shown = showDoubtful(options)
  if (options === undefined) return { root: emptyBag(), isObject: true, shown, unreadable }
  const root = readBag(options, [], unreadable, ROOT_NAMES)
  if (!isBag(root)) return { root: emptyBag(), isObject: false, shown, unreadable }
  for (const key of Object.keys(root)) {
    if (FASTIFY_KEYS.has(key) || (key === 'prefix' && isRoutePrefix(root[key]))) delete root[key]
  }
  for (const key of ['cookie', 'decorators', 'maxSessions']) {
    if (key in root) root[key] = readBag(root[key], [key], unreadable)
  }
  for (const key of ['secret', 'trustedOrigins', 'migrateFrom', 'silence']) {
    if (key in root) root[key] = readList(root[key], [key], unreadable)
  }
  for (const key of ['trustedOrigins', 'silence']) {
    const list = root[key]
    if (Array.isArray(list)) root[key] = list.map((entry: unknown, index) => readBag(entry, [key, index], unreadable))
  }
  return { root, isObject: true, shown, unreadable }
}

/** Tells whether a value is a copy made here. */
export function isBag(value: unknown): value is Bag {
  return typeof value === 'object' && value !== null && BAGS.has(value)
}

const BAGS = new WeakSet<object>()

function emptyBag(): Bag {
  const bag = Object.create(null) as Bag
  BAGS.add(bag)
  return bag
}

function isRoutePrefix(value: unknown): boolean {
  return typeof value === 'string' && (value === '' || value.startsWith('/'))
}

function readBag(value: unknown, path: Path, unreadable: Path[], inherited: readonly string[] = []): unknown {
  try {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    if (!isPlain(value)) throw new TypeError('only looks like options')
    const keys = Object.keys(value)
    if (keys.length > MOST_KEYS) throw new RangeError('more keys than options can have')
    const bag = emptyBag()
    for (const key of new Set([...keys, ...inherited])) readMember(value, key, bag, path, unreadable)
    return bag
  } catch {
    unreadable.push(path)
    return emptyBag()
  }
}

/** `undefined` is absence: `secure: undefined` leaves the default in place. */
function readMember(source: Bag, key: string, bag: Bag, path: Path, unreadable: Path[]): void {
  try {
    const member = inspectable(source[key])
    if (member !== undefined) bag[key] = member
  } catch {
    unreadable.push([...path, key])
  }
}

/** @throws TypeError for a revoked proxy, which cannot be asked anything later on either. */
function inspectable(value: unknown): unknown {
  Array.isArray(value)
  return value
}

function readList(value: unknown, path: Path, unreadable: Path[]): unknown {
  try {
    if (!Array.isArray(value)) return value
    // An absent element stays visible: [process.env.NEW, process.env.OLD].
    return Array.from({ length: Math.min(value.length, MOST_ITEMS + 1) }, (_, index) =>
      inspectable(value[index] ?? null),
    )
  } catch {
    unreadable.push(path)
    return []
  }
}

/** A promise or a map has no keys of its own, and would be judged as no options at all. */
function isPlain(value: object): value is Bag {
  return Object.prototype.toString.call(value) === '[object Object]'
}
