import { Recent } from '../storage/recent.ts'
import type { DeviceFacts } from '../../types/index.ts'
import type { Client } from './engine.ts'
import { hashOf } from './id.ts'

/** The number of user agents in each of two generations. Each has at most 256 characters. */
const REMEMBERED = 500

const userAgents = new Recent<string>(REMEMBERED)

/**
 * Returns the facts about a client that a record keeps. Many sessions share one user agent, so they share its text in
 * memory.
 */
export function deviceOf({ userAgent, ip }: Pick<Client, 'userAgent' | 'ip'>): DeviceFacts {
  return { userAgent: userAgents.get(userAgent) ?? remember(userAgent), ip: copyOf(ip) }
}

function remember(userAgent: string): string {
  const copy = copyOf(userAgent)
  userAgents.set(copy, copy)
  return copy
}

/** Returns a copy of a text. A slice would keep the whole header in memory. */
function copyOf(text: string): string {
  return Buffer.from(text).toString()
}

const families = new Recent<string>(REMEMBERED)

/** The length of a family. It tells kinds of clients apart, and is no secret. */
const FAMILY_LENGTH = 8

/**
 * Returns the kind of a client: its user agent without versions, as the beginning of a hash. An update of the browser
 * does not change it. Empty for a client that names no user agent.
 */
export function familyOf(userAgent: string): string {
  if (userAgent === '') return ''
  const known = families.get(userAgent)
  if (known !== undefined) return known
  const family = hashOf(userAgent.replaceAll(/[\d._]+/g, '')).slice(0, FAMILY_LENGTH)
  families.set(copyOf(userAgent), family)
  return family
}
