import { schemaAt } from '../read/schema-places.ts'
import { emptyBag, isBag } from '../read/read-options.ts'
import { isOrigin, SHARED_ORIGINS, suggestedOrigin } from '../read/origin-syntax.ts'
import { goodName } from '../read/good-name.ts'
import { LIFETIME_ORDER, soundLifetimes } from '../read/sound-lifetimes.ts'
import type { Lifetimes } from '../../options.ts'
import { formatDuration } from '../../session/duration.ts'
import { DECORATORS } from '../../options.ts'
import {
  move,
  ONE_MACHINE,
  perhaps,
  put,
  putStore,
  remove,
  safely,
  secretFromEnvironment,
  set,
  sourceOf,
} from './fix.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import { literal } from '../read/show-value.ts'
import type { Path } from '../read/show-value.ts'
import type { SchemaNode } from '../read/schema-node.ts'
import type { Fix, SetChange } from './fix.ts'

/** Attributes and options whose only safe value is `true`. */
const PROTECTIONS = new Set(['secure', 'httpOnly', 'crossOriginProtection'])

/** Names for decorators that read well beside those of other plugins. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.keys(DECORATORS).map((name) => [name, `session${name[0]?.toUpperCase()}${name.slice(1)}`]),
  ),
  sessions: 'userSessions',
  requireLogin: 'requireSession',
}

/** Ways to correct a value of the wrong type, the best first. */
export function repairsOf(path: Path, facts: ConfigFacts): Fix[] {
  const [root, inner] = path
  switch (root) {
    case undefined:
      return []
    case 'secret':
      return secretRepairs(path)
    case 'store':
      return [perhaps(putStore(ONE_MACHINE))]
    case 'trustedOrigins':
      return [originRepair(facts)]
    case 'silence':
      return [path.at(-1) === 'expires' ? perhaps(remove(path)) : perhaps(remove(path.slice(0, 2)))]
    case 'decorators':
      return typeof inner === 'string' ? [perhaps(set(path, OTHER_NAMES[inner] as string))] : [perhaps(remove(path))]
    case 'loadUser':
    case 'authHash':
      return [perhaps(put(path, schemaAt(path)?.examples?.[0] as string, () => undefined))]
    case 'tls':
      return [perhaps(set(path, facts.context.https === true ? 'direct' : 'proxy'))]
    default:
      return valueRepairs(path, facts)
  }
}

function secretRepairs(path: Path): Fix[] {
  const isOld = typeof path[1] === 'number' && path[1] > 0
  return [perhaps(isOld ? remove(path) : secretFromEnvironment(path))]
}

/** An element of a list, with the value that its source stands for. */
interface Element {
  readonly source: string
  readonly value: unknown
}

/** Writes the whole list, so that the origins that are right stay in it. */
function originRepair(facts: ConfigFacts): Fix {
  const path = ['trustedOrigins']
  const elements = [facts.given(path)].flat().flatMap((entry) => originMeant(entry) ?? [])
  const origins = [...new Map(elements.map((element) => [element.source, element])).values()]
  if (origins.length === 0) return perhaps(remove(path))
  const source = `[${origins.map((element) => element.source).join(', ')}]`
  return perhaps(
    put(
      path,
      source,
      origins.map(({ value }) => value),
    ),
  )
}

/** Returns the entry of `trustedOrigins` that was meant; `undefined` where that cannot be told. */
function originMeant(entry: unknown): Element | undefined {
  const { origin, reason } = isBag(entry) ? entry : { origin: entry, reason: undefined }
  const meant = isOrigin(origin) ? origin : suggestedOrigin(origin)
  if (meant === undefined) return undefined
  const isExplained = typeof reason === 'string' && /\S/.test(reason)
  if (!isExplained && !SHARED_ORIGINS.includes(meant)) return { source: literal(meant), value: meant }
  const words = isExplained ? reason : '…'
  return { source: `{ origin: ${literal(meant)}, reason: ${literal(words)} }`, value: { origin: meant, reason: words } }
}

/** One member with one value. */
function valueRepairs(path: Path, facts: ConfigFacts): Fix[] {
  const node = schemaAt(path)
  const name = String(path.at(-1))
  if (node === undefined) return [perhaps(remove(path))]
  if (PROTECTIONS.has(name)) return [safely(set(path, true))]
  const meant = valueMeant(node, facts.given(path))
  if (meant !== undefined) return [safely(set(path, meant)), perhaps(remove(path))]
  if (name === 'maxSessions' || name === 'limit') return [perhaps(set(path, 5)), perhaps(remove(['maxSessions']))]
  if (name === 'onLimit') return [perhaps(set(path, onLimitMeant(facts.given(path)))), perhaps(remove(['maxSessions']))]
  if (Object.hasOwn(facts.lifetimes, name)) {
    const lifetime = formatDuration(soundLifetimes(facts)[name as keyof Lifetimes])
    return [perhaps(set(path, lifetime)), inOrder(facts, name as keyof Lifetimes)]
  }
  return [perhaps(remove(path))]
}

