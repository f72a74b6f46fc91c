import { emptyBag, isBag, remember } from './read-options.ts'
import type { Path } from './show-value.ts'
import type { Bag, ReadOptions } from './read-options.ts'

/** A step of a fix, with the members that its application needs. */
export type AppliedChange =
  | { readonly op: 'set'; readonly path: Path; readonly value: unknown }
  | { readonly op: 'move'; readonly from: Path; readonly path: Path }
  | { readonly op: 'remove'; readonly path: Path }

/**
 * Returns the options after a fix. Positions in lists count as before the first step. If one step removes a member and
 * a later step sets the member, the member is there in the end.
 */
export function applyChanges(read: ReadOptions, changes: readonly AppliedChange[]): ReadOptions {
  const root = copy(read.root) as Bag
  const gone = new Map<string, Path>()
  for (const change of changes) {
    if (change.op === 'remove') gone.set(JSON.stringify(change.path), change.path)
    else {
      write(root, change.path, change.op === 'set' ? change.value : valueAt(root, change.from))
      gone.delete(JSON.stringify(change.path))
      if (change.op === 'move') gone.set(JSON.stringify(change.from), change.from)
    }
  }
  // Members of elements first, then elements from the end of a list: no index moves before its turn.
  for (const path of [...gone.values()].toSorted((left, right) => indexOf(right) - indexOf(left))) removeAt(root, path)
  const touched = [...gone.values(), ...changes.map(({ path }) => path)]
  const unreadable = read.unreadable.filter(({ path }) => !touched.some((other) => isWithin(path, other)))
  return remember({ ...read, root, unreadable })
}

function copy(value: unknown): unknown {
  // Elements that nobody copied may hold themselves.
  if (Array.isArray(value)) return value.map((element: unknown) => (isBag(element) ? copy(element) : element))
  if (!isBag(value)) return value
  const bag = emptyBag()
  for (const [key, member] of Object.entries(value)) bag[key] = copy(member)
  return bag
}

function write(root: Bag, path: Path, value: unknown): void {
  // A list takes an index as a bag takes a name.
  let container = root
  for (const step of path.slice(0, -1)) {
    const inner = container[step]
    if (!isBag(inner) && !Array.isArray(inner)) container[step] = emptyBag()
    container = container[step] as Bag
  }
  container[path.at(-1) as string] = value
}

function indexOf(path: Path): number {
  const last = path.at(-1)
  return typeof last === 'number' ? last : Number.MAX_SAFE_INTEGER
}

function removeAt(root: Bag, path: Path): void {
  const container = valueAt(root, path.slice(0, -1))
  const last = path.at(-1) as string | number
  if (Array.isArray(container)) container.splice(Number(last), 1)
  else if (isBag(container)) delete container[last]
}

/** Returns the value of options at a place; `undefined` where the path ends early. */
export function valueAt(root: Bag, path: Path): unknown {
  let value: unknown = root
  for (const step of path) {
    if (!isBag(value) && !Array.isArray(value)) return undefined
    value = (value as Bag)[step]
  }
  return value
}

/** Tells whether a place is another one, or stands in it. */
export function isWithin(path: Path, outer: Path): boolean {
  return outer.every((step, index) => step === path[index])
}

export function samePath(left: Path, right: Path): boolean {
  return left.length === right.length && left.every((step, index) => step === right[index])
}
