import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** What a visit does on the server. What it returns is the body. */
export type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/** A visit's handler, and what else happens to its response. */
export interface Visit {
  readonly handler: Handler
  /** Runs in an `onSend` hook that comes after the plugin's; may throw. */
  readonly onSend?: ((request: FastifyRequest, reply: FastifyReply) => unknown) | undefined
}

/** What a browser got. */
export interface Page {
  readonly status: number
  readonly body: unknown
  readonly headers: Readonly<Record<string, string | number | string[] | undefined>>
  /** Every `Set-Cookie` line that names the session cookie. */
  readonly sessionCookies: readonly SetCookie[]
}

/** A `Set-Cookie` line, taken apart. Attribute names are in lower case; one without a value is `''`. */
export interface SetCookie {
  readonly name: string
  readonly value: string
  readonly attributes: ReadonlyMap<string, string>
}

/** Who a session says is asking, and what it holds. */
export interface Me {
  readonly userId: string | null
  readonly handle: string
  readonly data: Record<string, unknown>
}

/** How one request differs from the others of a browser. */
export interface SendOptions {
  /** The response never reaches the browser, so its cookies do not either. */
  readonly isLost?: boolean
  readonly onSend?: Visit['onSend']
  readonly headers?: Record<string, string>
}

/** Where visits are left for the route that runs them. */
export type Visits = Map<string, Visit>

let count = 0

/** A browser with a cookie jar (RFC 6265bis, 5.7), over https, that talks to one app. */
export class Browser {
  readonly #app: FastifyInstance
  readonly #visits: Visits
  readonly #cookieName: string
  readonly #jar = new Map<string, SetCookie>()

  constructor(app: FastifyInstance, visits: Visits, cookieName: string) {
    this.#app = app
    this.#visits = visits
    this.#cookieName = cookieName
  }

  /** The session cookie's value, if the jar holds one. */
  get cookie(): string | undefined {
    for (const { name, value } of this.#jar.values()) if (name === this.#cookieName) return value
    return undefined
  }

  /** Puts a session cookie into the jar, as an attacker does. */
  plant(value: string): void {
    const planted = { name: this.#cookieName, value, attributes: new Map([['path', '/']]) }
    this.#jar.set(keyOf(planted), planted)
  }

  clearCookies(): void {
    this.#jar.clear()
  }

  /** Runs a handler on the server with this browser's cookies. */
  async visit(handler: Handler, options: SendOptions = {}): Promise<Page> {
    const key = String((count += 1))
    this.#visits.set(key, { handler, onSend: options.onSend })
    const cookie = Array.from(this.#jar.values(), ({ name, value }) => `${name}=${value}`).join('; ')
    const response = await this.#app.inject({
      method: 'POST',
      url: '/visit',
      headers: { 'x-visit': key, ...(cookie !== '' && { cookie }), ...options.headers },
    })
    this.#visits.delete(key)
    const lines = [response.headers['set-cookie'] ?? []].flat().map(parseSetCookie)
    if (options.isLost !== true) for (const line of lines) this.#store(line)
    const isJson = String(response.headers['content-type']).startsWith('application/json')
    return {
      status: response.statusCode,
      body: isJson ? response.json() : response.body,
      headers: response.headers,
      sessionCookies: lines.filter(({ name }) => name === this.#cookieName),
    }
  }

  /** Asks who the session belongs to and what it holds. */
  async me(options: SendOptions = {}): Promise<Me> {
    const { body, status } = await this.visit(whoAmI, options)
    if (status !== 200) throw new Error(`asking who I am met a ${status}`)
    return body as Me
  }

  #store(cookie: SetCookie): void {
    if (!isAcceptable(cookie)) return
    const age = cookie.attributes.get('max-age')
    const expires = cookie.attributes.get('expires')
    const isGone = age === undefined ? expires !== undefined && Date.parse(expires) <= Date.now() : Number(age) <= 0
    if (isGone) this.#jar.delete(keyOf(cookie))
    else this.#jar.set(keyOf(cookie), cookie)
  }
}

/** The handler behind `Browser.me`. */
export function whoAmI(request: FastifyRequest): Me {
  const { user, session } = request
  return { userId: user?.id ?? null, handle: session.sessionId, data: session.data() }
}

/** A cookie in the jar is replaced, or removed, only by one of the same name, domain, path and partition. */
function keyOf({ name, attributes }: SetCookie): string {
  const partition = attributes.has('partitioned') ? 'partitioned' : ''
  return [name, attributes.get('domain') ?? '', attributes.get('path') ?? '/', partition].join('; ')
}

/** Browsers drop a prefixed cookie that does not keep its prefix's promises, also one that is there to clear. */
function isAcceptable({ name, attributes }: SetCookie): boolean {
  if (name.startsWith('__Host-')) {
    return attributes.has('secure') && attributes.get('path') === '/' && !attributes.has('domain')
  }
  return !name.startsWith('__Secure-') || attributes.has('secure')
}

function parseSetCookie(line: string): SetCookie {
  const [pair = '', ...rest] = line.split(';').map((part) => part.trim())
  const equals = pair.indexOf('=')
  const attributes = rest.map((part): [string, string] => {
    const [name = '', ...value] = part.split('=')
    return [name.toLowerCase(), value.join('=')]
  })
  return { name: pair.slice(0, equals), value: pair.slice(equals + 1), attributes: new Map(attributes) }
}
