import { login as logIn } from '../session/actions.ts'
import type { EngineSession } from '../session/engine.ts'
import { RequestSession } from '../session/request-session.ts'
import type { LoginOptions, SessionUser } from '../../types/index.ts'
import type { TestedApp } from './app-engine.ts'
import { engineOf } from './app-engine.ts'

/** The optional facts of a login in a test. */
export interface LoginAsOptions extends Omit<LoginOptions, 'keep'> {
  /** The data of the session. Default: none. */
  readonly data?: Readonly<Record<string, unknown>>
  /** The user agent in the device list. Default `''`. */
  readonly userAgent?: string
  /** The address in the device list. Default `'127.0.0.1'`. */
  readonly ip?: string
}

/**
 * Logs a user in without a form, a password or a request, as Django's `force_login` does. Resolves to the value of a
 * `cookie` header for `app.inject`:
 *
 * ```ts
 * const cookie = await loginAs(app, { id: 'u1', name: 'Ada' })
 * const page = await app.inject({ url: '/account', headers: { cookie } })
 * ```
 *
 * The login is a real one: the app's store, limits, `authHash` and events take part. No HTTP request can reach this
 * function. Waits for `app.ready()`.
 * @throws TypeError when the plugin is not registered on this app, or only inside one of its child contexts
 * @throws `SESSION_USER_INVALID`, `SESSION_LIMIT_REACHED`, `SESSION_KEY_RESERVED`, `SESSION_STORE_UNAVAILABLE`
 */
export async function loginAs<User extends SessionUser>(
  app: TestedApp,
  user: User,
  options: LoginAsOptions = {},
): Promise<string> {
  const { data = {}, userAgent = '', ip = '127.0.0.1', ...login } = options
  const engine = await engineOf(app)
  const session = new RequestSession(engine, { protocol: 'https', userAgent, ip }, { state: 'none' })
  await logIn(session, user, login)
  // A login leaves a session object in place, or puts one there.
  Object.assign(session.object as EngineSession, data)
  await session.save()
  // A login that was saved has minted an id.
  const { value } = session.response.cookie as { value: string }
  return `${engine.settings.cookie.name}=${value}`
}
