import { SecureSessionError } from '../errors.ts'
import { parseObject } from './record.ts'

/** Session data as the app works on it. */
export type SessionData = Record<string, unknown>

/** Names that the session object itself uses, or that reach for a prototype. */
const RESERVED = new Set([
  ...['cookie', 'sessionId', 'encryptedSessionId', 'get', 'set', 'data', 'options', 'touch', 'save', 'reload'],
  ...['regenerate', 'destroy', 'isModified', 'isSaved', 'prototype', 'then', 'toJSON'],
  ...Object.getOwnPropertyNames(Object.prototype),
])

/** Deeper data is an attack on the stack, not a session. */
const MAX_DEPTH = 100

/** What may be a name that reaches for a prototype, and is worth a closer look. */
const POISON = /"(?:__proto__|constructor)"/

/** Whether a name cannot hold data. */
export function isReserved(key: PropertyKey): boolean {
  return typeof key === 'symbol' || RESERVED.has(String(key))
}

/** @throws `SESSION_KEY_RESERVED` */
export function refuseReserved(key: PropertyKey): void {
  if (isReserved(key)) throw new SecureSessionError('SESSION_KEY_RESERVED', { detail: describeKey(key) })
}

/** A copy of a record's data, for one request to work on, without what a foreign writer put into it under a reserved name. */
export function parseData(json: string): SessionData {
  if (json === '{}') return {}
  const data = parseObject(json) ?? {}
  for (const key of Object.keys(data)) if (isReserved(key)) delete data[key]
  return data
}

/**
 * Data as JSON.
 * @throws `SESSION_VALUE_UNSERIALIZABLE` with the path of a value that would not come back: a function, symbol, bigint, cycle,
 * Map, Set, NaN or infinity; `SESSION_KEY_RESERVED` for a name inside that reaches for a prototype.
 */
export function serialize(data: SessionData): string {
  const members: string[] = []
  for (const key of Object.keys(data)) {
    const json = serializeValue(data[key], key)
    if (json !== undefined) members.push(`${JSON.stringify(key)}:${json}`)
  }
  return `{${members.join()}}`
}

/** Whether data still reads as it was stored. A value that JSON cannot carry never does. */
export function isSameData(data: SessionData, json: string): boolean {
  try {
    return JSON.stringify(data) === json && findProblem(data, []) === undefined
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
 * The latest data with one request's edit made on top of it: what that request changed of the top-level keys, whole, and
 * nothing else. `from` is what it had read, `to` what it left.
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

/** The JSON of one value, `undefined` for a value that is absent in JSON. Throws as `serialize` does; `key` is for the message. */
export function serializeValue(value: unknown, key: string): string | undefined {
  const problem = findProblem(value, [])
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
    throw new SecureSessionError('SESSION_VALUE_UNSERIALIZABLE', { detail: describeKey(key), cause })
  }
}

/** A value that JSON would drop or change in silence: what it is, and where, from the value that was looked at. */
interface Problem {
  readonly path: string
  readonly kind: string
}

/** `ancestors` finds cycles. */
function findProblem(value: unknown, ancestors: readonly unknown[]): Problem | undefined {
  if (ancestors.length >= MAX_DEPTH) {
    throw new SecureSessionError('SESSION_RECORD_TOO_LARGE', { detail: `nested over ${MAX_DEPTH} levels deep` })
  }
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : here('a number without a value')
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') {
    return here(`a ${typeof value}`)
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (ancestors.includes(value)) return here('a cycle')
  if (value instanceof Map || value instanceof Set) return here(`a ${value.constructor.name}`)
  if (typeof (value as SessionData)['toJSON'] === 'function') return undefined
  const line = [...ancestors, value]
  for (const key of Object.keys(value)) {
    const problem = findProblem((value as SessionData)[key], line)
    if (problem !== undefined) return { path: `.${key}${problem.path}`, kind: problem.kind }
  }
  return undefined
}

function here(kind: string): Problem {
  return { path: '', kind }
}

/** A key for a message: bounded, since it may come from a client, and on one line. */
function describeKey(key: PropertyKey): string {
  return JSON.stringify(String(key).slice(0, 60))
}
