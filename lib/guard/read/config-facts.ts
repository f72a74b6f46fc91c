import { defaultCookie, lifetimesOf } from '../../options.ts'
import { samePath, valueAt } from './apply-changes.ts'
import { FOREIGN } from './foreign-options.ts'
import { hide, locate, locateValue, show } from './show-value.ts'
import { isBag } from './read-options.ts'
import { OPTIONS_WITH_LISTS, OPTIONS_WITH_MEMBERS } from './schema-places.ts'
import { weaknessesOf } from './secret-strength.ts'
import { storeFactsOf } from './store-facts.ts'
import type { FindingLocation, SecureSessionOptions, SessionCookieOptions } from '../../../types/index.ts'
import type { Lifetimes } from '../../options.ts'
import type { CheckContext, Environment } from './environment.ts'
import type { Path } from './show-value.ts'
import type { Bag, ReadOptions } from './read-options.ts'
import type { SecretWeakness } from './secret-strength.ts'
import type { Silencing } from '../silence.ts'
import type { StoreFacts } from './store-facts.ts'
import type { Fault } from './validate.ts'

/** The options as they take effect in an environment. Rules judge these values, so that no default hides. */
export interface ConfigFacts {
  readonly environment: Environment
  readonly context: CheckContext
  readonly faults: readonly Fault[]
  /** The options that have the right shape; what has not is absent, and breaks one rule only. */
  readonly options: SecureSessionOptions
  /** Attributes with their defaults; `undefined` where the one given has the wrong shape. */
  readonly cookie: SessionCookieOptions
  readonly lifetimes: Lifetimes
  readonly store: StoreFacts
  /** The elements of `secret` that are text, with their places. */
  readonly secrets: readonly JudgedSecret[]
  readonly silencing: Silencing
  /** Tells whether the options name this place themselves, in any shape. */
  readonly isGiven: (...path: Path) => boolean
  /** The options as they were read, for trying a fix. */
  readonly read: ReadOptions
  /** Returns the value of the options at this place, in any shape. */
  readonly given: (path: Path) => unknown
  /** Tells whether the options name this place in a shape that means nothing. */
  readonly isFaulty: (...path: Path) => boolean
  /** Tells whether a text in a wrong place can be repeated: it is short and plain, and no secret. */
  readonly isShowable: (text: string) => boolean
  /** A place with the value found there, or with the default in force. */
  readonly at: (path: Path, effective?: unknown) => FindingLocation
}

/** One key that signs or verifies, and what is wrong with it. */
export interface JudgedSecret {
  readonly path: Path
  readonly text: string
  readonly weaknesses: readonly SecretWeakness[]
}

/** Puts the facts together. */
export function factsOf(
  read: ReadOptions,
  faults: readonly Fault[],
  environment: Environment,
  context: CheckContext,
  silencing: Silencing,
): ConfigFacts {
  const { root: raw, shown } = read
  const options = withoutFaults(raw, faults)
  const isFaulty = (...path: Path): boolean => faults.some((fault) => samePath(fault.path, path))
  const sensitive = secretsIn(raw, faults)
  return {
    read,
    environment,
    context,
    faults,
    options,
    cookie: cookieOf(options, environment, isFaulty),
    lifetimes: lifetimesOf(options),
    store: storeFactsOf(options.store, isFaulty('store')),
    secrets: secretsOf(options.secret),
    silencing,
    isGiven: (...path) => valueAt(raw, path) !== undefined,
    given: (path) => valueAt(raw, path),
    isFaulty,
    isShowable: (text) =>
      PLAIN.test(text) && !locateValue([], text).redacted && !sensitive.some((secret) => text.includes(secret)),
    at: (path, effective) => {
      if (path.length === 0) return locate(path, shown)
      const value = valueAt(raw, path)
      if (value === undefined) return locate(path, effective === undefined ? 'missing' : `${show(effective)} (default)`)
      const strange = faults.find((fault) => isStrangeKey(fault) && samePath(fault.path, path))
      return locateSafely(path, value, strange, sensitive)
    },
  }
}

