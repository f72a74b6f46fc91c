import type { FastifyRequest } from 'fastify'
import type { DecoratorNames, LoginOptions, LogoutOptions, SessionUser } from '../types/index.ts'
import { SecureSessionError } from './errors.ts'
import type { RequestSession } from './session/request-session.ts'

/** Finds, or makes, the session of a request. */
export type SessionOf = (request: FastifyRequest) => RequestSession

/** What `decorateRequest` takes for each name. */
export type RequestDecorator =
  | ((this: FastifyRequest, ...rest: never[]) => unknown)
  | { getter(this: FastifyRequest): unknown; setter?(this: FastifyRequest, value: never): void }

/** Everything a request gets, under the names of this app. */
export function requestDecorators(
  names: Readonly<Required<DecoratorNames>>,
  sessionOf: SessionOf,
): [name: string, decorator: RequestDecorator][] {
  return [
    [
      'session',
      {
        getter() {
          return sessionOf(this).session
        },
        setter() {
          throw new SecureSessionError('SESSION_OPTION_INVALID', {
            detail: 'req.session is not assigned; end it with req.logout() or req.session.destroy()',
          })
        },
      },
    ],
    [
      names.user,
      {
        getter() {
          return sessionOf(this).user
        },
      },
    ],
    [
      names.authenticatedAt,
      {
        getter() {
          return sessionOf(this).authenticatedAt
        },
      },
    ],
    [
      names.isAuthenticated,
      function () {
        return sessionOf(this).userId !== null
      },
    ],
    [
      names.login,
      async function (user: SessionUser, options?: LoginOptions) {
        await sessionOf(this).login(user, options)
      },
    ],
    [
      names.logout,
      async function (options?: LogoutOptions) {
        await sessionOf(this).logout(options)
      },
    ],
    [
      names.confirmLogin,
      async function () {
        await sessionOf(this).confirmLogin()
      },
    ],
    [
      names.updateAuthHash,
      async function (authHash?: string) {
        await sessionOf(this).updateAuthHash(authHash)
      },
    ],
  ]
}
