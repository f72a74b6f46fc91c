import type { EventEmitter } from 'node:events'
import type { SessionUser } from 'fastify'
import type { DeviceFacts } from './store.ts'

export type { SessionUser }

/** Options of `req.login(user, options)`. */
export interface LoginOptions {
  /** A cookie and a session that outlive the browser, for `rememberTimeout`. Default `false`. */
  remember?: boolean | undefined
  /** Fingerprint of the credentials at this login, in place of what the option `authHash` computes. */
  authHash?: string | undefined
  /**
   * Session data that survives the login: all, none, or these keys. Default all, without the secret of @fastify/csrf-protection that an
   * anonymous session had; of another user's session never more than the keys named here.
   */
  keep?: boolean | readonly string[] | undefined
}

/** Options of `req.logout(options)`. */
export interface LogoutOptions {
  /** End all sessions of this user. */
  everywhere?: boolean
  /** End all sessions of this user but this one, which stays logged in. */
  others?: boolean
}

/** One entry of a device list. No secret in it. */
export interface SessionInfo {
  readonly handle: string
  readonly userId: string
  readonly createdAt: Date
  readonly authenticatedAt: Date
  /** As exact as the last touch: at most 1/20 of the idle timeout old. */
  readonly lastSeenAt: Date
  /** When the session ends unless it is used. */
  readonly idleDeadline: Date
  /** When the session ends. */
  readonly absoluteDeadline: Date
  readonly remember: boolean
  readonly device: DeviceFacts | null
}

/** `app.sessions`: sessions seen from outside a request. */
export interface Sessions {
  /** The live sessions of a user, the most recently used first. Rejects with `SESSION_STORE_LACKS_INDEX` on a store without a user index. */
  list(userId: string): Promise<SessionInfo[]>
  /** Ends one session, only if it is this user's. Resolves to whether there was one. */
  revoke(handle: string, owner: { userId: string }): Promise<boolean>
  /** Ends all sessions of a user, `except` one handle. Resolves to how many it ended. */
  revokeUser(userId: string, options?: { except?: string }): Promise<number>
  /** Removes expired records. Resolves to how many went; 0 on stores that expire by themselves. */
  sweep(): Promise<number>
  /** What happens to sessions; the same objects go to the `node:diagnostics_channel` named `fastify-session-guard`. */
  readonly events: EventEmitter<SessionEventMap>
}

/** What happened to a session. Handles only: no id, no data. */
export type SessionEvent =
  | { type: 'login'; at: number; handle: string; previousHandle: string | null; userId: string; remember: boolean }
  | { type: 'logout'; at: number; handle: string; userId: string }
  | { type: 'rotate'; at: number; handle: string; reason: 'login' | 'confirm' | 'regenerate' | 'auth-hash' }
  | { type: 'renew'; at: number; handle: string }
  | { type: 'expire'; at: number; handle: string; userId: string | null; reason: 'idle' | 'absolute' }
  | {
      type: 'revoke'
      at: number
      handle: string
      userId: string
      reason: 'revoked' | 'evicted' | 'auth-hash' | 'replay'
    }
  | { type: 'replay'; at: number; handle: string; userId: string | null }
  | { type: 'forged'; at: number; reason: 'malformed' | 'signature' }
  | { type: 'duplicate'; at: number; count: number }
  | { type: 'dropped-write'; at: number; handle: string; reason: 'gone' | 'epoch' | 'stale' }
  | { type: 'damaged'; at: number; handle: string }
  | { type: 'store-failure'; at: number; operation: string }

/** Listeners of `app.sessions.events`: one per type, and `event` for all. */
export type SessionEventMap = {
  [Type in SessionEvent['type']]: [Extract<SessionEvent, { type: Type }>]
} & { event: [SessionEvent] }
