import { SecureSessionError } from '../errors.ts'
import { parseObject } from './record.ts'

/** Session data as the app works on it. */
export type SessionData = Record<string, unknown>

/** What one request changed: the new JSON by top-level key, `undefined` for a key that went. */
export type Changes = ReadonlyMap<string, string | undefined>

/** Names that the session object itself uses, or that reach for a prototype. */
const RESERVED = new Set([
  ...['cookie', 'sessionId', 'encryptedSessionId', 'get', 'set', 'data', 'options', 'touch', 'save', 'reload'],
  ...['regenerate', 'destroy', 'isModified', 'isSaved', 'prototype', 'then', 'toJSON'],
  ...Object.getOwnPropertyNames(Object.prototype),
])

/** Deeper data is an attack on the stack, not a session. */
const MAX_DEPTH = 100

/** Whether a name cannot hold data. */
export function isReserved(key: PropertyKey): boolean {
  return typeof key === 'symbol' || RESERVED.has(String(key))
}

/** @throws `SESSION_KEY_RESERVED` */
export function refuseReserved(key: PropertyKey): void {
  if (isReserved(key)) throw new SecureSessionError('SESSION_KEY_RESERVED', { detail: describeKey(key) })
}

/** A copy of a record's data, for one request to work on. */
export function parseData(json: string): SessionData {
  return ownKeys(parseObject(json) ?? {})
}

/**
 * The JSON of each key. `undefined` means absent.
 * @throws `SESSION_VALUE_UNSERIALIZABLE` with the path of a value that would not come back: a function, symbol, bigint, cycle,
 * Map, Set, NaN or infinity.
 */
export function serialize(data: SessionData): Map<string, string> {
  const entries = new Map<string, string>()
  for (const [key, value] of Object.entries(ownKeys(data))) {
    const json = stringify(value, key)
    if (json !== undefined) entries.set(key, json)
  }
  return entries
}

/** The data without what else the session object carries, or a foreign writer put into the record under such a name. */
function ownKeys(data: SessionData): SessionData {
  const own: SessionData = {}
  for (const key of Object.keys(data)) if (!isReserved(key)) own[key] = data[key]
  return own
}

/** Whether data still reads as it was stored. A value that JSON cannot carry never does. */
export function isSameData(data: SessionData, json: string): boolean {
  try {
    const own = ownKeys(data)
    return JSON.stringify(own) === json && findProblem(own, '', []) === undefined
  } catch {
    return false
  }
}

/** One JSON object from the JSON of its values. */
export function join(entries: ReadonlyMap<string, string>): string {
  return `{${Array.from(entries, ([key, json]) => `${JSON.stringify(key)}:${json}`).join()}}`
}

/** @throws `SESSION_RECORD_TOO_LARGE` */
export function refuseOversize(json: string, maxSize: number): void {
  const size = Buffer.byteLength(json)
  if (size <= maxSize) return
  throw new SecureSessionError('SESSION_RECORD_TOO_LARGE', { detail: `${size} bytes, ${maxSize} allowed` })
}

/** What turns `before` into `after`. */
export function changesBetween(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Changes {
  const changes = new Map<string, string | undefined>()
  for (const [key, json] of after) if (before.get(key) !== json) changes.set(key, json)
  for (const key of before.keys()) if (!after.has(key)) changes.set(key, undefined)
  return changes
}

/** Data with one request's changes made on top of whatever others wrote meanwhile. */
export function applyChanges(json: string, changes: Changes): string {
  if (changes.size === 0) return json
  const entries = serialize(parseData(json))
  for (const [key, value] of changes) {
    if (value === undefined) entries.delete(key)
    else entries.set(key, value)
  }
  return join(entries)
}

function stringify(value: unknown, key: string): string | undefined {
  const problem = findProblem(value, key, [])
  if (problem !== undefined) throw new SecureSessionError('SESSION_VALUE_UNSERIALIZABLE', { detail: problem })
  const json = toJson(value, key)
  // What would be refused when it comes back from the store is refused before it goes there.
  if (json !== undefined && parseObject(`{"":${json}}`) === undefined) {
    throw new SecureSessionError('SESSION_KEY_RESERVED', { detail: `inside ${describeKey(key)}` })
  }
  return json
}

function toJson(value: unknown, key: string): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw new SecureSessionError('SESSION_VALUE_UNSERIALIZABLE', { detail: describeKey(key), cause })
  }
}

/** Where a value is that JSON would drop or change in silence. `ancestors` finds cycles. */
function findProblem(value: unknown, path: string, ancestors: readonly unknown[]): string | undefined {
  if (ancestors.length >= MAX_DEPTH) {
    throw new SecureSessionError('SESSION_RECORD_TOO_LARGE', { detail: `nested over ${MAX_DEPTH} levels deep` })
  }
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : describe(path, 'a number without a value')
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') {
    return describe(path, `a ${typeof value}`)
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (ancestors.includes(value)) return describe(path, 'a cycle')
  if (value instanceof Map || value instanceof Set) return describe(path, `a ${value.constructor.name}`)
  if ('toJSON' in value) return undefined
  const line = [...ancestors, value]
  for (const [key, child] of Object.entries(value)) {
    const problem = findProblem(child, `${path}.${key}`, line)
    if (problem !== undefined) return problem
  }
  return undefined
}

function describe(path: string, kind: string): string {
  return `${describeKey(path)} is ${kind}`
}

/** A key for a message: bounded, since it may come from a client, and on one line. */
function describeKey(key: PropertyKey): string {
  return JSON.stringify(String(key).slice(0, 60))
}
