import type { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import type { SessionUser } from 'fastify'
import type { ActingFacts } from './acting.ts'
import type { SessionEventMap } from './events.ts'
import type { DeviceFacts } from './store.ts'

export type { SessionUser }

/**
 * The ways in which a user proves an identity, by their names in RFC 8176. `pwd` is a password and `otp` a one-time
 * code. `hwk` is a key in hardware, such as a passkey on a security key. `swk` is a key in software, such as a
 * synchronised passkey. `user` is a touch or a gesture of the user. `mfa` is several ways at once. The other
 * members are names of the RFC too.
 */
export type LoginMethod =
  | 'face'
  | 'fpt'
  | 'geo'
  | 'hwk'
  | 'iris'
  | 'kba'
  | 'mca'
  | 'mfa'
  | 'otp'
  | 'pin'
  | 'pop'
  | 'pwd'
  | 'rba'
  | 'retina'
  | 'sc'
  | 'sms'
  | 'swk'
  | 'tel'
  | 'user'
  | 'vbm'
  | 'wia'

/** The options of `req.login(user, options)`. */
export interface LoginOptions {
  /** Makes cookie and session outlive the browser, for `rememberTimeout`. Default `false`. */
  remember?: boolean | undefined
  /** The ways in which the user has just proved who they are, for `requireLogin({ methods })`. Default none. */
  methods?: readonly LoginMethod[] | undefined
  /**
   * Makes this half a login: `req.user` stays `null`, and `req.pendingUser` is this user, for ten minutes. A `login` of
   * the same user completes it, and keeps its `methods`. Default `false`.
   */
  pending?: boolean | undefined
  /**
   * Gives the id to the app, in `req.sessionToken`, and to no cookie. The login is stored at once, and a 5xx takes it
   * back. Needs the option `headerTransport`. Default: the way in which the request brought its session.
   */
  transport?: 'header' | undefined
  /** The fingerprint of the credentials at this login. Default: the result of the option `authHash`. */
  authHash?: string | undefined
  /**
   * The session data that survives the login: all, none, or these keys. Default: all, except the token that
   * `@fastify/csrf-protection` keeps in an anonymous session. Data of another user survives only under keys that are
   * named here.
   */
  keep?: boolean | readonly string[] | undefined
  /**
   * A name for the session, such as the name of the device, for device lists. At most 100 characters. Default: none.
   */
  label?: string | undefined
}

/** The options of `req.confirmLogin(options)`. */
export interface ConfirmLoginOptions {
  /** A new name for the session. Default: the name stays. */
  label?: string | undefined
  /** The ways in which the user has just proved who they are. Default none. */
  methods?: readonly LoginMethod[] | undefined
}

/** The options of `req.logout(options)`. */
export interface LogoutOptions {
  /** Ends all sessions of this user. Default `false`. */
  everywhere?: boolean
  /** Ends all other sessions of this user. This session stays logged in. Default `false`. */
  others?: boolean
}

/** The facts of one session. They hold no secret. */
export interface SessionFacts {
  /** The public name of the session, for `revoke`. It opens nothing. */
  readonly handle: string
  /** `null` for a session in which nobody is logged in. */
  readonly userId: string | null
  readonly createdAt: Date
  /**
   * The instant at which the user last proved who they are; `null` where nobody is logged in. In a session that acts as
   * another user, the actor proved that.
   */
  readonly authenticatedAt: Date | null
  /** The last use. A use is written at most every 1/20 of the idle timeout. */
  readonly lastSeenAt: Date
  /** The instant at which the session ends without further use. */
  readonly idleDeadline: Date
  /** The instant at which the session ends in any case. */
  readonly absoluteDeadline: Date
  /** `true` after a login with `remember: true`. */
  readonly remember: boolean
  /** The client as it looked at the login, or `null` when it was not recorded. */
  readonly device: DeviceFacts | null
  /** The name given by `login`, `confirmLogin` or `rename`; `null` for none. */
  readonly label: string | null
  /** Tells whether a browser has bound the session to a key of its device. See the option `deviceBound`. */
  readonly isDeviceBound: boolean
  /** The person who acts as `userId` in this session, and why; `null` where nobody acts as somebody else. */
  readonly acting: ActingFacts | null
}

/** One entry of a device list. */
export interface SessionInfo extends SessionFacts {
  readonly userId: string
  readonly authenticatedAt: Date
  /** Tells whether this is the session that `list` was told to mark. */
  readonly current: boolean
}

/** The facts of one session and a copy of its data. */
export interface SessionDetails extends SessionFacts {
  readonly data: Record<string, unknown>
}

/** The request of a handshake: `http.IncomingMessage`, as socket.io gives it in `socket.request`. */
export interface Handshake {
  readonly headers: IncomingHttpHeaders
  readonly socket?: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean }
}

/** A session that was opened outside of a Fastify request. */
export interface OpenedSession extends SessionDetails {
  /** The user as given to `login`; `null` where nobody is logged in. */
  readonly user: SessionUser | null
  /** The user who acts as `user`; `null` where nobody acts as somebody else. */
  readonly actor: SessionUser | null
  /** A signal that aborts when the session ends. See `req.session.signal`. */
  readonly signal: AbortSignal
  /** Stops watching for the end. Call it when the connection is over. */
  close(): void
}

