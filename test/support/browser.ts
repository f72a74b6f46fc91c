import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { SetCookie } from './jar.ts'
import { Jar } from './jar.ts'

/** The work of a visit on the server. Its return value is the body. */
export type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/** A visit's handler, and what else happens to its response. */
interface Visit {
  readonly handler: Handler
  /** Runs in an `onSend` hook that comes after the plugin's; may throw. */
  readonly onSend?: ((request: FastifyRequest, reply: FastifyReply) => unknown) | undefined
}

/** The response that a browser got. */
export interface Page {
  readonly status: number
  readonly body: unknown
  readonly headers: Readonly<Record<string, string | number | string[] | undefined>>
  /** Every `Set-Cookie` line that names the session cookie. */
  readonly sessionCookies: readonly SetCookie[]
}

/** The user whom a session names, and the data that the session holds. */
export interface Me {
  readonly userId: string | null
  /** The user who acts as another user; absent where nobody acts. */
  readonly actorId?: string
  readonly handle: string
  readonly data: Record<string, unknown>
}

/** The differences between one request and the others of a browser. */
export interface SendOptions {
  /** The response never reaches the browser, so its cookies do not either. */
  readonly isLost?: boolean
  readonly onSend?: Visit['onSend']
  readonly headers?: Record<string, string>
}

/** Visits that wait for the route that runs them. */
export type Visits = Map<string, Visit>

let count = 0

/** A browser with a cookie jar (RFC 6265bis, 5.7), over https, that talks to one app. */
export class Browser {
  readonly #app: FastifyInstance
  readonly #visits: Visits
  readonly #cookieName: string
  readonly #jar = new Jar()
  readonly #isByHeader: boolean

  constructor(app: FastifyInstance, visits: Visits, cookieName: string, isByHeader = false) {
    this.#isByHeader = isByHeader
    this.#app = app
    this.#visits = visits
    this.#cookieName = cookieName
  }

  /** The session cookie's value, if the jar holds one. */
  get cookie(): string | undefined {
    return this.#jar.get(this.#cookieName)
  }

  /** Puts a session cookie into the jar, as an attacker does. */
  plant(value: string): void {
    this.#jar.set(this.#cookieName, value)
  }

  clearCookies(): void {
    this.#jar.clear()
  }

  /** Runs a handler on the server with this browser's cookies. */
  async visit(handler: Handler, options: SendOptions = {}): Promise<Page> {
    const key = String((count += 1))
    this.#visits.set(key, { handler, onSend: options.onSend })
    const cookie = this.#jar.header(Date.now())
    const own = this.#isByHeader
      ? { authorization: `Session ${this.cookie ?? ''}` }
      : { ...(cookie !== '' && { cookie }) }
    const response = await this.#app.inject({
      method: 'POST',
      url: '/visit',
      headers: { 'x-visit': key, ...own, ...options.headers },
    })
    this.#visits.delete(key)
    const received = options.isLost === true ? new Jar() : this.#jar
    const renewed = response.headers['session-renewed']
    if (renewed !== undefined && response.headers['set-cookie'] !== undefined) throw new Error('an id of both classes')
    const line =
      renewed === undefined
        ? response.headers['set-cookie']
        : `${this.#cookieName}=${String(renewed)}${renewed === '' ? '; Max-Age=0' : ''}`
    const cookies = received.take(line, Date.now())
    const isJson = String(response.headers['content-type']).startsWith('application/json')
    return {
      status: response.statusCode,
      body: isJson ? response.json() : response.body,
      headers: response.headers,
      sessionCookies: cookies.filter(({ name }) => name === this.#cookieName),
    }
  }

  /** Asks who the session belongs to and what it holds. */
  async me(options: SendOptions = {}): Promise<Me> {
    const { body, status } = await this.visit(whoAmI, options)
    if (status !== 200) throw new Error(`asking who I am met a ${status}`)
    return body as Me
  }
}

/** Answers `Browser.me`. */
export function whoAmI(request: FastifyRequest): Me {
  const { user, actor, session } = request
  return {
    userId: user?.id ?? null,
    ...(actor && { actorId: actor.id }),
    handle: session.sessionId,
    data: session.data(),
  }
}
