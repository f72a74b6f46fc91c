/** One `Set-Cookie` header as it came over the wire, attributes as browsers read them (RFC 6265bis 5.6). */
export interface SetCookie {
  readonly name: string
  readonly value: string
  readonly domain: string | undefined
  readonly path: string | undefined
  readonly secure: boolean
  readonly httpOnly: boolean
  /** The attribute as it is written; `undefined` when it is missing. */
  readonly sameSite: string | undefined
  readonly partitioned: boolean
  /** The lifetime, in seconds. */
  readonly maxAge: number | undefined
  /** Tells whether the header takes the cookie away. */
  readonly isRemoval: boolean
}

const MAX_HEADER_LENGTH = 8192

// Browsers take more than the token that servers are asked for: `koa:sess`, `sess[id]`. Characters that could fool a
// terminal are left out.
const NAME = /^[\x21-\x7e]{1,4096}$/

/** Reads one header; `undefined` for one that browsers would ignore. */
export function parseSetCookie(header: string, now: number): SetCookie | undefined {
  const [pair = '', ...rest] = header.slice(0, MAX_HEADER_LENGTH).split(';')
  const equals = pair.indexOf('=')
  const name = pair.slice(0, Math.max(0, equals)).trim()
  if (!NAME.test(name)) return undefined
  const attributes = new Map<string, string>()
  for (const part of rest) {
    const [key = '', ...value] = part.split('=')
    attributes.set(key.trim().toLowerCase(), value.join('=').trim())
  }
  const value = pair.slice(equals + 1).trim()
  const maxAge = secondsOf(attributes.get('max-age'))
  return {
    name,
    value,
    maxAge,
    domain: attributes.get('domain') || undefined,
    path: attributes.get('path'),
    secure: attributes.has('secure'),
    httpOnly: attributes.has('httponly'),
    sameSite: attributes.get('samesite'),
    partitioned: attributes.has('partitioned'),
    isRemoval: value === '' || isPast(maxAge, attributes.get('expires'), now),
  }
}

function secondsOf(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,12}$/.test(text) ? Number(text) : undefined
}

function isPast(maxAge: number | undefined, expires: string | undefined, now: number): boolean {
  if (maxAge !== undefined) return maxAge <= 0
  return expires !== undefined && Date.parse(expires) <= now
}