function isStrangeKey({ rule }: Fault): boolean {
  return rule === 'unknown-option' || rule === 'option-wrong-level' || rule === 'foreign-option'
}

/** A key that means nothing may hold anything, a misspelt secret too: its text stays hidden. */
function locateSafely(
  path: Path,
  value: unknown,
  fault: Fault | undefined,
  sensitive: readonly string[],
): FindingLocation {
  if (typeof value === 'string') {
    const isHidden = fault !== undefined || path[0] === 'secret' || sensitive.some((secret) => value.includes(secret))
    return isHidden ? locate(path, hide(value), true) : locateValue(path, value)
  }
  if (typeof value !== 'number') return locateValue(path, value)
  const digits = String(value)
  const isStray = fault?.rule === 'unknown-option' && digits.length > MAX_STRAY_DIGITS
  const isHidden = isStray || namesSecret(path, fault) || sensitive.some((secret) => digits.includes(secret))
  return isHidden ? locate(path, hide(value), true) : locateValue(path, value)
}

/** Lifetimes in milliseconds have ten digits and a half; a longer number under an unknown name could be a key. */
const MAX_STRAY_DIGITS = 11

/** Tells whether a place holds a secret, or was meant to hold one. */
function namesSecret(path: Path, fault: Fault | undefined): boolean {
  const key = String(path.at(-1))
  if (path[0] === 'secret' || key === 'secret') return true
  if (fault?.rule === 'unknown-option') return fault.suggestion === 'secret'
  return fault?.rule === 'foreign-option' && FOREIGN[key]?.suggestion === 'secret'
}

function cookieOf(
  options: SecureSessionOptions,
  environment: Environment,
  isFaulty: (...path: Path) => boolean,
): SessionCookieOptions {
  const cookie: Record<string, unknown> = {
    ...defaultCookie(environment.name, options.cookie?.domain),
    ...options.cookie,
  }
  for (const name of Object.keys(cookie)) {
    if (isFaulty('cookie', name)) delete cookie[name]
  }
  return cookie
}

/** Returns a copy without the faulty places. The remaining places have the shape that the schema asks for. */
function withoutFaults(raw: Bag, faults: readonly Fault[]): SecureSessionOptions {
  const options: Bag = { ...raw }
  for (const key of OPTIONS_WITH_MEMBERS) {
    if (isBag(options[key])) options[key] = { ...options[key] }
  }
  for (const key of OPTIONS_WITH_LISTS) {
    if (Array.isArray(options[key])) options[key] = [...options[key]]
  }
  for (const { path } of faults) remove(options, path, raw)
  return options
}

/** A fault inside a list or of a limit takes the element that it makes meaningless along. */
function remove(options: Bag, path: Path, raw: Bag): void {
  const [root, inner] = path as [string, string | number | undefined]
  const container = options[root]
  const isCopy = typeof container === 'object' && container !== null && isBag(raw[root])
  if (typeof inner === 'string' && root !== 'maxSessions' && isCopy) Reflect.deleteProperty(container, inner)
  else if (typeof inner === 'number' && Array.isArray(container)) container[inner] = undefined
  else delete options[root]
}

function secretsOf(secret: unknown): JudgedSecret[] {
  const elements: [Path, unknown][] = Array.isArray(secret)
    ? secret.map((element: unknown, index) => [['secret', index], element])
    : [[['secret'], secret]]
  return elements.flatMap(([path, text]) =>
    typeof text === 'string' ? [{ path, text, weaknesses: weaknessesOf(text) }] : [],
  )
}

const PLAIN = /^[\w.-]{1,32}$/

/** Too short a secret would hide every other value; too short a secret is also no secret any more. */
const MIN_HIDDEN = 8

function secretsIn(raw: Bag, faults: readonly Fault[]): string[] {
  const misplaced = faults.filter((fault) => namesSecret(fault.path, fault)).map(({ path }) => valueAt(raw, path))
  return [raw['secret'], ...misplaced]
    .flat()
    .flatMap((secret) => (typeof secret === 'string' || typeof secret === 'number' ? [String(secret)] : []))
    .filter((text) => text.length >= MIN_HIDDEN)
}
