import { randomBytes } from 'node:crypto'
import { parseDuration } from './session/duration.ts'
import { defaultNamespace } from './session/namespace.ts'
import type {
  DecoratorNames,
  DeviceBoundOptions,
  Duration,
  EnvironmentName,
  HeaderTransport,
  Lifetime,
  MaxSessions,
  Migration,
  SecureSessionOptions,
  SessionCookieOptions,
  TrustsOrigin,
} from '../types/index.ts'

/** Deadlines by assurance level: NIST SP 800-63B-4, 2.1.3, 2.2.3 and 2.3.3; `standard` is this plugin's own default. */
export const LIFETIMES: Readonly<Record<'standard' | 'aal1' | 'aal2' | 'aal3', Readonly<DefaultLifetimes>>> = {
  standard: { idleTimeout: '30m', absoluteTimeout: '12h', rememberTimeout: '14d' },
  aal1: { idleTimeout: '24h', absoluteTimeout: '30d', rememberTimeout: '30d' },
  aal2: { idleTimeout: '1h', absoluteTimeout: '24h', rememberTimeout: '24h' },
  aal3: { idleTimeout: '15m', absoluteTimeout: '12h', rememberTimeout: '12h' },
}

type DefaultLifetimes = Record<'idleTimeout' | 'absoluteTimeout' | 'rememberTimeout', Duration>

/** Defaults that no environment changes. */
export const DEFAULTS = {
  renewalTimeout: '15m',
  userMaxAge: '1m',
  authCheckInterval: '1m',
  storeTimeout: '2s',
  sweepInterval: '0s',
  maxRecordSize: 65_536,
} as const

/** The details of the option `deviceBound` that an app does not set. */
export const DEVICE_BOUND = { require: false, lifetime: '10m', path: '/.session' } as const

/** Names of what the plugin adds to requests and to the app. */
export const DECORATORS: Given<DecoratorNames> = {
  login: 'login',
  logout: 'logout',
  user: 'user',
  requireUser: 'requireUser',
  isAuthenticated: 'isAuthenticated',
  authenticatedAt: 'authenticatedAt',
  confirmLogin: 'confirmLogin',
  updateAuthHash: 'updateAuthHash',
  pendingUser: 'pendingUser',
  sessionToken: 'sessionToken',
  actor: 'actor',
  actAs: 'actAs',
  stopActing: 'stopActing',
  updateUser: 'updateUser',
  requireLogin: 'requireLogin',
  sessions: 'sessions',
}

/** The default attributes of the session cookie. */
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

/** The members of an options object when none of them is absent. */
export type Given<Options> = { [Name in keyof Options]-?: Exclude<Options[Name], undefined> }

/** The option `deviceBound` with every default in place. */
export interface DeviceBound {
  /** Tells whether a login without a device counts for nothing. */
  readonly isRequired: boolean
  /** The lifetime of the bound cookie on the server, in milliseconds. */
  readonly lifetime: number
  /** The path below which the two routes are. */
  readonly path: string
}

/** Options with every default in place and every duration in milliseconds. */
export interface Settings {
  readonly environment: EnvironmentName
  readonly secrets: string[]
  /** Tells whether no secret was given, so that a random one lasts as long as the process. */
  readonly isSecretRandom: boolean
  readonly cookie: Readonly<Partial<Given<SessionCookieOptions>> & Given<Pick<SessionCookieOptions, CookieDefault>>>
  readonly idleTimeout: number
  readonly absoluteTimeout: number
  readonly rememberTimeout: number
  readonly renewalTimeout: number
  /** The lifetimes as the app gave them, if any of them is a function of the user. */
  readonly userLifetimes: LifetimeOptions | undefined
  readonly userMaxAge: number
  readonly authCheckInterval: number
  readonly namespace: string
  readonly storeTimeout: number
  readonly sweepInterval: number
  readonly maxRecordSize: number
  readonly maxSessions: Given<MaxSessions> | undefined
  readonly loadUser: SecureSessionOptions['loadUser']
  readonly authHash: SecureSessionOptions['authHash']
  readonly crossOriginProtection: boolean
  readonly trustedOrigins: ReadonlySet<string> | TrustsOrigin
  readonly clearSiteData: boolean
  readonly onCopiedSession: 'end' | 'step-up'
  readonly migrateFrom: readonly Migration[]
  /** Absent if sessions are bound to no device. */
  readonly deviceBound: DeviceBound | undefined
  /** Header and scheme in lower case; `undefined` if no header is read. */
  readonly headerTransport: Readonly<Given<HeaderTransport>> | undefined
  readonly decorators: Readonly<Given<DecoratorNames>>
  readonly clock: () => number
}

