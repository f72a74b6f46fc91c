import type { SessionDecoratorNames, SessionUser } from 'fastify'
import type { RequireLoginHook, RequireLoginOptions, SessionRouteConfig } from './options.ts'
import type { LoginOptions, LogoutOptions, Sessions } from './session.ts'

/** What the plugin adds to requests, by its own names. */
export interface RequestMembers {
  /**
   * Logs this user in and gives the session a new id, so that an id known before is worth nothing (OWASP ASVS 7.2.4).
   * `req.user` and `req.session` change at once; store and cookie change with the response, unless it is a 5xx.
   * @throws `SESSION_USER_INVALID`, `SESSION_LIMIT_REACHED`, `SESSION_RESPONSE_STARTED`, `SESSION_STORE_UNAVAILABLE`
   */
  login<User extends SessionUser>(user: User, options?: LoginOptions): Promise<void>
  /**
   * Ends the session at once: when it resolves the record is gone, whatever the response becomes. Nothing on an anonymous request.
   * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_STORE_LACKS_INDEX` (with `everywhere` or `others`)
   */
  logout(options?: LogoutOptions): Promise<void>
  /** The user as given to `login`; `null` on an anonymous request. */
  readonly user: SessionUser | null
  /**
   * Returns the user as given to `login`, never `null`: the typed way to the user behind `requireLogin`.
   *
   * @example
   * app.get('/me', { onRequest: app.requireLogin() }, async (req) => ({ id: req.requireUser().id }))
   *
   * @throws `SESSION_LOGIN_REQUIRED` (401) on an anonymous request
   */
  requireUser(): SessionUser
  /** Whether somebody is logged in. */
  isAuthenticated(): boolean
  /** When the user last proved who they are; `null` on an anonymous request. Renewal and remember-me never move it. */
  readonly authenticatedAt: Date | null
  /**
   * Says that the user has just proved who they are again: renews `authenticatedAt` and gives the session a new id.
   * @throws `SESSION_LOGIN_REQUIRED`
   */
  confirmLogin(): Promise<void>
  /**
   * Keeps this session after its user changed their own credentials, while the others end.
   * @throws `SESSION_LOGIN_REQUIRED`, `SESSION_AUTH_HASH_UNSET`
   */
  updateAuthHash(authHash?: string): Promise<void>
}

/** What the plugin adds to the app, by its own names. */
export interface AppMembers {
  /** A preHandler: 401 `SESSION_LOGIN_REQUIRED` to an anonymous request, 403 `SESSION_LOGIN_TOO_OLD` past `within`. */
  requireLogin(options?: RequireLoginOptions): RequireLoginHook
  /** Sessions seen from outside a request: list, revoke, sweep, events. */
  readonly sessions: Sessions
}

/** These members under the names that the app gave them. A `Pick` keeps what an editor shows of a member. */
export type Named<Members> = Pick<Members, Exclude<keyof Members, keyof SessionDecoratorNames>> & {
  [Name in keyof Members as NewName<Name>]: Members[Name]
}

type NewName<Name> = Name extends keyof SessionDecoratorNames ? SessionDecoratorNames[Name] : never

declare module 'fastify' {
  /** The user snapshot that `login` takes and `req.user` gives back. Extend it by declaration merging. */
  interface SessionUser {
    /** Non-empty; names the user to the store's index and to `app.sessions`. */
    id: string
  }

  /**
   * The types' side of the option `decorators`: the names that this app gave to what the plugin adds, by the plugin's own ones.
   * Where @fastify/passport or @fastify/jwt declare a member of the same name, this is what keeps both right.
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

  // Inherited, not declared: a member that another package declares then stands, where two declarations would be an error.
  interface FastifyRequest extends Named<RequestMembers> {}

  interface FastifyInstance extends Named<AppMembers> {}

  interface FastifyContextConfig extends SessionRouteConfig {}
}

declare module '@fastify/session' {
  interface FastifySessionObject {
    /** A copy of the session's data, without methods and cookie. */
    data(): Record<string, unknown>
  }
}

// Named, so that the declarations of these packages come along with this one's.
export type { CookieSerializeOptions } from '@fastify/cookie'
export type { FastifySessionObject } from '@fastify/session'
