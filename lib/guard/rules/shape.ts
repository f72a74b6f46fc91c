import { FOREIGN } from '../read/foreign-options.ts'
import { readingsOf } from '../read/duration-readings.ts'
import { ROOT_NAMES } from '../read/schema.ts'
import { goodName } from '../read/good-name.ts'
import { showKey, showPath } from '../read/show-value.ts'
import { soundLifetimes } from '../read/sound-lifetimes.ts'
import { formatDuration } from '../../session/duration.ts'
import { perhaps, remove, safely, set } from './fix.ts'
import { relocations, repairsOf } from './repairs.ts'
import type { Readings } from '../read/duration-readings.ts'
import type { Fix, SetChange } from './fix.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Path } from '../read/show-value.ts'
import type { Problem, Rule } from './rule.ts'
import type { Fault } from '../read/validate.ts'

const ALWAYS_FATAL = { production: 'fatal', development: 'fatal' } as const

type FaultOf<Slug extends Fault['rule']> = Extract<Fault, { rule: Slug }>

function faultsOf<Slug extends Fault['rule']>(facts: ConfigFacts, slug: Slug): FaultOf<Slug>[] {
  return facts.faults.filter((fault): fault is FaultOf<Slug> => fault.rule === slug)
}

export const unknownOption: Rule = {
  slug: 'unknown-option',
  severity: ALWAYS_FATAL,
  phases: ['register'],
  silenceable: false,
  when: 'a key that is no option, at any depth: `samesite`, `httponly`, `maxage`',
  why: 'A key that nobody reads does nothing. A misspelt `httponly: true` looks like protection, and is none.',
  remedy: 'correct the spelling, or remove the key',
  references: ['DefinitelyTyped#26110'],
  teach: `JavaScript takes any key in an object without a word. A setting under a misspelt name is therefore not an error anywhere
else: the library goes on with its default, and the author goes on believing in the setting. TypeScript notices only in
some places; a configuration that was spread or read from a file passes unchecked. So an unknown key refuses to boot.`,
  examples: {
    wrong: { options: "cookie: { samesite: 'strict' }" },
    right: { options: "cookie: { sameSite: 'strict' }" },
  },
  onConfig: (facts) => faultsOf(facts, 'unknown-option').map((fault) => unknownProblem(fault, facts)),
}

const HINTS: Readonly<Record<string, string>> = {
  trustProxy:
    "trustProxy is an option of Fastify itself: Fastify({ trustProxy: ['10.0.0.0/8'] }). Here, say tls: 'proxy'.",
  https: "https is an option of Fastify itself. Here, say tls: 'direct'.",
  hook: 'Remove hook: the session is always loaded in onRequest, before any hook of yours.',
  logger: 'Remove logger: the plugin uses the logger of the app.',
  session: 'Remove session: req.session keeps its name, because other plugins look for it there.',
}

function unknownProblem({ path, suggestion }: FaultOf<'unknown-option'>, facts: ConfigFacts): Problem {
  const key = String(path.at(-1))
  const message = `${showPath(path)} is not an option`
  const at = [facts.at(path)]
  const fixes = [perhaps(remove(path))]
  if (Object.hasOwn(HINTS, key)) return { at, message, text: HINTS[key] as string, fixes }
  if (suggestion === undefined) return { at, message, text: `Remove ${showKey(key)}: nothing reads it.`, fixes }
  const isElsewhere = suggestion.includes('.') || (path[0] === 'cookie' && ROOT_NAMES.includes(suggestion))
  const target = isElsewhere ? suggestion.split('.') : [...path.slice(0, -1), suggestion]
  return { at, message, suggestion, text: `Did you mean ${suggestion}?`, fixes: relocations(path, target, facts) }
}

export const optionWrongLevel: Rule = {
  slug: 'option-wrong-level',
  severity: ALWAYS_FATAL,
  phases: ['register'],
  silenceable: false,
  when: 'a key at the root that belongs under `cookie`, or the reverse',
  why: 'At this level nobody reads it, so the attribute silently keeps its default.',
  remedy: 'move it',
  references: ['expressjs/session#43'],
  teach: `Attributes of the cookie (\`secure\`, \`httpOnly\`, \`sameSite\`, \`domain\`, \`path\` …) live under \`cookie\`; everything about
the session lives beside it. Put at the other level, a setting is dead text: the session works, only without it.`,
  examples: {
    wrong: { options: "sameSite: 'strict'" },
    right: { options: "cookie: { sameSite: 'strict' }" },
  },
  onConfig: (facts) =>
    faultsOf(facts, 'option-wrong-level').map(({ path, suggestion }) => {
      const key = String(path.at(-1))
      const where = path.length === 1 ? 'under cookie' : 'at the root of the options, not under cookie'
      return {
        at: [facts.at(path)],
        message: `${showPath(path)} is at the wrong level: it belongs ${where}`,
        suggestion,
        text: `Move ${key} ${where}.`,
        fixes: relocations(path, suggestion.split('.'), facts),
      }
    }),
}

