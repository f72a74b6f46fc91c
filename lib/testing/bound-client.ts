import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { singleCookie } from '../http/read-cookie.ts'
import type { TestedApp } from './app-engine.ts'
import { engineOf } from './app-engine.ts'
import { DeviceKey } from './device-key.ts'

/** The part of a Fastify app that a client needs. */
export interface InjectedApp extends TestedApp {
  inject(options: InjectOptions): PromiseLike<LightMyRequestResponse>
}

/** A cookie in the jar of a client. `expiresAt` is absent for a cookie that ends with the browser. */
export interface BoundClientCookie {
  readonly value: string
  readonly expiresAt: number | undefined
}

/** The binding of a client: what the app has said about it, and the latest challenge. */
interface Bound {
  readonly id: string
  readonly refreshUrl: string
  readonly cookieName: string
  readonly key: DeviceKey
  challenge: string | undefined
}

/** The number of challenges that a client answers in one refresh. */
const MAX_CHALLENGES = 5

/** A client that keeps cookies and speaks the protocol of device-bound sessions, as a browser with a key does. */
export class BoundClient {
  /** The cookies, by name. A copy of this map is what a thief has. */
  readonly cookies: Map<string, BoundClientCookie> = new Map()
  readonly #app: InjectedApp
  readonly #clock: () => number
  readonly #headers: Readonly<Record<string, string>>
  #bound: Bound | undefined

  /** Made by `boundClient`. */
  constructor(app: InjectedApp, clock: () => number, headers: Readonly<Record<string, string>>) {
    this.#app = app
    this.#clock = clock
    this.#headers = headers
  }

  /** Tells whether this client has bound a session and knows of no end of it. */
  get isBound(): boolean {
    return this.#bound !== undefined
  }

  /** The `Cookie` header that the client would send now. Empty without cookies. */
  get cookie(): string {
    const now = this.#clock()
    const live = [...this.cookies].filter(([, { expiresAt = Infinity }]) => expiresAt > now)
    return live.map(([name, { value }]) => `${name}=${value}`).join('; ')
  }

  /**
   * Sends a request as a browser does: refreshes the bound cookie first if it has ended, and binds a new login. Headers
   * of the request stand in place of those of the client, and a `cookie` header in place of the cookies.
   */
  async inject(options: InjectOptions | string): Promise<LightMyRequestResponse> {
    if (this.#bound !== undefined && singleCookie(this.cookie, this.#bound.cookieName) === '') await this.refresh()
    const response = await this.#send(typeof options === 'string' ? { url: options } : options)
    const offer = response.headers['secure-session-registration']
    if (typeof offer === 'string') await this.#register(offer)
    return response
  }

  /** Proves the key now, and resolves to the app's last answer. Throws a `TypeError` if nothing is bound. */
  async refresh(): Promise<LightMyRequestResponse> {
    const bound = this.#bound
    if (bound === undefined) throw new TypeError('this client has bound no session')
    let response = await this.#ask(bound)
    for (let left = MAX_CHALLENGES; left > 0 && response.statusCode === 403; left -= 1) {
      if (challengeIn(response) === undefined) break
      response = await this.#ask(bound)
    }
    // A failure of the server says nothing about the session. Anything else that is no success ends it.
    if (response.statusCode < 500 && !goesOn(response)) this.#bound = undefined
    return response
  }

  /** Signs a challenge with the key of the binding. Throws a `TypeError` if nothing is bound. */
  proofOf(challenge: string): string {
    if (this.#bound === undefined) throw new TypeError('this client has bound no session')
    return this.#bound.key.proof(challenge)
  }

  async #ask(bound: Bound): Promise<LightMyRequestResponse> {
    const { id, refreshUrl, challenge } = bound
    const proof = challenge === undefined ? {} : { 'secure-session-response': `"${this.proofOf(challenge)}"` }
    const headers = { 'sec-secure-session-id': `"${id}"`, ...proof }
    const response = await this.#send({ method: 'POST', url: refreshUrl, headers })
    bound.challenge = challengeIn(response) ?? bound.challenge
    return response
  }

  /** Answers the offer of a login with a new key. */
  async #register(offer: string): Promise<void> {
    const { path = '', challenge = '' } = parametersOf(offer)
    const key = new DeviceKey()
    const headers = { 'secure-session-response': `"${key.registration(challenge)}"` }
    const response = await this.#send({ method: 'POST', url: path, headers })
    if (!goesOn(response)) return
    const { session_identifier: id, refresh_url: refreshUrl, credentials } = response.json<Instructions>()
    const [credential] = credentials
    this.#bound = { id, refreshUrl, cookieName: credential.name, key, challenge: challengeIn(response) }
  }

  async #send(options: InjectOptions): Promise<LightMyRequestResponse> {
    const { cookie } = this
    const headers = { ...this.#headers, ...(cookie !== '' && { cookie }), ...options.headers }
    const response = await this.#app.inject({ ...options, headers })
    const now = this.#clock()
    for (const { name, value, maxAge, expires } of response.cookies) {
      const expiresAt = maxAge === undefined ? expires?.getTime() : now + maxAge * 1000
      if (expiresAt !== undefined && expiresAt <= now) this.cookies.delete(name)
      else this.cookies.set(name, { value, expiresAt })
    }
    return response
  }
}

/** The answer to a registration. */
interface Instructions {
  readonly session_identifier: string
  readonly refresh_url: string
  readonly credentials: readonly [{ readonly name: string }]
}

/** The optional facts of a client in a test. */
export interface BoundClientOptions {
  /** Headers that each request has, such as `host` or `user-agent`. Default none. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/**
 * Makes a client that keeps cookies and binds its sessions to a key, as a browser with device-bound sessions does:
 *
 * ```ts
 * const client = await boundClient(app)
 * await client.inject({ method: 'POST', url: '/login' })
 * const page = await client.inject({ url: '/account' })
 * ```
 *
 * The client follows the app's clock. Waits for `app.ready()`. A login is bound if the app has the option
 * `deviceBound`. The app must also run with `NODE_ENV=test` or `cookie.secure: true`, because no binding is offered
 * over plain http.
 * @throws TypeError when the plugin is not registered on this app, or an option is unknown or wrong
 */
export async function boundClient(app: InjectedApp, options: BoundClientOptions = {}): Promise<BoundClient> {
  checkOptions(options)
  const { settings } = await engineOf(app)
  return new BoundClient(app, settings.clock, options.headers ?? {})
}

function checkOptions(options: unknown): void {
  if (!isObject(options)) throw new TypeError('boundClient takes its options as an object: { headers }')
  for (const name of Object.keys(options)) {
    if (name === 'headers') continue
    throw new TypeError(`boundClient has no option ${JSON.stringify(name)}; known are: headers`)
  }
  const { headers } = options
  const areTexts = isObject(headers) && Object.values(headers).every((value) => typeof value === 'string')
  if (headers !== undefined && !areTexts) throw new TypeError('headers of boundClient is an object of texts')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function goesOn(response: LightMyRequestResponse): boolean {
  return response.statusCode === 200 && response.json<{ continue?: boolean }>().continue !== false
}

function challengeIn({ headers }: LightMyRequestResponse): string | undefined {
  const header = headers['secure-session-challenge']
  return typeof header === 'string' ? /^"([^"]*)"/.exec(header)?.[1] : undefined
}

/** Returns the parameters of a structured field, all of which are texts in quotes. */
function parametersOf(field: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(field.matchAll(/;(\w+)="([^"]*)"/g), ([, name = '', value = '']) => [name, value]),
  )
}
