import type { FastifyReply, FastifyRequest } from 'fastify'
import { SecureSessionError } from '../errors.ts'
import { checkArguments, checkHandle, checkOptions, checkUserId } from '../session/call-options.ts'
import { parseDuration } from '../session/duration.ts'
import type { Engine } from '../session/engine.ts'
import { isHandle } from '../session/id.ts'
import type { RequestSession } from '../session/request-session.ts'
import { updateUserEverywhere } from '../session/update-user.ts'
import { observed } from '../session/work-queue.ts'
import { sweepAll } from '../storage/sweeper.ts'
import type { RequireLoginHook, RequireLoginOptions, Sessions } from '../../types/index.ts'
import { deviceRequired, reloadAfterLink } from './device-cookie.ts'
import { isPage, withNext } from './login-redirect.ts'
import { allSessionsOf, singleSessions } from './more-sessions.ts'
import type { SessionOf } from './request-decorators.ts'
import type { RouteConfigs } from './route-config.ts'

/** `app.requireLogin`. */
export function requireLoginFactory(
  engine: Engine,
  sessionOf: SessionOf,
  routes: { hasSudoRoute: boolean; readonly configs: RouteConfigs },
): (options?: RequireLoginOptions) => RequireLoginHook {
  return (options = {}, ...more: unknown[]) => {
    checkArguments('requireLogin', [options, ...more], 1)
    checkOptions('requireLogin', options)
    const wanted = {
      ...options,
      within: options.within === undefined ? Infinity : Number(parseDuration(options.within)),
    }
    if (wanted.deviceBound === true && engine.device === undefined) refuseDevice()
    if (wanted.within !== Infinity) routes.hasSudoRoute = true
    const hook: RequireLoginHook = (request, reply) => {
      let session: RequestSession | undefined
      try {
        session = sessionOf(request)
        return Promise.resolve(admit({ engine, session, request, reply }, wanted))
      } catch (error) {
        return refused(engine, session, error)
      }
    }
    routes.configs.addLoginHook(hook)
    return hook
  }
}

/** A request that asks for a route that wants a login. */
interface Visit {
  readonly engine: Engine
  readonly session: RequestSession
  readonly request: FastifyRequest
  readonly reply: FastifyReply | undefined
}

/** The options of `requireLogin`, with the age of a login in milliseconds. */
type Wanted = Omit<RequireLoginOptions, 'within'> & { readonly within: number }

/** Refuses a request that lacks what the route wants. Returns the reply of a page that is sent to the login instead. */
function admit({ engine, session, request, reply }: Visit, wanted: Wanted): FastifyReply | undefined {
  const { facts } = session
  const { within, methods = [], redirect, notActing = false, deviceBound = false } = wanted
  if (facts.userId === null) {
    const isReloaded = reply !== undefined && reloadAfterLink(request, reply, session)
    const isRedirected = redirect !== undefined && reply !== undefined && !isReloaded && isPage(request)
    if (isRedirected) return reply.redirect(withNext(redirect, request.originalUrl))
    throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
  }
  if (facts.isWithheld || (deviceBound && !facts.isDeviceBound)) {
    throw deviceRequired(engine, request, reply, session)
  }
  const isActing = facts.actor !== null
  if (notActing && isActing) throw new SecureSessionError('SESSION_ACTING')
  const missing = facts.missingMethods(methods, within)
  if (missing.length > 0) {
    throw new SecureSessionError('SESSION_STEP_UP_REQUIRED', { detail: `missing: ${missing.join(', ')}` })
  }
  if (within === Infinity || facts.isFresh(within)) return undefined
  throw new SecureSessionError('SESSION_LOGIN_TOO_OLD', isActing ? { detail: 'while acting as another user' } : {})
}

/** Refuses a request. A handler that calls the hook and forgets to await it is refused all the same. */
function refused({ events }: Engine, session: RequestSession | undefined, error: unknown): Promise<void> {
  const failure = Promise.reject(error)
  return session === undefined ? observed(failure, (unseen) => events.reportUnseen(unseen)) : session.watch(failure)
}

function refuseDevice(): never {
  const detail = 'deviceBound of requireLogin needs the option deviceBound of register'
  throw new SecureSessionError('SESSION_OPTION_INVALID', { detail })
}

/** The calls of `app.sessions`. */
type Calls = Omit<Sessions, 'events'>

/** The number of arguments that each call takes. */
const ARGUMENTS: Readonly<Record<keyof Calls, number>> = {
  get: 1,
  update: 2,
  rename: 3,
  open: 1,
  list: 2,
  revoke: 2,
  revokeUser: 2,
  updateUser: 2,
  revokeAll: 1,
  all: 0,
  count: 0,
  sweep: 0,
}

/** `app.sessions`. */
export function sessionsApi(engine: Engine): Sessions {
  const { users, store, events, settings } = engine
  const calls: Calls = {
    ...singleSessions(engine),
    ...allSessionsOf(engine),
    list: async (userId, options = {}) => {
      checkUserId('list', userId)
      checkOptions('list', options)
      return users.list(userId, options.current)
    },
    // The handle may come from a form: only what can be one reaches the store.
    revoke: async (handle, owner) => {
      checkOptions('revoke', owner)
      checkUserId('revoke', owner.userId)
      checkHandle('revoke', handle)
      return isHandle(handle) && users.revoke(handle, owner.userId, 'revoked')
    },
    revokeUser: async (userId, options = {}) => {
      checkUserId('revokeUser', userId)
      checkOptions('revokeUser', options)
      return users.revokeUser(userId, options.except, 'revoked')
    },
    updateUser: async (userId, user) => {
      checkUserId('updateUser', userId)
      return updateUserEverywhere(engine, userId, user)
    },
    sweep: () => sweepAll((limit) => store.sweep(settings.clock(), limit)),
  }
  const report = (error: unknown): void => events.reportUnseen(error)
  const guarded = Object.entries(calls).map(([name, call]) => [name, guardedCall(name as keyof Calls, call, report)])
  // Each member is the call of its name.
  return { ...(Object.fromEntries(guarded) as Calls), events: events.emitter }
}

/**
 * Makes a call refuse surplus arguments. A failure that the app forgets to await is reported, and does not end the
 * process.
 */
function guardedCall(
  name: keyof Calls,
  call: (...rest: never[]) => unknown,
  report: (error: unknown) => void,
): (...rest: unknown[]) => unknown {
  const run = (rest: unknown[]): unknown => {
    checkArguments(name, rest, ARGUMENTS[name])
    return call(...(rest as never[]))
  }
  // An iterator is no promise.
  if (name === 'all') return (...rest) => run(rest)
  return (...rest) => observed((async () => run(rest))(), report)
}
