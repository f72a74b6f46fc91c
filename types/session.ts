import type { EventEmitter } from 'node:events'
import type { SessionUser } from 'fastify'
import type { DeviceFacts } from './store.ts'

export type { SessionUser }

/**
 * The ways to prove who one is, by their names in RFC 8176: `pwd` a password, `otp` a one-time code, `hwk` a key in
 * hardware (a passkey on a security key), `swk` a key in software (a synchronised passkey), `user` a touch or a gesture
 * of the user, `mfa` several at once, and so on.
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

/** The options of `req.confirmLogin(options)`. */
export interface ConfirmOptions {
  /** The ways in which the user has just proved who they are. Default none. */
  methods?: readonly LoginMethod[] | undefined
}

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
  /** The fingerprint of the credentials at this login. Default: the result of the option `authHash`. */
  authHash?: string | undefined
  /**
   * The session data that survives the login: all, none, or these keys. Default: all, except the token that
   * `@fastify/csrf-protection` keeps in an anonymous session. Data of another user survives only under keys that are
   * named here.
   */
  keep?: boolean | readonly string[] | undefined
}

/** The options of `req.logout(options)`. */
export interface LogoutOptions {
  /** Ends all sessions of this user. Default `false`. */
  everywhere?: boolean
  /** Ends all other sessions of this user. This session stays logged in. Default `false`. */
  others?: boolean
}

/** One entry of a device list. It holds no secret. */
export interface SessionInfo {
  /** The public name of the session, for `revoke`. It opens nothing. */
  readonly handle: string
  readonly userId: string
  readonly createdAt: Date
  /** The instant at which the user last proved who they are. */
  readonly authenticatedAt: Date
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
}

/** The sessions seen from outside a request: `app.sessions`. */
export interface Sessions {
  /**
   * Lists the live sessions of a user, the most recently used first.
   * @throws `SESSION_STORE_LACKS_INDEX`, `SESSION_STORE_UNAVAILABLE`
   */
  list(userId: string): Promise<SessionInfo[]>
  /**
   * Ends one session if it belongs to this user. Resolves to `false` when there was no such session.
   * @throws `SESSION_STORE_UNAVAILABLE`
   */
  revoke(handle: string, owner: { userId: string }): Promise<boolean>
  /**
   * Ends all sessions of a user, `except` one handle. Resolves to the number of ended sessions.
   * @throws `SESSION_STORE_LACKS_INDEX`, `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`
   */
  revokeUser(userId: string, options?: { except?: string }): Promise<number>
  /**
   * Replaces the user that `req.user` shows in all sessions of this user, for example after a change of the role. The next
   * request of each session sees the new user. Login, deadlines and ids stay as they are. Resolves to the number of sessions.
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

/** One event of a session. `at` is in milliseconds since 1970. An event holds handles, no id, no secret and no data. */
export type SessionEvent =
  | { type: 'login'; at: number; handle: string; previousHandle: string | null; userId: string; remember: boolean }
  | { type: 'logout'; at: number; handle: string; userId: string }
  | { type: 'rotate'; at: number; handle: string; reason: 'login' | 'pending' | 'confirm' | 'regenerate' | 'auth-hash' }
  | { type: 'renew'; at: number; handle: string }
  | { type: 'user-updated'; at: number; handle: string; userId: string }
  | { type: 'expire'; at: number; handle: string; userId: string | null; reason: 'idle' | 'absolute' }
  | {
      type: 'revoke'
      at: number
      handle: string
      userId: string
      reason: 'revoked' | 'evicted' | 'auth-hash' | 'user-gone' | 'replay'
    }
  | {
      type: 'replay'
      at: number
      handle: string
      userId: string | null
      /** `false` with `onCopiedSession: 'step-up'`, which lets the session go on. */
      isEnded: boolean
      /** The number of renewals between the id in use and the one that was shown. */
      behind: number
      sign: 'second-holder' | 'replaced' | 'sibling' | 'older'
      /** The client of the login. */
      device: DeviceFacts | null
      /** The client that showed the id. */
      client: DeviceFacts
    }
  | {
      type: 'fork'
      at: number
      handle: string
      userId: string | null
      /** Tells whether the replaced id was let in. */
      isServed: boolean
      behind: number
      device: DeviceFacts | null
      client: DeviceFacts
    }
  | { type: 'forged'; at: number; reason: 'malformed' | 'signature' }
  | { type: 'duplicate'; at: number; count: number }
  | { type: 'dropped-write'; at: number; handle: string; reason: 'gone' | 'epoch' | 'stale' | 'late' }
  | { type: 'upkeep-skipped'; at: number; handle: string }
  | { type: 'damaged'; at: number; handle: string }
  | { type: 'store-failure'; at: number; operation: string }

/** The listeners of `app.sessions.events`: one name for each type, and `event` for all types. */
export type SessionEventMap = {
  [Type in SessionEvent['type']]: [Extract<SessionEvent, { type: Type }>]
} & { event: [SessionEvent] }
