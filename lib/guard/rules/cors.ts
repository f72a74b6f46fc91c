import { literal, locate, show } from '../read/show-value.ts'
import { isOrigin } from '../read/origin-syntax.ts'
import { perhaps, remove, safely, set } from './fix.ts'
import type { Fix } from './fix.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { FindingLocation, SecureSessionOptions, TrustedOrigin } from '../../../types/index.ts'
import type { CorsAnswer } from '../read/phase-facts.ts'
import type { Problem, Rule } from './rule.ts'

export const crossOriginOff: Rule = {
  slug: 'cross-origin-off',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register'],
  silenceable: true,
  when: '`crossOriginProtection` is `false`',
  why: 'Any page on the web can then send requests that change something, and the browser attaches the session.',
  remedy: 'turn it on',
  references: ['OWASP ASVS 5.0 3.5.1'],
  teach: `A form on another site posts to yours, and the browser sends the session cookie along wherever SameSite lets it. The protection
looks at what browsers say about the origin of the request (Sec-Fetch-Site, Origin) and refuses foreign origins. Requests that do not come
from a browser pass. Let single origins in with trustedOrigins, or single routes with config: { crossOriginProtection: false }.`,
  examples: {
    wrong: { options: 'crossOriginProtection: false' },
    right: { options: "trustedOrigins: ['https://partner.example']" },
  },
  onConfig: (facts) => {
    if (facts.options.crossOriginProtection !== false) return []
    return [
      {
        at: [facts.at(['crossOriginProtection'])],
        message: 'other sites can send requests in the name of your users',
        text: 'Remove it; list the origins that may in trustedOrigins.',
        fixes: [safely(remove(['crossOriginProtection']))],
      },
    ]
  },
}

/** A place that is not in the options. */
function outside(path: string, value: string): FindingLocation {
  return { ...locate([], value), path }
}

function corsProblem({ allowOrigin, probeOrigin }: CorsAnswer, message: string): Problem {
  return {
    at: [outside('Access-Control-Allow-Origin', `${show(allowOrigin)} to Origin: ${probeOrigin}`)],
    message,
    text: "List the origins that may: app.register(cors, { origin: ['https://app.example'], credentials: true }).",
  }
}

function reflections(answers: readonly CorsAnswer[]): Problem[] {
  return answers
    .filter(({ allowCredentials, allowOrigin, probeOrigin }) => allowCredentials && allowOrigin === probeOrigin)
    .slice(0, 1)
    .map((answer) => corsProblem(answer, 'any site may read responses in the name of your users'))
}

function wildcards(answers: readonly CorsAnswer[]): Problem[] {
  return answers
    .filter(({ allowCredentials, allowOrigin }) => allowCredentials && allowOrigin === '*')
    .slice(0, 1)
    .map((answer) => corsProblem(answer, 'credentials are allowed to every origin, which browsers refuse'))
}

const PROBE = { probeOrigin: 'https://probe.invalid', allowCredentials: true }

export const corsCredentialsReflect: Rule = {
  slug: 'cors-credentials-reflect',
  severity: { production: 'fatal', development: 'warning' },
  phases: ['ready', 'scan'],
  silenceable: true,
  when: 'CORS allows credentials and repeats whatever origin asks, or lets in the origin `null`',
  why: 'Any page on the web can send requests with the session of its visitor and read the answers. SameSite and Origin checks no longer help.',
  remedy: 'an allow-list of origins',
  references: ['OWASP ASVS 5.0 3.4.2'],
  teach: `origin: true in @fastify/cors repeats the Origin of the request in Access-Control-Allow-Origin. Together with credentials: true
this tells browsers that every site may read what a logged-in user would see, CSRF tokens included. The guard asks with an origin that
nobody can have. The guard also asks with null, which any page can have by a sandboxed frame. An app that lets one of these origins in lets
everybody in.`,
  examples: {
    wrong: {
      shown: 'app.register(cors, { origin: true, credentials: true })',
      options: '',
      neighbours: { cors: [{ ...PROBE, allowOrigin: 'https://probe.invalid' }] },
    },
    right: {
      shown: "app.register(cors, { origin: ['https://app.example'], credentials: true })",
      options: "trustedOrigins: ['https://app.example']",
      neighbours: { cors: [{ ...PROBE, allowOrigin: 'https://app.example' }] },
    },
  },
  onNeighbours: ({ cors }) => reflections(cors),
  onScan: ({ cors }) => reflections(cors),
}

