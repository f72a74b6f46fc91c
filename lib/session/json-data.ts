import { SecureSessionError } from '../errors.ts'
import { causeOf } from '../storage/cause.ts'
import { parseObject } from './record-shape.ts'

/** Session data as the app works on it. */
export type SessionData = Record<string, unknown>

/** The change that one request made to its data, as JSON: the text that was read, and the text to write. */
export interface Edit {
  readonly from: string
  readonly to: string
  /** Tells whether the content was begun anew, so that nothing another request wrote to the old one may come back. */
  readonly isWhole: boolean
}

/** The names of @fastify/session's members, and those that lead to a prototype. */
const RESERVED = new Set([
  ...['cookie', 'sessionId', 'encryptedSessionId', 'get', 'set', 'options', 'touch', 'save', 'reload'],
  ...['regenerate', 'destroy', 'isModified', 'isSaved', 'expiresAt', 'update', 'signal'],
  ...Object.getOwnPropertyNames(Object.prototype),
])

/** Deeper data is an attack on the stack, not a session. */
const MAX_DEPTH = 100

/** The names that may reach a prototype and need a closer look. */
const POISON = /"(?:__proto__|constructor)"/

/** Tells whether a name cannot hold data. */
export function isReserved(key: PropertyKey): boolean {
  return typeof key === 'symbol' || RESERVED.has(String(key))
}

/** @throws `SESSION_VALUE_UNSERIALIZABLE` */
export function refuseAccessor(key: PropertyKey): never {
  throw new SecureSessionError('SESSION_VALUE_UNSERIALIZABLE', {
    detail: `${describeKey(key)} is a getter or a setter`,
  })
}

/** @throws `SESSION_KEY_RESERVED` */
export function refuseReserved(key: PropertyKey): void {
  if (isReserved(key)) throw new SecureSessionError('SESSION_KEY_RESERVED', { detail: describeKey(key) })
}

/**
 * A copy of a record's data, for one request to work on, without what a foreign writer put into it under a reserved
 * name.
 */
export function parseData(json: string): SessionData {
  if (json === '{}') return {}
  const data = parseObject(json) ?? {}
  for (const key of Object.keys(data)) if (isReserved(key)) delete data[key]
  return data
}

/**
 * Data as JSON.
 * @throws `SESSION_VALUE_UNSERIALIZABLE` with the path of a value that would not come back: a function, symbol, bigint,
 * cycle, Map, Set, NaN or infinity; `SESSION_KEY_RESERVED` for a name inside that reaches for a prototype.
 */
export function serialize(data: SessionData, maxSize: number = Infinity): string {
  const walk = walkWithin(maxSize, true)
  const members: string[] = []
  for (const key of Object.keys(data)) {
    const json = serializeWithin(walk, data[key], key)
    if (json !== undefined) members.push(`${JSON.stringify(key)}:${json}`)
  }
  return `{${members.join()}}`
}

/** Tells whether data still reads as it was stored. A value that JSON cannot carry never does. */
export function isSameData(data: SessionData, json: string): boolean {
  try {
    // Walking first, because a body of a megabyte would be made into text only to differ.
    return findProblem(data, walkWithin(json.length)) === undefined && JSON.stringify(data) === json
  } catch {
    return false
  }
}

/** @throws `SESSION_RECORD_TOO_LARGE` */
export function refuseOversize(json: string, maxSize: number): void {
  const size = Buffer.byteLength(json)
  if (size <= maxSize) return
  throw new SecureSessionError('SESSION_RECORD_TOO_LARGE', { detail: `${size} bytes, ${maxSize} allowed` })
}

/**
 * The latest data with one request's edit made on top of it: what that request changed of the top-level keys, whole,
 * and nothing else. `from` is what it had read, `to` what it left.
 */
export function rebase(latest: string, from: string, to: string): string {
  if (from === to) return latest
  if (latest === from) return to
  const [data, before, after] = [parseData(latest), parseData(from), parseData(to)]
  for (const [key, value] of Object.entries(after)) {
    if (JSON.stringify(before[key]) !== JSON.stringify(value)) data[key] = value
  }
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) delete data[key]
  return JSON.stringify(data)
}

/** The data of a record after an edit that was made on this version of it, or on an earlier one. */
export function edited(json: string, { from, to, isWhole }: Edit): string {
  return isWhole ? to : rebase(json, from, to)
}

