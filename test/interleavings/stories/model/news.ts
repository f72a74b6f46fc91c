import type { SessionEvent } from '../../../../types/index.ts'
import type { User } from '../story.ts'
import type { Session } from './session.ts'

/** An event that listeners hear of. */
export interface News {
  readonly type: SessionEvent['type']
  readonly own: { readonly session: Session } | undefined
  readonly userId: User | null
  readonly actorId: User | undefined
  readonly detail: string
}

/** Returns the users whom each event of a session names in which somebody acts as another user. */
export function usersOf({ user, actor }: Session): Pick<News, 'userId' | 'actorId'> {
  return actor === undefined
    ? { userId: null, actorId: undefined }
    : { userId: user?.userId ?? null, actorId: actor.userId }
}

/** Returns news in one line. Sessions that no response ever named are those of `?`. */
export function lineOf({ type, own, userId, actorId, detail }: News, handles: readonly string[]): string {
  const handle = type === 'revoke-all' ? undefined : own?.session.handle
  return textOf(type, handle, handles, [userId ?? 'nobody', actorId ?? 'nobody', detail])
}

/** Returns an event in one line. */
export function lineOfEvent(event: SessionEvent, handles: readonly string[]): string {
  const { type } = event
  const handle = 'handle' in event ? event.handle : undefined
  return textOf(type, handle, handles, [event.userId ?? 'nobody', event.actorId ?? 'nobody', detailOf(event)])
}

function textOf(type: string, handle: string | undefined, handles: readonly string[], rest: readonly string[]): string {
  return [type, handle === undefined ? '' : numberOf(handle, handles), ...rest].join(' ')
}

function numberOf(handle: string, handles: readonly string[]): string {
  const place = handles.indexOf(handle)
  return place === -1 ? '?' : String(place)
}

function detailOf(event: SessionEvent): string {
  switch (event.type) {
    case 'login': {
      const { remember, label, isNewDevice, previousHandle, handle, device } = event
      const before = previousHandle === null ? 'none' : previousHandle === handle ? 'itself' : 'another'
      return loginOf({ isRemembered: remember, label, isNew: isNewDevice, before, look: device?.ip })
    }
    case 'rotate':
    case 'revoke':
    case 'dropped-write':
      return event.reason
    case 'revoke-all':
      return event.except === null ? '' : 'but one'
    case 'replay':
      return event.isEnded ? 'ended' : 'goes on'
    case 'fork':
      return event.isServed ? 'served' : 'refused'
    default:
      return ''
  }
}

/** The facts that the event of a login tells. */
interface LoginNews {
  readonly isRemembered: boolean
  readonly label: string | null | undefined
  readonly isNew: boolean | null
  /** The session from before. */
  readonly before: 'none' | 'itself' | 'another'
  readonly look: string | undefined
}

/** Returns what the event of a login says, in one line. */
export function loginOf({ isRemembered, label, isNew, before, look }: LoginNews): string {
  const client = `${look ?? 'nobody'}${isNew === true ? ' for the first time' : ''}`
  return `by ${client}${isRemembered ? ', remembered' : ''}, ${label ?? 'no label'}, from ${before}`
}
