import type { DeviceFacts, KeptLifetimes, RivalId, SessionRecord, UsedMethod } from '../../types/index.ts'
import type { Lifetimes } from '../options.ts'
import { noteExtended, withFields } from './copy-record.ts'
import { beginAt } from './lifetime.ts'
import { readName } from './namespace.ts'
import { hasFields, hasUnknownFields, isObject, parseObject } from './record-shape.ts'

const NO_RIVALS: readonly RivalId[] = Object.freeze([])

/** The user of a session, from the moment of a login. */
export interface Identity {
  readonly userId: string
  /** The user's snapshot as JSON. */
  readonly user: string
  readonly authHash: string | null
  readonly authCheckedAt: number
  readonly remember: boolean
  readonly device: DeviceFacts | null
  /** The kind of the client; absent where the client of the login before stays the owner of the ids. */
  readonly family?: string
  /** The lifetimes that functions of the user gave; absent without such functions. */
  readonly lifetimes?: KeptLifetimes | null | undefined
  /** The ways in which the user proved who they are; absent if the app names none. */
  readonly methods?: readonly UsedMethod[] | undefined
  /** The ways of a confirmation that were used in this request; absent in a login. */
  readonly usedNow?: readonly string[]
  readonly label?: string | null
}

/** A record of nobody. Records are made from it, so that all of them have the hidden class of a draft. */
const BLANK: SessionRecord = {
  handle: '',
  secretHash: '',
  version: 1,
  epoch: 0,
  userId: null,
  user: null,
  authHash: null,
  authCheckedAt: 0,
  createdAt: 0,
  authenticatedAt: null,
  lastSeenAt: 0,
  idleDeadline: 0,
  absoluteDeadline: 0,
  ...withOneId(0),
  isForked: false,
  heldBack: null,
  family: '',
  remember: false,
  device: null,
  deviceKey: null,
  data: '{}',
}

/** The record of a session that begins now with nobody logged in. */
export function newRecord(
  handle: string,
  secretHash: string,
  data: string,
  now: number,
  lifetimes: Lifetimes,
  family = '',
  epoch = 0,
): SessionRecord {
  const begun = { handle, secretHash, epoch, createdAt: now, family, data }
  return withFields(BLANK, beginAt(now, false, lifetimes), withOneId(now), begun)
}

/** Returns the fields of a record whose only id was issued now. */
function withOneId(now: number) {
  return {
    rotatedAt: now,
    generation: 0,
    parent: '',
    shownAt: 0,
    isTied: true,
    tip: null,
    rivals: NO_RIVALS,
    headAt: now,
  } satisfies Partial<SessionRecord>
}

/** Returns the record with a new secret that replaces all others: the old id dies in the same write, without grace. */
export function rotated(
  record: SessionRecord,
  secretHash: string,
  now: number,
  deviceKey: string | null = record.deviceKey,
): SessionRecord {
  return withFields(record, withOneId(now), { secretHash, deviceKey, epoch: record.epoch + 1 })
}

/** The record after somebody proved who they are: both lifetimes begin again. */
export function authenticated(
  record: SessionRecord,
  identity: Identity,
  now: number,
  lifetimes: Lifetimes,
): SessionRecord {
  const { userId, user, authHash, authCheckedAt, remember, device, family = record.family } = identity
  const begun = beginAt(now, remember, identity.lifetimes ?? lifetimes)
  const proven = {
    userId,
    user,
    authHash,
    // A confirmation carries the instant over, which lies ahead if the clock was set back.
    authCheckedAt: Math.min(authCheckedAt, now),
    remember,
    device,
    family,
    authenticatedAt: now,
    isForked: false,
  }
  return withFields(record, begun, proven, optionalFields(record, identity))
}

/** Returns the fields that few records have, without what another login may have left in them. */
function optionalFields(record: SessionRecord, identity: Identity): Partial<SessionRecord> {
  const { label } = identity
  return {
    ...(label !== undefined && { label }),
    ...(hasEither(record, identity, 'lifetimes') && { lifetimes: identity.lifetimes ?? null }),
    ...(hasEither(record, identity, 'methods') && { methods: identity.methods ?? [] }),
    ...(record.pending !== undefined && { pending: null }),
    ...(record.acting !== undefined && { acting: null }),
  }
}

function hasEither(record: SessionRecord, identity: Identity, field: 'lifetimes' | 'methods'): boolean {
  return record[field] !== undefined || identity[field] !== undefined
}

/** Records that were examined, or made here. A store in memory hands out the same object again and again. */
const valid = new WeakSet<object>()

/** Notes that this process made a record, so that `isRecord` need not examine it. */
export function trust(record: SessionRecord): void {
  valid.add(record)
}

/** Tells whether a store's answer is a whole record. Each object is examined once. */
export function isRecord(value: unknown): value is SessionRecord {
  if (!isObject(value)) return false
  if (valid.has(value)) return true
  if (!isWholeRecord(value)) return false
  valid.add(value)
  if (hasUnknownFields(value)) noteExtended(value)
  return true
}

/**
 * Tells whether every field has its type, data and user parse, and a user comes with their id, or with its stored name.
 */
function isWholeRecord(value: Record<string, unknown>): value is Record<string, unknown> & SessionRecord {
  if (!hasFields(value)) return false
  const { userId, user, authenticatedAt } = value
  if (userId === null || user === null) return userId === user && authenticatedAt === null
  const id = parseObject(user)?.['id']
  return authenticatedAt !== null && (id === userId || id === readName(userId).userId)
}
