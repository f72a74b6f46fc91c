import type { Engine } from '../session/engine.ts'
import type { Guest, SessionEnd } from '../session/watch.ts'
import { beganAt } from '../storage/remove-before.ts'
import type { SessionRecord } from '../../types/index.ts'

/** A guest, and the session that it came with. */
export interface Member {
  readonly guest: Guest
  readonly userId: string | null
  readonly epoch: number
  /** The instant that is compared with a cutoff. */
  readonly beganAt: number
}

export function memberOf(record: SessionRecord, guest: Guest): Member {
  return { guest, userId: record.userId, epoch: record.epoch, beganAt: beganAt(record) }
}

/**
 * Tells whether the record has the user and the epoch that a guest came with. A copied id opens a connection like the
 * owner's, and nothing tells the two apart. So a new login or a changed password ends both connections. The owner, who
 * has the new id, connects again. The copy cannot.
 */
export function isTheirs({ userId, epoch }: Member, record: SessionRecord | undefined): boolean {
  return record !== undefined && record.userId === userId && record.epoch === epoch
}

/**
 * Returns why a guest ends whose record is gone or is no longer theirs. The store may announce an end that this process
 * began before it answers, so an end under way here gives the reason first.
 */
export function reasonOf(
  { store, gate }: Engine,
  handle: string,
  member: Member,
  record: SessionRecord | undefined,
): SessionEnd {
  if (record !== undefined) return record.userId === member.userId ? 'changed' : 'switched'
  return store.endUnderWay(handle) ?? (gate?.isCutOff(member.beganAt) === true ? 'revoked' : 'elsewhere')
}
