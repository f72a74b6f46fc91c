import cluster from 'node:cluster'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { SecureSessionError } from './errors.ts'
import { checkConfig, environmentLine } from './guard/check.ts'
import { enforce } from './guard/enforce.ts'
import type { CheckContext } from './guard/read/environment.ts'
import { readOptions } from './guard/read/read-options.ts'
import { probeNeighbours } from './guard/probe/neighbours.ts'
import { checkNeighbours, RequestPhase } from './guard/phases.ts'
import type { RequestFacts } from './guard/read/phase-facts.ts'
import { QUIET_REQUEST, requestFactsOf } from './guard/read/request-facts.ts'
import { findCookie } from './http/read-cookie.ts'
import { RouteConfigs } from './http/route-config.ts'
import { watchAnswers } from './http/watch-answers.ts'
import type { SessionEvents } from './events.ts'
import type { Settings } from './options.ts'
import { decoratorNames, resolveOptions, environmentOf } from './options.ts'
import type { Finding, SecureSessionOptions } from '../types/index.ts'

/** The number of requests whose way through proxies is examined. The first requests may all be health checks. */
const OBSERVED_REQUESTS = 1000

/** The guard at work in one app: at registration, once all plugins have loaded, and on the first requests. */
export class Registration {
  readonly options: SecureSessionOptions
  readonly settings: Settings
  readonly #app: FastifyInstance
  readonly #context: CheckContext
  readonly #findings: Finding[]
  readonly #requestPhase: RequestPhase
  /** Rules of the request phase that have had their say. */
  readonly #said = new Set<string>()
  /** Set by whoever guards a route with `requireLogin({ within })`. */
  hasSudoRoute = false
  /** The session settings of routes. */
  readonly configs: RouteConfigs = new RouteConfigs()
  /** Contexts that inherit the session, as `onRegister` tells of them. */
  readonly contexts: FastifyInstance[] = []
  /** Tells whether the app itself registered @fastify/cookie, with its own options. */
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
    this.#requestPhase = new RequestPhase(this.options, process.env, this.#context)
    refuseTakenNames(app, this.options)
    if (this.options.store === undefined) {
      app.log.warn('no session store is set: sessions are kept in memory and end with this process')
    }
    this.settings = resolveOptions(this.options, environmentOf(this.options.environment ?? process.env['NODE_ENV']))
    registrationsIn(app).push(this)
  }

  /** Judges the other plugins, for `onReady`. A fatal finding rejects `ready()` and `listen()`. */
  async checkNeighbours(): Promise<void> {
    const { secrets, storeTimeout, deviceBound } = this.settings
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
      deviceRoute: deviceBound && `${this.#app.prefix}${deviceBound.path}/refresh`,
      guardedWithoutSession: this.configs.guardedWithoutSession(),
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

  /** Returns the `onRequest` hook that judges what the wire shows of proxies and TLS. */
  watchRequests(): onRequestHookHandler {
    let count = 0
    return (request, reply, done) => {
      if (count < OBSERVED_REQUESTS && request.protocol !== 'https') {
        count += 1
        const hasCookie = this.#readsCookie(request)
        this.#judge(requestFactsOf(request, this.#app, hasCookie))
        // A login is known by its response.
        if (!hasCookie) reply.raw.once('finish', () => this.#judgeResponse(request, reply))
      }
      done()
    }
  }

  /** Returns the `onRequest` hook that judges what responses show of the app. */
  watchAnswers(): onRequestHookHandler {
    return watchAnswers(this.settings, (facts) => {
      this.#reportOnce(this.#requestPhase.answer(facts))
    })
  }

  /** Says once that requests come with two session cookies. */
  watchEvents({ emitter }: SessionEvents): void {
    emitter.once('duplicate', ({ count }) => this.#judge({ ...QUIET_REQUEST, sessionCookies: count }))
  }

  /** Says once that an origin was refused although CORS lets it in. */
  reportCorsConflict(origin: string): void {
    this.#judge({ ...QUIET_REQUEST, refusedOrigin: origin })
  }

  #readsCookie({ raw, routeOptions }: FastifyRequest): boolean {
    const { cookie } = raw.headers
    const { name } = this.settings.cookie
    return cookie !== undefined && findCookie(cookie, name).count > 0 && routeOptions.config?.session !== false
  }

  #judgeResponse(request: FastifyRequest, reply: FastifyReply): void {
    const lines = [reply.getHeader('set-cookie') ?? []].flat().map(String)
    const { name } = this.settings.cookie
    const isSet = lines.some((line) => line.startsWith(`${name}=`) && !line.startsWith(`${name}=;`))
    if (isSet) this.#judge(requestFactsOf(request, this.#app, true))
  }

  #judge(facts: RequestFacts): void {
    this.#reportOnce(this.#requestPhase.request(facts))
  }

  /** Reports each rule once. */
  #reportOnce(findings: readonly Finding[]): void {
    const fresh = findings.filter(({ rule }) => !this.#said.has(rule))
    for (const { rule } of fresh) this.#said.add(rule)
    if (fresh.length > 0) this.#report(fresh)
  }

  #report(findings: readonly Finding[]): void {
    const line = environmentLine(this.options, process.env)
    for (const { rule, message, fix } of enforce(findings, line, this.options)) {
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
  const { requireLogin, sessions, ...onRequest } = decoratorNames(options)
  const taken = [
    ...Object.values(onRequest).filter((name) => app.hasRequestDecorator(name)),
    ...[requireLogin, sessions].filter((name) => app.hasDecorator(name)),
  ]
  if (taken.length > 0) throw new SecureSessionError('SESSION_DECORATOR_TAKEN', { detail: taken.join(', ') })
}
