import { clockFlaw } from '../read/clock-flaw.ts'
import { readingsOf } from '../read/duration-readings.ts'
import { takesText } from '../read/schema-places.ts'
import { showPath } from '../read/show-value.ts'
import { soundLifetimes } from '../read/sound-lifetimes.ts'
import { DEFAULTS } from '../../options.ts'
import { formatDuration, parseDuration } from '../../session/duration.ts'
import { OPENED, perhaps, putStore, remove, safely, set } from './fix.ts'
import { repairsOf } from './repairs.ts'
import type { Readings } from '../read/duration-readings.ts'
import type { Fix, SetChange } from './fix.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Path } from '../read/show-value.ts'
import type { Problem, Rule } from './rule.ts'

import { ALWAYS_FATAL, faultsOf } from './faults.ts'
import type { FaultOf } from './faults.ts'

export const optionType: Rule = {
  slug: 'option-type',
  severity: ALWAYS_FATAL,
  phases: ['register'],
  silenceable: false,
  when: "a value of the wrong type, NaN, or out of range; nothing is coerced, so `secure: 'false'` is refused",
  why: "Nothing is converted. The string 'false' is true in JavaScript, and a guess about a security setting is a hole.",
  remedy: 'parse it first, or give a value of the type that is named',
  references: [],
  teach: `Environment variables are strings: \`process.env.SECURE\` is \`'false'\`, and \`'false'\` is truthy. Libraries that take whatever
they get turn such a value into the opposite of what was meant, or fail on the first request instead of at the start. Here each
option has one type, is checked by a schema, and nothing is converted for you.`,
  examples: {
    wrong: { options: "cookie: { secure: 'true' }" },
    right: { options: 'cookie: { secure: true }' },
  },
  intentions: [
    {
      wish: 'A switch from the environment',
      code: "cookie: { sameSite: process.env.EMBEDDED === 'yes' ? 'none' : 'lax' }",
    },
    {
      wish: 'A number from the environment',
      code: "maxSessions: Number.parseInt(process.env.MAX_SESSIONS ?? '5', 10)",
    },
    {
      wish: 'A list from the environment',
      code: "trustedOrigins: (process.env.TRUSTED_ORIGINS ?? '').split(' ').filter(Boolean)",
    },
    {
      wish: 'A store or a secret that comes later: await it',
      code: 'app.register(secureSession, { secret: await readSecret(), store: await openStore() })',
      isOptions: false,
    },
  ],
  onConfig: (facts) => {
    const faults = faultsOf(facts, 'option-type')
    const threw = faults.filter(({ unreadable }) => unreadable === 'threw')
    const others = faults.filter((fault) => fault.unreadable !== 'threw' && !standsUnderAnotherName(fault.path, facts))
    return [
      ...(threw.length === 0 ? [] : [threwProblem(threw, facts)]),
      ...others.map((fault) => typeProblem(fault, facts)),
    ]
  },
}

/** Tells whether a missing member is there under a wrong name, of which another finding speaks. */
function standsUnderAnotherName(path: Path, facts: ConfigFacts): boolean {
  if (path[0] !== 'maxSessions' || facts.isGiven(...path)) return false
  return facts.faults.some((fault) => {
    return fault.rule === 'unknown-option' && fault.path[0] === path[0] && fault.suggestion === path[1]
  })
}

const MAX_PLACES = 8

/** Getters and strict proxies mostly throw for all members alike: one finding names them. */
function threwProblem(faults: readonly FaultOf<'option-type'>[], facts: ConfigFacts): Problem {
  const names = faults.slice(0, MAX_PLACES).map(({ path }) => nameOf(path))
  return {
    at: faults.slice(0, MAX_PLACES).map(({ path }) => ({ ...facts.at(path), value: 'unreadable' })),
    message: `reading ${names.join(', ')} threw`,
    text: 'Give plain values: a getter or a proxy that throws leaves nothing to judge.',
    fixes: [perhaps(...faults.filter(({ path }) => path.length > 0).map(({ path }) => remove(path)))],
  }
}

