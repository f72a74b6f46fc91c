import type { SessionRecord } from '../../types/index.ts'
import { newHandle } from './id.ts'

/**
 * The beginning of an index name for sessions beside the logins of a user. They end together with the sessions of the
 * user. Examples are half logins, and sessions in which somebody acts as the user. Limits do not count such sessions.
 * No user id begins with this text.
 */
const BESIDE = '\u0001beside\u0001'

/** Tells whether a user id looks like a name of the index that this package makes. Such an id is refused. */
export function isReservedName(userId: string): boolean {
  return userId.startsWith('\u0001')
}

/** A place of a session in the index, and the instant up to which it is needed. */
export interface Place {
  readonly name: string
  readonly until: number
}

/** Returns the name of the places beside the sessions of a user. */
export function besideOf(userId: string): string {
  return `${BESIDE}${userId}`
}

/** The beginning of an index name for sessions whose entry was removed a moment ago. */
const LEAVING = '\u0001leaving\u0001'

/**
 * Returns the name under which an entry is noted while somebody removes it and looks for the session once more. A
 * revocation reads the notes too, so it finds a session that a login began meanwhile.
 */
export function leavingOf(name: string): string {
  return `${LEAVING}${name.startsWith(BESIDE) ? name.slice(BESIDE.length) : name}`
}

const NOTE_SEPARATOR = '.'

/**
 * Returns the text of a note on the session of a handle. Each removal has a text of its own, so that it does not remove
 * the note of another removal.
 */
export function noteOn(handle: string): string {
  return `${handle}${NOTE_SEPARATOR}${newHandle()}`
}

/** Returns the handle of the session that a note is on. No handle holds the separator. */
export function handleIn(note: string): string {
  return String(note.split(NOTE_SEPARATOR, 1)[0])
}

/** Returns the places in the index under which a session has to be found. */
export function placesOf({ userId, acting, pending, absoluteDeadline }: SessionRecord): readonly Place[] {
  if (userId === null) return pending ? [{ name: besideOf(pending.userId), until: pending.until }] : []
  if (!acting) return [{ name: userId, until: absoluteDeadline }]
  return [
    { name: acting.userId, until: acting.absoluteDeadline },
    { name: besideOf(userId), until: absoluteDeadline },
  ]
}

/** Tells whether a session belongs under a name of the index. */
export function hasPlace(record: SessionRecord | undefined, name: string): boolean {
  return record !== undefined && placesOf(record).some((place) => place.name === name)
}

/** Tells whether a session ends with the sessions of a user. */
export function endsWith({ userId, acting, pending }: SessionRecord, user: string): boolean {
  return userId === user || acting?.userId === user || pending?.userId === user
}