/** Words for turning the new login away, as other libraries have them; every other word ends an older session. */
const REFUSALS = /^(refus|reject|den[iy]|block|forbid|prevent|stop|disallow|error|throw|fail|no|strict)/i

function onLimitMeant(value: unknown): 'evict' | 'refuse' {
  return typeof value === 'string' && REFUSALS.test(value.trim()) ? 'refuse' : 'evict'
}

/** The value that a text stands for, as it comes from an environment variable or in another case. */
function valueMeant(node: SchemaNode, value: unknown): string | number | boolean | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const text = String(value).slice(0, 40).trim()
  const choices = (node['enum'] ?? []) as unknown[]
  const choice = choices.find((one) => typeof one === 'string' && one === text.toLowerCase())
  if (choice !== undefined) return choice as string
  if (node['type'] === 'boolean') return booleanMeant(text)
  if (typeof node['pattern'] === 'string') return textMeant(new RegExp(node['pattern']), text)
  const isCount = /^[1-9]\d{0,14}$/.test(text) && typeof value === 'string'
  const takesCounts = node['type'] === 'integer' || (node.anyOf ?? []).some(({ type }) => type === 'integer')
  return isCount && takesCounts ? Number(text) : undefined
}

/** A text with blanks around it, or in the other case. */
function textMeant(pattern: RegExp, text: string): string | undefined {
  return [text, text.toLowerCase()].find((one) => pattern.test(one))
}

function booleanMeant(text: string): boolean | undefined {
  if (/^(true|yes|on|1)$/i.test(text)) return true
  return /^(false|no|off|0)$/i.test(text) ? false : undefined
}

/** Sets these lifetimes so that all stand in order, and shortens every other that would stand out of it. */
export function inOrder(facts: ConfigFacts, ...names: (keyof Lifetimes)[]): Fix {
  const sound = soundLifetimes(facts)
  const isWrong = (name: keyof Lifetimes): boolean => sound[name] !== facts.lifetimes[name] && !facts.isFaulty(name)
  const changed = LIFETIME_ORDER.filter((name) =>
    names.includes(name) ? isWrong(name) || facts.isFaulty(name) : isWrong(name) && facts.isGiven(name),
  )
  return perhaps(...changed.map((name) => set([name], formatDuration(sound[name]))))
}

/**
 * Ways to move a value that stands under a wrong name. The value moves as it is or as it was meant. Other ways set a
 * safe value, or remove the value. A value in another case is still the user's choice: `Strict` becomes `strict`, and
 * not the default.
 */
export function relocations(from: Path, to: Path, facts: ConfigFacts): Fix[] {
  if (facts.isGiven(...to)) return [perhaps(remove(from))]
  const example = exampleOf(to, facts)
  const value = facts.given(from)
  const isShown = to[0] !== 'secret' && isLiteral(value, facts)
  const source = isShown ? sourceOf(value) : example?.source
  const meant = isShown ? meantAt(to, value, facts) : undefined
  return [
    ...(source === undefined ? [] : [safely(move(from, to, source))]),
    ...(meant === undefined ? [] : [perhaps(remove(from), meant)]),
    ...(example === undefined ? [] : [perhaps(remove(from), example)]),
    perhaps(remove(from)),
  ]
}

function meantAt(path: Path, value: unknown, facts: ConfigFacts): SetChange | undefined {
  if (path.at(-1) === 'name' && typeof value === 'string') return set(path, goodName(facts, value))
  if (path.at(-1) === 'onLimit') return set(path, onLimitMeant(value))
  const node = schemaAt(path)
  const meant = node === undefined ? undefined : valueMeant(node, value)
  return meant === undefined ? undefined : set(path, meant)
}

function isLiteral(value: unknown, facts: ConfigFacts): value is string | number | boolean {
  return typeof value === 'string' ? facts.isShowable(value) : ['number', 'boolean'].includes(typeof value)
}

/** The safe value that documentation shows for a place. */
function exampleOf(path: Path, facts: ConfigFacts): SetChange | undefined {
  const name = String(path.at(-1))
  if (name === 'secret') return secretFromEnvironment(path)
  if (name === 'store') return putStore(ONE_MACHINE)
  if (name === 'name') return set(path, goodName(facts, 'session'))
  if (Object.hasOwn(facts.lifetimes, name)) {
    return set(path, formatDuration(soundLifetimes(facts)[name as keyof Lifetimes]))
  }
  const source = schemaAt(path)?.examples?.[0]
  return source === undefined ? undefined : put(path, source, valueOf(source))
}

/** The value of an example: text, a number, true or false, an empty object or list, or else a function. */
function valueOf(source: string): unknown {
  if (/^'.*'$/.test(source)) return source.slice(1, -1)
  if (/^(true|false|\d+)$/.test(source)) return JSON.parse(source)
  if (source === '{}') return emptyBag()
  return source.startsWith('[') ? [] : () => Date.now()
}