function nameOf(path: Path): string {
  return path.length === 0 ? 'the options' : `options.${showPath(path)}`
}

function typeProblem({ path, expected, unreadable }: FaultOf<'option-type'>, facts: ConfigFacts): Problem {
  const name = path.length === 0 ? 'the options' : showPath(path)
  const fixes = repairsOf(path, facts)
  const at = facts.at(path)
  if (unreadable === 'promise') {
    const text = `Await it: ${path.length === 1 && !at.redacted ? `${name}: await …` : 'await …'} where the options are put together.`
    const isAre = path.length === 0 ? 'are' : 'is'
    const ways = path[0] === 'store' ? [perhaps(putStore(OPENED)), ...fixes] : fixes
    return { at: [{ ...at, value: '<Promise>' }], message: `${name} ${isAre} a Promise: await it`, text, fixes: ways }
  }
  const isMissing = at.value === 'missing'
  const isText = typeof facts.given(path) === 'string'
  const hint = isText && !takesText(path) ? ' Nothing is converted: parse environment variables first.' : ''
  const flaw = flawOfClock(path, facts)
  if (path[0] === 'store' && isCallable(facts.given(path))) {
    const message = 'store is a function or a class: call it, and give what it returns'
    return { at: [at], message, text: 'Call it where the options are put together.', fixes }
  }
  if (path[0] === 'store' && isText) {
    const text = 'openStore of fastify-session-guard/stores/open opens the store of an address.'
    return { at: [at], message: `${name} must be ${expected}`, text, fixes: [perhaps(putStore(OPENED)), ...fixes] }
  }
  return {
    at: [at],
    message: flaw === undefined ? `${name} must be ${expected}` : `${name} ${flaw}; it must be ${expected}`,
    text: isMissing
      ? `Give ${name} ${expected}; it is missing.`
      : `Give ${name} ${expected}; it is ${at.value} now.${hint}`,
    fixes,
  }
}

function isCallable(value: unknown): boolean {
  return typeof value === 'function'
}

function flawOfClock([root]: Path, facts: ConfigFacts): string | undefined {
  const clock = root === 'clock' ? facts.given(['clock']) : undefined
  return typeof clock === 'function' ? clockFlaw(clock as () => unknown) : undefined
}

export const durationUnit: Rule = {
  slug: 'duration-unit',
  severity: ALWAYS_FATAL,
  phases: ['register'],
  silenceable: false,
  when: 'a bare number, or a string without a unit, where a duration is wanted',
  why: 'Seconds in one library are milliseconds in the next: off by a thousand, a session of half an hour lasts three weeks, or two seconds.',
  remedy: "a whole number with its unit: `'15m'`, `'8h'`, `'30d'`",
  references: ['fastify/session#227', 'fastify/session#244', 'fastify/fastify-cookie#219'],
  teach: `\`maxAge\` counts milliseconds in express-session and @fastify/session, and seconds in @fastify/cookie, in @fastify/secure-session and
on the wire. Copied from one to the other, a lifetime is wrong by a factor of a thousand, and nobody notices: the session works,
only far too long. A unit in the value leaves nothing to guess: \`ms\`, \`s\`, \`m\`, \`h\`, \`d\`.`,
  examples: {
    wrong: { options: 'idleTimeout: 1800' },
    right: { options: "idleTimeout: '30m'" },
  },
  onConfig: (facts) => faultsOf(facts, 'duration-unit').map(({ path }) => durationProblem(path, facts)),
}

