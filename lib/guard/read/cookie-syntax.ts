import type { ConfigFacts } from './config-facts.ts'

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

const MAX_ATTRIBUTE = 1024

const PREFIXES = ['__Host-Http-', '__Host-', '__Http-', '__Secure-'] as const

/** A cookie name prefix that browsers give a meaning to. */
export type Prefix = (typeof PREFIXES)[number]

/** The prefix as browsers see it: in any case. */
export function prefixOf(name: string | undefined): Prefix | undefined {
  return PREFIXES.find((prefix) => name?.toLowerCase().startsWith(prefix.toLowerCase()))
}

/** The cookie's name, unless another rule refuses it. */
export function validName({ cookie }: ConfigFacts): string | undefined {
  return cookie.name !== undefined && isToken(cookie.name) ? cookie.name : undefined
}

/** RFC 9110 5.6.2. */
export function isToken(name: string): boolean {
  return TOKEN.test(name)
}

/** A path that can stand in the header (RFC 6265bis 5.1.4). */
export function isUsablePath(path: string): boolean {
  return /^\/[\x20-\x3a\x3d-\x7e]*$/.test(path)
}

/** Browsers read over an attribute beyond this size (RFC 6265bis 5.6). */
export function isAttributeTooBig(value: string): boolean {
  return Buffer.byteLength(value) > MAX_ATTRIBUTE
}

/** A browser keeps a cookie for https only if Secure is exactly `true`; `'auto'` follows each request. */
export function isInsecure({ cookie }: ConfigFacts): boolean {
  return cookie.secure === false || cookie.secure === 'auto'
}
