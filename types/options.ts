import type { FastifyRequest } from 'fastify'
import type { Duration } from './duration.ts'
import type { SessionStore } from './store.ts'
import type { SessionUser } from './session.ts'

/** Attributes of the session cookie (RFC 6265bis 4.1.2). */
export interface SessionCookieOptions {
  /** Default `__Host-session` in production (`__Secure-session` with a `domain`), `session` otherwise. */
  name?: string | undefined
  /** Default: none, so that only this very host receives the cookie. */
  domain?: string | undefined
  /** Default `/`. */
  path?: string | undefined
  /** Default `true` in production; otherwise `'auto'`: Secure exactly when the request is https. */
  secure?: boolean | 'auto' | undefined
  /** Default `true`. */
  httpOnly?: boolean | undefined
  /** Default `'lax'`. */
  sameSite?: 'lax' | 'strict' | 'none' | undefined
  /** CHIPS: one cookie jar per embedding site. Default `false`. */
  partitioned?: boolean | undefined
  /** Eviction priority, a Chromium extension. Default: none. */
  priority?: 'low' | 'medium' | 'high' | undefined
}

/** Sets a finding of the guard aside, for a reason that a reviewer can read. */
export interface Silence {
  /** The rule's slug or id: `domain-wide` or `session/domain-wide`. */
  rule: string
  /** Why this is acceptable here. Required. */
  reason: string
  /** ISO date (`2027-01-31`) after which the finding counts again. */
  expires?: string | undefined
}

/** Other names for what the plugin adds, for apps in which a name is taken (@fastify/passport, @fastify/jwt). */
export interface DecoratorNames {
  /** `req.login`. */
  login?: string | undefined
  /** `req.logout`. */
  logout?: string | undefined
  /** `req.user`. */
  user?: string | undefined
  /** `req.requireUser`. */
  requireUser?: string | undefined
  /** `req.isAuthenticated`. */
  isAuthenticated?: string | undefined
  /** `req.authenticatedAt`. */
  authenticatedAt?: string | undefined
  /** `req.confirmLogin`. */
  confirmLogin?: string | undefined
  /** `req.updateAuthHash`. */
  updateAuthHash?: string | undefined
  /** `app.requireLogin`. */
  requireLogin?: string | undefined
  /** `app.sessions`. */
  sessions?: string | undefined
}

/** What happens to the login that would be one too many. */
export interface MaxSessions {
  /** How many sessions one user may have at once. */
  limit: number | ((user: SessionUser) => number)
  /** `'evict'` ends the least recently used one, `'refuse'` refuses the new login. Default `'evict'`. */
  onLimit?: 'evict' | 'refuse' | undefined
}

/** Options of `fastify.register(secureSession, options)`. Nothing is coerced; unknown keys refuse to boot. */
export interface SecureSessionOptions {
  /** Which rules apply. Default: `NODE_ENV`; anything but `development` and `test` means production. */
  environment?: EnvironmentOption | undefined
  /**
   * Signs the cookie: at least 32 random bytes, as `npx fastify-session-guard secret` prints them.
   * A list rotates keys: the first signs, all verify. Default: none, which production refuses; elsewhere a random one.
   */
  secret?: string | string[] | undefined
  cookie?: SessionCookieOptions | undefined
  /** Where sessions are kept. Default: a bounded store in memory, which production refuses. */
  store?: SessionStore | undefined
  /** Lifetimes by NIST SP 800-63B-4 (2.1.3, 2.2.3, 2.3.3) in place of the defaults below. */
  assurance?: 'aal1' | 'aal2' | 'aal3' | undefined
  /** Ends a session that nobody uses. Default `30m`. */
  idleTimeout?: Duration | undefined
  /** Ends a session however busy it is, counted from login (from creation while anonymous). Default `12h`. */
  absoluteTimeout?: Duration | undefined
  /** Age at which the id is replaced by itself (OWASP renewal timeout). `'0s'` disables. Default `15m`. */
  renewalTimeout?: Duration | undefined
  /** Lifetime of a session begun with `login(user, { remember: true })`. Default `14d`, or the absolute limit of `assurance`. */
  rememberTimeout?: Duration | undefined
  /** How many sessions a user may have. Default: no limit. */
  maxSessions?: number | ((user: SessionUser) => number) | MaxSessions | undefined
  /** Fetches the user behind a session, for `authHash`; `null` or `undefined` (no such user any more) ends the session. */
  loadUser?: ((id: string) => Promise<unknown>) | undefined
  /** Fingerprint of the user's credentials; when it changes, older sessions end. Needs `loadUser`. */
  // oxlint-disable-next-line typescript/no-explicit-any -- the app's own user type, which a plugin cannot know
  authHash?: ((user: any) => string | undefined) | undefined
  /** How long an `authHash` comparison stays good. Default `1m`. */
  authCheckInterval?: Duration | undefined
  /** How long a store may take to answer before the request gets a 503. Default `2s`. */
  storeTimeout?: Duration | undefined
  /** How often expired records are removed in the background. `'0s'` disables. Default `0s`. */
  sweepInterval?: Duration | undefined
  /** Largest session data, in bytes of JSON. Default 65,536. */
  maxRecordSize?: number | undefined
  /** Refuses unsafe cross-origin requests. Default `true`. */
  crossOriginProtection?: boolean | undefined
  /** Origins (`https://app.example`) that may send unsafe requests although they are another origin. Default none. */
  trustedOrigins?: string[] | undefined
  /** Where TLS ends, when the plugin cannot see it: in this process, or at a proxy that Fastify's `trustProxy` names. */
  tls?: 'direct' | 'proxy' | undefined
  /** Sends `Clear-Site-Data: "cache", "storage"` at logout. Default `false`. */
  clearSiteData?: boolean | undefined
  /** Other names for the decorators. */
  decorators?: DecoratorNames | undefined
  /** Findings of the guard that this app accepts. */
  silence?: Silence[] | undefined
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  clock?: (() => number) | undefined
}

/** The known names; any other string is accepted, reported, and treated as production. */
export type EnvironmentOption = 'production' | 'development' | 'test' | (string & {})

/** Per-route settings: `config: { session: false }` and `config: { crossOriginProtection: false }`. */
export interface SessionRouteConfig {
  /** `false`: no cookie is read and no store is asked on this route. */
  session?: false
  /** `false`: unsafe cross-origin requests may reach this route. */
  crossOriginProtection?: false
}

/** What `requireLogin` takes. */
export interface RequireLoginOptions {
  /** The login must be younger than this; otherwise 403 `SESSION_LOGIN_TOO_OLD`. */
  within?: Duration
}

/** A preHandler. */
export type RequireLoginHook = (request: FastifyRequest) => Promise<void>