export const foreignOption: Rule = {
  slug: 'foreign-option',
  severity: ALWAYS_FATAL,
  phases: ['register'],
  silenceable: false,
  when: 'an option of express-session, @fastify/session, @fastify/secure-session or iron-session: `resave`, `saveUninitialized`, `rolling`, `maxAge`, `ttl`, `key`, `password` …',
  why: 'It belongs to another library and does nothing here. What it was meant to do would silently not happen.',
  remedy: 'the option here that does it, or nothing where none is needed',
  references: ['fastify/help#994'],
  teach: `Configurations are copied from one session library to the next, and the names nearly fit. Some of these options cure
problems that this plugin does not have (\`resave\`, \`saveUninitialized\`, \`rolling\`); some hand lifetimes to the cookie, which the
browser may ignore (\`maxAge\`, \`expires\`, \`ttl\`); some name the key that signs (\`key\`, \`password\`). The finding says which option
takes the place of each.`,
  examples: {
    wrong: { options: 'resave: false' },
    right: { options: "idleTimeout: '30m'" },
  },
  onConfig: (facts) =>
    faultsOf(facts, 'foreign-option').map(({ path }) => {
      const key = String(path.at(-1))
      const { of, instead, suggestion } = FOREIGN[key] as (typeof FOREIGN)[string]
      return {
        at: [facts.at(path)],
        message: `${showPath(path)} is an option of ${of}, not of this plugin`,
        text: instead,
        ...(suggestion === undefined ? {} : { suggestion }),
        fixes: replacements(path, suggestion, facts),
      }
    }),
}

/** What an option of another library becomes here; where the place is taken, the option only goes. */
function replacements(path: Path, suggestion: string | undefined, facts: ConfigFacts): Fix[] {
  const gone = remove(path)
  const { idleTimeout, absoluteTimeout } = soundLifetimes(facts)
  const name = facts.given(path)
  switch (suggestion) {
    case 'secret':
      return relocations(path, ['secret'], facts)
    case 'cookie.name':
      if (facts.isGiven('cookie', 'name') || typeof name !== 'string') return [perhaps(gone)]
      return [
        safely(gone, set(['cookie', 'name'], goodName(facts, facts.isShowable(name) ? name : 'session'))),
        perhaps(gone),
      ]
    case 'tls':
      return facts.isGiven('tls') ? [perhaps(gone)] : [perhaps(gone, set(['tls'], 'proxy')), perhaps(gone)]
    case 'absoluteTimeout':
      if (facts.isGiven('idleTimeout') || facts.isGiven('absoluteTimeout')) return [perhaps(gone)]
      return [
        perhaps(
          gone,
          set(['idleTimeout'], formatDuration(idleTimeout)),
          set(['absoluteTimeout'], formatDuration(absoluteTimeout)),
        ),
        perhaps(gone),
      ]
    default:
      return [perhaps(gone)]
  }
}

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
  onConfig: (facts) => {
    const faults = faultsOf(facts, 'option-type')
    const threw = faults.filter(({ unreadable }) => unreadable === 'threw')
    return [
      ...(threw.length === 0 ? [] : [threwProblem(threw, facts)]),
      ...faults.filter(({ unreadable }) => unreadable !== 'threw').map((fault) => typeProblem(fault, facts)),
    ]
  },
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
    return { at: [{ ...at, value: '<Promise>' }], message: `${name} ${isAre} a Promise: await it`, text, fixes }
  }
  const isMissing = at.value === 'missing'
  const isText = typeof facts.given(path) === 'string'
  const hint = isText ? ' Nothing is converted: parse environment variables first.' : ''
  return {
    at: [at],
    message: `${name} must be ${expected}`,
    text: isMissing
      ? `Give ${name} ${expected}; it is missing.`
      : `Give ${name} ${expected}; it is ${at.value} now.${hint}`,
    fixes,
  }
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
  const name = String(path[0])
  const location = facts.at(path)
  const { kind, text, durations } = readingsOf(facts.given(path))
  const isLifetime = Object.hasOwn(facts.lifetimes, name)
  const sound = isLifetime ? soundLifetimes(facts)[name as keyof ConfigFacts['lifetimes']] : durations[0]
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
    fixes: [...fixes.map((duration) => perhapsOrSafely(kind, set(path, duration))), ...repairsOf(path, facts)],
  }
}

/** An amount with its unit in words has one meaning; a bare number has two. */
function perhapsOrSafely(kind: Readings['kind'], change: SetChange): Fix {
  return kind === 'words' ? safely(change) : perhaps(change)
}

export const sameSiteInvalid: Rule = {
  slug: 'samesite-invalid',
  severity: ALWAYS_FATAL,
  phases: ['register'],
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
  if (word !== 'none') return safely(same)
  const secure = set(['cookie', 'secure'], true)
  return { ...safely(same, ...(facts.cookie.secure === true ? [] : [secure])), snippet: NONE_AND_SECURE }
}

const NONE_AND_SECURE = "cookie: { sameSite: 'none', secure: true }"

function wordMeant(value: unknown): string {
  const word = String(typeof value === 'object' ? '' : value)
    .slice(0, 40)
    .trim()
    .toLowerCase()
  if (word === 'true') return 'strict'
  // The name that browser extensions have for it.
  if (word === 'no_restriction') return 'none'
  return word === 'none' || word === 'strict' ? word : 'lax'
}
