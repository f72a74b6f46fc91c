/** A renewed id that was shown once, and is not confirmed yet. */
export interface RenewedId {
  /** Hash of its secret. */
  readonly secretHash: string
  readonly issuedAt: number
  /** The instant at which a client showed the id for the first time. */
  readonly shownAt: number
  /** Tells whether that client looked like the one that made the session. */
  readonly isTied: boolean
}

/**
 * An id that was shown beside the id in use. One of the two belongs to a copy, or to a browser that lost its newest
 * cookie.
 */
export interface RivalId {
  /** Hash of its secret. */
  readonly secretHash: string
  /** The instant at which both were first seen side by side. */
  readonly since: number
  /** Tells whether both came from clients that look like the one that made the session. */
  readonly isTied: boolean
}

/** A way in which a user proved who they are, by its name in RFC 8176. */
export interface UsedMethod {
  readonly name: string
  readonly at: number
}

/** A user who gave one proof, and owes another. Nobody is logged in meanwhile. */
export interface PendingLogin {
  readonly userId: string
  /** The snapshot given to `login`, as JSON. */
  readonly user: string
  readonly authHash: string | null
  readonly methods: readonly UsedMethod[]
  /** The instant at which the half login ends. */
  readonly until: number
}

/** The lifetimes of one login, in milliseconds. */
export interface KeptLifetimes {
  readonly idleTimeout: number
  readonly absoluteTimeout: number
  readonly rememberTimeout: number
}

/** The actor of a session that acts as another user, with everything that `stopActing` puts back. */
export interface KeptActor {
  readonly userId: string
  /** The snapshot of the actor, as JSON. */
  readonly user: string
  readonly authHash: string | null
  readonly authCheckedAt: number
  readonly userAt: number
  readonly absoluteDeadline: number
  readonly remember: boolean
  readonly lifetimes: KeptLifetimes | null
  readonly methods: readonly UsedMethod[]
  /** The actor's session data, as JSON of one object. */
  readonly data: string
  readonly reason: string
  /** The instant at which the acting began. */
  readonly since: number
}

/** The client as it looked at the login. Device lists show it. No decision depends on it. */
export interface DeviceFacts {
  readonly userAgent: string
  readonly ip: string
}

/**
 * The record of one session in a store. Immutable: a change is a new object.
 * Instants are milliseconds since 1970; hashes are SHA-256 in base64url.
 */
export interface SessionRecord {
  /** 16 random bytes, base64url: the store key, safe in logs. */
  readonly handle: string
  /** Hash of the confirmed secret: issued by a login, or renewed and shown again a minute later. */
  readonly secretHash: string
  /** Grows by one with every write but a touch: what compare-and-set compares. */
  readonly version: number
  /** Grows with every privilege change: login, switch of user, `regenerate`. */
  readonly epoch: number
  readonly userId: string | null
  /** The snapshot given to `login`, as JSON. */
  readonly user: string | null
  readonly authHash: string | null
  /** The instant at which `loadUser` was last asked, as far as the record knows. A login counts as such a question. */
  readonly authCheckedAt: number
  /** The instant at which `updateUser` last replaced the snapshot. Absent if it never did. */
  readonly userAt?: number
  readonly createdAt: number
  readonly authenticatedAt: number | null
  readonly lastSeenAt: number
  /** The instant at which the confirmed secret was issued. */
  readonly rotatedAt: number
  readonly idleDeadline: number
  readonly absoluteDeadline: number
  /**
   * The cutoff that this session outlives although the session began before it. The session was spared by name, or
   * began on a server whose clock is behind. Absent in all other records.
   */
  readonly sparedAt?: number
  /** The number of renewals since the login, up to the confirmed secret. */
  readonly generation: number
  /** The beginning of the hash of the secret that the confirmed one was issued to; empty after a login. */
  readonly parent: string
  /** The instant at which the confirmed secret was first shown; 0 until then. */
  readonly shownAt: number
  /** Tells whether the client that showed it first looked like the one that made the session. */
  readonly isTied: boolean
  /** A renewal of the confirmed secret that was shown, and is not confirmed yet. */
  readonly tip: RenewedId | null
  /** Ids that were shown beside the one in use; at most four. */
  readonly rivals: readonly RivalId[]
  /** The instant at which the id in use was last seen, as exactly as its rivals require. */
  readonly headAt: number
  /** Tells whether a replaced id came back since the login, so that the login no longer counts as recent. */
  readonly isForked: boolean
  /** The record to go back to, as JSON, while a change of id is being taken back; no id opens the session meanwhile. */
  readonly heldBack: string | null
  /** The kind of client that made the session, without versions: the beginning of a hash. */
  readonly family: string
  readonly remember: boolean
  readonly device: DeviceFacts | null
  /** The name that somebody gave to the session or its device; absent, like `null`, for none. */
  readonly label?: string | null
  /** The public key and the challenges of the device that the session is bound to (W3C DBSC); `null` for none. */
  readonly deviceKey: string | null
  /** The lifetimes that functions of the user gave this login, in milliseconds. Absent: those of the options. */
  readonly lifetimes?: KeptLifetimes | null
  /** The ways in which the user proved who they are, each with its instant. Absent if the app names none. */
  readonly methods?: readonly UsedMethod[]
  /** A half login; `null` or absent without one. */
  readonly pending?: PendingLogin | null
  /** The user who really is there while the session acts as `userId`; `null` or absent otherwise. */
  readonly acting?: KeptActor | null
  /** The app's data as JSON of one object. */
  readonly data: string
}

