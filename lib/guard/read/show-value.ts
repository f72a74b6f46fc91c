import { types } from 'node:util'
import type { FindingLocation } from '../../../types/index.ts'

/** A place in the options: keys and list indexes. */
export type Path = readonly (string | number)[]

const MAX_SHOWN = 80

const MAX_JUDGED = 1024

// Control, bidirectional and zero-width characters could rewrite what a terminal shows.
const UNPRINTABLE = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

const USER_INFO = /\/\/[^/@\s]{1,256}@/g

/** A value as a report shows it: never an object's content, never a long text, never a control character. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'object':
      if (value === null) return 'null'
      return `<${kindOf(value)}>`
    default:
      return `<${typeof value}>`
  }
}

/** The same for a value that nobody vouches for: what looks generated could be a secret in the wrong place. */
export function showDoubtful(value: unknown): string {
  return isGenerated(value) ? hide(value) : show(value)
}

const RANDOM_RUN = /[\w+=~-]{20,}/g
const LETTER_BESIDE_DIGIT = /(?=[a-z][0-9]|[0-9][a-z])/gi

/** Letters and digits at random, long enough to sign with. */
function isGenerated(value: unknown): value is string {
  if (typeof value !== 'string') return false
  const runs = value.slice(0, MAX_JUDGED).match(RANDOM_RUN) ?? []
  return runs.some((run) => (run.match(LETTER_BESIDE_DIGIT) ?? []).length >= 3)
}

/** The same with its content hidden: a secret shows its type and length, never a prefix, never a hash. */
export function hide(value: string | number): string {
  return typeof value === 'number' ? '<number>' : `<string, ${countBytes(value)}>`
}

function countBytes(text: string): string {
  const count = Buffer.byteLength(text)
  return count === 1 ? '1 byte' : `${count} bytes`
}

function kindOf(value: object): string {
  try {
    if (Array.isArray(value)) return 'list'
    if (types.isPromise(value)) return 'Promise'
    if (types.isMap(value)) return 'Map'
    if (types.isDate(value)) return 'Date'
    return Buffer.isBuffer(value) ? 'Buffer' : 'object'
  } catch {
    return 'object'
  }
}

function quote(text: string): string {
  const safe = text.replace(USER_INFO, '//<redacted>@')
  const cut = safe.length > MAX_SHOWN ? `${safe.slice(0, MAX_SHOWN)}…` : safe
  return JSON.stringify(cut).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A key that reads like a name is shown; any other could be a secret in the wrong place. */
export function showKey(key: string): string {
  const isName = /^[A-Za-z_$][\w$-]{0,39}$/.test(key) && !isGenerated(key)
  return isName ? key : `<name, ${countBytes(key)}>`
}

/** `cookie.sameSite`, `silence[0].rule`. */
export function showPath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else text += text === '' ? showKey(step) : `.${showKey(step)}`
  }
  return text
}

/** RFC 6901. */
export function pointerOf(path: Path): string {
  return path.map((step) => `/${showKeyOrIndex(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function showKeyOrIndex(step: string | number): string {
  return typeof step === 'number' ? String(step) : showKey(step)
}

/** One place of a finding. */
export function locate(path: Path, value: string, redacted = false): FindingLocation {
  return { pointer: pointerOf(path), path: showPath(path), value, redacted }
}

/** One place of a finding with what was found there, as far as that may be shown. */
export function locateValue(path: Path, value: unknown): FindingLocation {
  return locate(path, showDoubtful(value), isGenerated(value))
}

/** `'it\'s'`: text as a JavaScript literal, for a snippet. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`
}
