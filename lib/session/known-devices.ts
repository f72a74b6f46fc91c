import type { SessionRecord } from '../../types/index.ts'
import { familyOf } from './device.ts'
import type { Engine } from './engine.ts'

/** The beginning of the name under which the index keeps the kinds of clients of a user. No user has such a name. */
export const DEVICES = '\u0001devices\u0001'

/** The time for which a kind of client is remembered after its last login, in milliseconds. */
const REMEMBERED = 180 * 24 * 60 * 60 * 1000

/** The number of kinds that are remembered for a user. Who knows the password may log in with any User-Agent. */
const MAX_KINDS = 50

/** The name of the kind of clients that send no User-Agent. No family is as short. */
const UNNAMED = 'none'

/**
 * Tells whether the client of a login is of a kind that never logged this user in before, and remembers the kind. A
 * kind is the User-Agent without versions. Returns `null` where the store has no index, or does not answer: the login
 * goes on without.
 */
export async function isNewDevice(
  { store, settings }: Pick<Engine, 'store' | 'settings'>,
  { userId, device }: SessionRecord,
): Promise<boolean | null> {
  if (!store.hasIndex || userId === null || device === null) return null
  const kind = familyOf(device.userAgent) || UNNAMED
  const name = `${DEVICES}${userId}`
  const now = settings.clock()
  try {
    const entries = await store.listIndex(name)
    const kinds = entries.filter(({ expiresAt }) => expiresAt > now)
    const rest = (kinds.find(({ handle }) => handle === kind)?.expiresAt ?? now) - now
    // Without a limit of the store the entry is one statement. Logins at once may exceed the bound by a few.
    const hasRoom = rest > 0 || kinds.length < MAX_KINDS
    if (rest <= REMEMBERED / 2 && hasRoom) await store.addToIndex(name, kind, now + REMEMBERED)
    return rest <= 0
  } catch {
    return null
  }
}