/**
 * Keeps records by handle. Five methods, promises only.
 *
 * An unknown, expired or damaged record is absent, and absence is not an error. A rejection means that the store could
 * not answer; the request then gets a 503. No method ever brings back a record that is gone.
 *
 * A store reads the fields `handle`, `version`, `epoch`, `lastSeenAt` and `idleDeadline` of a record. All other fields
 * are JSON that comes back as it was.
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
  /**
   * The record, or `undefined` when it is absent. `reports` belongs to this one call. A store that several plugins
   * share tells each plugin only about the records for which this plugin asked.
   */
  get(handle: string, reports?: AbsenceReports): Promise<SessionRecord | undefined>
  /** Stores a new record. Resolves to `false`, storing nothing, when the handle is taken. */
  create(record: SessionRecord): Promise<boolean>
  /**
   * Replaces the record if its version is still `version`. `false`, changing nothing, when it is absent or has another
   * version. The deadline may move forward and back.
   */
  update(record: SessionRecord, version: number): Promise<boolean>
  /**
   * Moves `lastSeenAt` and `idleDeadline`, nothing else; the version stays. `false`, changing nothing, when the record
   * is absent or has another version. Never moves an instant back, because two touches may arrive in the wrong order.
   * After a clock was set back, only an `update` brings the deadline down to the true one.
   */
  touch(handle: string, version: number, seen: { lastSeenAt: number; idleDeadline: number }): Promise<boolean>
  /**
   * Removes the record, or only if its version is `version` when one is given. `false` when there was nothing to
   * remove.
   */
  delete(handle: string, version?: number): Promise<boolean>
}

/** Functions through which `get` tells why a record that was there is absent. */
export interface AbsenceReports {
  /** The store found a record that it cannot read. It treats the record as absent. */
  readonly onDamaged?: ((handle: string) => void) | undefined
  /**
   * The store removed an expired record. A store that expires records by itself, as Redis does, never calls this.
   */
  readonly onExpired?: ((record: SessionRecord) => void) | undefined
}

/**
 * The power to find a user's sessions. Entries are kept apart from records. An entry is written before its record, so a
 * record without an entry never outlives a revocation. An entry without a record is stale, and harmless.
 */
