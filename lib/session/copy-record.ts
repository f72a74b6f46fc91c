import type { SessionRecord } from '../../types/index.ts'

/** A record that its maker may still change. */
type Draft = { -readonly [Field in keyof SessionRecord]: SessionRecord[Field] }

/** Records with fields that a later version of this package wrote. */
const extended = new WeakSet<SessionRecord>()

/** Notes that a record has fields which this version does not know, so that its copies keep them. */
export function noteExtended(record: SessionRecord): void {
  extended.add(record)
}

/**
 * Returns a copy of a record with other values in some fields, where spreads would do too.
 *
 * Each version of a session is made from the version before. V8 gives the copy that a spread makes a hidden class of
 * its own, and a copy of that copy yet another. Such a copy takes ten times as long, and so does each look at its
 * fields. The copies made here all have the same few hidden classes.
 */
export function withFields(record: SessionRecord, ...fields: readonly Partial<SessionRecord>[]): SessionRecord {
  const isExtended = extended.has(record)
  const copy: SessionRecord = Object.assign(isExtended ? { ...record } : copyOf(record), ...fields)
  if (isExtended) extended.add(copy)
  return copy
}

function copyOf(record: SessionRecord): Draft {
  const copy: Draft = {
    handle: record.handle,
    secretHash: record.secretHash,
    version: record.version,
    epoch: record.epoch,
    userId: record.userId,
    user: record.user,
    authHash: record.authHash,
    authCheckedAt: record.authCheckedAt,
    createdAt: record.createdAt,
    authenticatedAt: record.authenticatedAt,
    lastSeenAt: record.lastSeenAt,
    rotatedAt: record.rotatedAt,
    idleDeadline: record.idleDeadline,
    absoluteDeadline: record.absoluteDeadline,
    generation: record.generation,
    parent: record.parent,
    shownAt: record.shownAt,
    isTied: record.isTied,
    tip: record.tip,
    rivals: record.rivals,
    headAt: record.headAt,
    isForked: record.isForked,
    heldBack: record.heldBack,
    family: record.family,
    remember: record.remember,
    device: record.device,
    deviceKey: record.deviceKey,
    data: record.data,
  }
  copyOptional(record, copy)
  return copy
}

/** Copies the fields that few records have. A field that is absent stays absent. */
function copyOptional(
  { userAt, sparedAt, label, lifetimes, methods, pending, acting }: SessionRecord,
  copy: Draft,
): void {
  if (userAt !== undefined) copy.userAt = userAt
  if (sparedAt !== undefined) copy.sparedAt = sparedAt
  if (label !== undefined) copy.label = label
  if (lifetimes !== undefined) copy.lifetimes = lifetimes
  if (methods !== undefined) copy.methods = methods
  if (pending !== undefined) copy.pending = pending
  if (acting !== undefined) copy.acting = acting
}
