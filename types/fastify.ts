import type { Session, SessionDecoratorNames, SessionUser } from 'fastify'
import type { ActAsOptions } from './acting.ts'
import type { RequireLoginHook, RequireLoginOptions, SessionRouteConfig } from './options.ts'
import type { ConfirmLoginOptions, LoginOptions, LogoutOptions, Sessions } from './session.ts'

/** The members that the plugin adds to requests, under its own names. */
export interface RequestMembers {
  /**
   * Logs this user in and gives the session a new id. The old id opens nothing afterwards (OWASP ASVS 7.2.4).
   * `req.user` and `req.session` change at once. Store and cookie change with the response. A 5xx changes neither.
   *
   * @example
   * ```ts
   * app.post('/login', async (req) => {
   *   const account = { id: 'u1', name: 'Ada' } // the account whose password was checked
   *   await req.login(account, { remember: true })
   *   return { hello: req.user?.id }
   * })
   * ```
   *
   * @throws `SESSION_USER_INVALID`, `SESSION_OPTION_INVALID`, `SESSION_LIMIT_REACHED`, `SESSION_RECORD_TOO_LARGE`,
   * `SESSION_RESPONSE_STARTED`, `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`
   */
  login<User extends SessionUser>(user: User, options?: LoginOptions): Promise<void>
  /**
   * Ends the session at once. When the promise resolves, the record is gone, whatever the response becomes. Does
   * nothing on an anonymous request.
   * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_STORE_LACKS_INDEX` (with `everywhere` or `others`)
   */
  logout(options?: LogoutOptions): Promise<void>
  /**
   * The user, or `null` on an anonymous request. A frozen snapshot: an assignment to `req.user`, or to a member, throws
   * `SESSION_OPTION_INVALID`. The snapshot is what `login` got, or what `loadUser` and `updateUser` put in its place.
   * `{ ...req.user }` is a copy.
   */
  readonly user: Readonly<SessionUser> | null
  /**
   * Returns the user as given to `login`, never `null`: the typed way to the user behind `requireLogin`.
   *
   * @example
   * app.get('/me', { onRequest: app.requireLogin() }, async (req) => ({ id: req.requireUser().id }))
   *
   * @throws `SESSION_LOGIN_REQUIRED` (401) on an anonymous request
   */
  requireUser(): Readonly<SessionUser>
  /** Returns whether a user is logged in. */
  isAuthenticated(): boolean
  /**
   * The instant at which the user last proved who they are, or `null` on an anonymous request. A login and
   * `confirmLogin` move the instant. Renewal and remember-me do not.
   */
  readonly authenticatedAt: Date | null
  /**
   * The user of a half login, whose second factor is open; `null` without one, and ten minutes after it.
   *
   * @example
   * ```ts
   * app.post('/otp', async (req, reply) => {
   *   if (req.pendingUser === null) return reply.code(401).send({ message: 'Start again' })
   *   await req.login(req.pendingUser, { methods: ['otp'] }) // Check the code before this line.
   *   return { ok: true }
   * })
   * ```
   */
  readonly pendingUser: Readonly<SessionUser> | null
  /**
   * Records that the user has just proved again who they are. Renews `authenticatedAt` and gives the session a new id.
   * `methods` adds the ways in which they did.
   * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_OPTION_INVALID`, `SESSION_LABEL_INVALID`, `SESSION_RESPONSE_STARTED`,
   * `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`
   */
  confirmLogin(options?: ConfirmLoginOptions): Promise<void>
  /**
   * Keeps this session after its user changed their own credentials. The user's other sessions end at their next check.
   * Without a value, the option `authHash` computes the fingerprint.
   * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_AUTH_HASH_UNSET`
   */
  updateAuthHash(authHash?: string): Promise<void>
  /**
   * Replaces the user that `req.user` shows, with the same `id`. Neither the login, nor a deadline, nor the id of the
   * session changes. `login` with the same user is a new login; `updateUser` is not. Other sessions of the user keep
   * their snapshot: see `app.sessions.updateUser`.
   *
   * @example
   * ```ts
   * app.post('/name', { onRequest: app.requireLogin() }, async (req) => {
   *   await req.updateUser({ ...req.requireUser(), name: 'Ada' })
   *   return { ok: true }
   * })
   * ```
   *
   * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`, `SESSION_STORE_UNAVAILABLE`
   */
  updateUser<User extends SessionUser>(user: User): Promise<void>
  /**
   * The session id for a client without a cookie jar, after `login(user, { transport: 'header' })`. Readable once, in
   * the request that made the id; `null` otherwise. Whoever has the id has the session: put it into this reply alone.
   *
   * @example
   * ```ts
   * app.post('/device/login', async (req) => {
   *   await req.login({ id: 'u1' }, { transport: 'header' }) // Check the password before this line.
   *   return { token: req.sessionToken }
   * })
   * ```
   */
  readonly sessionToken: string | null
  /** The user who really is there while the session acts as `req.user`; `null` where nobody acts as somebody else. */
  readonly actor: Readonly<SessionUser> | null
  /**
   * Lets the session act as another user. `req.user` is that user from now on, and `req.actor` is the user who called.
   * Gives the session a new id and empty data. The session of the actor waits: see `stopActing`. When the time `for` is
   * over, the session ends. No login counts as recent while somebody acts. Check first that the actor may do this.
   *
   * @example
   * ```ts
   * app.post('/support/act', { onRequest: app.requireLogin({ within: '10m' }) }, async (req) => {
   *   await req.actAs({ id: 'u2', name: 'Grace' }, { reason: 'ticket 4711', for: '30m' })
   *   return { user: req.user?.id, actor: req.actor?.id }
   * })
   * ```
   *
   * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_ACTING` (who acts already), `SESSION_USER_INVALID` (also for the user
   * who called), `SESSION_OPTION_INVALID`, `SESSION_RECORD_TOO_LARGE`, `SESSION_AUTH_HASH_UNSET`,
   * `SESSION_RESPONSE_STARTED`, `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`, `SESSION_USER_UNAVAILABLE`
   */
  actAs<User extends SessionUser>(user: User, options: ActAsOptions): Promise<void>
  /**
   * Returns to the actor's own session: their user, data and deadlines, without a login. Gives the session a new id.
   * The login of the actor counts as recent only after `confirmLogin`. Does nothing where nobody acts.
   * @throws `SESSION_OPTION_INVALID` (in the request of `actAs` itself), `SESSION_RESPONSE_STARTED`,
   * `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`
   */
  stopActing(): Promise<void>
}

