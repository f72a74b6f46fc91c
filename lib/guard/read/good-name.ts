import { prefixOf } from './cookie-syntax.ts'
import type { ConfigFacts } from './config-facts.ts'

const MAX_NAME = 64

/** A cookie name of letters, digits, `_`, `.` and `-`, as near to another one as possible, without a prefix. */
export function plainName(name: string): string {
  const bare = name.slice(prefixOf(name)?.length ?? 0)
  const letters = bare.normalize('NFKD').replaceAll(/\p{M}/gu, '')
  const cleaned = letters.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^[-.]+|[-.]+$/g, '')
  return cleaned === '' ? 'session' : cleaned.slice(0, MAX_NAME)
}

/** The best prefix that the other attributes of the cookie allow; none where the cookie is not always Secure. */
export function bestPrefix({ cookie }: ConfigFacts): '__Host-' | '__Secure-' | '' {
  if (cookie.secure !== true) return ''
  return cookie.domain === undefined && (cookie.path ?? '/') === '/' ? '__Host-' : '__Secure-'
}

/**
 * Returns the name that the app gave to its cookie, cleaned and with the best prefix. Returns a neutral name in place
 * of a secret.
 */
export function goodName(facts: ConfigFacts, name: string): string {
  const isHidden = facts.at(['cookie', 'name']).redacted
  return `${bestPrefix(facts)}${isHidden ? 'session' : plainName(name)}`
}