/** The result of `revokeAll`. */
export interface RevokedAll {
  /** The cutoff in force: no session that began before it is let in. */
  readonly before: Date
  /** Resolves to the number of removed records, once the removal behind the cutoff is done. Need not be awaited. */
  readonly ended: Promise<number>
}

/** The sessions seen from outside a request: `app.sessions`. */
export interface Sessions {
  /**
   * Lists the live sessions of a user, the most recently used first. A session in which somebody acts as the user is
   * listed too, and so is one in which the user acts as somebody else. `acting` tells of both.
   * @throws `SESSION_STORE_LACKS_INDEX`, `SESSION_STORE_UNAVAILABLE`
   */
  list(userId: string, options?: { current?: string | undefined }): Promise<SessionInfo[]>
  /**
   * Returns one session's facts and data; `undefined` when no such session lives. The handle is not bound to a user:
   * compare `userId` where the handle comes from outside.
   * @throws `SESSION_STORE_UNAVAILABLE`
   */
  get(handle: string): Promise<SessionDetails | undefined>
  /**
   * Changes the data of one session by compare-and-set. `change` changes the data in place, or returns the new data. It
   * runs again when another write came between. Resolves to `false` when no such session lives.
   * @throws `SESSION_OPTION_INVALID`, `SESSION_KEY_RESERVED`, `SESSION_VALUE_UNSERIALIZABLE`,
   * `SESSION_RECORD_TOO_LARGE`, `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`
   */
  update(
    handle: string,
    change: (data: Record<string, unknown>) => Record<string, unknown> | void | Promise<Record<string, unknown> | void>,
  ): Promise<boolean>
  /**
   * Gives a session a label, if the session belongs to this user. `null` removes the label. Resolves to `false` when
   * there was no such session.
   * @throws `SESSION_OPTION_INVALID`, `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`
   */
  rename(handle: string, label: string | null, owner: { userId: string }): Promise<boolean>
  /**
   * Follows the cookie of a connection that is no Fastify request, such as one of socket.io. `from` is the request of
   * the handshake, or the text of its `Cookie` header. Resolves to `null` when the cookie leads to no session. The
   * request is compared with the origin of the app. A text has no origin to compare.
   * @throws `SESSION_CROSS_ORIGIN` (403), `SESSION_OPTION_INVALID`, `SESSION_STORE_UNAVAILABLE` (503)
   */
  open(from: string | Handshake | undefined): Promise<OpenedSession | null>
  /**
   * Ends all sessions of everybody that began before an instant, `except` one handle. Default: before now. One write
   * ends them all. This process obeys at once, others at once where the store announces, and else within one second.
   * @throws `SESSION_STORE_LACKS_CUTOFF`, `SESSION_STORE_LACKS_LISTING`, `SESSION_OPTION_INVALID`,
   * `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`
   */
  revokeAll(options?: { before?: Date | undefined; except?: string | undefined }): Promise<RevokedAll>
  /**
   * Lists all live sessions, those without a user included, while it reads the store page by page. A session that comes
   * or goes meanwhile may be listed or not. Redis may list a session twice.
   * @throws `SESSION_STORE_LACKS_LISTING`, `SESSION_STORE_UNAVAILABLE`
   */
  all(): AsyncIterableIterator<SessionFacts>
  /**
   * Returns the number of live sessions, as the store counts them. Records that `revokeAll` has not yet removed are
   * counted.
   * @throws `SESSION_STORE_LACKS_LISTING`, `SESSION_STORE_UNAVAILABLE`
   */
  count(): Promise<number>
  /**
   * Ends one session if it belongs to this user. Resolves to `false` when there was no such session.
   * @throws `SESSION_STORE_UNAVAILABLE`
   */
  revoke(handle: string, owner: { userId: string }): Promise<boolean>
  /**
   * Ends all sessions of a user, `except` one handle. Sessions in which somebody acts as the user end too, and half
   * logins of the user. Resolves to the number of ended sessions.
   * @throws `SESSION_STORE_LACKS_INDEX`, `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`
   */
  revokeUser(userId: string, options?: { except?: string }): Promise<number>
  /**
   * Replaces the user that `req.user` shows in all sessions of this user, for example after a change of the role. The
   * next request of each session sees the new user. Login, deadlines and ids stay as they are. Resolves to the number
   * of sessions.
   *
   * @example
   * ```ts
   * await app.sessions.updateUser('u1', { id: 'u1', name: 'Ada' })
   * ```
   *
   * @throws `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`, `SESSION_STORE_LACKS_INDEX`, `SESSION_SUPERSEDED`,
   * `SESSION_STORE_UNAVAILABLE`
   */
  updateUser<User extends SessionUser>(userId: string, user: User): Promise<number>
  /**
   * Removes expired records. Resolves to their number, which is 0 on stores that expire records by themselves.
   * @throws `SESSION_STORE_UNAVAILABLE`
   */
  sweep(): Promise<number>
  /**
   * The events of all sessions. The same objects go to the `node:diagnostics_channel` named `fastify-session-guard`.
   */
  readonly events: EventEmitter<SessionEventMap>
}
