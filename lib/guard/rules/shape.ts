import { FOREIGN } from '../read/foreign-options.ts'
import { ROOT_NAMES } from '../read/schema.ts'
import { goodName } from '../read/good-name.ts'
import { showKey, showPath } from '../read/show-value.ts'
import { soundLifetimes } from '../read/sound-lifetimes.ts'
import { formatDuration } from '../../session/duration.ts'
import { perhaps, remove, safely, set } from './fix.ts'
import { relocations } from './repairs.ts'
import type { Fix } from './fix.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Path } from '../read/show-value.ts'
import type { Problem, Rule } from './rule.ts'

import { ALWAYS_FATAL, faultsOf } from './faults.ts'
import type { FaultOf } from './faults.ts'

export const unknownOption: Rule = {
  slug: 'unknown-option',
  severity: ALWAYS_FATAL,
  phases: ['register'],
  silenceable: false,
  when: 'a key that is no option, at any depth: `samesite`, `httponly`, `maxage`',
  why: 'A key that nobody reads does nothing. A misspelt `httponly: true` looks like protection, and is none.',
  remedy: 'correct the spelling, or remove the key',
  references: ['DefinitelyTyped#26110'],
  teach: `JavaScript takes any key in an object without a word. A setting under a misspelt name is therefore not an error anywhere else. The
library goes on with its default, and the author goes on believing in the setting. TypeScript notices only in some places; a configuration
that was spread or read from a file passes unchecked. So an unknown key refuses to boot.`,
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
  intentions: [
    { wish: 'Attributes of the cookie', code: "cookie: { path: '/', httpOnly: true, sameSite: 'lax' }" },
    {
      wish: 'Everything about the session',
      code: "secret: process.env.SESSION_SECRET, idleTimeout: '30m', maxSessions: 5",
    },
  ],
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
  intentions: [
    {
      wish: 'maxAge or ttl in milliseconds or seconds: a lifetime with its unit',
      code: "idleTimeout: '30m', absoluteTimeout: '12h', rememberTimeout: '14d'",
    },
    { wish: 'cookieName: the name of the cookie', code: "cookie: { name: '__Host-session' }" },
    {
      wish: 'key, keys, password, secrets: the secret, or a list that rotates',
      code: 'secret: [process.env.SESSION_SECRET, process.env.OLD_SESSION_SECRET]',
    },
    { wish: 'proxy: true', code: "tls: 'proxy'" },
    {
      wish: 'rolling, resave, saveUninitialized, genid, unset, signed, overwrite: nothing takes their place',
      code: "idleTimeout: '30m'",
    },
  ],
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

/**
 * Returns the change that turns another library's option into ours. If the place is taken, the option is only removed.
 */
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
