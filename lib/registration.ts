import cluster from 'node:cluster'
import type { FastifyInstance, onRequestHookHandler, RouteOptions } from 'fastify'
import { SecureSessionError } from './errors.ts'
import { checkConfig, environmentLine } from './guard/check.ts'
import { enforce } from './guard/enforce.ts'
import type { CheckContext } from './guard/read/environment.ts'
import { readOptions } from './guard/read/read-options.ts'
import { probeNeighbours } from './guard/probe/neighbours.ts'
import { checkAnswer, checkNeighbours, checkRequest } from './guard/phases.ts'
import { requestFactsOf } from './guard/read/request-facts.ts'
import { watchAnswers } from './http/watch-answers.ts'
import type { Settings } from './options.ts'
import { DECORATORS, resolveOptions, environmentOf } from './options.ts'
import type { Finding, SecureSessionOptions } from '../types/index.ts'

/** How many requests are looked at for what the wire shows: the first ones may all be health checks. */
const OBSERVED_REQUESTS = 1000

/** The guard at work in one app: at registration, once all plugins have loaded, and on the first requests. */
export class Registration {
  readonly options: SecureSessionOptions
  readonly settings: Settings
  readonly #app: FastifyInstance
  readonly #context: CheckContext
  readonly #findings: Finding[]
  /** Set by whoever guards a route with `requireLogin({ within })`. */
  hasSudoRoute = false
  /** Contexts that inherit the session, as `onRegister` tells of them. */
  readonly contexts: FastifyInstance[] = []
  /** Hooks that `requireLogin` made. */
  readonly guards: WeakSet<object> = new WeakSet()
  readonly #guardedWithoutSession: string[] = []
  /** Whether the app registered @fastify/cookie itself, with options of its own. */
  readonly #bringsCookies: boolean

  /**
   * Judges the options before anything is registered, and logs the warnings.
   * @throws SecureSessionConfigError with every finding, when one is fatal
   * @throws `SESSION_DECORATOR_TAKEN`
   */
  constructor(app: FastifyInstance, given: object) {
    this.#app = app
    this.#bringsCookies = app.hasReplyDecorator('setCookie')
    this.#context = {
      sessionDecorated: app.hasRequestDecorator('session'),
      clusterWorker: cluster.isWorker,
      https: Boolean(app.initialConfig.https),
    }
    // The copy that the guard judges is the one that the plugin works with: getters and prototypes are read once.
    this.options = readOptions(given).root
    this.#findings = checkConfig(this.options, process.env, this.#context)
    this.#report(this.#findings)
    refuseTakenNames(app, this.options)
    if (this.options.store === undefined) {
      app.log.warn('no session store is set: sessions are kept in memory and end with this process')
    }
    this.settings = resolveOptions(this.options, environmentOf(this.options.environment ?? process.env['NODE_ENV']))
    registrationsIn(app).push(this)
  }

  /** For `onReady`: judges what the other plugins did. A fatal finding rejects `ready()` and `listen()`. */
  async checkNeighbours(): Promise<void> {
    const { secrets, storeTimeout } = this.settings
    const facts = await probeNeighbours(this.#app, {
      contexts: this.contexts,
      secrets,
      store: this.options.store,
      storeTimeout,
      hasSudoRoute: this.hasSudoRoute,
      servesTls: this.#context.https === true || this.options.tls === 'direct',
      cookieNames: this.#rivals().map(({ settings }) => settings.cookie.name),
      bringsCookies: this.#bringsCookies,
      clock: this.options.clock === undefined ? this.settings.clock : undefined,
      guardedWithoutSession: this.#guardedWithoutSession,
    })
    const context = { ...this.#context, earlier: this.#findings }
    this.#report(checkNeighbours(this.options, process.env, facts, context))
  }

  /** Registrations beside this one whose cookies land in the same place, and that cannot read ours. */
  #rivals(): Registration[] {
    const { cookie, secrets } = this.settings
    return registrationsIn(this.#app).filter(
      ({ settings, options }) =>
        settings !== this.settings &&
        settings.cookie.path === cookie.path &&
        settings.cookie.domain === cookie.domain &&
        (options.store === undefined ||
          options.store !== this.options.store ||
          secrets.join() !== settings.secrets.join()),
    )
  }

  /** For `onRequest`: what the wire shows of proxies and TLS, each thing said once. */
  watchRequests(): onRequestHookHandler {
    const said = new Set<string>()
    let count = 0
    return (request, _reply, done) => {
      if (count < OBSERVED_REQUESTS && request.protocol !== 'https') {
        count += 1
        const facts = requestFactsOf(request, this.#app)
        const findings = checkRequest(this.options, process.env, facts, this.#context)
        const fresh = findings.filter(({ rule }) => !said.has(rule))
        for (const { rule } of fresh) said.add(rule)
        if (fresh.length > 0) this.#report(fresh)
      }
      done()
    }
  }

  /** For `onRoute`: notes routes that ask for a login and have opted out of sessions. */
  noteRoute({ method, url, config, onRequest, preParsing, preValidation, preHandler }: RouteOptions): void {
    const hooks: unknown[] = [onRequest, preParsing, preValidation, preHandler].flat()
    const isGuarded = hooks.some((hook) => typeof hook === 'function' && this.guards.has(hook))
    if (isGuarded && config?.session === false) this.#guardedWithoutSession.push(`${[method].flat().join(',')} ${url}`)
  }

  /** For `onRequest`: what answers show of the app, each thing said once. */
  watchAnswers(): onRequestHookHandler {
    const said = new Set<string>()
    return watchAnswers(this.settings.clock, (facts) => {
      this.#reportOnce(checkAnswer(this.options, process.env, facts, this.#context), said)
    })
  }

  #reportOnce(findings: readonly Finding[], said: Set<string>): void {
    const fresh = findings.filter(({ rule }) => !said.has(rule))
    for (const { rule } of fresh) said.add(rule)
    if (fresh.length > 0) this.#report(fresh)
  }

  #report(findings: readonly Finding[]): void {
    for (const { rule, message, fix } of enforce(findings, environmentLine(this.options, process.env))) {
      this.#app.log.warn({ rule }, `${rule}: ${message}. ${fix.text}`)
    }
  }
}

const REGISTRATIONS = new WeakMap<object, Registration[]>()

/** All contexts of an app have one server. */
function registrationsIn({ server }: FastifyInstance): Registration[] {
  const registrations = REGISTRATIONS.get(server) ?? []
  REGISTRATIONS.set(server, registrations)
  return registrations
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
