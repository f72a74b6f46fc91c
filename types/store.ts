/** A secret that was handed out by a renewal and has not come back yet. */
export interface Successor {
  /** base64url SHA-256 of the secret. */
  readonly secretHash: string
  readonly issuedAt: number
}

/** What a client looked like when it logged in; shown in device lists, never used to decide. */
export interface DeviceFacts {
  readonly userAgent: string
  readonly ip: string
}

/**
 * What a store keeps for one session. Immutable: a change is a new object.
 * Instants are milliseconds since 1970; hashes are SHA-256 in base64url.
 */
export interface SessionRecord {
  /** 16 random bytes, base64url: the store key, safe in logs. */
  readonly handle: string
  /** Hash of the secret that was last presented, or handed out by a login. */
  readonly secretHash: string
  /** Grows by one with every write but a touch: what compare-and-set compares. */
  readonly version: number
  /** Grows with every privilege change: login, switch of user, `regenerate`. */
  readonly epoch: number
  readonly userId: string | null
  /** The snapshot given to `login`, as JSON. */
  readonly user: string | null
  readonly authHash: string | null
  readonly authCheckedAt: number
  readonly createdAt: number
  readonly authenticatedAt: number | null
  readonly lastSeenAt: number
  /** When the current secret was minted. */
  readonly rotatedAt: number
  readonly idleDeadline: number
  readonly absoluteDeadline: number
  /** At most two renewals whose secret nobody has presented yet. */
  readonly successors: readonly Successor[]
  /** Secrets that a renewal replaced; good until `previousDeadline`, a sign of a copied cookie after it. */
  readonly previousSecretHashes: readonly string[]
  readonly previousDeadline: number
  readonly remember: boolean
  readonly device: DeviceFacts | null
  /** Public key of the device the session is bound to (W3C DBSC). Always `null` for now. */
  readonly deviceKey: string | null
  /** The app's data as JSON of one object. */
  readonly data: string
}

/**
 * Keeps records by handle. Five methods, promises only.
 *
 * An unknown, expired or damaged record is absent, and absence is not an error. A rejection means that the store could
 * not answer; the request then gets a 503. No method ever brings back a record that is gone.
 *
 * @example
 * ```ts
 * import type { SessionRecord, SessionStore } from 'fastify-session-guard'
 *
 * const records = new Map<string, SessionRecord>()
 * const live = (handle: string): SessionRecord | undefined => {
 *   const record = records.get(handle)
 *   return record !== undefined && record.idleDeadline > Date.now() ? record : undefined
 * }
 * export const store: SessionStore = {
 *   get: async (handle) => live(handle),
 *   create: async (record) => live(record.handle) === undefined && records.set(record.handle, record).size > 0,
 *   update: async (record, version) =>
 *     live(record.handle)?.version === version && records.set(record.handle, record).size > 0,
 *   async touch(handle, version, seen) {
 *     const record = live(handle)
 *     if (record?.version !== version) return false
 *     const lastSeenAt = Math.max(record.lastSeenAt, seen.lastSeenAt)
 *     const idleDeadline = Math.max(record.idleDeadline, seen.idleDeadline)
 *     return records.set(handle, { ...record, lastSeenAt, idleDeadline }).size > 0
 *   },
 *   async delete(handle, version) {
 *     const record = live(handle)
 *     return record !== undefined && (version ?? record.version) === record.version && records.delete(handle)
 *   },
 * }
 * ```
 */
export interface SessionStore {
  /** The record, or `undefined` when it is absent. */
  get(handle: string): Promise<SessionRecord | undefined>
  /** Stores a new record. Resolves to `false`, storing nothing, when the handle is taken. */
  create(record: SessionRecord): Promise<boolean>
  /** Replaces the record if its version is still `version`. `false`, changing nothing, when it is absent or has another version. */
  update(record: SessionRecord, version: number): Promise<boolean>
  /**
   * Moves `lastSeenAt` and `idleDeadline`, nothing else; the version stays.
   * `false`, changing nothing, when the record is absent or has another version. May never move a deadline back.
   */
  touch(handle: string, version: number, seen: { lastSeenAt: number; idleDeadline: number }): Promise<boolean>
  /** Removes the record, or only if its version is `version` when one is given. `false` when there was nothing to remove. */
  delete(handle: string, version?: number): Promise<boolean>
  /** Set by the plugin; a store calls it when it finds a record it cannot read, which it then treats as absent. */
  onDamaged?: ((handle: string) => void) | undefined
  /**
   * Set by the plugin; a store that removes an expired record when `get` meets it calls it then, so that an event can say so.
   * Stores that expire records out of sight have nothing to call it with.
   */
  onExpired?: ((record: SessionRecord) => void) | undefined
}

/**
 * The power to find a user's sessions. Entries are kept apart from records: an entry is written before its record,
 * so a record without an entry never outlives a revocation; an entry without a record is stale, and harmless.
 */
export interface UserIndex {
  /**
   * Adds an entry that vanishes at `expiresAt`. With a `limit`, in one atomic step, resolves to `false` and adds nothing when
   * the user has that many other entries. Adding an entry again counts once and
   * moves its `expiresAt`, but never back: a login that only begins may not cut short the session that stands there.
   */
  addToIndex(userId: string, handle: string, expiresAt: number, limit?: number): Promise<boolean>
  /** Moves the entry's `expiresAt`; `false`, changing nothing, when it is gone: a revocation came first. */
  keepInIndex(userId: string, handle: string, expiresAt: number): Promise<boolean>
  /** Removes the entry; nothing when there is none. */
  removeFromIndex(userId: string, handle: string): Promise<void>
  /** The user's entries, stale ones included, in any order. */
  listIndex(userId: string): Promise<readonly IndexEntry[]>
}

/** One session of a user, as the index knows it. */
export interface IndexEntry {
  readonly handle: string
  readonly expiresAt: number
}

/** The power to remove what has expired, for stores that do not do it by themselves. */
export interface Sweeping {
  /**
   * Removes at most `limit` records (and index entries) whose deadline is not after `now`. Resolves to how many went: fewer than `limit` when none is left.
   * A store that several processes share may leave the work to the one that is at it, and resolve to 0; with `alone: false` it
   * sweeps beside it.
   */
  sweep(now: number, limit: number, options?: { readonly alone?: boolean }): Promise<number>
}
