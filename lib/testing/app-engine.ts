import { ENGINE } from '../session/engine.ts'
import type { Engine } from '../session/engine.ts'

/** The part of a Fastify app that the helpers use. */
export interface TestedApp {
  ready(): PromiseLike<unknown>
}

/**
 * Returns the engine of an app, once the app has loaded.
 * @throws TypeError when the value is no Fastify app, or the plugin is not registered on this app
 */
export async function engineOf(app: TestedApp): Promise<Engine> {
  // A test in plain JavaScript may have forgotten the app, or its `await`.
  if (typeof (app as TestedApp | null | undefined)?.ready !== 'function') {
    throw new TypeError('this helper takes a Fastify app as its first argument')
  }
  await app.ready()
  const reveal: unknown = Reflect.get(app, ENGINE)
  if (typeof reveal !== 'function') throw new TypeError('fastify-session-guard is not registered on this app')
  // The plugin alone decorates this name.
  return (reveal as () => Engine)()
}
