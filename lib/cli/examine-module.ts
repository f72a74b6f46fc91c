import { Server } from 'node:net'
import { pathToFileURL } from 'node:url'
import { checkConfig, environmentLine } from '../guard/check.ts'
import { onReport } from '../guard/report/channel.ts'
import type { GuardReport } from '../guard/report/channel.ts'

/** What came of loading a module. */
export interface ModuleReport {
  readonly reports: readonly GuardReport[]
  /** Why it could not be loaded, or not to its end. */
  readonly failure?: string
}

/** As much of a Fastify app as is needed to boot one. */
interface App {
  ready(): PromiseLike<unknown>
  register(plugin: unknown): unknown
}

type AnyFunction = (...parameters: unknown[]) => unknown

const EXPORTS = [
  'default',
  'app',
  'server',
  'fastify',
  'buildApp',
  'build',
  'createApp',
  'options',
  'sessionOptions',
  'secureSessionOptions',
]

/**
 * Loads a module, boots the app in it, and hears what the guard says on the way. No server of this process listens meanwhile.
 * Never rejects. The app is left as it is: the process is not meant to live on.
 */
export async function examineModule(file: string): Promise<ModuleReport> {
  const reports: GuardReport[] = []
  onReport((report) => reports.push(report))
  const { reached, restore } = interceptListen()
  try {
    await Promise.race([bootModule(file, reports), reached])
  } catch (error) {
    const failure = failureOf(error)
    if (failure !== undefined) return { reports, failure }
  } finally {
    restore()
  }
  return reports.length === 0 ? { reports, failure: 'it does not register fastify-session-guard' } : { reports }
}

/** An app that listens while it is being loaded gets as far as this: the guard has spoken by then, and no port is opened. */
function interceptListen(): { reached: Promise<void>; restore: () => void } {
  const listen: Server['listen'] = Reflect.get(Server.prototype, 'listen')
  const reached = new Promise<void>((resolve) => {
    Server.prototype.listen = function intercepted() {
      resolve()
      return this
    }
  })
  return {
    reached,
    restore: () => {
      Server.prototype.listen = listen
    },
  }
}

async function bootModule(file: string, reports: GuardReport[]): Promise<void> {
  const exported = (await import(pathToFileURL(file).href)) as Record<string, unknown>
  const subject = await pick(exported)
  const options = typeof subject === 'function' ? await callFunction(subject as AnyFunction) : await boot(subject)
  if (options === undefined || reports.length > 0) return
  reports.push({
    findings: checkConfig(options, process.env),
    environment: environmentLine(options, process.env),
  })
}

/** The first export that could be meant; CommonJS puts them all into `default`. */
async function pick(exported: Record<string, unknown>): Promise<unknown> {
  for (const name of EXPORTS) {
    const value = await exported[name]
    if (value === undefined) continue
    const inner = isObject(value) && !isApp(value) ? EXPORTS.find((other) => value[other] !== undefined) : undefined
    return inner === undefined ? value : (value as Record<string, unknown>)[inner]
  }
  return undefined
}

/** A function that builds an app or options; or, as it fails on that or takes two parameters, a plugin. */
async function callFunction(subject: AnyFunction): Promise<object | undefined> {
  const built = isPlugin(subject) ? undefined : await build(subject)
  if (built !== undefined) return await boot(built)
  const { default: fastify } = await import('fastify')
  const app: App = fastify()
  app.register(subject)
  return await boot(app)
}

/** Boots an app; what is none may be options. */
async function boot(subject: unknown): Promise<object | undefined> {
  if (!isObject(subject)) {
    throw new Error('it exports no Fastify app, no function that makes one, no options')
  }
  if (!isApp(subject)) return subject
  await subject.ready()
  return undefined
}

function isPlugin(subject: AnyFunction): boolean {
  return subject.length > 1 || Object.hasOwn(subject, Symbol.for('skip-override'))
}

async function build(subject: AnyFunction): Promise<unknown> {
  try {
    return await subject({})
  } catch (error) {
    // A plugin that was mistaken for a builder: what it got has no register.
    if (subject.length === 1 && error instanceof TypeError) return undefined
    throw error
  }
}

function isApp(value: object): value is App {
  return ['ready', 'register', 'inject'].every((method) => typeof Reflect.get(value, method) === 'function')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** What the guard refused is in its report. */
function failureOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return String(error)
  return Reflect.get(error, 'code') === 'SESSION_GUARD_REFUSED' ? undefined : `${error.name}: ${error.message}`
}
