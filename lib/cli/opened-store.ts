import { SessionEvents } from '../events.ts'
import { resolveOptions } from '../options.ts'
import { isReservedName } from '../session/places.ts'
import { UserSessions } from '../session/user-sessions.ts'
import { TimedStore } from '../storage/timed-store.ts'
import type { OpenedStore } from '../stores/open/opened.ts'
import { UsageError } from './io.ts'

export type { OpenedStore } from '../stores/open/opened.ts'

/** The way to the sessions of an app that keeps its users apart. */
export const NAMESPACE_HINT =
  'Note: users of an app with a namespace or a cookie name of its own are found with --namespace.'

/**
 * Refuses a name of the user index that belongs to no user. A command would take its entries for stale ones.
 * @throws UsageError
 */
export function refuseReservedUser(user: string): void {
  if (isReservedName(user)) throw new UsageError('--user is a user id, which cannot begin with the character U+0001.')
}

/** The time that an answer may take, in milliseconds. */
const ANSWER_TIMEOUT = 10_000

/**
 * Returns the sessions by user, as an app has them. So a command revokes in the same order, with the same care for
 * logins beside the command. Without a namespace users go by the names that the store keeps.
 */
export function userSessions(store: OpenedStore['store'], namespace?: string): UserSessions {
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }
  const events = new SessionEvents(log, Date.now)
  // The app may have longer lifetimes than the default. A note that a command leaves has to outlive its sessions.
  const settings = resolveOptions({ rememberTimeout: '400d' }, 'production')
  return new UserSessions(settings, new TimedStore(store, ANSWER_TIMEOUT, events, namespace), events)
}

function ignore(): void {}
