import type { Engine } from '../session/engine.ts'
import type { PresentedId, SessionIds } from '../session/id.ts'
import { findCookie } from './read-cookie.ts'
import type { SeenValues } from './seen-values.ts'

/**
 * The finding on a request's session cookie:
 * - an id that this app made;
 * - `none`: no cookie, or a value that is somebody else's;
 * - `duplicate`: several cookies of the name, none of which counts;
 * - `obsolete`: an id in the shape of this app's ids, signed with another secret. The id is met for the first time in
 *   a minute.
 */
export type Presented = PresentedId | 'none' | 'duplicate' | 'obsolete'

/**
 * Reads the session cookie out of a `Cookie` header. Events tell of duplicate and forged ones, once a minute for each
 * value, because a page brings as many requests as it has assets.
 */
export function presentedId(engine: Engine, seen: SeenValues, header: string, connection: object): Presented {
  const { ids, events } = engine
  const { name } = engine.settings.cookie
  const { count, value } = findCookie(header, name)
  if (count === 0) return 'none'
  if (count > 1) {
    if (seen.note(pairsOf(header, name))) events.emit({ type: 'duplicate', count })
    return 'duplicate'
  }
  return judgeValue(engine, ids, seen, value, connection)
}

/** Reads one value that a request presents as its session id. An empty one is none. */
export function judgeValue(
  { settings, events }: Engine,
  ids: SessionIds,
  seen: SeenValues,
  value: string,
  connection: object,
): Exclude<Presented, 'duplicate'> {
  if (value === '') return 'none'
  const id = ids.read(value, connection)
  if (typeof id === 'object') return id
  if (!seen.note(value)) return 'none'
  // An old cookie of the same name is none of ours, and its own library judges it.
  if (
    id === 'malformed' &&
    settings.migrateFrom.some(({ cookieNames }) => cookieNames.includes(settings.cookie.name))
  ) {
    return 'none'
  }
  const isObsolete = id === 'signature'
  // The random secret of development ends with the process, so a restart makes every cookie look forged.
  if (!isObsolete || !settings.isSecretRandom) events.emit({ type: 'forged', reason: id })
  return isObsolete ? 'obsolete' : 'none'
}

function pairsOf(header: string, name: string): string {
  const pairs = header.split(';').map((pair) => pair.trim())
  return pairs.filter((pair) => pair.startsWith(name)).join(';')
}
