import type { DeviceFacts } from './store.ts'

/** The reason why a session has a new id. */
export type RotationReason = 'login' | 'pending' | 'confirm' | 'regenerate' | 'auth-hash' | 'act' | 'stop-acting'

/** The members that each event has which tells of a session in which somebody acts as another user. */
interface ActingMembers {
  /** The user as whom the actor acts. */
  userId?: string | null
  /** The user who really is there. Absent where nobody acts as somebody else. */
  actorId?: string
}

/** One event of a session. `at` is in milliseconds since 1970. An event holds handles, no id, no secret and no data. */
export type SessionEvent = ActingMembers & PlainEvent

type PlainEvent =
  | {
      type: 'login'
      at: number
      handle: string
      previousHandle: string | null
      userId: string
      remember: boolean
      device: DeviceFacts | null
      label: string | null
      /** Tells whether this kind of client never logged this user in before; `null` where the store cannot tell. */
      isNewDevice: boolean | null
    }
  | { type: 'revoke-all'; at: number; before: number; except: string | null }
  | { type: 'logout'; at: number; handle: string; userId: string }
  | { type: 'rotate'; at: number; handle: string; reason: RotationReason }
  | {
      /** Somebody acts as another user from now on. */
      type: 'act'
      at: number
      handle: string
      userId: string
      actorId: string
      reason: string
      /** The instant at which the session ends, unless `stopActing` comes first. */
      until: number
    }
  | { type: 'stop-acting'; at: number; handle: string; userId: string; actorId: string }
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
  | {
      /** A browser has bound the session to a key of its device. */
      type: 'bound'
      at: number
      handle: string
      userId: string
    }
  | {
      /** The browser of a bound session has proved that it has the key. */
      type: 'refreshed'
      at: number
      handle: string
      userId: string | null
    }
  | {
      /**
       * A client showed an id of a bound session without the key of its device. The session goes on for its owner. Told
       * once a minute for each session and reason.
       */
      type: 'proof-failed'
      at: number
      handle: string
      userId: string | null
      /**
       * `missing`: a request came without the bound cookie. `expired`: with an old bound cookie. `forged`: with a bound
       * cookie that the app did not make. A browser that is late makes `missing` too. `signature`, `replayed`: a
       * refresh came with a proof by another key, or with a proof that counted before.
       */
      reason: 'missing' | 'expired' | 'forged' | 'signature' | 'replayed'
      /** The client of the login. */
      device: DeviceFacts | null
      /** The client that lacks the key. */
      client: DeviceFacts
    }
  | {
      type: 'migrate'
      at: number
      handle: string
      userId: string | null
      /** The library whose session moved. */
      from: string
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
