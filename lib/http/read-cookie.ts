/** The number of times that a cookie stands in a header, and its first value. */
export interface CookieOccurrences {
  readonly count: number
  readonly value: string
}

const NONE: CookieOccurrences = { count: 0, value: '' }

const [SPACE, TAB, EQUALS] = [0x20, 0x09, 0x3d]

/**
 * Finds a cookie by name in a raw `Cookie` header, as servers read the header (RFC 6265bis 4.2). Pairs are split at
 * `;`, and white space around name and value is dropped. A parsed object would hide the second cookie of a name, which
 * is the attack (RFC 6265bis 8.6).
 */
export function findCookie(header: string, name: string): CookieOccurrences {
  let count = 0
  let value = ''
  for (let at = header.indexOf(name); at !== -1; at = header.indexOf(name, at + 1)) {
    const equals = skipBlanks(header, at + name.length)
    if (header.charCodeAt(equals) !== EQUALS || !isPairStart(header, at)) continue
    if (count === 0) value = valueAt(header, equals + 1)
    count += 1
  }
  return count === 0 ? NONE : { count, value }
}

/** Returns the value of a cookie; empty for none, and for several of the name. */
export function singleCookie(header: string | undefined, name: string): string {
  if (header === undefined) return ''
  const { count, value } = findCookie(header, name)
  return count === 1 ? value : ''
}

/** Tells whether a pair begins here: nothing but blanks between this place and the `;` before it, or the start. */
function isPairStart(header: string, at: number): boolean {
  let before = at - 1
  while (isBlank(header.charCodeAt(before))) before -= 1
  return before < 0 || header[before] === ';'
}

function valueAt(header: string, start: number): string {
  const semicolon = header.indexOf(';', start)
  let end = semicolon === -1 ? header.length : semicolon
  const first = skipBlanks(header, start)
  while (end > first && isBlank(header.charCodeAt(end - 1))) end -= 1
  return header.slice(first, end)
}

function skipBlanks(header: string, start: number): number {
  let at = start
  while (isBlank(header.charCodeAt(at))) at += 1
  return at
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}
