import { DECORATORS, DEFAULTS, DEVICE_BOUND } from '../../options.ts'
import { SHARED_ORIGINS } from './origin-syntax.ts'
import { boolean, choice, duration, func, lifetime, limit, MAX_ITEMS, text } from './schema-node.ts'
import type { SchemaNode } from './schema-node.ts'
import type {
  DeviceBoundOptions,
  HeaderTransport,
  MaxSessions,
  SecureSessionOptions,
  SessionCookieOptions,
  Silence,
  TrustedOrigin,
} from '../../../types/index.ts'

// setTimeout takes no more than 2^31 - 1 milliseconds and fires at once beyond.
const MAX_TIMER = '24d'

const COOKIE_PROPERTIES = {
  name: { ...text, examples: ["'__Host-session'"] },
  domain: text,
  path: { ...text, examples: ["'/'"] },
  secure: { enum: [true, false, 'auto'], description: "true, false or 'auto'", examples: ['true'] },
  httpOnly: boolean(true),
  sameSite: { enum: ['lax', 'strict', 'none'], description: "'lax', 'strict' or 'none'", examples: ["'lax'"] },
  partitioned: boolean(false),
  priority: choice('high', 'medium', 'low'),
} satisfies Record<keyof SessionCookieOptions, SchemaNode>

const SILENCE_PROPERTIES = { rule: text, reason: text, expires: text } satisfies Record<keyof Silence, SchemaNode>

const DECORATOR_PROPERTIES: Record<string, SchemaNode> = Object.fromEntries(
  Object.keys(DECORATORS).map((name) => [
    name,
    { type: 'string', minLength: 1, description: 'a name', examples: [`'session${name}'`] },
  ]),
)

const MAX_SESSIONS_PROPERTIES = {
  limit,
  onLimit: choice('evict', 'refuse'),
} satisfies Record<keyof MaxSessions, SchemaNode>

const TRUSTED_ORIGIN_PROPERTIES = {
  origin: { anyOf: [{ origin: true }, { enum: SHARED_ORIGINS }], description: "an origin, 'null' or 'file://'" },
  reason: { type: 'string', pattern: '\\S', description: 'a reason that a reviewer can read' },
} satisfies Record<keyof TrustedOrigin, SchemaNode>

const TRUSTED_ORIGIN: SchemaNode = {
  description: "an origin as browsers send it, like 'https://app.example', or { origin, reason }",
  examples: ["'https://app.example'"],
  anyOf: [
    { origin: true },
    {
      type: 'object',
      additionalProperties: false,
      required: ['origin', 'reason'],
      properties: TRUSTED_ORIGIN_PROPERTIES,
    },
  ],
}

/**
 * Request headers that a browser, a proxy or the protocol sets. A page of another origin could bring one along, and the
 * request would count as one without cookies.
 */
const BROWSER_HEADERS = [
  ...['accept.*', 'access-control-.*', 'cache-control', 'connection', 'content-.*', 'cookie', 'date', 'dnt', 'expect'],
  ...['forwarded', 'host', 'if-.*', 'keep-alive', 'origin', 'pragma', 'priority', 'proxy-.*', 'purpose', 'range'],
  ...['referer', 'save-data', 'sec-.*', 'te', 'trailer', 'transfer-encoding', 'upgrade.*', 'user-agent', 'via'],
  ...['x-forwarded-.*', 'x-real-ip'],
]

const HEADER_PROPERTIES = {
  header: {
    type: 'string',
    pattern: `^(?!(?:${BROWSER_HEADERS.join('|')})$)[a-z][a-z0-9-]{0,59}$`,
    description: 'the name of a request header in lower case, which no browser sets by itself',
    examples: ["'authorization'"],
  },
  scheme: {
    type: 'string',
    pattern: '^[A-Za-z0-9-]{0,40}$',
    description: 'one word of letters, digits and hyphens, or an empty string',
    examples: ["'Session'"],
  },
} satisfies Record<keyof HeaderTransport, SchemaNode>

const DEVICE_BOUND_PROPERTIES = {
  require: boolean(true),
  lifetime: { ...duration(DEVICE_BOUND.lifetime, 'refused') },
  path: {
    type: 'string',
    // A browser takes `.` and `..` out of a path before it asks for it.
    pattern: '^(?:/(?!\\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+$',
    maxLength: 200,
    description: "a path without a slash at its end, like '/.session'",
    examples: [`'${DEVICE_BOUND.path}'`],
  },
} satisfies Record<keyof DeviceBoundOptions, SchemaNode>