/**
 * The JSON of one value, `undefined` for a value that is absent in JSON. Throws as `serialize` does; `key` is for the
 * message.
 */
export function serializeValue(value: unknown, key: string): string | undefined {
  return serializeWithin(walkWithin(Infinity, true), value, key)
}

function serializeWithin(walk: Walk, value: unknown, key: string): string | undefined {
  const problem = findProblem(value, walk)
  if (problem === TOO_LARGE) {
    const detail = `over ${walk.maxSize} bytes, ${walk.maxSize} allowed`
    throw new SecureSessionError('SESSION_RECORD_TOO_LARGE', { detail })
  }
  if (problem !== undefined) {
    const detail = `${describeKey(`${key}${problem.path}`)} is ${problem.kind}`
    throw new SecureSessionError('SESSION_VALUE_UNSERIALIZABLE', { detail })
  }
  const json = toJson(value, key)
  // What would be refused when it comes back from the store is refused before it goes there.
  if (json !== undefined && POISON.test(json) && parseObject(`{"":${json}}`) === undefined) {
    throw new SecureSessionError('SESSION_KEY_RESERVED', { detail: `inside ${describeKey(key)}` })
  }
  return json
}

function toJson(value: unknown, key: string): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw new SecureSessionError('SESSION_VALUE_UNSERIALIZABLE', { detail: describeKey(key), cause: causeOf(cause) })
  }
}

/** A value that JSON would drop or change in silence: its kind, and its path from the value that was looked at. */
interface Problem {
  readonly path: string
  readonly kind: string
}

/** The problem of data whose JSON is larger than allowed. */
const TOO_LARGE: Problem = { path: '', kind: 'too large' }

/** A walk over data. It ends as soon as the JSON of what was seen is certainly larger than `maxSize`. */
interface Walk {
  readonly maxSize: number
  /** The characters that may still come. */
  left: number
  /** Tells whether a getter is a problem. Only what is stored needs that, because finding one costs time. */
  readonly refusesGetters: boolean
  /** Finds cycles. One list serves the whole walk, because a list for each object would cost more than the walk. */
  readonly ancestors: unknown[]
}

function walkWithin(maxSize: number, refusesGetters = false): Walk {
  return { maxSize, left: maxSize, refusesGetters, ancestors: [] }
}

function findProblem(value: unknown, walk: Walk): Problem | undefined {
  const { ancestors } = walk
  if (typeof value === 'string') return take(walk, value.length + 2)
  if (typeof value === 'number') return Number.isFinite(value) ? take(walk, 1) : here('a number without a value')
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
  if (typeof (value as SessionData)['toJSON'] === 'function') return undefined
  ancestors.push(value)
  const problem = Array.isArray(value) ? findInList(value, walk) : findInObject(value as SessionData, walk)
  ancestors.pop()
  return problem
}

/** Counts characters of the JSON, never more than there will be. */
function take(walk: Walk, characters: number): Problem | undefined {
  walk.left -= characters
  return walk.left < 0 ? TOO_LARGE : undefined
}

function findInList(list: readonly unknown[], walk: Walk): Problem | undefined {
  if (take(walk, list.length + 1) !== undefined) return TOO_LARGE
  for (let index = 0; index < list.length; index += 1) {
    const problem =
      list[index] === undefined ? here('undefined, which JSON makes null') : findProblem(list[index], walk)
    if (problem !== undefined) return inside(`.${index}`, problem)
  }
  return undefined
}

function findInObject(object: SessionData, walk: Walk): Problem | undefined {
  if (take(walk, 2) !== undefined) return TOO_LARGE
  for (const key of Object.keys(object)) {
    if (walk.refusesGetters && isGetter(object, key)) return { path: `.${key}`, kind: 'a getter' }
    const value = object[key]
    const tooLarge = value === undefined ? undefined : take(walk, key.length + 3)
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
  return typeof (value as SessionData)['toJSON'] === 'function' ? undefined : `a ${tag}`
}

function here(kind: string): Problem {
  return { path: '', kind }
}

/** Tells whether a member computes its value on each read. What was stored would be the value of one read. */
function isGetter(object: SessionData, key: string): boolean {
  return Object.getOwnPropertyDescriptor(object, key)?.get !== undefined
}

/** A key for a message: bounded, since it may come from a client, and on one line. */
function describeKey(key: PropertyKey): string {
  return JSON.stringify(String(key).slice(0, 60))
}
