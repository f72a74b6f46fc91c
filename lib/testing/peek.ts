import { findCookie } from '../http/read-cookie.ts'
import { parseData } from '../session/json-data.ts'
import { expiredBy } from '../session/lifetime.ts'
import { judge } from '../session/verdict.ts'
import type { SessionUser } from '../../types/index.ts'
import type { TestedApp } from './app-engine.ts'
import { engineOf } from './app-engine.ts'

/** A session as a test sees it from outside. */
export interface PeekedSession {
  readonly handle: string
  /** The user as given to `login`; `null` when nobody is logged in. */
  readonly user: SessionUser | null
  readonly authenticatedAt: Date | null
  readonly remember: boolean
  /** A copy of the session's data. */
  readonly data: Record<string, unknown>
  /** The idle deadline and the absolute deadline of the session. */
  readonly deadlines: { readonly idle: Date; readonly absolute: Date }
}

/**
 * Looks into the session to which a `cookie` header (or a `set-cookie` line) leads. The look is no use of the session:
 * no touch, no renewal, no event. Resolves to `undefined` when the cookie opens nothing. There may be no session
 * cookie, or two of them. The cookie may be forged or expired, or its session has ended. A login or a renewal may have
 * replaced the id. A credentials check (`authHash`) is not made, and no proof of a device is asked for. Waits for
 * `app.ready()`.
 * @throws TypeError when the plugin is not registered on this app
 * @throws `SESSION_STORE_UNAVAILABLE`
 */
export async function peek(app: TestedApp, cookie: string): Promise<PeekedSession | undefined> {
  const { settings, ids, store } = await engineOf(app)
  const { count, value } = findCookie(cookie, settings.cookie.name)
  const id = ids.read(value)
  if (count !== 1 || typeof id === 'string') return undefined
  const record = await store.get(id.handle)
  const now = settings.clock()
  if (record === undefined || expiredBy(record, now) !== undefined) return undefined
  // A peek brings no client along, so it is no client that the login knows.
  const presentation = { id, isTied: () => false, isShowNoted: false, evidenceFor: () => 'unbound' as const }
  if (judge(record, presentation, now).kind !== 'enter') return undefined
  const { handle, user, authenticatedAt, remember, data, idleDeadline, absoluteDeadline } = record
  return {
    handle,
    // The store's port saw to it that a snapshot is a user.
    user: user === null ? null : (JSON.parse(user) as SessionUser),
    authenticatedAt: authenticatedAt === null ? null : new Date(authenticatedAt),
    remember,
    data: parseData(data),
    deadlines: { idle: new Date(idleDeadline), absolute: new Date(absoluteDeadline) },
  }
}
