/** One cookie as a client keeps it. */
interface Kept {
  readonly value: string
  /** By the client's clock; `undefined` for a cookie that ends with the browser. */
  readonly expiresAt: number | undefined
}

/** A cookie jar: name to cookie. */
export class Jar {
  readonly #cookies: Map<string, Kept>

  constructor(cookies: Iterable<[string, Kept]> = []) {
    this.#cookies = new Map(cookies)
  }

  copy(): Jar {
    return new Jar(this.#cookies)
  }

  get isEmpty(): boolean {
    return this.#cookies.size === 0
  }

  get(name: string): string | undefined {
    return this.#cookies.get(name)?.value
  }

  /** A jar that holds only the cookie of this name, as somebody has it who saw its value alone. */
  only(name: string): Jar {
    return new Jar([...this.#cookies].filter(([each]) => each === name))
  }

  /** The `Cookie` header at `now`, by the client's clock. */
  header(now: number): string {
    let header = ''
    for (const [name, { value, expiresAt }] of this.#cookies) {
      if (expiresAt !== undefined && expiresAt <= now) continue
      header += header === '' ? `${name}=${value}` : `; ${name}=${value}`
    }
    return header
  }

  /** Takes `Set-Cookie` lines in at `now`, by the client's clock (RFC 6265bis 5.7: Max-Age goes before Expires). */
  take(lines: readonly string[], now: number): void {
    for (const line of lines) this.#takeOne(line, now)
  }

  #takeOne(line: string, now: number): void {
    const [pair = '', ...attributes] = line.split('; ')
    const equals = pair.indexOf('=')
    const expiresAt = expiryOf(attributes, now)
    const name = pair.slice(0, equals)
    if (expiresAt !== undefined && expiresAt <= now) this.#cookies.delete(name)
    else this.#cookies.set(name, { value: pair.slice(equals + 1), expiresAt })
  }
}

function expiryOf(attributes: readonly string[], now: number): number | undefined {
  const maxAge = attributes.find((each) => /^max-age=/i.test(each))
  if (maxAge !== undefined) return now + Number(maxAge.slice(8)) * 1000
  const expires = attributes.find((each) => /^expires=/i.test(each))
  return expires === undefined ? undefined : Date.parse(expires.slice(8))
}
