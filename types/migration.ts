import type { SessionUser } from 'fastify'

/** The user of an old session: what `req.login` would get, or nobody. */
export type OldUser = SessionUser | null | undefined

/** The attributes of an old cookie that decide whether a browser clears it. The old library's own object fits. */
export interface OldCookieOptions {
  /** The domain that the old cookie was set for. Default: none. */
  readonly domain?: string | null | undefined
  /** The path that the old cookie was set for. Default `/`. */
  readonly path?: string | undefined
  /** `true` if the old cookie was partitioned (CHIPS). Default `false`. */
  readonly partitioned?: boolean | undefined
}

/** The options that every way in has. */
export interface MigrationOptions {
  /**
   * Says who an old session belongs to. Gets the data of the old session. `null` and `undefined` are nobody: the data
   * moves, and the session stays anonymous. An error fails the request with `SESSION_USER_UNAVAILABLE` (503), and the
   * next request tries again.
   */
  // A plugin cannot know the type of the app's own old sessions.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly user: (data: any) => OldUser | Promise<OldUser>
  /**
   * The last day, in UTC, on which old sessions are let in (`2027-03-31`), or an instant (`2027-03-31T12:00:00Z`).
   * Default: none, and the guard warns.
   */
  readonly until?: string | undefined
  /**
   * Leaves the record and the cookie of the old session in place, so that the old app still works. For a trial, in
   * which some requests go to the old app. Default `false`.
   */
  readonly keepOld?: boolean | undefined
  /** Makes moved sessions like those of `login(user, { remember: true })`. Default `false`. */
  readonly remember?: boolean | undefined
  /** The attributes of the old cookie. Default: host-only, path `/`. */
  readonly cookie?: OldCookieOptions | undefined
}

/**
 * One way in for the sessions of another library, for the option `migrateFrom`. Made by `expressSession`,
 * `fastifySession`, `secureSession`, `ironSession` or `cookieSession` of `fastify-session-guard/migrate/*`.
 */
export interface Migration {
  /** The name of the old library, for the event `migrate`. */
  readonly from: string
  /** The names of the old cookies. The first one holds the session, all of them are cleared. */
  readonly cookieNames: readonly [string, ...string[]]
  readonly cookie: OldCookieOptions
  readonly user: MigrationOptions['user']
  /** The instant from which no old session is let in, in milliseconds since 1970; `Infinity` for none. */
  readonly endsAt: number
  readonly keepOld: boolean
  readonly remember: boolean
  /** Says in words why an old secret is too weak for what it lets in; `undefined` for a strong one. */
  readonly weakness: string | undefined
  /** Loads what the old format needs, once, before the app listens. */
  prepare(): Promise<void>
  /**
   * Checks the values of the cookies named in `cookieNames`, decoded by nobody. `undefined` for values that the old
   * library would refuse too. Never throws.
   */
  read(values: readonly (string | undefined)[]): OldSession | undefined | Promise<OldSession | undefined>
}

/** An old session whose cookie passed the check of the old library. */
export interface OldSession {
  /** Names the old session, and no other one. No client can present one session under two keys. */
  readonly key: string
  /** Tells whether the session itself is in the cookie, so that it cannot be removed from a server. */
  readonly isInCookie: boolean
  /**
   * The old session's data, `undefined` for one that has ended, or `damaged` for one that cannot be read. Rejects when
   * the old store does not answer.
   */
  load(): Promise<OldData | 'damaged' | undefined>
  /** Removes the old record; nothing for a session in a cookie. Rejects when the old store does not answer. */
  remove(): Promise<void>
}

/** The contents of an old session. */
export interface OldData {
  readonly data: Record<string, unknown>
  /** The instant at which the old session ends by itself, if its cookie says so. */
  readonly endsAt?: number | undefined
}
