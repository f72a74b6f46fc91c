import type { SessionFacts, SessionInfo, SessionRecord } from '../../types/index.ts'
import { parseData } from './json-data.ts'

/** Returns an entry of a device list. `current` is the handle of the session that asks. */
export function infoOf(userId: string, record: SessionRecord, current?: string): SessionInfo {
  const facts = factsOf(record)
  return {
    ...facts,
    userId: facts.userId ?? userId,
    authenticatedAt: facts.authenticatedAt ?? facts.createdAt,
    current: record.handle === current,
  }
}

/** Returns what a record tells of its session. It holds no secret and no data. */
export function factsOf(record: SessionRecord): SessionFacts {
  const { handle, userId, authenticatedAt, remember, device, label, acting, deviceKey } = record
  return {
    handle,
    userId,
    createdAt: new Date(record.createdAt),
    authenticatedAt: authenticatedAt === null ? null : new Date(authenticatedAt),
    lastSeenAt: new Date(record.lastSeenAt),
    idleDeadline: new Date(record.idleDeadline),
    absoluteDeadline: new Date(record.absoluteDeadline),
    remember,
    device: device === null ? null : { ...device },
    label: label ?? null,
    isDeviceBound: deviceKey !== null,
    acting: acting ? { actorId: acting.userId, reason: acting.reason, since: new Date(acting.since) } : null,
  }
}

/** Returns the facts of a session and a copy of its data. */
export function detailsOf(record: SessionRecord): SessionFacts & { readonly data: Record<string, unknown> } {
  return { ...factsOf(record), data: parseData(record.data) }
}
