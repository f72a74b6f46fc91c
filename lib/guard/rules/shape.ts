import { FOREIGN } from '../read/foreign-options.ts'
import { readingsOf } from '../read/duration-readings.ts'
import { exampleAt, ROOT_NAMES } from '../read/schema.ts'
import { literal, showKey, showPath } from '../read/show-value.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Path } from '../read/show-value.ts'
import type { Problem, Rule } from './rule.ts'
import type { Fault } from '../read/validate.ts'

const ALWAYS_FATAL = { production: 'fatal', development: 'fatal' } as const

type FaultOf<Slug extends Fault['rule']> = Extract<Fault, { rule: Slug }>

function faultsOf<Slug extends Fault['rule']>(facts: ConfigFacts, slug: Slug): FaultOf<Slug>[] {
  return facts.faults.filter((fault): fault is FaultOf<Slug> => fault.rule === slug)
}

/** The option that was meant, with a safe value, so that a correction never carries another mistake along. */
function snippetFor(path: Path, value: unknown): string | undefined {
  const source = exampleAt(path, value)
  return source === undefined ? undefined : membersAt(path, source)
}

/** `cookie: { path: '/' }`: a value as members of the options object. */
function membersAt(path: Path, source: string): string {
  const steps = path.filter((step) => typeof step === 'string')
  const value = path.some((step) => typeof step === 'number') ? `[${source}]` : source
  return steps.length === 1 ? `${steps[0]}: ${value}` : `${steps[0]}: { ${steps[1]}: ${value} }`
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
  hook: 'The session is loaded in onRequest, before any hook of yours; there is nothing to choose.',
  logger: 'The logger is the one of the app.',
}

function unknownProblem({ path, suggestion }: FaultOf<'unknown-option'>, facts: ConfigFacts): Problem {
  const key = String(path.at(-1))
  const message = `${showPath(path)} is not an option`
  const at = [facts.at(path)]
  if (Object.hasOwn(HINTS, key)) return { at, message, text: HINTS[key] as string }
  if (suggestion === undefined) return { at, message, text: `Remove ${showKey(key)}: nothing reads it.` }
  const isElsewhere = suggestion.includes('.') || (path[0] === 'cookie' && ROOT_NAMES.includes(suggestion))
  const target = isElsewhere ? suggestion.split('.') : [...path.slice(0, -1), suggestion]
  const snippet = snippetFor(target, facts.given(path))
  return {
    at,
    message,
    suggestion,
    text: `Did you mean ${suggestion}?`,
    ...(snippet === undefined ? {} : { snippet }),
  }
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
      const snippet = snippetFor(suggestion.split('.'), facts.given(path))
      return {
        at: [facts.at(path)],
        message: `${showPath(path)} is at the wrong level: it belongs ${where}`,
        suggestion,
        text: `Move ${key} ${where}.`,
        ...(snippet === undefined ? {} : { snippet }),
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
      const { of, instead, suggestion, snippet } = FOREIGN[key] as (typeof FOREIGN)[string]
      return {
        at: [facts.at(path)],
        message: `${showPath(path)} is an option of ${of}, not of this plugin`,
        text: instead,
        ...(suggestion === undefined ? {} : { suggestion }),
        ...(snippet === undefined ? {} : { snippet }),
      }
    }),
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
  onConfig: (facts) =>
    faultsOf(facts, 'option-type').map(({ path, expected, example }) => {
      const name = path.length === 0 ? 'the options' : showPath(path)
      const at = facts.at(path)
      const snippet = example === undefined ? undefined : membersAt(path, example)
      return {
        at: [at],
        message: `${name} must be ${expected}`,
        text:
          at.value === 'missing'
            ? `Give ${name} ${expected}; it is missing.`
            : `Give ${name} ${expected}; it is ${at.value} now. Nothing is converted: parse environment variables first.`,
        ...(snippet === undefined ? {} : { snippet }),
      }
    }),
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
  onConfig: (facts) =>
    faultsOf(facts, 'duration-unit').map(({ path }) => {
      const name = String(path[0])
      const location = facts.at(path)
      const reading = readingsOf(location.value)
      return {
        at: [location],
        message: `${name} needs a unit: ${location.value} could mean anything`,
        text: reading.text,
        snippet: `${name}: ${literal(reading.duration)}`,
      }
    }),
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
      const word = wordMeant(at.value)
      return {
        at: [at],
        message: `cookie.sameSite must be 'lax', 'strict' or 'none', not ${at.value}`,
        suggestion: word,
        text:
          at.value === 'false'
            ? "There is no way to leave it out. Choose 'lax', unless other sites embed this app."
            : `Write '${word}'.`,
        snippet: word === 'none' ? "cookie: { sameSite: 'none', secure: true }" : `cookie: { sameSite: '${word}' }`,
      }
    }),
}

function wordMeant(shown: string): string {
  const word = shown.replaceAll('"', '').trim().toLowerCase()
  if (word === 'true') return 'strict'
  return word === 'none' || word === 'strict' ? word : 'lax'
}