export const corsCredentialsWildcard: Rule = {
  slug: 'cors-credentials-wildcard',
  severity: { production: 'warning', development: 'warning' },
  phases: ['ready', 'scan'],
  silenceable: true,
  when: 'CORS allows credentials together with the origin `*`',
  why: 'Browsers refuse the combination, so it does not work; the usual repair, to repeat every origin, opens the app to all sites.',
  remedy: 'an allow-list of origins',
  references: ['fastify/help#583'],
  teach: `Access-Control-Allow-Origin: * is for data that is the same for everybody. With credentials browsers ignore it. Name the origins that
need the session instead.`,
  examples: {
    wrong: {
      shown: "app.register(cors, { origin: '*', credentials: true })",
      options: '',
      neighbours: { cors: [{ ...PROBE, allowOrigin: '*' }] },
    },
    right: {
      shown: "app.register(cors, { origin: ['https://app.example'], credentials: true })",
      options: '',
      neighbours: { cors: [{ ...PROBE, allowOrigin: '*', allowCredentials: false }] },
    },
  },
  intentions: [
    { wish: 'Data that is the same for everybody', code: "app.register(cors, { origin: '*' })", isOptions: false },
    {
      wish: 'A front end of your own on another origin',
      code: "app.register(cors, { origin: ['https://app.example'], credentials: true })",
      isOptions: false,
    },
  ],
  onNeighbours: ({ cors }) => wildcards(cors),
  onScan: ({ cors }) => wildcards(cors),
}

export const corsTrustedMismatch: Rule = {
  slug: 'cors-trusted-mismatch',
  severity: { production: 'warning', development: 'warning' },
  phases: ['ready', 'request'],
  silenceable: true,
  when: 'CORS lets an origin in with credentials, and `trustedOrigins` does not list it',
  why: 'Pages of that origin may read with the session, but every POST, PUT, PATCH and DELETE that they send is a 403.',
  remedy: 'the same origins in `trustedOrigins`',
  references: ['Fetch, 3.2 CORS protocol'],
  teach: `CORS says which origins may read responses. crossOriginProtection says which may send requests that change something. A front end
on an origin of its own needs both: name it to @fastify/cors and in trustedOrigins. Before the app listens, the guard sees the name of a
fixed origin of CORS. The guard also sees that there is a list, but not its origins. An origin of the list shows when its first request is
refused.`,
  examples: {
    wrong: {
      shown: "app.register(cors, { origin: 'https://app.example', credentials: true })",
      options: '',
      neighbours: { cors: [{ ...PROBE, allowOrigin: 'https://app.example' }] },
    },
    right: {
      shown: "the same, and trustedOrigins: ['https://app.example']",
      options: "trustedOrigins: ['https://app.example']",
      neighbours: { cors: [{ ...PROBE, allowOrigin: 'https://app.example' }] },
    },
  },
  onNeighbours: ({ cors }, facts) => untrusted(cors, facts),
  onAnswer: ({ allowedOrigin }, facts) =>
    !isOrigin(allowedOrigin)
      ? []
      : untrusted([{ probeOrigin: '', allowOrigin: allowedOrigin, allowCredentials: true }], facts),
  onRequest: ({ refusedOrigin }, facts) => (refusedOrigin === null ? [] : [untrustedProblem(refusedOrigin, facts)]),
}

