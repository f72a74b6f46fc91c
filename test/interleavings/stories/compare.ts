import type { SessionDetails } from '../../../types/index.ts'
import type { Session } from './model/session.ts'

/** Returns how some facts differ from those that are expected. */
export function differences(name: string, is: object | undefined, was: object): string[] {
  const facts = new Map(Object.entries(is ?? {}))
  return Object.entries(was).flatMap(([fact, wanted]) => {
    const found: unknown = facts.get(fact)
    const isSame = textOf(found) === textOf(wanted)
    return isSame ? [] : [`${name}${fact} is ${textOf(found)}, and not ${textOf(wanted)}`]
  })
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (isPlain(one) ? sorted(one) : one)) ?? 'undefined'
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Returns the facts of a session as the app is told. */
export function told(session: SessionDetails): Readonly<Record<string, unknown>> {
  const { userId, authenticatedAt, createdAt, lastSeenAt, idleDeadline, absoluteDeadline, acting, device } = session
  return {
    userId,
    createdAt: createdAt.getTime(),
    authenticatedAt: authenticatedAt?.getTime() ?? null,
    lastSeenAt: lastSeenAt.getTime(),
    idleDeadline: idleDeadline.getTime(),
    absoluteDeadline: absoluteDeadline.getTime(),
    remember: session.remember,
    label: session.label,
    acting: acting && { actorId: acting.actorId, since: acting.since.getTime() },
    ip: device?.ip ?? null,
    data: session.data,
  }
}

/** Returns the facts of a session as they are expected. */
export function expected(session: Session): object {
  const { user, actor, createdAt, authenticatedAt, lastSeenAt, idle, absolute, label, device, data } = session
  return {
    userId: user?.userId ?? null,
    createdAt,
    authenticatedAt: authenticatedAt ?? null,
    lastSeenAt,
    idleDeadline: idle,
    absoluteDeadline: absolute,
    remember: user?.isRemembered ?? false,
    label: label ?? null,
    acting: actor ? { actorId: actor.userId, since: actor.since } : null,
    ip: device ?? null,
    data,
  }
}
