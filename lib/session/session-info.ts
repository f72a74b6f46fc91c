import type { SessionInfo, SessionRecord } from '../../types/index.ts'

/** Two logins in one instant are told apart by their handles. */
export function isLoginBefore(one: SessionRecord, other: SessionRecord): boolean {
  const apart = Number(one.authenticatedAt) - Number(other.authenticatedAt)
  return apart === 0 ? one.handle < other.handle : apart < 0
}

/** Returns what a device list shows of a session. */
export function describe(userId: string, record: SessionRecord): SessionInfo {
  return {
    handle: record.handle,
    userId,
    createdAt: new Date(record.createdAt),
    authenticatedAt: new Date(Number(record.authenticatedAt)),
    lastSeenAt: new Date(record.lastSeenAt),
    idleDeadline: new Date(record.idleDeadline),
    absoluteDeadline: new Date(record.absoluteDeadline),
    remember: record.remember,
    device: record.device === null ? null : { ...record.device },
  }
}
