import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Duration } from './duration.ts'
import type { Migration } from './migration.ts'
import type { SessionStore } from './store.ts'
import type { LoginMethod, SessionUser } from './session.ts'

/** The attributes of the session cookie (RFC 6265bis 4.1.2). */
export interface SessionCookieOptions {
  /** The name. Default `__Host-session` in production (`__Secure-session` with a `domain`), `session` otherwise. */
  name?: string | undefined
  /** The domain whose hosts receive the cookie. Default: none, so that only this host receives the cookie. */
  domain?: string | undefined
  /** The path below which a browser sends the cookie. Default `/`. */
  path?: string | undefined
  /**
   * Sends the cookie over https only. `'auto'`: exactly when the request is https. Default `true` in production, else
   * `'auto'`.
   */
  secure?: boolean | 'auto' | undefined
  /** Hides the cookie from scripts of the page. Default `true`. */
  httpOnly?: boolean | undefined
  /** The requests of other sites that carry the cookie. Default `'lax'`: top-level navigation only. */
  sameSite?: 'lax' | 'strict' | 'none' | undefined
  /** Keeps one cookie jar for each embedding site (CHIPS). Default `false`. */
  partitioned?: boolean | undefined
  /** The order in which Chromium removes cookies when there are too many. Default: none. */
  priority?: 'low' | 'medium' | 'high' | undefined
}

/** An entry that sets a finding of the guard aside, with a reason for the reviewer. */
export interface Silence {
  /** The rule's slug or id: `domain-wide` or `session/domain-wide`. */
  rule: string
  /** The reason why the finding is acceptable in this app. Required. */
  reason: string
  /** The ISO date (`2027-01-31`) after which the finding counts again. Default: never. */
  expires?: string | undefined
}

/** Other names for the plugin's members, for apps in which a name is taken (@fastify/passport, @fastify/jwt). */
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
  /** `req.pendingUser`. */
  pendingUser?: string | undefined
  /** `req.sessionToken`. */
  sessionToken?: string | undefined
  /** `req.actor`. */
  actor?: string | undefined
  /** `req.actAs`. */
  actAs?: string | undefined
  /** `req.stopActing`. */
  stopActing?: string | undefined
  /** `req.updateUser`. */
  updateUser?: string | undefined
  /** `app.requireLogin`. */
  requireLogin?: string | undefined
  /** `app.sessions`. */
  sessions?: string | undefined
}

/** A limit of sessions, and the treatment of a login beyond the limit. */
export interface MaxSessions {
  /** The number of sessions that one user may have at once, from 1. */
  limit: number | ((user: SessionUser) => number)
  /** `'evict'` ends the least recently used session. `'refuse'` refuses the new login. Default `'evict'`. */
  onLimit?: 'evict' | 'refuse' | undefined
}

/** A lifetime of sessions: the same for all users, or a function of the user who logs in. */
export type Lifetime = Duration | ((user: SessionUser) => Duration)

/**
 * An origin with the reason to trust it. `null`, which every sandboxed frame of every site has, is taken in no other
 * form. Nor is `file://`, which every page in a file has.
 */
export interface TrustedOrigin {
  origin: string
  /** The reason why this is acceptable here. Required. */
  reason: string
}

/**
 * Says whether an origin may send unsafe requests. Called for an origin that is not the app's own, and never for
 * `null`. Answers at once, with a boolean: anything else, a promise too, fails the request with
 * `SESSION_OPTION_INVALID`.
 */
export type TrustsOrigin = (origin: string, request: FastifyRequest) => boolean

/**
 * The options of `fastify.register(secureSession, options)`. No value is coerced. An unknown key refuses to boot. An
 * option that is `undefined` is absent.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import secureSession from 'fastify-session-guard'
 * import type { SecureSessionOptions, SessionStore } from 'fastify-session-guard'
 *
 * declare const store: SessionStore
 * const options: SecureSessionOptions = {
 *   secret: process.env['SESSION_SECRET'],
 *   store,
 *   tls: 'proxy',
 *   idleTimeout: '30m',
 *   maxSessions: 5,
 * }
 * const app = Fastify()
 * await app.register(secureSession, options)
 * ```
 */
