import type { FastifyInstance, RouteOptions } from 'fastify'
import { SecureSessionError } from '../errors.ts'
import { closest } from '../guard/read/nearest-name.ts'

/** The values of `config: { session }`, as source text. */
const CHOICES = ['false', "'passive'", "'stale-user'"]

/** The hooks that run before a handler, where `requireLogin` may stand. */
const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const

/** A route without a session, and the context in which it stands. */
interface FreeRoute {
  readonly context: FastifyInstance
  readonly route: RouteOptions
}

/**
 * Looks at the session settings of routes. `requireLogin` on a route without a session could let nobody in, and whoever wrote
 * `session: false` there meant something else.
 */
export class RouteConfigs {
  readonly #free: FreeRoute[] = []
  readonly #loginHooks = new WeakSet<object>()

  /** Notes a hook that `requireLogin` made. */
  addLoginHook(hook: object): void {
    this.#loginHooks.add(hook)
  }

  /**
   * Looks at a route that is registered.
   * @throws `SESSION_OPTION_INVALID`, `SESSION_ROUTE_OPTED_OUT`
   */
  add(context: FastifyInstance, route: RouteOptions): void {
    const session: unknown = route.config?.session
    if (session === undefined || session === 'passive' || session === 'stale-user') return
    if (session !== false) refuseChoice(session, route)
    this.#refuseLogin(route, route)
    this.#free.push({ context, route })
  }

  /**
   * Looks at the hooks that apply to a whole context, once all hooks are there.
   * @throws `SESSION_ROUTE_OPTED_OUT`
   */
  checkContexts(): void {
    for (const { context, route } of this.#free) this.#refuseLogin(hooksOf(context), route)
  }

  #refuseLogin(hooks: object, { method, url }: RouteOptions): void {
    const all = HOOKS.flatMap((name) => (Reflect.get(hooks, name) ?? []) as object | object[])
    if (!all.some((hook) => this.#loginHooks.has(hook))) return
    const detail = `requireLogin guards ${String(method)} ${url}, where nobody can be logged in`
    throw new SecureSessionError('SESSION_ROUTE_OPTED_OUT', { detail })
  }
}

/** Returns the hooks of a context. Fastify keeps them under a symbol, and shows them nowhere else. */
function hooksOf(context: FastifyInstance): object {
  const symbol = Object.getOwnPropertySymbols(context).find(({ description }) => description === 'fastify.hooks')
  return symbol === undefined ? {} : (Reflect.get(context, symbol) as object)
}

function refuseChoice(given: unknown, { method, url }: RouteOptions): never {
  const near = typeof given === 'string' ? closest(`'${given}'`, CHOICES) : undefined
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  const detail = `config.session of ${String(method)} ${url} is one of ${CHOICES.join(', ')}${hint}`
  throw new SecureSessionError('SESSION_OPTION_INVALID', { detail })
}
