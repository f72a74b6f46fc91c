import { SecureSessionError } from '../errors.ts'

/** An object, by its members. */
type Members = Record<string, unknown>

/** Deeper data is an attack on the stack, not a session. */
const MAX_DEPTH = 100

/** A value that JSON would drop or change in silence: its kind, and its path from the value that was looked at. */
export interface Problem {
  readonly path: string
  readonly kind: string
}

/** The problem of data whose JSON is larger than allowed. */
export const TOO_LARGE: Problem = { path: '', kind: 'too large' }

/** A walk over data. It ends as soon as the JSON of what was seen is certainly larger than `maxSize`. */
export class Walk {
  readonly maxSize: number
  /**
   * Tells whether the walk reports parts that JSON would leave out. Only stored data is checked for such parts, because
   * this check costs time.
   */
  readonly isThorough: boolean
  /** Finds cycles. One list serves the whole walk, because a list for each object would cost more than the walk. */
  readonly ancestors: unknown[] = []
  #left: number

  constructor(maxSize: number, isThorough = false) {
    this.maxSize = maxSize
    this.isThorough = isThorough
    this.#left = maxSize
  }

  /** Counts characters of the JSON, never more than there will be. */
  take(characters: number): Problem | undefined {
    this.#left -= characters
    return this.#left < 0 ? TOO_LARGE : undefined
  }
}

/** Returns what JSON would drop or change in silence in a value; `undefined` if it carries the value unchanged. */
export function findProblem(value: unknown, walk: Walk): Problem | undefined {
  const { ancestors } = walk
  if (typeof value === 'string') return walk.take(value.length + 2)
  if (typeof value === 'number') return Number.isFinite(value) ? walk.take(1) : here('a number without a value')
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') {
    return here(`a ${typeof value}`)
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (ancestors.length >= MAX_DEPTH) {
    throw new SecureSessionError('SESSION_RECORD_TOO_LARGE', { detail: `nested over ${MAX_DEPTH} levels deep` })
  }
  if (ancestors.includes(value)) return here('a cycle')
  const kind = unfitKind(value)
  if (kind !== undefined) return here(kind)
  ancestors.push(value)
  const problem = findInside(value, walk)
  ancestors.pop()
  return problem
}

function findInside(value: object, walk: Walk): Problem | undefined {
  if (hasToJson(value)) return walk.isThorough && !(value instanceof Date) ? findInAnswer(value, walk) : undefined
  return Array.isArray(value) ? findInList(value, walk) : findInObject(value as Members, walk)
}

/** Looks at what stands in the JSON for an object with a `toJSON`. Nobody asks the answer for a `toJSON` of its own. */
function findInAnswer(value: WithToJson, walk: Walk): Problem | undefined {
  const answer = value.toJSON('')
  if (answer === undefined) return here('an object with a toJSON that returns nothing')
  if (typeof answer !== 'object' || answer === null || !hasToJson(answer)) return findProblem(answer, walk)
  return Array.isArray(answer) ? findInList(answer, walk) : findInObject(answer, walk)
}

interface WithToJson extends Members {
  toJSON(key: string): unknown
}

function hasToJson(value: object): value is WithToJson {
  return typeof (value as Members)['toJSON'] === 'function'
}

function findInList(list: readonly unknown[], walk: Walk): Problem | undefined {
  if (walk.take(list.length + 1) !== undefined) return TOO_LARGE
  for (let index = 0; index < list.length; index += 1) {
    const problem =
      list[index] === undefined ? here('undefined, which JSON makes null') : findProblem(list[index], walk)
    if (problem !== undefined) return inside(`.${index}`, problem)
  }
  return walk.isThorough ? findBeside(list) : undefined
}

/** Finds a member that a list has beside its items, such as the index in the list of a match. */
function findBeside(list: readonly unknown[]): Problem | undefined {
  const name = Object.keys(list)[list.length]
  return name === undefined ? undefined : inside(`.${name}`, here('a member of a list, which JSON leaves out'))
}

function findInObject(object: Members, walk: Walk): Problem | undefined {
  if (walk.take(2) !== undefined) return TOO_LARGE
  const hasSymbol = walk.isThorough && Object.getOwnPropertySymbols(object).length > 0
  if (hasSymbol) return here('an object with a symbol for a key')
  for (const key of Object.keys(object)) {
    if (walk.isThorough && isGetter(object, key)) return { path: `.${key}`, kind: 'a getter' }
    const value = object[key]
    const tooLarge = value === undefined ? undefined : walk.take(key.length + 3)
    const problem = tooLarge ?? findProblem(value, walk)
    if (problem !== undefined) return inside(`.${key}`, problem)
  }
  return undefined
}

function inside(place: string, problem: Problem): Problem {
  return problem === TOO_LARGE ? TOO_LARGE : { path: `${place}${problem.path}`, kind: problem.kind }
}

/** Names the kind of an object that JSON cannot carry. A plain object, a list and an object with `toJSON` fit. */
function unfitKind(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return undefined
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (tag === 'Promise') return 'a Promise: await it'
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : undefined
  if (ArrayBuffer.isView(value)) return `a ${tag}: store its text, in base64 for example`
  if (tag === 'Object' || tag === 'Array') return undefined
  return hasToJson(value) ? undefined : `a ${tag}`
}

function here(kind: string): Problem {
  return { path: '', kind }
}

/** Tells whether a member computes its value on each read. The store would get the value of a single read. */
function isGetter(object: Members, key: string): boolean {
  return Object.getOwnPropertyDescriptor(object, key)?.get !== undefined
}
