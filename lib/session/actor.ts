import { SecureSessionError } from '../errors.ts'
import type { SessionRecord } from '../../types/index.ts'

/**
 * Refuses a change that only the user themselves may make.
 * @throws `SESSION_ACTING`
 */
export function refuseWhileActing(record: SessionRecord | undefined): void {
  if (record?.acting) throw new SecureSessionError('SESSION_ACTING')
}

/** Returns the user who really is there; `null` for nobody. */
export function personOf({ userId, acting }: SessionRecord): string | null {
  return acting?.userId ?? userId
}

/** A record that somebody is logged in with. */
export type OwnedRecord = SessionRecord & { readonly userId: string }

/** Returns the actor's side of a session as a record whose user can be checked; `undefined` where nobody acts. */
export function actorRecord(record: SessionRecord): OwnedRecord | undefined {
  if (!record.acting) return undefined
  const { userId, user, authHash, authCheckedAt, userAt } = record.acting
  return { ...record, handle: `${record.handle} actor`, userId, user, authHash, authCheckedAt, userAt }
}

/** The members of an event that name both users; none where nobody acts as somebody else. */
export function bothUsers(record: SessionRecord | undefined): { userId?: string | null; actorId?: string } {
  return record?.acting ? { userId: record.userId, actorId: record.acting.userId } : {}
}
