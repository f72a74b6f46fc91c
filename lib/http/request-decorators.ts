import type { FastifyRequest } from 'fastify'
import { SecureSessionError } from '../errors.ts'
import type { Settings } from '../options.ts'
import type { SessionRequest } from './request-slot.ts'
import { SLOT } from './request-slot.ts'
import { actAs, confirmLogin, login, stopActing, updateAuthHash, updateUser } from '../session/actions.ts'
import type { RequestSession } from '../session/request-session.ts'
import { USER_IS_READ_ONLY } from '../session/user-snapshot.ts'
import type { ActAsOptions, ConfirmLoginOptions, LoginOptions, LogoutOptions, SessionUser } from '../../types/index.ts'

/** Finds, or makes, the session of a request. */
export type SessionOf = (request: FastifyRequest) => RequestSession

/** The decorator that `decorateRequest` gets for each name. */
export type RequestDecorator = Method | Property

type Method = (this: FastifyRequest, ...rest: never[]) => unknown

interface Property {
  getter(this: FastifyRequest): unknown
  setter?(this: FastifyRequest, value: unknown): void
}

/** Everything a request gets, under the names of this app. */
export function requestDecorators(
  names: Settings['decorators'],
  sessionOf: SessionOf,
): [name: string, decorator: RequestDecorator][] {
  const property = (read: (session: RequestSession) => unknown): Property => ({
    getter() {
      return read(sessionOf(this))
    },
  })
  // A hook that looks at the user runs on every route, also where the app wants no session.
  const fact = <Fact>(read: (session: RequestSession) => Fact, nobody: Fact): ((request: FastifyRequest) => Fact) => {
    return (request) => ((request as SessionRequest)[SLOT] === 'opted-out' ? nobody : read(sessionOf(request)))
  }
  const userOf = fact((session) => (session.isWithheld ? null : session.user), null)
  const sessionToken = fact((session) => session.takeToken(), null)
  const actor = fact((session) => (session.isWithheld ? null : session.actor), null)
  const pendingUser = fact((session) => session.pendingUser, null)
  const authenticatedAt = fact((session) => (session.isWithheld ? null : session.authenticatedAt), null)
  const isAuthenticated = fact((session) => session.userId !== null && !session.isWithheld, false)
  const method = (act: (session: RequestSession, ...rest: never[]) => unknown): Method =>
    function (...rest) {
      return act(sessionOf(this), ...rest)
    }
  return [
    ['session', { ...property((session) => session.object), setter: refuseAssignment }],
    [names.user, { getter: own(userOf), setter: refuseUser }],
    [names.requireUser, method(requireUser)],
    [names.pendingUser, { getter: own(pendingUser) }],
    [names.sessionToken, { getter: own(sessionToken) }],
    [names.actor, { getter: own(actor) }],
    [names.authenticatedAt, { getter: own(authenticatedAt) }],
    [names.isAuthenticated, own(isAuthenticated)],
    [names.login, method((session, user: SessionUser, options?: LoginOptions) => login(session, user, options))],
    [names.logout, method((session, options?: LogoutOptions) => session.logout(options))],
    ...changesOfLogin(names, sessionOf),
  ]
}

/** The methods that need somebody who is logged in. */
function changesOfLogin(names: Settings['decorators'], sessionOf: SessionOf): [name: string, decorator: Method][] {
  const method = (act: (session: RequestSession, ...rest: never[]) => unknown): Method =>
    function (...rest) {
      return act(refuseWithheld(sessionOf(this)), ...rest)
    }
  return [
    [names.actAs, method((session, user: SessionUser, options: ActAsOptions) => actAs(session, user, options))],
    [names.stopActing, method((session) => stopActing(session))],
    [names.confirmLogin, method((session, options?: ConfirmLoginOptions) => confirmLogin(session, options))],
    [names.updateAuthHash, method((session, authHash?: string) => updateAuthHash(session, authHash))],
    [names.updateUser, method((session, user: SessionUser) => updateUser(session, user))],
  ]
}

/** Makes a function of the request a member of the request. */
function own<Fact>(read: (request: FastifyRequest) => Fact): (this: FastifyRequest) => Fact {
  return function () {
    return read(this)
  }
}

/** Shows the same snapshot as `req.user`, without the case of nobody. */
function requireUser(session: RequestSession): SessionUser {
  const { user } = refuseWithheld(session)
  if (user === null) throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
  return user
}

/** @throws `SESSION_DEVICE_REQUIRED` if the app asks for a device, and the session has none */
function refuseWithheld(session: RequestSession): RequestSession {
  if (session.isWithheld) throw new SecureSessionError('SESSION_DEVICE_REQUIRED')
  return session
}

function refuseUser(): never {
  throw new SecureSessionError('SESSION_OPTION_INVALID', { detail: USER_IS_READ_ONLY })
}

function refuseAssignment(): never {
  throw new SecureSessionError('SESSION_OPTION_INVALID', {
    detail: 'req.session is not assigned; end it with req.logout() or req.session.destroy()',
  })
}
