import { SecureSessionError } from '../errors.ts'
import { closest } from '../guard/read/nearest-name.ts'
import { parseDuration } from './duration.ts'
import { isLocalPath } from './local-path.ts'
import { METHOD_NAMES } from './methods.ts'
import { isReservedName } from './places.ts'

/** The check of one member: what is accepted, in words and as a test. */
interface Member {
  readonly wanted: string
  accepts(value: unknown): boolean
}

/** The length up to which a name from the app stands in a message. */
const MAX_NAME = 60

const BOOLEAN: Member = { wanted: 'true or false', accepts: (value) => typeof value === 'boolean' }
const TEXT: Member = { wanted: 'a text', accepts: (value) => typeof value === 'string' }
const NAME: Member = { wanted: 'a text that is not empty', accepts: isName }
const DURATION: Member = {
  wanted: "a duration such as '10m'",
  accepts: (value) => parseDuration(value) !== undefined,
}
const KEYS: Member = {
  wanted: 'true, false or a list of keys',
  accepts: (value) => typeof value === 'boolean' || isListOfTexts(value),
}

const INSTANT: Member = {
  wanted: 'a valid Date',
  accepts: (value) => value instanceof Date && Number.isFinite(value.getTime()),
}

const METHODS: Member = {
  wanted: `a list of names of RFC 8176: ${METHOD_NAMES.join(', ')}`,
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(isMethod),
}
const TIME: Member = {
  wanted: "a duration such as '30m', and longer than zero",
  accepts: (value) => (parseDuration(value) ?? 0) > 0,
}
const REASON: Member = {
  wanted: 'a text of 1 to 200 characters without control characters',
  accepts: (value) => typeof value === 'string' && /^(?=.*\S)[^\p{Cc}\u2028-\u202e\u2066-\u2069]{1,200}$/u.test(value),
}
const HEADER: Member = { wanted: "'header'", accepts: (value) => value === 'header' }
const PATH: Member = { wanted: "a path of this app such as '/login'", accepts: isLocalPath }

type CallName =
  | 'login'
  | 'confirmLogin'
  | 'actAs'
  | 'logout'
  | 'list'
  | 'rename'
  | 'requireLogin'
  | 'revoke'
  | 'revokeUser'
  | 'revokeAll'

/** The options of each call, by the name of the call. */
const CALLS: Readonly<Record<CallName, Readonly<Record<string, Member>>>> = {
  login: {
    remember: BOOLEAN,
    keep: KEYS,
    authHash: TEXT,
    label: TEXT,
    methods: METHODS,
    pending: BOOLEAN,
    transport: HEADER,
  },
  confirmLogin: { label: TEXT, methods: METHODS },
  actAs: { reason: REASON, for: TIME },
  list: { current: TEXT },
  rename: { userId: NAME },
  revokeAll: { before: INSTANT, except: TEXT },
  logout: { everywhere: BOOLEAN, others: BOOLEAN },
  requireLogin: { within: DURATION, methods: METHODS, redirect: PATH, notActing: BOOLEAN, deviceBound: BOOLEAN },
  revoke: { userId: NAME },
  revokeUser: { except: TEXT },
}

/**
 * Refuses options that a call does not know or that have a wrong value, before anything is done. An option that is
 * `undefined` is absent, except in `requireLogin`: there it would let in a login of any age.
 * @throws `SESSION_OPTION_INVALID`
 */
export function checkOptions(call: CallName, options: unknown): void {
  const members = CALLS[call]
  // A Promise, a Map or a Date has no members of its own, so that every option would be absent.
  if (Object.prototype.toString.call(options) !== '[object Object]') {
    refuse(`${call} takes its options as an object: { ${Object.keys(members).join(', ')} }`)
  }
  const given = options as Record<PropertyKey, unknown>
  for (const name of Reflect.ownKeys(given)) {
    const member = typeof name === 'string' && Object.hasOwn(members, name) ? members[name] : undefined
    if (member === undefined) refuseUnknown(call, String(name), Object.keys(members))
    const isAbsent = given[name] === undefined && call !== 'requireLogin'
    if (!isAbsent && !member.accepts(given[name])) refuse(`${String(name)} of ${call} is ${member.wanted}`)
  }
  for (const name in members) {
    const isInherited = name in given && !Object.hasOwn(given, name)
    if (isInherited) refuse(`${name} of ${call} is inherited: write it into the object`)
  }
}

/**
 * Refuses a user id that is no text, or an empty one. A password reset would end nothing otherwise, without a word.
 * @throws `SESSION_OPTION_INVALID`
 */
export function checkUserId(call: string, userId: unknown): void {
  if (!isName(userId)) refuse(`${call} takes the id of a user, ${NAME.wanted}`)
  if (isReservedName(userId)) refuse(`${call} takes the id of a user, which cannot begin with the character U+0001`)
}

/**
 * A label may come from a form and is shown in pages. So characters that control a terminal or turn text round are
 * refused.
 */
const LABEL = /^(?=.*\S)[^\p{Cc}\u2028-\u202e\u2066-\u2069]{1,100}$/u

/** @throws `SESSION_LABEL_INVALID` */
export function checkLabel(label: unknown): void {
  if (label === undefined || label === null || (typeof label === 'string' && LABEL.test(label))) return
  throw new SecureSessionError('SESSION_LABEL_INVALID')
}

/** @throws `SESSION_OPTION_INVALID` */
export function checkKey(call: string, key: unknown): void {
  if (typeof key !== 'string') refuse(`${call} takes a key, a text`)
}

/** @throws `SESSION_OPTION_INVALID` */
export function checkCallback(call: string, callback: unknown): void {
  if (callback !== undefined && typeof callback !== 'function') refuse(`${call} takes a function, or nothing`)
}

/** @throws `SESSION_OPTION_INVALID` */
export function checkHandle(call: string, handle: unknown): asserts handle is string {
  if (typeof handle !== 'string') refuse(`${call} takes the handle of a session, a text`)
}

/**
 * Refuses arguments beyond those that a call takes. An owner, a limit or a callback would be ignored otherwise, without
 * a word.
 * @throws `SESSION_OPTION_INVALID`
 */
export function checkArguments(call: string, given: readonly unknown[], most: number): void {
  if (given.length <= most || given.slice(most).every((argument) => argument === undefined)) return
  refuse(`${call} takes ${['no argument', 'one argument'][most] ?? `${most} arguments`}`)
}

/** @throws `SESSION_OPTION_INVALID` */
export function checkChange(change: unknown): void {
  if (typeof change !== 'function') refuse('update takes a function of the data')
}

/** @throws `SESSION_OPTION_INVALID` */
export function checkKeys(keys: unknown): asserts keys is readonly string[] {
  if (!isListOfTexts(keys)) refuse('regenerate takes a list of the keys to keep')
}

/** @throws `SESSION_OPTION_INVALID` */
export function checkAuthHash(authHash: unknown): void {
  if (authHash !== undefined && !TEXT.accepts(authHash)) refuse(`updateAuthHash takes ${TEXT.wanted}, or nothing`)
}

function refuseUnknown(call: string, name: string, known: readonly string[]): never {
  const near = closest(name, known)
  const hint = near === undefined ? `known are: ${known.join(', ')}` : `did you mean ${near}?`
  refuse(`${call} has no option ${JSON.stringify(name.slice(0, MAX_NAME))}; ${hint}`)
}

function refuse(detail: string): never {
  throw new SecureSessionError('SESSION_OPTION_INVALID', { detail })
}

function isMethod(value: unknown): boolean {
  return METHOD_NAMES.some((name) => name === value)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
