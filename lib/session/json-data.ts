import { SecureSessionError } from '../errors.ts'
import { causeOf } from '../storage/cause.ts'
import { parseObject } from './record-shape.ts'
import { findProblem, TOO_LARGE, Walk } from './unfit-values.ts'

/** Session data as the app works on it. */
export type SessionData = Record<string, unknown>

/** The change that one request made to its data, as JSON: the text that was read, and the text to write. */
export interface Edit {
  readonly from: string
  readonly to: string
  /** Tells whether the content was begun anew, so that nothing another request wrote to the old one may come back. */
  readonly isWhole: boolean
  /** The keys of the old content that stay where it was begun anew, also with what another request wrote to them. */
  readonly kept?: readonly string[] | undefined
}

/** The names of @fastify/session's members, and those that lead to a prototype. */
const RESERVED = new Set([
  ...['cookie', 'sessionId', 'encryptedSessionId', 'get', 'set', 'options', 'touch', 'save', 'reload'],
  ...['regenerate', 'destroy', 'isModified', 'isSaved', 'expiresAt', 'update', 'signal'],
  ...Object.getOwnPropertyNames(Object.prototype),
])

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
 * @throws `SESSION_VALUE_UNSERIALIZABLE` with the path of a value that JSON would not return: a function, symbol,
 * bigint, cycle, Map, Set, NaN or infinity.
 * @throws `SESSION_KEY_RESERVED` for a name inside that reaches for a prototype.
 */
export function serialize(data: SessionData, maxSize: number = Infinity): string {
  const walk = new Walk(maxSize, true)
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
    return findProblem(data, new Walk(json.length)) === undefined && JSON.stringify(data) === json
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
 * Returns the latest data with the edit of one request on top. The edit is each top-level key that the request changed,
 * whole, and nothing else. `from` is what it had read, `to` what it left.
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
export function edited(json: string, { from, to, isWhole, kept }: Edit): string {
  if (!isWhole) return rebase(json, from, to)
  return kept === undefined ? to : rebase(JSON.stringify(pick(parseData(json), kept)), from, to)
}

/** Returns the values of some keys. */
export function pick(data: SessionData, keys: readonly string[]): SessionData {
  const picked: SessionData = {}
  for (const key of keys) {
    if (!isReserved(key) && Object.hasOwn(data, key)) picked[key] = data[key]
  }
  return picked
}

/**
 * The JSON of one value, `undefined` for a value that is absent in JSON. Throws as `serialize` does; `key` is for the
 * message.
 */
export function serializeValue(value: unknown, key: string): string | undefined {
  return serializeWithin(new Walk(Infinity, true), value, key)
}

function serializeWithin(walk: Walk, value: unknown, key: string): string | undefined {
  const problem = carefully(key, () => findProblem(value, walk))
  if (problem === TOO_LARGE) {
    const detail = `over ${walk.maxSize} bytes, ${walk.maxSize} allowed`
    throw new SecureSessionError('SESSION_RECORD_TOO_LARGE', { detail })
  }
  if (problem !== undefined) {
    const detail = `${describeKey(`${key}${problem.path}`)} is ${problem.kind}`
    throw new SecureSessionError('SESSION_VALUE_UNSERIALIZABLE', { detail })
  }
  const json = carefully(key, () => JSON.stringify(value) as string | undefined)
  // Data that would be refused on its way back from the store is refused before it is written.
  if (json !== undefined && POISON.test(json) && parseObject(`{"":${json}}`) === undefined) {
    throw new SecureSessionError('SESSION_KEY_RESERVED', { detail: `inside ${describeKey(key)}` })
  }
  return json
}

/** Runs what may call a `toJSON` of the app. */
function carefully<Result>(key: string, work: () => Result): Result {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof SecureSessionError) throw cause
    throw new SecureSessionError('SESSION_VALUE_UNSERIALIZABLE', { detail: describeKey(key), cause: causeOf(cause) })
  }
}

/** A key for a message: bounded, since it may come from a client, and on one line. */
function describeKey(key: PropertyKey): string {
  return JSON.stringify(String(key).slice(0, 60))
}
