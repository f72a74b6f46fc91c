import type { FastifyRequest } from 'fastify'
import { SecureSessionError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { confirmLogin, login, updateAuthHash } from '../session/actions.ts'
import type { RequestSession } from '../session/request-session.ts'
import type { ConfirmLoginOptions, LoginOptions, LogoutOptions, SessionUser } from '../../types/index.ts'

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
  const method = (act: (session: RequestSession, ...rest: never[]) => unknown): Method =>
    function (...rest) {
      return act(sessionOf(this), ...rest)
    }
  return [
    ['session', { ...property((session) => session.object), setter: refuseAssignment }],
    [names.user, property((session) => session.user)],
    [names.requireUser, method(requireUser)],
    [names.authenticatedAt, property((session) => session.authenticatedAt)],
    [names.isAuthenticated, method((session) => session.userId !== null)],
    [names.login, method((session, user: SessionUser, options?: LoginOptions) => login(session, user, options))],
    [names.logout, method((session, options?: LogoutOptions) => session.logout(options))],
    [names.confirmLogin, method((session, options?: ConfirmLoginOptions) => confirmLogin(session, options))],
    [names.updateAuthHash, method((session, authHash?: string) => updateAuthHash(session, authHash))],
  ]
}

/** Shows the same snapshot as `req.user`, without the case of nobody. */
function requireUser({ user }: RequestSession): SessionUser {
  if (user === null) throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
  return user
}

function refuseAssignment(): never {
  throw new SecureSessionError('SESSION_OPTION_INVALID', {
    detail: 'req.session is not assigned; end it with req.logout() or req.session.destroy()',
  })
}