/** The members that the plugin adds to the app, under its own names. */
export interface AppMembers {
  /**
   * Returns a hook that refuses anonymous requests with 401 `SESSION_LOGIN_REQUIRED`. With `within`, the hook refuses a
   * login that is older with 403 `SESSION_LOGIN_TOO_OLD`. As `onRequest` hook it runs before a body is read.
   *
   * @example
   * ```ts
   * app.get('/account', { onRequest: app.requireLogin() }, async (req) => ({ name: req.user?.id }))
   * app.post('/transfer', { onRequest: app.requireLogin({ within: '10m' }) }, async () => ({ sent: true }))
   * ```
   *
   * @throws `SESSION_OPTION_INVALID` when `within` is no duration
   */
  requireLogin(options?: RequireLoginOptions): RequireLoginHook
  /** The sessions seen from outside a request: list, revoke, sweep, events. */
  readonly sessions: Sessions
}

/**
 * The members under the names that the app gave them. A `Pick` keeps the documentation that an editor shows for a
 * member.
 */
export type Named<Members> = Pick<Members, Exclude<keyof Members, keyof SessionDecoratorNames>> & {
  [Name in keyof Members as NewName<Name>]: Members[Name]
}

type NewName<Name> = Name extends keyof SessionDecoratorNames ? SessionDecoratorNames[Name] : never

declare module 'fastify' {
  /** The user that `login` takes and `req.user` returns. Extend it by declaration merging. */
  interface SessionUser {
    /** The non-empty name of the user in the store's index and in `app.sessions`. */
    id: string
  }

  /**
   * The names of the option `decorators`, for the compiler. Keys are the plugin's own names, values are the names in
   * this app. Where @fastify/passport or @fastify/jwt declare a member of the same name, this renaming keeps both types
   * right.
   *
   * ```ts
   * declare module 'fastify' {
   *   interface SessionDecoratorNames {
   *     login: 'signIn'
   *     user: 'sessionUser'
   *   }
   * }
   * ```
   */
  interface SessionDecoratorNames {}

  // The members are inherited and not declared, because a member that another package declares too would be an error.
  interface FastifyRequest extends Named<RequestMembers> {}

  interface FastifyInstance extends Named<AppMembers> {}

  interface FastifyContextConfig extends SessionRouteConfig {}
}

declare module '@fastify/session' {
  interface FastifySessionObject {
    /** Returns a copy of the session's data, without methods and cookie. */
    data(): Record<string, unknown>
    /**
     * The instants at which the session ends: without further use, and in any case. `null` while nothing is stored. On
     * a passive route, reading them does not move them.
     */
    readonly expiresAt: { readonly idle: Date; readonly absolute: Date } | null
    /**
     * Reads the stored data, changes it and writes it in one step. If another request wrote meanwhile, the change is
     * made again on the newer data. So no count is lost. Writes at once, with the other changes of this request, and a
     * 5xx does not undo the write. Before the first record, and after a `login` in the same request, the change waits
     * for the response.
     *
     * @example
     * ```ts
     * app.post('/vote', async (req) => {
     *   await req.session.update((data) => void (data['votes'] = Number(data['votes'] ?? 0) + 1))
     *   return req.session.update('visits', (visits: number = 0) => visits + 1)
     * })
     * ```
     *
     * @throws `SESSION_SUPERSEDED`, `SESSION_ENDED`, `SESSION_RECORD_TOO_LARGE`, `SESSION_VALUE_UNSERIALIZABLE`,
     * `SESSION_KEY_RESERVED`, `SESSION_STORE_UNAVAILABLE`, `SESSION_RESPONSE_STARTED`
     */
    update<Result>(change: (data: Session & Record<string, unknown>) => Result | Promise<Result>): Promise<Result>
    /** Changes the value of one key in the same way, and resolves to the new value. `undefined` removes the key. */
    update<Value>(key: string, change: (value: Value | undefined) => Value | Promise<Value>): Promise<Value>
    /**
     * A signal that aborts when this session ends: by a logout, a revocation, its deadline, a copied cookie, or a
     * login. The reason is a `SecureSessionError` with the code `SESSION_CLOSED`; its `detail` names the cause.
     */
    readonly signal: AbortSignal
  }
}

// These exports make a compiler load the declarations of both packages.
export type { CookieSerializeOptions } from '@fastify/cookie'
export type { FastifySessionObject } from '@fastify/session'