export interface SecureSessionOptions {
  /** The name that selects the rules. Default: `NODE_ENV`. Every name but `development` and `test` means production. */
  environment?: EnvironmentOption | undefined
  /**
   * The key that signs the cookie: at least 32 random bytes, as `npx fastify-session-guard secret` prints them.
   * A list rotates keys: the first key signs, all keys verify. Default: none, which production refuses. Outside
   * production a random key is used.
   */
  secret?: string | string[] | undefined
  /** The attributes of the session cookie. */
  cookie?: SessionCookieOptions | undefined
  /** The store of the sessions. Default: a bounded store in memory, which production refuses. */
  store?: SessionStore | undefined
  /**
   * The name that keeps this app's users apart from the users of other apps in the same store. Default: the cookie's
   * name, unless that is the plugin's own; then the empty name.
   */
  namespace?: string | undefined
  /**
   * The assurance level whose lifetimes (NIST SP 800-63B-4, 2.1.3, 2.2.3, 2.3.3) replace the defaults below. Default:
   * none.
   */
  assurance?: 'aal1' | 'aal2' | 'aal3' | undefined
  /**
   * The time without use after which a session ends. Default `30m`. A function is called at each login, and its answer
   * holds for that session, for 400 days at most. Anonymous sessions have the default then. The same holds for the
   * other two lifetimes.
   *
   * @example
   * ```ts
   * import type { SecureSessionOptions } from 'fastify-session-guard'
   *
   * const admins = new Set(['u1'])
   * const options: SecureSessionOptions = { idleTimeout: (user) => (admins.has(user.id) ? '10m' : '8h') }
   * ```
   */
  idleTimeout?: Lifetime | undefined
  /**
   * The time after which a session ends in any case, from the login, or from the creation while anonymous. Default
   * `12h`.
   */
  absoluteTimeout?: Lifetime | undefined
  /** The age at which the id is replaced (OWASP renewal timeout). `'0s'` never replaces an id by age. Default `15m`. */
  renewalTimeout?: Duration | undefined
  /** The lifetime after `login(user, { remember: true })`. Default `14d`, or the absolute limit of `assurance`. */
  rememberTimeout?: Lifetime | undefined
  /** The number of sessions that a user may have at once. Default: no limit. */
  maxSessions?: number | ((user: SessionUser) => number) | MaxSessions | undefined
  /**
   * Fetches the user behind a session, with the same `id`. The answer takes the place of the snapshot that `req.user`
   * shows. `null` and `undefined` (the user is gone) end the session. The time limit is `storeTimeout`.
   */
  loadUser?: ((id: string) => Promise<unknown>) | undefined
  /** The greatest age of the user that `req.user` shows. `'0s'` asks `loadUser` on every request. Default `1m`. */
  userMaxAge?: Duration | undefined
  /**
   * Returns a fingerprint of the credentials of a user whom `loadUser` returned. When it changes, older sessions end.
   * A member of the user that is this very text is not kept in the session. Needs `loadUser`.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the app's own user type, which a plugin cannot know
  authHash?: ((user: any) => string | undefined) | undefined
  /** The time for which a check with `authHash` stays good. Default `1m`. */
  authCheckInterval?: Duration | undefined
  /** The time that a store has for an operation before the request gets a 503. Default `2s`. */
  storeTimeout?: Duration | undefined
  /**
   * The interval at which expired records are removed in the background. `'0s'` switches the sweep off. Default `0s`.
   */
  sweepInterval?: Duration | undefined
  /** The largest session data, in bytes of JSON. Default 65,536. */
  maxRecordSize?: number | undefined
  /** Refuses unsafe requests that another origin's page sent. Default `true`. */
  crossOriginProtection?: boolean | undefined
  /**
   * Other origins that may send unsafe requests. The value is a list, such as `https://app.example` or, for the shell
   * of an app, `capacitor://localhost`. The value may also be a function of the origin and the request. Default none.
   */
  trustedOrigins?: (string | TrustedOrigin)[] | TrustsOrigin | undefined
  /**
   * The place where TLS ends: `'direct'` (this process) or `'proxy'` (a proxy that Fastify's `trustProxy` names).
   * Default: not told.
   */
  tls?: 'direct' | 'proxy' | undefined
  /**
   * The answer to a copied cookie, when two clients show ids of one session. `'end'` ends the session for both.
   * `'step-up'` lets it go on, and the login no longer counts as recent: for apps whose clients really have two cookie
   * jars. The guard warns of `'step-up'`, and refuses it with the assurance levels `'aal2'` and `'aal3'`. Default
   * `'end'`.
   */
  onCopiedSession?: 'end' | 'step-up' | undefined
  /**
   * Takes session ids out of a request header too, for clients without a cookie jar: native apps, commands, servers.
   * Such an id comes from `login(user, { transport: 'header' })` and is refused in a cookie, as an id of a cookie is
   * refused in the header. Default: no header.
   */
  headerTransport?: HeaderTransport | undefined
  /**
   * Binds sessions to the devices of their browsers (W3C Device Bound Session Credentials). `true`: a login offers the
   * binding, and browsers that cannot do it go on without. `'require'`: a session that is not bound counts as nobody's.
   * An object sets details. Needs https. Default `false`.
   *
   * @example
   * ```ts
   * import type { SecureSessionOptions } from 'fastify-session-guard'
   *
   * const options: SecureSessionOptions = { deviceBound: { lifetime: '15m', require: true } }
   * ```
   */
  deviceBound?: boolean | 'require' | DeviceBoundOptions | undefined
  /** Makes a logout send `Clear-Site-Data: "cache", "storage"`. Default `false`. */
  clearSiteData?: boolean | undefined
  /** Other names for the decorators. Default: the plugin's own names. */
  decorators?: DecoratorNames | undefined
  /**
   * Lets in the sessions of other libraries, each once: a list of what the functions of
   * `fastify-session-guard/migrate/*` return. Default none.
   */
  migrateFrom?: Migration[] | undefined
  /** The findings of the guard that this app accepts. Default none. */
  silence?: Silence[] | undefined
  /** Returns the time in milliseconds since 1970. Default `Date.now`. */
  clock?: (() => number) | undefined
}

