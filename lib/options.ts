import { randomBytes } from 'node:crypto'
import { parseDuration } from './duration.ts'
import type {
  DecoratorNames,
  Duration,
  EnvironmentName,
  MaxSessions,
  SecureSessionOptions,
  SessionCookieOptions,
} from '../types/index.ts'

/** Deadlines by assurance level: NIST SP 800-63B-4, 2.1.3, 2.2.3 and 2.3.3; `standard` is this plugin's own default. */
export const LIFETIMES = {
  standard: { idleTimeout: '30m', absoluteTimeout: '12h', rememberTimeout: '14d' },
  aal1: { idleTimeout: '24h', absoluteTimeout: '30d', rememberTimeout: '30d' },
  aal2: { idleTimeout: '1h', absoluteTimeout: '24h', rememberTimeout: '24h' },
  aal3: { idleTimeout: '15m', absoluteTimeout: '12h', rememberTimeout: '12h' },
} as const satisfies Record<string, Record<string, Duration>>

/** Defaults that no environment changes. */
export const DEFAULTS = {
  renewalTimeout: '15m',
  authCheckInterval: '1m',
  storeTimeout: '2s',
  sweepInterval: '0s',
  maxRecordSize: 65_536,
} as const

/** Names of what the plugin adds to requests and to the app. */
export const DECORATORS: Required<DecoratorNames> = {
  login: 'login',
  logout: 'logout',
  user: 'user',
  isAuthenticated: 'isAuthenticated',
  authenticatedAt: 'authenticatedAt',
  confirmLogin: 'confirmLogin',
  updateAuthHash: 'updateAuthHash',
  requireLogin: 'requireLogin',
  sessions: 'sessions',
}

/** What a session cookie carries unless the options say otherwise. */
export function defaultCookie(environment: EnvironmentName, domain: string | undefined): SessionCookieOptions {
  const isProduction = environment === 'production'
  const prefix = domain === undefined ? '__Host-' : '__Secure-'
  return {
    name: isProduction ? `${prefix}session` : 'session',
    path: '/',
    secure: isProduction ? true : 'auto',
    httpOnly: true,
    sameSite: 'lax',
    partitioned: false,
  }
}

/** The name production applies to whatever was asked for, unless it is exactly `development` or `test`. */
export function environmentOf(asked: unknown): EnvironmentName {
  return asked === 'development' || asked === 'test' ? asked : 'production'
}

/** Options with every default in place and every duration in milliseconds. */
export type Settings = ReturnType<typeof resolveOptions>

/**
 * Turns options that the guard has passed into settings. The only place that converts units.
 * Without a secret (which the guard lets pass in development only) a random one lasts as long as the process.
 */
export function resolveOptions(options: SecureSessionOptions, environment: EnvironmentName) {
  const lifetimes = LIFETIMES[options.assurance ?? 'standard']
  const idleTimeout = milliseconds(options.idleTimeout ?? lifetimes.idleTimeout)
  return Object.freeze({
    environment,
    secrets: secretsOf(options.secret),
    cookie: Object.freeze({
      ...defaultCookie(environment, options.cookie?.domain),
      ...options.cookie,
    }) as Readonly<SessionCookieOptions & Required<Pick<SessionCookieOptions, CookieDefault>>>,
    idleTimeout,
    absoluteTimeout: milliseconds(options.absoluteTimeout ?? lifetimes.absoluteTimeout),
    rememberTimeout: milliseconds(options.rememberTimeout ?? lifetimes.rememberTimeout),
    renewalTimeout: renewalOf(options.renewalTimeout, idleTimeout),
    authCheckInterval: milliseconds(options.authCheckInterval ?? DEFAULTS.authCheckInterval),
    storeTimeout: milliseconds(options.storeTimeout ?? DEFAULTS.storeTimeout),
    sweepInterval: milliseconds(options.sweepInterval ?? DEFAULTS.sweepInterval),
    maxRecordSize: options.maxRecordSize ?? DEFAULTS.maxRecordSize,
    maxSessions: maxSessionsOf(options.maxSessions),
    loadUser: options.loadUser,
    authHash: options.authHash,
    crossOriginProtection: options.crossOriginProtection ?? true,
    trustedOrigins: new Set(options.trustedOrigins),
    clearSiteData: options.clearSiteData ?? false,
    decorators: Object.freeze({ ...DECORATORS, ...options.decorators }),
    clock: options.clock ?? Date.now,
  })
}

type CookieDefault = 'name' | 'path' | 'secure' | 'httpOnly' | 'sameSite' | 'partitioned'

function milliseconds(duration: Duration): number {
  const value = parseDuration(duration)
  if (value === undefined) throw new TypeError('the guard lets no malformed duration pass')
  return value
}

/** A short idle timeout pulls the default renewal along; one that the app chose stands. */
function renewalOf(asked: Duration | undefined, idleTimeout: number): number {
  if (asked !== undefined) return milliseconds(asked)
  return Math.min(milliseconds(DEFAULTS.renewalTimeout), idleTimeout)
}

function secretsOf(secret: string | string[] | undefined): string[] {
  if (secret === undefined || secret.length === 0) return [randomBytes(32).toString('base64url')]
  return typeof secret === 'string' ? [secret] : [...secret]
}

function maxSessionsOf(asked: SecureSessionOptions['maxSessions']): Required<MaxSessions> | undefined {
  if (asked === undefined) return undefined
  return typeof asked === 'object' ? { onLimit: 'evict', ...asked } : { limit: asked, onLimit: 'evict' }
}
