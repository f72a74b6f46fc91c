import { PARTS } from '../session/parts.ts'
import type { Parts } from '../session/parts.ts'

/** As much of a Fastify app as the helpers need. */
export interface TestedApp {
  ready(): PromiseLike<unknown>
}

/** What the plugin left on an app that has loaded. */
export async function partsOf(app: TestedApp): Promise<Parts> {
  await app.ready()
  const reveal: unknown = Reflect.get(app, PARTS)
  if (typeof reveal !== 'function') throw new TypeError('fastify-session-guard is not registered on this app')
  // Only the plugin decorates this name.
  return (reveal as () => Parts)()
}
