import cluster from 'node:cluster'
import { channel } from 'node:diagnostics_channel'
import { syncBuiltinESMExports } from 'node:module'
import { Server } from 'node:net'
import { onReport } from '../guard/report/channel.ts'
import type { GuardReport } from '../guard/report/channel.ts'
import { settingsOf } from '../guard/evidence/settings.ts'
import type { ShownSettings } from '../guard/evidence/settings.ts'

/** An error of the examined module, as plain JSON. */
export interface ModuleError {
  readonly text: string
  readonly stack: string
  readonly code: string
  /** The function of the module that the error came from, where it was called from outside. */
  readonly byCall?: string
}

/** A message of the examining process to the process that forked it. */
export type ExaminerMessage =
  | { readonly report: Pick<GuardReport, 'findings' | 'environment'>; readonly settings: ShownSettings | null }
  | { readonly error: ModuleError }
  /** The module wants to run in workers of node:cluster. */
  | { readonly forks: true }
  /** Everything that can be seen was seen. `nothing` says why there was nothing to see. */
  | { readonly done: true; readonly nothing: string | null }

/** The part of a Fastify app that a boot uses. */
export interface App {
  ready(): PromiseLike<unknown>
  register(plugin: unknown): unknown
}

/** The facts about the module that this process runs. */
export interface AppWatch {
  /** Every Fastify app that was made. */
  readonly apps: Set<App>
  /** The number of reports that the guard gave. */
  readonly reportCount: () => number
  /** Judged options that no plugin was registered with. */
  readonly addReport: (report: GuardReport) => void
  readonly addError: (error: unknown, byCall?: string) => void
  /** Resolves when the event loop is empty, or after `grace` milliseconds. */
  readonly quiet: (grace: number) => Promise<void>
  /** Boots every app that was made; then ends this process. */
  readonly finish: (nothing?: string) => Promise<never>
}

const MAX_STACK = 8192

/** One report at registration, one when all plugins have loaded. */
const REPORTS_OF_AN_APP = 2

/**
 * Watches the module that this process is about to run. Tells the parent process each report of the guard at once.
 * Knows the Fastify apps that are made, and opens no port. Works once in each process.
 */
export function watchApp(): AppWatch {
  const send = takeChannel()
  const apps = new Set<App>()
  let reports = 0

  const watch: AppWatch = {
    apps,
    reportCount: () => reports,
    addReport: ({ findings, environment, options }) => {
      reports += 1
      send({ report: { findings, environment }, settings: settingsOf(options) })
    },
    addError: (error, byCall) => {
      const known = knownError(error)
      if (known !== undefined) send({ error: byCall === undefined ? known : { ...known, byCall } })
    },
    quiet: (grace) =>
      new Promise((resolve) => {
        // The turn after it keeps the process for a second wait, which Node would otherwise end with an exit code.
        process.once('beforeExit', () => setImmediate(resolve))
        setTimeout(resolve, grace).unref()
      }),
    finish: async (nothing) => {
      for (const app of apps) await app.ready().then(undefined, (error) => watch.addError(error))
      send({ done: true, nothing: nothing ?? null })
      process.exit(0)
    },
  }

  onReport((report) => watch.addReport(report))
  channel('fastify.initialization').subscribe((message) => void apps.add((message as { fastify: App }).fastify))
  process.on('uncaughtExceptionMonitor', (error) => watch.addError(error))
  interceptListen(watch)
  interceptFork(send)
  return watch
}

/** Takes the channel to the parent process away from the module, which could mistake it for a process manager's. */
function takeChannel(): (message: ExaminerMessage) => void {
  // Forked, so that there is a channel.
  const send = (process.send as NonNullable<typeof process.send>).bind(process) as (message: ExaminerMessage) => boolean
  delete process.send
  return (message) => void send(message)
}

/**
 * Lets no server listen. Once an app with a session has booted there is nothing more to see. Until then a server seems
 * to listen, because the app that matters may be the next one.
 */
function interceptListen(watch: AppWatch): void {
  Server.prototype.listen = function intercepted(this: Server, ...parameters: unknown[]) {
    if (watch.reportCount() >= REPORTS_OF_AN_APP) {
      void watch.finish()
      return this
    }
    const callback = parameters.findLast((parameter) => typeof parameter === 'function')
    if (callback !== undefined) this.once('listening', callback as () => void)
    Object.defineProperty(this, 'listening', { value: true, configurable: true })
    this.address = () => ({ address: '127.0.0.1', family: 'IPv4', port: 0 })
    setImmediate(() => this.emit('listening'))
    return this
  } as Server['listen']
}

function interceptFork(send: (message: ExaminerMessage) => void): void {
  cluster.fork = () => {
    send({ forks: true })
    process.exit(0)
  }
  syncBuiltinESMExports()
}

/** Leaves out a refusal of the guard, because its report says everything. */
function knownError(error: unknown): ModuleError | undefined {
  if (!(error instanceof Error)) return { text: textOf(error), stack: '', code: '' }
  const code = String(Reflect.get(error, 'code') ?? '')
  if (code === 'SESSION_GUARD_REFUSED') return undefined
  return { text: `${error.name}: ${error.message}`, stack: String(error.stack).slice(0, MAX_STACK), code }
}

/** The text of what was thrown in the place of an error. */
function textOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown)
  const message: unknown = Reflect.get(thrown, 'message')
  return typeof message === 'string' ? message : 'an object was thrown that is no Error'
}
