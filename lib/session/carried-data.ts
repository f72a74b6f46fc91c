import { parse } from 'secure-json-parse'
import type { SessionData } from './json-data.ts'
import { isReserved, serializeValue } from './json-data.ts'

/**
 * Returns a copy of an old session's data without the names that reach for a prototype, also inside. Code that copies
 * the data member by member would set the prototype, and take a planted user id for the session's own.
 */
export function harmlessData(old: SessionData): SessionData {
  return parse(JSON.stringify(old), undefined, {
    protoAction: 'remove',
    constructorAction: 'remove',
  }) as SessionData
}

/**
 * Returns the data of an old session as JSON that a record can keep. A name that belongs to the session object gets a
 * `_` before it, as many as it takes to be nobody else's. A value that no session could write again is dropped.
 */
export function carriedData(data: SessionData): string {
  const carried: SessionData = {}
  for (const [name, value] of Object.entries(data)) {
    if (!isWritable(value)) continue
    let free = name
    while (isReserved(free) || (free !== name && Object.hasOwn(data, free))) free = `_${free}`
    carried[free] = value
  }
  return JSON.stringify(carried)
}

/** Tells whether a value may stand in a session. JSON brings no other fault along than its depth. */
function isWritable(value: unknown): boolean {
  try {
    serializeValue(value, '')
    return true
  } catch {
    return false
  }
}
