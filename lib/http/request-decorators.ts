import type { FastifyRequest } from 'fastify'
import { SecureSessionError } from '../errors.ts'
import type { Settings } from '../options.ts'
import type { SessionRequest } from './request-slot.ts'
import { SLOT } from './request-slot.ts'
import { actAs, confirmLogin, login, stopActing, updateAuthHash, updateUser } from '../session/actions.ts'
import { checkArguments } from '../session/call-options.ts'
import type { RequestFacts } from '../session/request-facts.ts'
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
  const ofSession = <Fact>(read: (session: RequestSession) => Fact, nobody: Fact) => {
    return (request: FastifyRequest): Fact =>
      (request as SessionRequest)[SLOT] === 'opted-out' ? nobody : read(sessionOf(request))
  }
  const fact = <Fact>(read: (facts: RequestFacts) => Fact, nobody: Fact) =>
    ofSession(({ facts }) => (facts.isWithheld ? nobody : read(facts)), nobody)
  const userOf = fact(({ user }) => user, null)
  const sessionToken = ofSession((session) => session.takeToken(), null)
  const actor = fact((facts) => facts.actor, null)
  const pendingUser = ofSession(({ facts }) => facts.pendingUser, null)
  const authenticatedAt = fact((facts) => facts.authenticatedAt, null)
  const isAuthenticated = fact(({ userId }) => userId !== null, false)
  const method = methodsOn(sessionOf)
  return [
    ['session', { ...property((session) => session.object), setter: refuseAssignment }],
    [names.user, { getter: own(userOf), setter: refuseUser }],
    method(names.requireUser, 0, requireUser),
    [names.pendingUser, { getter: own(pendingUser) }],
    [names.sessionToken, { getter: own(sessionToken) }],
    [names.actor, { getter: own(actor) }],
    [names.authenticatedAt, { getter: own(authenticatedAt) }],
    [names.isAuthenticated, withoutArguments(names.isAuthenticated, isAuthenticated)],
    method(names.login, 2, (session, user: SessionUser, options?: LoginOptions) => login(session, user, options)),
    method(names.logout, 1, (session, options?: LogoutOptions) => session.logout(options)),
    ...changesOfLogin(names, sessionOf),
  ]
}

/** The methods that need somebody who is logged in. */
function changesOfLogin(names: Settings['decorators'], sessionOf: SessionOf): [name: string, decorator: Method][] {
  const method = methodsOn((request) => refuseWithheld(sessionOf(request)))
  return [
    method(names.actAs, 2, (session, user: SessionUser, options: ActAsOptions) => actAs(session, user, options)),
    method(names.stopActing, 0, (session) => stopActing(session)),
    method(names.confirmLogin, 1, (session, options?: ConfirmLoginOptions) => confirmLogin(session, options)),
    method(names.updateAuthHash, 1, (session, authHash?: string) => updateAuthHash(session, authHash)),
    method(names.updateUser, 1, (session, user: SessionUser) => updateUser(session, user)),
  ]
}

/** Something that a method does with a session. */
type Act = (session: RequestSession, ...rest: never[]) => unknown

/** Returns how to make a method, with its name and the number of its arguments. */
function methodsOn(sessionOf: SessionOf): (name: string, most: number, act: Act) => [name: string, decorator: Method] {
  return (name, most, act) => [
    name,
    function (...rest) {
      checkArguments(name, rest, most)
      return act(sessionOf(this), ...rest)
    },
  ]
}

function withoutArguments<Fact>(name: string, read: (request: FastifyRequest) => Fact): Method {
  return function (...rest) {
    checkArguments(name, rest, 0)
    return read(this)
  }
}

function own<Fact>(read: (request: FastifyRequest) => Fact): (this: FastifyRequest) => Fact {
  return function () {
    return read(this)
  }
}

/** Shows the same snapshot as `req.user`, without the case of nobody. */
function requireUser(session: RequestSession): SessionUser {
  const { user } = refuseWithheld(session).facts
  if (user === null) throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
  return user
}

/** @throws `SESSION_DEVICE_REQUIRED` if the app asks for a device, and the session has none */
function refuseWithheld(session: RequestSession): RequestSession {
  if (session.facts.isWithheld) throw new SecureSessionError('SESSION_DEVICE_REQUIRED')
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