/**
 * Turns options that the guard has passed into settings. The only place that converts units.
 * Without a secret (which the guard lets pass in development only) a random one lasts as long as the process.
 */
export function resolveOptions(options: SecureSessionOptions, environment: EnvironmentName): Settings {
  const cookie = {
    ...defaultCookie(environment, options.cookie?.domain),
    ...given(options.cookie),
  } as Settings['cookie']
  return Object.freeze({
    environment,
    ...secretsOf(options.secret),
    cookie: Object.freeze(cookie),
    namespace: options.namespace ?? defaultNamespace(cookie.name),
    ...lifetimesOf(options),
    userLifetimes: userLifetimesOf(options),
    userMaxAge: milliseconds(options.userMaxAge ?? DEFAULTS.userMaxAge),
    authCheckInterval: milliseconds(options.authCheckInterval ?? DEFAULTS.authCheckInterval),
    storeTimeout: milliseconds(options.storeTimeout ?? DEFAULTS.storeTimeout),
    sweepInterval: milliseconds(options.sweepInterval ?? DEFAULTS.sweepInterval),
    maxRecordSize: options.maxRecordSize ?? DEFAULTS.maxRecordSize,
    maxSessions: maxSessionsOf(options.maxSessions),
    loadUser: options.loadUser,
    authHash: options.authHash,
    crossOriginProtection: options.crossOriginProtection ?? true,
    trustedOrigins: trustedOriginsOf(options.trustedOrigins),
    clearSiteData: options.clearSiteData ?? false,
    onCopiedSession: options.onCopiedSession ?? 'end',
    migrateFrom: options.migrateFrom ?? [],
    headerTransport: headerTransportOf(options.headerTransport),
    deviceBound: deviceBoundOf(options),
    decorators: Object.freeze(decoratorNames(options)),
    clock: options.clock ?? Date.now,
  })
}

/** Returns the option `deviceBound` in one shape; `undefined` if it is off. The default gives way to `idleTimeout`. */
export function deviceBoundOf(
  options: LifetimeOptions & Pick<SecureSessionOptions, 'deviceBound'>,
): DeviceBound | undefined {
  const { deviceBound: asked } = options
  if (asked === undefined || asked === false) return undefined
  const details: DeviceBoundOptions = typeof asked === 'object' ? asked : { require: asked === 'require' }
  const { require: isRequired, lifetime, path } = { ...DEVICE_BOUND, ...given(details) }
  const most = details.lifetime === undefined ? lifetimesOf(options).idleTimeout : Infinity
  return Object.freeze({ isRequired, lifetime: Math.min(milliseconds(lifetime), most), path })
}

function headerTransportOf(transport: HeaderTransport | undefined): Settings['headerTransport'] {
  if (transport === undefined) return undefined
  const { header = 'authorization', scheme = 'Session' } = transport
  return Object.freeze({ header, scheme: scheme.toLowerCase() })
}

/** Returns the names of what the plugin adds: those of the option `decorators`, and the plugin's own for the others. */
export function decoratorNames({ decorators }: Pick<SecureSessionOptions, 'decorators'>): Given<DecoratorNames> {
  return { ...DECORATORS, ...given(decorators) }
}