/** The details of the option `deviceBound`. */
export interface DeviceBoundOptions {
  /** Refuses sessions that are not bound, with 403 `SESSION_DEVICE_REQUIRED`. Default `false`. */
  require?: boolean | undefined
  /**
   * The time after which a copy of both cookies opens nothing any more, `6m` to `1h`. Default `10m`, and no more than
   * `idleTimeout`.
   */
  lifetime?: Duration | undefined
  /** The path below which the two routes of the protocol are. Default `/.session`. */
  path?: string | undefined
}

/** The header in which clients without a cookie jar bring their session id: `Authorization: Session <id>`. */
export interface HeaderTransport {
  /** The name of the request header in lower case. Default `authorization`. */
  header?: string | undefined
  /** The word before the id. An empty text stands for the id alone. Default `Session`. */
  scheme?: string | undefined
}

/** The known names. Every other string is accepted, reported and treated as production. */
export type EnvironmentOption = 'production' | 'development' | 'test' | (string & {})

/** The settings of one route: `config: { session: 'passive' }` and `config: { crossOriginProtection: false }`. */
export interface SessionRouteConfig {
  /**
   * `false`: the route has no session. No cookie is read, and no store is asked. `req.user` is `null`.
   *
   * `'passive'`: requests read the session and do not count as use. The idle deadline and the id stay as they are.
   *
   * `'stale-user'`: the route takes any snapshot of the user. `loadUser` is not asked, so that neither a changed role
   * nor a changed password is noticed here.
   *
   * @example
   * ```ts
   * app.get('/time-left', { config: { session: 'passive' } }, async (req) => req.session.expiresAt)
   * ```
   */
  session?: false | 'passive' | 'stale-user'
  /** `false`: unsafe requests of other origins reach this route. */
  crossOriginProtection?: false
  /**
   * `'ignore'`: a stream, a hijacked reply or a WebSocket of this route outlives the session that it was opened with.
   * Default: it ends with the session.
   */
  sessionEnd?: 'ignore'
}

/** The options of `requireLogin`. */
export interface RequireLoginOptions {
  /** The greatest age of the login. An older login gets 403 `SESSION_LOGIN_TOO_OLD`. Default: no limit. */
  within?: Duration
  /**
   * The ways to log in that this session needs, all of them. With `within`, each is younger than that. What is missing
   * gets 403 `SESSION_STEP_UP_REQUIRED`. Default none.
   *
   * @example
   * ```ts
   * app.post('/keys', { onRequest: app.requireLogin({ methods: ['pwd', 'otp'], within: '10m' }) }, async () => ({}))
   * ```
   */
  methods?: readonly LoginMethod[]
  /**
   * A path of this app, such as `/login`. A page that an anonymous visitor opens is redirected there with 302, and
   * `next` in the query is the page. Other requests get 401. `localPath` reads `next`. Default none.
   */
  redirect?: string
  /** Refuses a session that acts as another user, with 403 `SESSION_ACTING`. See `req.actAs`. Default `false`. */
  notActing?: boolean
  /**
   * Refuses a session that is not bound to its device, with 403 `SESSION_DEVICE_REQUIRED`. Needs the option
   * `deviceBound`. Default `false`, or `true` with `deviceBound: 'require'`.
   */
  deviceBound?: boolean
}

/** A hook for `onRequest` or `preHandler`. */
export type RequireLoginHook = (request: FastifyRequest, reply?: FastifyReply) => Promise<unknown>