function untrusted(answers: readonly CorsAnswer[], facts: ConfigFacts): Problem[] {
  const { trustedOrigins = [], crossOriginProtection } = facts.options
  // A function cannot be asked without a request, and a faulty list is judged by another rule.
  if (crossOriginProtection === false || !Array.isArray(trustedOrigins) || facts.isFaulty('trustedOrigins')) return []
  // Another finding speaks of CORS that lets everybody in.
  if (reflections(answers).length > 0) return []
  const listed = trustedOrigins.map((entry: string | TrustedOrigin) =>
    typeof entry === 'object' ? entry.origin : entry,
  )
  const open = answers.filter(({ allowCredentials, allowOrigin }) => allowCredentials && allowOrigin !== '*')
  const named = open.flatMap(({ allowOrigin }) => allowOrigin ?? []).filter((origin) => !listed.includes(origin))
  if (named[0] !== undefined) return [untrustedProblem(named[0], facts)]
  return open.length > 0 && listed.length === 0 ? [untrustedProblem(undefined, facts)] : []
}

function untrustedProblem(origin: string | undefined, { options }: ConfigFacts): Problem {
  const name = origin === undefined ? 'some origins' : show(origin)
  const example = literal(origin ?? 'https://app.example')
  return {
    at: [outside('Access-Control-Allow-Origin', origin === undefined ? 'a list' : name)],
    message: `CORS lets ${name} in with credentials, and trustedOrigins does not: requests that change something are refused`,
    text: `List what may send them: trustedOrigins: [${example}].`,
    ...(origin === undefined || !isOrigin(origin) ? {} : { fixes: trusting(origin, options) }),
  }
}

/** Adds an origin to those that are trusted. */
function trusting(origin: string, { trustedOrigins = [] }: SecureSessionOptions): Fix[] {
  if (typeof trustedOrigins === 'function') return []
  const isFirst = trustedOrigins.length === 0
  return [perhaps(isFirst ? set(['trustedOrigins'], [origin]) : set(['trustedOrigins', trustedOrigins.length], origin))]
}

export const sameSiteNoneExposed: Rule = {
  slug: 'samesite-none-exposed',
  severity: { production: 'warning', development: 'warning' },
  phases: ['ready'],
  silenceable: true,
  when: "`sameSite: 'none'` with `crossOriginProtection` turned off and no CSRF plugin",
  why: 'The cookie goes along with requests from every site, and nothing looks at where they come from.',
  remedy: 'turn the protection on, or add @fastify/csrf-protection',
  references: ['OWASP ASVS 5.0 3.5.1', 'Django security.W003'],
  teach: `SameSite=None is for apps that other sites embed. Then something else has to tell your own pages from a stranger's. Use the origin
of the request (crossOriginProtection with trustedOrigins), or a token in each form (@fastify/csrf-protection). With neither, any page can
act as its visitor.`,
  examples: {
    wrong: {
      shown:
        "cookie: { sameSite: 'none', secure: true }, crossOriginProtection: false, and no @fastify/csrf-protection",
      options:
        "cookie: { sameSite: 'none', secure: true }, crossOriginProtection: false, silence: [{ rule: 'cross-origin-off', reason: 'tokens' }]",
    },
    right: {
      shown: "cookie: { sameSite: 'none', secure: true }, trustedOrigins: ['https://shop.example']",
      options:
        "cookie: { sameSite: 'none', secure: true }, crossOriginProtection: false, silence: [{ rule: 'cross-origin-off', reason: 'tokens' }]",
      neighbours: { hasCsrfProtection: true },
    },
  },
  onNeighbours: ({ hasCsrfProtection }, facts) => {
    const { cookie, options } = facts
    if (cookie.sameSite !== 'none' || options.crossOriginProtection !== false || hasCsrfProtection) return []
    return [
      {
        at: [facts.at(['cookie', 'sameSite']), facts.at(['crossOriginProtection'])],
        message: 'the cookie is sent with requests from every site, and nothing checks where they come from',
        text: 'List the origins that may in trustedOrigins, or register @fastify/csrf-protection.',
        fixes: [perhaps(set(['crossOriginProtection'], true))],
      },
    ]
  },
}