export interface UserIndex {
  /**
   * Adds an entry that vanishes at `expiresAt`. With a `limit`, in one atomic step, resolves to `false` and adds
   * nothing when the user has that many other entries. An entry that is added again counts once. Its `expiresAt` moves
   * forward and never back, because a login that only begins may not shorten the session that stands there.
   */
  addToIndex(userId: string, handle: string, expiresAt: number, limit?: number): Promise<boolean>
  /** Moves the entry's `expiresAt`; `false`, changing nothing, when it is gone: a revocation came first. */
  keepInIndex(userId: string, handle: string, expiresAt: number): Promise<boolean>
  /** Removes the entry; nothing when there is none. */
  removeFromIndex(userId: string, handle: string): Promise<void>
  /**
   * The user's entries, stale ones included, in any order. A store of several processes also lists expired entries
   * until they are removed. So a revocation finds the login of a process whose clock is behind.
   */
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
   * Removes at most `limit` records (and index entries) whose deadline is not after `now`. Resolves to the number of
   * removals: fewer than `limit` when none is left. Several processes may share a store. Such a store may leave the
   * work to the process that is already sweeping, and resolve to 0. With `alone: false`, the store sweeps beside that
   * process.
   */
  sweep(now: number, limit: number, options?: { readonly alone?: boolean }): Promise<number>
}

/** The power to tell the time of the store's server, for stores whose server is another machine. */
export interface Clocked {
  /** The server's time, in milliseconds since 1970. */
  now(): Promise<number>
}

/** The power to read many records with few round trips. */
export interface ReadingMany {
  /**
   * The records of these handles that are there, in any order. At most 1,000 handles; the caller splits longer lists,
   * so that no answer holds up other requests.
   */
  getMany(handles: readonly string[]): Promise<readonly SessionRecord[]>
}

/** The power to list every record. */
export interface Enumerating {
  /**
   * One page of the live records, `limit` of them. `limit` is a whole number from 1 to 1,000. Redis lists in steps of
   * its own, and may give a few hundred more.
   *
   * The first page is asked without `after`, the following one with the `next` of the page before. A page without
   * `next` is the last. A page may hold fewer records than `limit`, or none, and still have a `next`. Records that
   * exist during the whole listing are in it; records that come or go meanwhile may be. A record may be listed twice
   * where the server cannot prevent it.
   */
  listAll(options: { readonly after?: string | undefined; readonly limit: number }): Promise<RecordPage>
  /**
   * Returns the number of live records. Exact in a store that counts in one step, as SQLite and PostgreSQL do. Redis
   * counts while it walks over its keys. A record that comes or goes during the walk may be counted or not. The same
   * holds for a record that has just expired.
   */
  count(): Promise<number>
}

/** One page of `listAll`. */
export interface RecordPage {
  readonly records: readonly SessionRecord[]
  /** The place where the next page begins, for `after`. Its content is the store's own. */
  readonly next?: string
}

/**
 * The power to keep one instant for the whole store: no session that began before this instant is let in. One write
 * ends all of these sessions, however many there are.
 */
export interface Cutoff {
  /** Moves the cutoff to `instant`, never back. Resolves to the cutoff in force, which may be a later one. */
  raiseCutoff(instant: number): Promise<number>
  /** The cutoff in force; 0 when none was ever raised. */
  readCutoff(): Promise<number>
}

/** An announcement of a store: one session ended or changed hands, or the cutoff was raised. */
export type Announcement = { readonly handle: string } | { readonly cutoff: number }

/**
 * The power to tell all processes at once which sessions ended or changed hands.
 *
 * A store announces in the same step in which it removes a record, replaces a record by one with another `epoch`, or
 * raises the cutoff. Other writes are not announced. An announcement is a hint. The listener reads the store before it
 * acts, because another app on the same server may use the same channel.
 */
export interface Announcing {
  /**
   * Calls the listener for each announcement of any process, this one included, until the returned function is called.
   * Resolves once announcements arrive; rejects when the server or the connection cannot carry them. Announcements are
   * missed while the connection is lost. The store connects again by itself, and the listener looks at the store now
   * and then.
   */
  subscribe(listener: (what: Announcement) => void): Promise<() => Promise<void>>
}

/** The power to end its own connections, for stores that opened them themselves, as `openStore` does. */
export interface Closing {
  /** Ends the connections. The plugin calls it when the app closes. Calling it again does nothing. */
  close(): Promise<void>
}

/** Every power that a store may have beside the five methods. */
export type StorePowers = UserIndex & Sweeping & Clocked & ReadingMany & Enumerating & Cutoff & Announcing & Closing
