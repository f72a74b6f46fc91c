import { isSelfContained } from './session-cookies.ts'
import type { WeakId } from '../guard/read/deployment-facts.ts'
import type { SetCookie } from './set-cookie.ts'

/** The least random bits of a session id (OWASP session management cheat sheet). */
const MIN_BITS = 64

/** The greatest difference between neighbours that still looks counted. */
const LARGEST_STEP = 1_000_000n

/**
 * Judges the ids that independent visitors were given, in the order in which they were given, and the cookies of a user
 * after the login. Self-contained cookies are no ids, because their signature protects them.
 */
export function weakIds(visitors: readonly (readonly SetCookie[])[], login?: UserCookies): WeakId[] {
  const given = new Map<string, string[]>()
  for (const cookies of visitors) {
    // The last cookie of a name is the one that a browser keeps.
    for (const { name, value } of new Map(cookies.map((cookie) => [cookie.name, cookie])).values()) {
      given.set(name, [...(given.get(name) ?? []), value])
    }
  }
  const names = new Set([...given.keys(), ...(login?.cookies.keys() ?? [])])
  return [...names].flatMap((name) => {
    const why = weaknessOf(given.get(name) ?? [], login?.cookies.get(name), login?.user)
    return why === undefined ? [] : [{ name, why }]
  })
}

/** The cookies that carry a login, and whose login it is. */
export interface UserCookies {
  readonly user: string
  readonly cookies: ReadonlyMap<string, string>
}

function weaknessOf(given: readonly string[], held: string | undefined, user: string | undefined): string | undefined {
  if (held !== undefined && user !== undefined && says(held, user)) return 'the cookie is the name of the user'
  const all = held === undefined ? given : [...given, held]
  if (all.some(isSelfContained)) return undefined
  const [first] = given
  if (given.length > 1 && given.every((value) => value === first)) return 'different visitors got the same id'
  if (given.length > 2 && isCounted(given)) return 'the ids are counted'
  const bits = Math.max(...all.map(bitsOf))
  return bits < MIN_BITS ? `the id has room for ${Math.floor(bits)} random bits` : undefined
}

function says(value: string, user: string): boolean {
  const texts = [value, Buffer.from(value, 'base64').toString('utf8'), Buffer.from(value, 'hex').toString('utf8')]
  return texts.some((text) => text.replace(/^(user|username|name|login)[=:]/i, '') === user)
}

/** Tells whether the ids are numbers in one text, each a little greater than the one before. */
function isCounted(given: readonly string[]): boolean {
  const numbers = given.map((value) => /^([^\d]{0,64})(\d{1,40})([^\d]{0,64})$/.exec(value))
  const [first] = numbers
  return numbers.every((found, index) => {
    if (found === null || found[1] !== first?.[1] || found[3] !== first?.[3]) return false
    const step = BigInt(String(found[2])) - BigInt(String(numbers[index - 1]?.[2] ?? found[2]))
    return index === 0 || (step > 0n && step <= LARGEST_STEP)
  })
}

/** Returns the most bits that a text of this length can hold in its alphabet. */
function bitsOf(value: string): number {
  const text = value.replace(/^s(:|%3A)/i, '')
  if (/^\d+$/.test(text)) return text.length * Math.log2(10)
  if (/^[\da-f-]+$/i.test(text)) return text.replaceAll('-', '').length * 4
  return text.length * (/^[\da-z]+$/.test(text) ? Math.log2(36) : 6)
}
