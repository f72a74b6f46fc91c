import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { checkConfig, environmentLine } from '../guard/check.ts'
import {
  appsIn,
  describeExports,
  functionIn,
  isApp,
  isClass,
  isPlugin,
  optionsIn,
  startableIn,
  starterOf,
} from './exports.ts'
import type { AnyFunction } from './exports.ts'
import type { App, AppWatch } from './watch-app.ts'

/** The time that a module that calls `listen` may take to get there before its exports are tried, in milliseconds. */
const STARTING_GRACE = 5_000
/** The same for a module that does not mention `listen`. */
const LOADED_GRACE = 500

/**
 * Boots what a loaded module made or exports, until the guard has reported. Apps come first, then a function or a class
 * that makes an app, then options. Ends the process.
 */
export async function bootExports(exported: Record<string, unknown>, file: string, watch: AppWatch): Promise<void> {
  const apps = await appsIn(exported)
  const builder = functionIn(exported) ?? startableIn(exported)
  const options = optionsIn(exported)
  const isWaited = apps.length === 0 && builder === undefined && options === undefined
  const grace = readFileSync(file, 'utf8').includes('.listen(') ? STARTING_GRACE : LOADED_GRACE
  // A module without exports may take as long as the parent process allows.
  await watch.quiet(isWaited && watch.apps.size === 0 ? 2 ** 31 - 1 : grace)

  for (const app of apps) watch.apps.add(app)
  await bootApps(watch)
  if (watch.reportCount() === 0 && builder !== undefined) await tryFunction(builder, file, watch)
  if (watch.reportCount() === 0 && options !== undefined) judge(options, watch)
  if (watch.reportCount() > 0) return watch.finish()
  return watch.finish(watch.apps.size > 0 ? 'it does not register fastify-session-guard' : describeExports(exported))
}

async function bootApps(watch: AppWatch): Promise<void> {
  for (const app of watch.apps) await app.ready().then(undefined, (error) => watch.addError(error))
}

async function tryFunction(builder: AnyFunction, file: string, watch: AppWatch): Promise<void> {
  try {
    const built = isPlugin(builder) ? register(builder, file, watch) : await call(builder, file, watch)
    if (!isApp(built)) await bootObject(built, watch)
    for (const starter of [starterOf(built), isClass(builder) ? starterOf(builder) : undefined]) {
      if (watch.apps.size > 0 || watch.reportCount() > 0 || starter === undefined) continue
      await bootObject({ started: await starter(), built }, watch)
      await bootObject(built, watch)
    }
    // A function that returns nothing may have begun to start an app.
    if (watch.apps.size === 0 && watch.reportCount() === 0) await watch.quiet(STARTING_GRACE)
  } catch (error) {
    watch.addError(error, builder.name)
  }
  await bootApps(watch)
}

/** Judges the product of a function or a class: options, or an object that holds an app. */
async function bootObject(built: unknown, watch: AppWatch): Promise<void> {
  if (typeof built !== 'object' || built === null) return
  const held = await appsIn(built as Record<string, unknown>)
  for (const app of held) watch.apps.add(app)
  const options = held.length === 0 ? optionsIn({ default: built }) : undefined
  if (options !== undefined) judge(options, watch)
}

async function call(builder: AnyFunction, file: string, watch: AppWatch): Promise<unknown> {
  if (isClass(builder)) return Reflect.construct(builder, []) as unknown
  try {
    return await builder({})
  } catch (error) {
    // A plugin that was mistaken for a builder: what it got has no `register`.
    if (builder.length === 1 && error instanceof TypeError && /register|is not a function/.test(error.message)) {
      return register(builder, file, watch)
    }
    throw error
  }
}

/** Makes an app around a plugin. The app is made by the module's own copy of Fastify. */
function register(plugin: AnyFunction, file: string, watch: AppWatch): void {
  const fastify = createRequire(file)('fastify') as () => App
  const app = fastify()
  app.register(plugin)
  watch.apps.add(app)
}

function judge(options: object, watch: AppWatch): void {
  const findings = checkConfig(options, process.env)
  watch.addReport({ findings, environment: environmentLine(options, process.env), options })
}
