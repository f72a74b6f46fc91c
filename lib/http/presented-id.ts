import type { Engine } from '../session/engine.ts'
import type { PresentedId } from '../session/id.ts'
import { findCookie } from './read-cookie.ts'
import type { SeenValues } from './seen-values.ts'

/**
 * The finding on a request's session cookie:
 * - an id that this app made;
 * - `none`: no cookie, or a value that is somebody else's;
 * - `duplicate`: several cookies of the name, none of which counts;
 * - `obsolete`: an id in the shape of this app's, signed with another secret, and met for the first time in a minute.
 */
export type Presented = PresentedId | 'none' | 'duplicate' | 'obsolete'

/**
 * Reads the session cookie out of a `Cookie` header. Events tell of duplicate and forged ones, once a minute for each
 * value, because a page brings as many requests as it has assets.
 */
export function presentedId(engine: Engine, seen: SeenValues, header: string, connection: object): Presented {
  const { settings, ids, events } = engine
  const { name } = settings.cookie
  const { count, value } = findCookie(header, name)
  if (count === 0) return 'none'
  if (count > 1) {
    if (seen.note(pairsOf(header, name))) events.emit({ type: 'duplicate', count })
    return 'duplicate'
  }
  const id = ids.read(value, connection)
  if (typeof id === 'object') return id
  if (!seen.note(value)) return 'none'
  const isObsolete = id === 'signature'
  // The random secret of development ends with the process, so a restart makes every cookie look forged.
  if (!isObsolete || !settings.isSecretRandom) events.emit({ type: 'forged', reason: id })
  return isObsolete ? 'obsolete' : 'none'
}

function pairsOf(header: string, name: string): string {
  const pairs = header.split(';').map((pair) => pair.trim())
  return pairs.filter((pair) => pair.startsWith(name)).join(';')
}
