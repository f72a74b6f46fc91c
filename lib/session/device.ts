import { Recent } from '../storage/recent.ts'
import type { DeviceFacts } from '../../types/index.ts'
import type { Client } from './engine.ts'
import { hashOf } from './id.ts'

/** How many user agents are remembered, and as many again; each is 256 characters at the most. */
const REMEMBERED = 500

const userAgents = new Recent<string>(REMEMBERED)

/** What a record keeps of the client that logs in. User agents are few and sessions many: in memory they share the text. */
export function deviceOf({ userAgent, ip }: Pick<Client, 'userAgent' | 'ip'>): DeviceFacts {
  return { userAgent: userAgents.get(userAgent) ?? remember(userAgent), ip: copyOf(ip) }
}

function remember(userAgent: string): string {
  const copy = copyOf(userAgent)
  userAgents.set(copy, copy)
  return copy
}

/** What was cut from a header would keep all of it in memory. */
function copyOf(text: string): string {
  return Buffer.from(text).toString()
}

const families = new Recent<string>(REMEMBERED)

/** The length of a family. It tells kinds of clients apart, and is no secret. */
const FAMILY_LENGTH = 8

/**
 * Returns the kind of a client: its user agent without versions, as the beginning of a hash. An update of the browser does not
 * change it. Empty for a client that names no user agent.
 */
export function familyOf(userAgent: string): string {
  if (userAgent === '') return ''
  const known = families.get(userAgent)
  if (known !== undefined) return known
  const family = hashOf(userAgent.replaceAll(/[\d._]+/g, '')).slice(0, FAMILY_LENGTH)
  families.set(copyOf(userAgent), family)
  return family
}
