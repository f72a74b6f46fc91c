import type { Lifetimes } from '../options.ts'
import type { KeptActor, KeptLifetimes, SessionRecord, UsedMethod } from '../../types/index.ts'
import { withFields } from './copy-record.ts'
import type { Edit } from './json-data.ts'
import { edited } from './json-data.ts'
import { seenAt } from './lifetime.ts'

/** The user whom a session shows from now on, because somebody begins or stops to act as another user. */
export interface Role {
  readonly userId: string
  /** The snapshot of the user, as JSON. */
  readonly user: string
  /** The actor's snapshot, as JSON; `null` where nobody acts any more. */
  readonly actor: string | null
  readonly methods: readonly UsedMethod[]
  /** The session data that the change starts from, as JSON. */
  readonly data: string
  /** Absent where somebody stops to act. */
  readonly begin?: Beginning
}

interface Beginning {
  readonly authHash: string | null
  readonly reason: string
  /** The longest time, in milliseconds. */
  readonly limit: number
  readonly lifetimes: KeptLifetimes | undefined
  /** The change that the request made to the actor's data before. */
  readonly edit: Edit
}

const NO_METHODS: readonly UsedMethod[] = []

/**
 * Returns the record of a session after the change. Neither change is a proof of who anybody is: the instant of the
 * login stays, and does not count as recent.
 */
export function withRole(record: SessionRecord, role: Role, now: number, settings: Lifetimes): SessionRecord {
  const changed = role.begin === undefined ? returned(record) : acting(record, role, role.begin, now)
  return { ...changed, ...seenAt(now, changed, settings) }
}

function acting(record: SessionRecord, { userId, user }: Role, begin: Beginning, now: number): SessionRecord {
  const { authHash, reason, limit, lifetimes, edit } = begin
  const kept: KeptActor = {
    // Nobody acts without being logged in.
    userId: String(record.userId),
    user: String(record.user),
    authHash: record.authHash,
    authCheckedAt: record.authCheckedAt,
    userAt: record.userAt ?? 0,
    absoluteDeadline: record.absoluteDeadline,
    remember: record.remember,
    lifetimes: record.lifetimes ?? null,
    methods: record.methods ?? NO_METHODS,
    data: edited(record.data, edit),
    reason,
    since: now,
  }
  return withFields(record, {
    userId,
    user,
    authHash,
    authCheckedAt: now,
    userAt: now,
    absoluteDeadline: Math.min(record.absoluteDeadline, now + limit, now + (lifetimes?.absoluteTimeout ?? Infinity)),
    remember: false,
    lifetimes: shorter(record.lifetimes, lifetimes),
    methods: NO_METHODS,
    acting: kept,
  })
}

/** Returns the shorter lifetimes of two users. `null` stands for the lifetimes of the options. */
function shorter(...both: readonly (KeptLifetimes | null | undefined)[]): KeptLifetimes | null {
  const known = both.flatMap((one) => one ?? [])
  return known.toSorted((a, b) => a.idleTimeout - b.idleTimeout)[0] ?? null
}

function returned(record: SessionRecord): SessionRecord {
  // The epoch is the one in which the request found the actor.
  const kept = record.acting as KeptActor
  const { userId, user, authHash, authCheckedAt, userAt, absoluteDeadline, remember, lifetimes, methods } = kept
  const own = { userId, user, authHash, authCheckedAt, userAt, absoluteDeadline, remember, lifetimes, methods }
  // The person who acted may have left the place to somebody else. The actor proves anew who they are before anything
  // critical.
  return withFields(record, { ...own, isForked: true, acting: null })
}
