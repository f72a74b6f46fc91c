/** How often a cookie stands in a header, and its first value. */
export interface CookieOccurrences {
  readonly count: number
  readonly value: string
}

const NONE: CookieOccurrences = { count: 0, value: '' }

/**
 * Finds a cookie by name in a raw `Cookie` header, as servers read it (RFC 6265bis 4.2): pairs split at `;`, white space around
 * name and value dropped. A parsed object would hide the second cookie of a name, and that one is the attack (bis 8.6).
 */
export function findCookie(header: string, name: string): CookieOccurrences {
  if (!header.includes(name)) return NONE
  let count = 0
  let value = ''
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue
    if (count === 0) value = pair.slice(equals + 1).trim()
    count += 1
  }
  return count === 0 ? NONE : { count, value }
}
