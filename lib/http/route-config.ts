import type { FastifyInstance, RouteOptions } from 'fastify'
import { SecureSessionError } from '../errors.ts'
import { closest } from '../guard/read/nearest-name.ts'

/** The values of `config: { session }`, as source text. */
const CHOICES = ['false', "'passive'", "'stale-user'"]

/** The hooks that run before a handler, where `requireLogin` may stand. */
const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const

/** The key under which a route of this plugin keeps what it answers. Only the plugin sets it. */
export const DEVICE_ROUTE: unique symbol = Symbol('fastify-session-guard.device-route')

/** The parts of the protocol that the routes of this plugin answer. */
export type DeviceRoute = 'register' | 'refresh'

/** Returns the part of the protocol that a route answers; `undefined` for a route of the app. */
export function deviceRouteOf(config: object | undefined): DeviceRoute | undefined {
  return config && (Reflect.get(config, DEVICE_ROUTE) as DeviceRoute | undefined)
}

/** A route without a session, and the context in which it stands. */
interface FreeRoute {
  readonly context: FastifyInstance
  readonly route: RouteOptions
}

/** The session settings of routes. */
export class RouteConfigs {
  readonly #free: FreeRoute[] = []
  readonly #loginHooks = new WeakSet<object>()

  /** Notes a hook that `requireLogin` made. */
  addLoginHook(hook: object): void {
    this.#loginHooks.add(hook)
  }

  /**
   * Looks at a route that is registered.
   * @throws `SESSION_OPTION_INVALID`
   */
  add(context: FastifyInstance, route: RouteOptions): void {
    // A hook of this plugin answers before those of the app, so that no login is asked for.
    if (deviceRouteOf(route.config) !== undefined) return
    const session: unknown = route.config?.session
    if (session === undefined || session === 'passive' || session === 'stale-user') return
    if (session !== false) refuseChoice(session, route)
    this.#free.push({ context, route })
  }

  /** Returns the routes without a session that `requireLogin` guards, itself or as a hook of the whole context. */
  guardedWithoutSession(): readonly string[] {
    const guarded = this.#free.filter(
      ({ context, route }) => this.#isGuarded(route) || this.#isGuarded(hooksOf(context)),
    )
    return guarded.map(({ route }) => `${[route.method].flat().join(',')} ${route.url}`)
  }

  #isGuarded(hooks: object): boolean {
    const all = HOOKS.flatMap((name) => (Reflect.get(hooks, name) ?? []) as object | object[])
    return all.some((hook) => this.#loginHooks.has(hook))
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