type CookieDefault = 'name' | 'path' | 'secure' | 'httpOnly' | 'sameSite' | 'partitioned'

/** The four lifetimes in milliseconds, defaults filled in. */
export interface Lifetimes {
  idleTimeout: number
  absoluteTimeout: number
  renewalTimeout: number
  rememberTimeout: number
}

/** The options that lifetimes come from. */
export type LifetimeOptions = Pick<SecureSessionOptions, 'assurance' | keyof Lifetimes>

/** A default gives way to a lifetime that the app chose, so that one option alone never turns the order around. */
export function lifetimesOf(options: LifetimeOptions): Lifetimes {
  const { renewalTimeout: renewal } = options
  const [idle, absolute, remember] = [options.idleTimeout, options.absoluteTimeout, options.rememberTimeout].map(fixed)
  const defaults = LIFETIMES[options.assurance ?? 'standard']
  const absoluteTimeout = milliseconds(absolute ?? defaults.absoluteTimeout)
  const idleTimeout =
    idle === undefined ? Math.min(milliseconds(defaults.idleTimeout), absoluteTimeout) : milliseconds(idle)
  return {
    idleTimeout,
    absoluteTimeout,
    renewalTimeout:
      renewal === undefined ? Math.min(milliseconds(DEFAULTS.renewalTimeout), idleTimeout) : milliseconds(renewal),
    rememberTimeout:
      remember === undefined
        ? Math.max(milliseconds(defaults.rememberTimeout), absoluteTimeout)
        : milliseconds(remember),
  }
}

/** Returns a lifetime that is the same for all users. A function has its say at each login. */
function fixed(lifetime: Lifetime | undefined): Duration | undefined {
  return typeof lifetime === 'function' ? undefined : lifetime
}

/** Returns the lifetimes as the app gave them, if any of them depends on the user. */
function userLifetimesOf(options: LifetimeOptions): LifetimeOptions | undefined {
  const { assurance, idleTimeout, absoluteTimeout, renewalTimeout, rememberTimeout } = options
  const asked = { assurance, idleTimeout, absoluteTimeout, renewalTimeout, rememberTimeout }
  return Object.values(asked).some((value) => typeof value === 'function') ? asked : undefined
}

/** Zero is the same in every unit, and needs none. */
function milliseconds(duration: Duration | 0): number {
  const value = duration === 0 ? 0 : parseDuration(duration)
  if (value === undefined) throw new TypeError('the guard lets no malformed duration pass')
  return value
}

/** `undefined` is absence: `secure: undefined` leaves the default in place. */
function given<Options extends object>(options: Options | undefined): Partial<Given<Options>> {
  const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Partial<Given<Options>>
}

/** An empty key, which the guard lets pass outside production only, would sign what anybody could sign. */
function secretsOf(secret: SecureSessionOptions['secret']): Pick<Settings, 'secrets' | 'isSecretRandom'> {
  const secrets = [secret].flat().filter((element) => (element ?? '').trim() !== '') as string[]
  const isSecretRandom = secrets.length === 0
  return { isSecretRandom, secrets: isSecretRandom ? [randomBytes(32).toString('base64url')] : secrets }
}

function trustedOriginsOf(asked: SecureSessionOptions['trustedOrigins'] = []): Settings['trustedOrigins'] {
  if (typeof asked === 'function') return asked
  return new Set(asked.map((entry) => (typeof entry === 'string' ? entry : entry.origin)))
}

function maxSessionsOf(asked: SecureSessionOptions['maxSessions']): Given<MaxSessions> | undefined {
  if (asked === undefined) return undefined
  return typeof asked === 'object'
    ? { limit: asked.limit, onLimit: asked.onLimit ?? 'evict' }
    : { limit: asked, onLimit: 'evict' }
}
