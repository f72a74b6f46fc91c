import cluster from 'node:cluster'
import type { FastifyInstance } from 'fastify'
import { SecureSessionError } from './errors.ts'
import { checkConfig, environmentLine } from './guard/check.ts'
import { enforce } from './guard/enforce.ts'
import { DECORATORS, environmentOf } from './options.ts'
import type { EnvironmentName, Finding, SecureSessionOptions } from '../types/index.ts'

/** Where an app keeps what the guard found, for the CLI to read. */
const FINDINGS = Symbol.for('fastify-session-guard.findings')

/** What Fastify itself may have put among a plugin's options. */
const FASTIFY_OPTIONS = new Set(['prefix', 'logLevel', 'logSerializers'])

/** Options that the guard let pass, and the rules it let them pass by. */
export interface Registration {
  readonly options: SecureSessionOptions
  readonly environment: EnvironmentName
}

/**
 * Judges options before anything is registered, and logs the warnings.
 * @throws SecureSessionConfigError with every finding, when one is fatal
 * @throws `SESSION_DECORATOR_TAKEN`
 */
export function guardRegistration(app: FastifyInstance, given: object): Registration {
  const options: SecureSessionOptions = Object.fromEntries(
    Object.entries(given).filter(([name]) => !FASTIFY_OPTIONS.has(name)),
  )
  const findings = checkConfig(options, process.env, {
    sessionDecorated: app.hasRequestDecorator('session'),
    clusterWorker: cluster.isWorker,
    https: isHttps(app),
  })
  remember(app, findings)
  const warnings = enforce(findings, environmentLine(options, process.env))
  refuseTakenNames(app, options)
  for (const { rule, message, fix } of warnings) app.log.warn({ rule }, `${rule}: ${message}. ${fix.text}`)
  const environment = environmentOf(options.environment ?? process.env['NODE_ENV'])
  if (options.store === undefined) {
    app.log.warn('no session store is set: sessions are kept in memory and end with this process')
  }
  return { options, environment }
}

/** Adds findings to what the CLI reads from an app. */
export function remember(app: FastifyInstance, findings: readonly Finding[]): void {
  if (!app.hasDecorator(FINDINGS)) app.decorate(FINDINGS, [])
  app.getDecorator<Finding[]>(FINDINGS).push(...findings)
}

/** @fastify/passport and @fastify/jwt bring names of their own; Fastify would say only that one exists. */
function refuseTakenNames(app: FastifyInstance, options: SecureSessionOptions): void {
  const { requireLogin, sessions, ...onRequest } = { ...DECORATORS, ...options.decorators }
  const taken = [
    ...Object.values(onRequest).filter((name) => app.hasRequestDecorator(name)),
    ...[requireLogin, sessions].filter((name) => app.hasDecorator(name)),
  ]
  if (taken.length > 0) throw new SecureSessionError('SESSION_DECORATOR_TAKEN', { detail: taken.join(', ') })
}

function isHttps(app: FastifyInstance): boolean {
  return Boolean(app.initialConfig.https)
}
