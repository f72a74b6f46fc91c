/** A `Set-Cookie` line, taken apart. Attribute names are in lower case. An attribute without a value is `''`. */
export interface SetCookie {
  readonly name: string
  readonly value: string
  readonly attributes: ReadonlyMap<string, string>
}

interface Kept extends SetCookie {
  /** The instant of the cookie's end by the client's clock; `undefined` for a cookie that ends with the browser. */
  readonly expiresAt: number | undefined
}

/**
 * A cookie jar that keeps cookies apart as browsers do (RFC 6265bis, 5.7): by name, domain, path and partition.
 * All instants are by the client's clock. Without a host the jar takes cookies of any domain.
 */
export class Jar {
  readonly #host: string | undefined
  readonly #cookies: Map<string, Kept>

  constructor(host?: string, cookies: Iterable<[string, Kept]> = []) {
    this.#host = host
    this.#cookies = new Map(cookies)
  }

  copy(): Jar {
    return new Jar(this.#host, this.#cookies)
  }

  /** Returns a jar that holds only the cookies of this name, as somebody has it who saw their values alone. */
  only(name: string): Jar {
    return new Jar(
      this.#host,
      [...this.#cookies].filter(([, cookie]) => cookie.name === name),
    )
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  get isEmpty(): boolean {
    return this.#cookies.size === 0
  }

  /** Returns the value of the first cookie with this name. */
  get(name: string): string | undefined {
    for (const cookie of this.#cookies.values()) if (cookie.name === name) return cookie.value
    return undefined
  }

  /** Puts a cookie into the jar, as an attacker does. */
  set(name: string, value: string): void {
    const planted = { name, value, attributes: new Map([['path', '/']]), expiresAt: undefined }
    this.#cookies.set(keyOf(planted), planted)
  }

  clear(): void {
    this.#cookies.clear()
  }

  /** Returns the `Cookie` header for a path, or `''`. Without a path, cookies of all paths are sent. */
  header(now: number, path?: string): string {
    let header = ''
    for (const { name, value, attributes, expiresAt } of this.#cookies.values()) {
      if (expiresAt !== undefined && expiresAt <= now) continue
      if (path?.startsWith(attributes.get('path') ?? '/') === false) continue
      header += header === '' ? `${name}=${value}` : `; ${name}=${value}`
    }
    return header
  }

  /** Takes in the `Set-Cookie` lines of a response, and returns them parsed. */
  take(lines: string | readonly string[] | undefined, now: number): SetCookie[] {
    const cookies = [lines ?? []].flat().map(parseSetCookie)
    for (const cookie of cookies) this.#keep(cookie, now)
    return cookies
  }

  #keep(cookie: SetCookie, now: number): void {
    if (!keepsItsPrefix(cookie) || !this.#belongsHere(cookie)) return
    const expiresAt = expiryOf(cookie, now)
    if (expiresAt !== undefined && expiresAt <= now) this.#cookies.delete(keyOf(cookie))
    else this.#cookies.set(keyOf(cookie), { ...cookie, expiresAt })
  }

  #belongsHere({ attributes }: SetCookie): boolean {
    const domain = attributes.get('domain')
    if (domain === undefined || this.#host === undefined) return true
    return this.#host === domain || this.#host.endsWith(`.${domain}`)
  }
}

/** Parses one `Set-Cookie` line (RFC 6265bis, 5.6). */
export function parseSetCookie(line: string): SetCookie {
  const [pair = '', ...rest] = line.split(';').map((part) => part.trim())
  const equals = pair.indexOf('=')
  const attributes = rest.map((part): [string, string] => {
    const [name = '', ...value] = part.split('=')
    return [name.toLowerCase(), value.join('=')]
  })
  return { name: pair.slice(0, equals), value: pair.slice(equals + 1), attributes: new Map(attributes) }
}

/** Max-Age goes before Expires (RFC 6265bis, 5.7). */
function expiryOf({ attributes }: SetCookie, now: number): number | undefined {
  const maxAge = attributes.get('max-age')
  if (maxAge !== undefined) return now + Number(maxAge) * 1000
  const expires = attributes.get('expires')
  return expires === undefined ? undefined : Date.parse(expires)
}

/**
 * Returns the key of a cookie. A cookie replaces, or removes, only one of the same name, domain, path and partition.
 */
function keyOf({ name, attributes }: SetCookie): string {
  const partition = attributes.has('partitioned') ? 'partitioned' : ''
  return [name, attributes.get('domain') ?? '', attributes.get('path') ?? '/', partition].join('; ')
}

/** Browsers drop a prefixed cookie that breaks its prefix's promises, also when the line only clears it. */
function keepsItsPrefix({ name, attributes }: SetCookie): boolean {
  if (name.startsWith('__Host-')) {
    return attributes.has('secure') && attributes.get('path') === '/' && !attributes.has('domain')
  }
  return !name.startsWith('__Secure-') || attributes.has('secure')
}
