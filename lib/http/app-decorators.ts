import { parseDuration } from '../session/duration.ts'
import { SecureSessionError } from '../errors.ts'
import type { SessionOf } from './request-decorators.ts'
import { isHandle } from '../session/id.ts'
import type { Parts } from '../session/parts.ts'
import { sweepAll } from '../storage/sweeper.ts'
import type { RequireLoginHook, RequireLoginOptions, Sessions } from '../../types/index.ts'

/** `app.requireLogin`. */
export function requireLoginFactory(
  parts: Parts,
  sessionOf: SessionOf,
  routes: { hasSudoRoute: boolean; readonly guards: WeakSet<object> },
): (options?: RequireLoginOptions) => RequireLoginHook {
  return (options = {}) => {
    const within = options.within === undefined ? Infinity : parseDuration(options.within)
    if (within === undefined) {
      throw new SecureSessionError('SESSION_OPTION_INVALID', { detail: "within is a duration such as '10m'" })
    }
    if (within !== Infinity) routes.hasSudoRoute = true
    const hook: RequireLoginHook = async (request) => {
      const { authenticatedAt } = sessionOf(request)
      if (authenticatedAt === null) throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
      if (parts.settings.clock() - authenticatedAt.getTime() >= within) {
        throw new SecureSessionError('SESSION_LOGIN_TOO_OLD')
      }
    }
    routes.guards.add(hook)
    return hook
  }
}

/** `app.sessions`. */
export function sessionsApi({ users, store, events, settings }: Parts): Sessions {
  return {
    list: (userId) => users.list(userId),
    // The handle may come from a form: only what can be one reaches the store.
    revoke: async (handle, { userId }) => isHandle(handle) && users.revoke(handle, userId, 'revoked'),
    revokeUser: (userId, options) => users.revokeUser(userId, options?.except, 'revoked'),
    sweep: () => sweepAll((limit) => store.sweep(settings.clock(), limit)),
    events: events.emitter,
  }
}
