import { parse } from 'secure-json-parse'
import type { SessionData } from './json-data.ts'
import { isReserved } from './json-data.ts'

/**
 * Returns the data of an old session as JSON that a record can keep. A name that belongs to the session object gets a
 * `_` before it, as many as it takes to be nobody else's. Names that reach for a prototype are dropped, also inside.
 */
export function carriedData(old: SessionData): string {
  const data = parse(JSON.stringify(old), undefined, {
    protoAction: 'remove',
    constructorAction: 'remove',
  }) as SessionData
  const carried: SessionData = {}
  for (const [name, value] of Object.entries(data)) {
    let free = name
    while (isReserved(free) || (free !== name && Object.hasOwn(data, free))) free = `_${free}`
    carried[free] = value
  }
  return JSON.stringify(carried)
}