const PROPERTIES = {
  environment: { ...text, examples: ["'production'"] },
  secret: {
    type: ['string', 'array', 'null'],
    items: { type: ['string', 'null'], description: 'a string', examples: ['process.env.SESSION_SECRET'] },
    maxItems: MAX_ITEMS,
    description: 'a string, or a list of strings',
    examples: ['process.env.SESSION_SECRET'],
  },
  cookie: {
    type: 'object',
    description: 'an object of cookie attributes',
    examples: ['{}'],
    additionalProperties: false,
    properties: COOKIE_PROPERTIES,
  },
  store: {
    type: 'object',
    description: 'a store, like sqliteStore({ database })',
    examples: ["sqliteStore({ database: new Database('sessions.db') })"],
  },
  namespace: {
    type: 'string',
    pattern: '^[ -~]{0,200}$',
    description: 'a name of at most 200 ASCII characters',
    examples: ["'shop'"],
  },
  assurance: choice('aal1', 'aal2', 'aal3'),
  idleTimeout: lifetime('30m'),
  absoluteTimeout: lifetime('12h'),
  renewalTimeout: duration(DEFAULTS.renewalTimeout, 'allowed'),
  rememberTimeout: lifetime('14d'),
  maxSessions: {
    description: 'a whole number from 1, a function of the user, or { limit, onLimit }',
    examples: ['5'],
    anyOf: [
      ...limit.anyOf,
      { type: 'object', additionalProperties: false, required: ['limit'], properties: MAX_SESSIONS_PROPERTIES },
    ],
  },
  loadUser: func('async (id) => users.find(id)', ', which authHash and userMaxAge need'),
  userMaxAge: {
    ...duration(DEFAULTS.userMaxAge, 'allowed'),
    description: "a duration like '1m', together with loadUser",
  },
  authHash: func('(user) => user.passwordHash', ', together with loadUser'),
  authCheckInterval: duration(DEFAULTS.authCheckInterval, 'allowed'),
  storeTimeout: duration(DEFAULTS.storeTimeout, 'refused', MAX_TIMER),
  sweepInterval: duration('10m', 'allowed', MAX_TIMER),
  maxRecordSize: {
    type: 'integer',
    minimum: 1,
    description: 'a whole number of bytes, from 1',
    examples: [String(DEFAULTS.maxRecordSize)],
  },
  crossOriginProtection: boolean(true),
  trustedOrigins: {
    description: 'a list of origins, or a function of the origin and the request',
    examples: ["['https://app.example']"],
    anyOf: [{ type: 'array', maxItems: MAX_ITEMS, items: TRUSTED_ORIGIN }, { typeof: 'function' }],
  },
  tls: choice('direct', 'proxy'),
  deviceBound: {
    description: "true, false, 'require' or an object { require, lifetime, path }",
    examples: ['true'],
    anyOf: [
      { enum: [true, false, 'require'] },
      { type: 'object', additionalProperties: false, properties: DEVICE_BOUND_PROPERTIES },
    ],
  },
  clearSiteData: boolean(true),
  onCopiedSession: choice('end', 'step-up'),
  headerTransport: {
    type: 'object',
    description: 'an object { header, scheme }',
    examples: ["{ header: 'authorization', scheme: 'Session' }"],
    additionalProperties: false,
    properties: HEADER_PROPERTIES,
  },
  migrateFrom: {
    type: 'array',
    maxItems: MAX_ITEMS,
    items: {
      migration: true,
      description:
        'what a function of fastify-session-guard/migrate/* returns, like expressSession({ secret, store, user })',
    },
    description: 'a list of what the functions of fastify-session-guard/migrate/* return',
    examples: ['[]'],
  },
  decorators: {
    type: 'object',
    description: 'an object of names',
    examples: ['{}'],
    additionalProperties: false,
    properties: DECORATOR_PROPERTIES,
  },
  silence: {
    type: 'array',
    maxItems: MAX_ITEMS,
    items: {
      type: 'object',
      description: 'an object { rule, reason, expires? }',
      examples: ["{ rule: 'domain-wide', reason: 'one login for all our subdomains' }"],
      additionalProperties: false,
      properties: SILENCE_PROPERTIES,
    },
    description: 'a list of { rule, reason, expires? }',
    examples: ['[]'],
  },
  clock: {
    clock: true,
    description: 'a function that returns the time in milliseconds since 1970, like Date.now',
    examples: ['Date.now'],
  },
} satisfies Record<keyof SecureSessionOptions, SchemaNode>

/** Names of the options, and of the attributes under `cookie`. */
export const ROOT_NAMES: readonly string[] = Object.keys(PROPERTIES)
export const COOKIE_NAMES: readonly string[] = Object.keys(COOKIE_PROPERTIES)

/** The shape of the options. `judge-key.ts` tells misspelt, foreign and misplaced keys apart. */
export const OPTIONS_SCHEMA: SchemaNode = {
  type: 'object',
  description: 'an object of options',
  additionalProperties: false,
  properties: PROPERTIES,
  // Either alone would be read by nobody, and look like protection.
  dependencies: { authHash: ['loadUser'], userMaxAge: ['loadUser'] },
}