function durationProblem(path: Path, facts: ConfigFacts): Problem {
  const name = showPath(path)
  const location = facts.at(path)
  const { kind, text, durations } = readingsOf(facts.given(path))
  const isLifetime = Object.hasOwn(facts.lifetimes, name)
  const sound = isLifetime ? soundLifetimes(facts)[name as keyof ConfigFacts['lifetimes']] : nearest(name, durations)
  const fixes = [sound, ...durations].flatMap((length) => (length === undefined ? [] : formatDuration(length)))
  const isShortened = kind === 'words' && isLifetime && sound !== durations[0]
  const limit = isShortened ? ` Beside the other lifetimes it can be ${formatDuration(sound as number)} at most.` : ''
  const message =
    kind === 'bare'
      ? `${name} needs a unit: ${location.value} could be seconds or milliseconds`
      : `${name} is not written as a duration: ${location.value}`
  return {
    at: [location],
    message,
    text: text + limit,
    fixes: [
      ...fixes.map((duration) => perhapsOrSafely(isShortened ? 'bare' : kind, set(path, duration))),
      ...repairsOf(path, facts),
    ],
  }
}

/** Returns the reading that is nearest to the default of an option; the first where the default says nothing. */
function nearest(name: string, durations: readonly number[]): number | undefined {
  const usual = parseDuration((DEFAULTS as Readonly<Record<string, unknown>>)[name]) ?? 0
  if (usual === 0) return durations[0]
  const distance = (duration: number): number => Math.abs(Math.log(duration / usual))
  return durations.toSorted((a, b) => distance(a) - distance(b))[0]
}

/** An amount with its unit in words has one meaning; a bare number has two. */
function perhapsOrSafely(kind: Readings['kind'], change: SetChange): Fix {
  return kind === 'words' ? safely(change) : perhaps(change)
}

export const sameSiteInvalid: Rule = {
  slug: 'samesite-invalid',
  severity: ALWAYS_FATAL,
  phases: ['register', 'scan'],
  silenceable: false,
  when: "`cookie.sameSite` is not `'lax'`, `'strict'` or `'none'`; booleans and other case are refused too",
  why: 'Browsers treat an attribute they do not understand as if it were not there, and each browser has its own default.',
  remedy: 'the lower-case string',
  references: ['jshttp/cookie#189', 'MDN HTTP Observatory: cookies'],
  teach: `SameSite decides whether a request that another site caused carries the session cookie: the first line against cross-site
request forgery. In other libraries \`true\` means Strict, \`false\` means no attribute at all, and \`'None'\` is taken or not, depending
on the version. Here it is one of three lower-case words. Without the attribute Chromium assumes Lax with an exception of two minutes,
while Firefox and Safari send the cookie everywhere.`,
  examples: {
    wrong: { options: 'cookie: { sameSite: true }' },
    right: { options: "cookie: { sameSite: 'strict' }" },
  },
  onConfig: (facts) =>
    faultsOf(facts, 'samesite-invalid').map(({ path }) => {
      const at = facts.at(path)
      const word = wordMeant(facts.given(path))
      return {
        at: [at],
        message: `cookie.sameSite must be 'lax', 'strict' or 'none', not ${at.value}`,
        suggestion: word,
        text:
          at.value === 'false'
            ? "There is no way to leave it out. Choose 'lax', unless other sites embed this app."
            : `Write '${word}'.`,
        fixes: [wordFix(word, facts)],
      }
    }),
}

/** `'none'` goes with Secure only. */
function wordFix(word: string, facts: ConfigFacts): Fix {
  const same = set(['cookie', 'sameSite'], word)
  const given = facts.given(['cookie', 'sameSite'])
  const isMeant = given === true || (typeof given === 'string' && given.trim().toLowerCase() === word)
  if (word !== 'none') return isMeant ? safely(same) : perhaps(same)
  const secure = set(['cookie', 'secure'], true)
  return { ...safely(same, ...(facts.cookie.secure === true ? [] : [secure])), snippet: NONE_AND_SECURE }
}

const NONE_AND_SECURE = "cookie: { sameSite: 'none', secure: true }"

function wordMeant(value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'boolean' ? String(value) : ''
  const word = text.slice(0, 40).trim().toLowerCase()
  if (word === 'true') return 'strict'
  // The name that browser extensions have for it.
  if (word === 'no_restriction') return 'none'
  return word === 'none' || word === 'strict' ? word : 'lax'
}
