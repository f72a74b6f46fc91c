import type { SessionRecord } from '../../types/index.ts'
import { withFields } from './copy-record.ts'

/** The cookie names of apps whose options give no name. */
const DEFAULT_NAMES: ReadonlySet<string> = new Set(['session', '__Host-session', '__Secure-session'])

/**
 * Returns the namespace of an app whose options give none: the name of its cookie. Every default name stands for the
 * empty namespace, so that development and production agree.
 */
export function defaultNamespace(cookieName: string): string {
  return DEFAULT_NAMES.has(cookieName) ? '' : cookieName
}

const SEPARATOR = '\0'

/**
 * Returns the name under which a store keeps a user. In the empty namespace the name is the user id. No user id,
 * whoever chose the id, leads into another namespace.
 */
export function storedName(namespace: string, userId: string): string {
  // The empty namespace escapes only those ids that would look like another namespace.
  if (namespace === '' && !userId.startsWith(SEPARATOR)) return userId
  return `${SEPARATOR}${namespace}${SEPARATOR}${userId}`
}

/** Returns the namespace and the user id that a stored name stands for. */
export function readName(name: string): { readonly namespace: string; readonly userId: string } {
  const end = name.startsWith(SEPARATOR) ? name.indexOf(SEPARATOR, 1) : -1
  return end === -1 ? { namespace: '', userId: name } : { namespace: name.slice(1, end), userId: name.slice(end + 1) }
}

/** Returns a record as the store keeps it. The record of nobody belongs to no namespace. */
export function storedRecord(namespace: string, record: SessionRecord): SessionRecord {
  const { userId } = record
  const name = userId === null ? null : storedName(namespace, userId)
  return name === userId ? record : withFields(record, { userId: name })
}

/** Returns a record as the app knows it; `undefined` for a record of another namespace. */
export function readRecord(namespace: string, found: SessionRecord): SessionRecord | undefined {
  const { userId: name } = found
  if (name === null || (namespace === '' && !name.startsWith(SEPARATOR))) return found
  const { namespace: own, userId } = readName(name)
  return own === namespace ? withFields(found, { userId }) : undefined
}
