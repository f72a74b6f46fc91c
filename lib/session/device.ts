import type { DeviceFacts } from '../../types/index.ts'
import type { Client } from './engine.ts'
import { Recent } from '../storage/recent.ts'

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
