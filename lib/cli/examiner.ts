import { Server } from 'node:net'
import { pathToFileURL } from 'node:url'
import { checkConfig, environmentLine } from '../guard/check.ts'
import { onReport } from '../guard/channel.ts'
import type { GuardReport } from '../guard/channel.ts'
import type { ExaminerMessage } from './examine.ts'

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

const reports: GuardReport[] = []
onReport((report) => reports.push(report))

/** An app that listens while it is being loaded gets as far as this: the guard has spoken by then, and no port is opened. */
const reachedListen = new Promise<void>((resolve) => {
  Server.prototype.listen = function listen() {
    resolve()
    return this
  }
})

async function examineModule(file: string): Promise<void> {
  const exported = (await import(pathToFileURL(file).href)) as Record<string, unknown>
  const subject = await pick(exported)
  if (isApp(subject)) await subject.ready()
  else if (typeof subject === 'function') await examineFunction(subject as AnyFunction)
  else if (reports.length === 0) examineOptions(subject)
}

/** The first export that could be meant; CommonJS puts them all into `default`. */
async function pick(exported: Record<string, unknown>): Promise<unknown> {
  for (const name of EXPORTS) {
    const value = await exported[name]
    if (value === undefined) continue
    const inner =
      name === 'default' && !isApp(value)
        ? EXPORTS.find((other) => isObject(value) && value[other] !== undefined)
        : undefined
    return inner === undefined ? value : (value as Record<string, unknown>)[inner]
  }
  return undefined
}

/** A function that builds an app or options; or, as it fails on that or takes two parameters, a plugin. */
async function examineFunction(subject: AnyFunction): Promise<void> {
  const built = isPlugin(subject) ? undefined : await build(subject)
  if (isApp(built)) await built.ready()
  else if (isObject(built)) examineOptions(built)
  else if (reports.length === 0) await bootPlugin(subject)
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

async function bootPlugin(plugin: unknown): Promise<void> {
  const { default: fastify } = await import('fastify')
  const app: App = fastify()
  app.register(plugin)
  await app.ready()
}

function examineOptions(options: unknown): void {
  if (!isObject(options)) throw new Error('it exports no Fastify app, no function that makes one, no options')
  reports.push({
    findings: checkConfig(options, process.env),
    environment: environmentLine(options, process.env),
  })
}

function isApp(value: unknown): value is App {
  return isObject(value) && ['ready', 'register', 'inject'].every((method) => typeof value[method] === 'function')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function failureOf(error: unknown): string | undefined {
  if ((error as { code?: unknown } | null)?.code === 'SESSION_GUARD_REFUSED') return undefined
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

async function examine(): Promise<ExaminerMessage> {
  try {
    await Promise.race([examineModule(process.argv[2] as string), reachedListen])
  } catch (error) {
    const failure = failureOf(error)
    if (failure !== undefined) return { reports, failure }
  }
  return reports.length === 0 ? { reports, failure: 'it does not register fastify-session-guard' } : { reports }
}

process.send?.(await examine())
