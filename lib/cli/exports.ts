import { ROOT_NAMES } from '../guard/read/schema.ts'
import type { App } from './watch-app.ts'

export type AnyFunction = (...parameters: unknown[]) => unknown

/** Names of exports that are session options whatever they hold. */
const OPTIONS_NAMES = ['options', 'sessionOptions', 'secureSessionOptions', 'session', 'secureSession']

/** Functions that make an app, the likeliest first. */
const BUILDER_NAMES = [
  /^(default|build|create|make)$/i,
  /^(build|create|make|new|init|setup|configure|get)_?(fastify|http)?_?(app|server|application|api|fastify|instance)$/i,
  /^(app|server|fastify|application|api|plugin|handler)$/i,
  /^(bootstrap|init|setup|main)(_?(app|server|application|api))?$/i,
  /^(start|run|serve|launch)(_?(app|server|application|api))?$/i,
]

/** The exports by name. CommonJS puts all of them into `default`, and so does compiled TypeScript. */
function flatten(exported: Record<string, unknown>): Map<string, unknown> {
  const found = new Map<string, unknown>()
  for (const [name, value] of entriesOf(exported)) {
    if (name === 'module.exports' || name === '__esModule' || value === undefined) continue
    if (name === 'default' && isPlainObject(value)) {
      for (const [inner, held] of flatten(value)) if (!found.has(inner)) found.set(inner, held)
    }
    if (name !== 'default' || !isPlainObject(value) || !found.has('default')) found.set(name, value)
  }
  return found
}

function entriesOf(exported: Record<string, unknown>): [string, unknown][] {
  return Object.keys(exported).flatMap((name): [string, unknown][] => {
    try {
      return [[name, exported[name]]]
    } catch {
      // An export that cannot be read yet, or a getter that throws.
      return []
    }
  })
}

/** Every Fastify app among the exports, promises of apps included. */
export async function appsIn(exported: Record<string, unknown>): Promise<App[]> {
  const apps = new Set<App>()
  for (const value of flatten(exported).values()) {
    const settled = value instanceof Promise ? await value.catch(() => undefined) : value
    if (isApp(settled)) apps.add(settled)
  }
  return [...apps]
}

/** The exported function or class that most likely makes an app: the likeliest name, or the only function. */
export function functionIn(exported: Record<string, unknown>): AnyFunction | undefined {
  const functions = [...flatten(exported)].filter((entry): entry is [string, AnyFunction] => {
    return typeof entry[1] === 'function'
  })
  for (const names of BUILDER_NAMES) {
    const named = functions.find(([name]) => names.test(name))
    if (named !== undefined) return named[1]
  }
  const [only, ...others] = new Set(functions.map(([, value]) => value))
  return others.length === 0 ? only : undefined
}

/** Methods that start an app, or make one, the likeliest first. */
const STARTER_NAMES = [
  /^(build|create|make|init|setup|bootstrap)(_?(app|server|application|api))?$/i,
  /^(start|run|serve|launch|listen|main)(_?(app|server|application|api))?$/i,
]

/** Returns the method of an object or a class that most likely starts an app, or makes one. */
export function starterOf(subject: unknown): AnyFunction | undefined {
  if ((typeof subject !== 'object' && typeof subject !== 'function') || subject === null) return undefined
  const names = [...Object.keys(subject), ...methodsOf(subject)]
  for (const pattern of STARTER_NAMES) {
    const name = names.find((one) => pattern.test(one) && typeof memberOf(subject, one) === 'function')
    if (name !== undefined) return namedAfter(subject, name)
  }
  return undefined
}

function methodsOf(subject: object): string[] {
  const owner: unknown = typeof subject === 'function' ? subject : Object.getPrototypeOf(subject)
  return owner === null || owner === Object.prototype ? [] : Object.getOwnPropertyNames(owner)
}

function memberOf(subject: object, name: string): unknown {
  try {
    return Reflect.get(subject, name)
  } catch {
    return undefined
  }
}

/** A method that keeps its object, under its own name. */
function namedAfter(subject: object, name: string): AnyFunction {
  const method = memberOf(subject, name) as AnyFunction
  return Object.defineProperty((...parameters: unknown[]) => method.apply(subject, parameters), 'name', { value: name })
}

/** The first exported object that has a method to start it. */
export function startableIn(exported: Record<string, unknown>): AnyFunction | undefined {
  for (const value of flatten(exported).values()) {
    const starter = typeof value === 'object' && !isApp(value) ? starterOf(value) : undefined
    if (starter !== undefined) return starter
  }
  return undefined
}

/**
 * Returns session options among the exports. They are an object under a name that says so, or a default export with an
 * option in it.
 */
export function optionsIn(exported: Record<string, unknown>): object | undefined {
  const found = flatten(exported)
  const whole = exported['default']
  if (isPlainObject(whole) && hasOption(whole)) return whole
  for (const name of OPTIONS_NAMES) {
    const value = found.get(name)
    if (isPlainObject(value)) return value
  }
  return [...found.values()].find((value) => isPlainObject(value) && hasOption(value)) as object | undefined
}

function hasOption(value: object): boolean {
  return Object.keys(value).some((name) => ROOT_NAMES.includes(name))
}

/** Says why none of the exports could be judged, and which exports there are. */
export function describeExports(exported: Record<string, unknown>): string {
  const named = [...flatten(exported)].filter(([, value]) => !isPlainObject(value) || Object.keys(value).length > 0)
  const found = named.map(([name, value]) => `${name} (${kindOf(value)})`)
  const what = 'it made no Fastify app, and exports no app, no function that makes one, no session options'
  return found.length === 0 ? what : `${what}. Found: ${found.slice(0, MAX_LISTED).join(', ')}`
}

const MAX_LISTED = 12

function kindOf(value: unknown): string {
  if (typeof value === 'function') return isClass(value as AnyFunction) ? 'class' : 'function'
  return value === null ? 'null' : typeof value
}

export function isApp(value: unknown): value is App {
  if (typeof value !== 'object' || value === null) return false
  return ['ready', 'register', 'inject'].every((method) => typeof Reflect.get(value, method) === 'function')
}

export function isClass(subject: AnyFunction): boolean {
  return /^class\b/.test(sourceOf(subject))
}

/**
 * Tells whether a function is a plugin. A plugin is made by fastify-plugin, has two parameters, or has one parameter
 * that is named like an app.
 */
export function isPlugin(subject: AnyFunction): boolean {
  if (subject.length > 1 || Object.hasOwn(subject, Symbol.for('skip-override'))) return true
  return /^(async\s+)?(function\s*\*?\s*[\w$]*\s*)?\(?\s*(fastify|app|server|instance|scope|api)\b\s*[,)=]/.test(
    sourceOf(subject),
  )
}

function sourceOf(subject: AnyFunction): string {
  return Function.prototype.toString.call(subject)
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || isApp(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
