/** Cookie names that an app has without naming one. */
const DEFAULT_NAMES: ReadonlySet<string> = new Set(['session', '__Host-session'])

/**
 * The namespace of an app whose options name none: its cookie name, so that two apps on one Redis prefix or table keep their
 * users apart. An app with the default cookie name has the empty namespace, in development as in production.
 */
export function defaultNamespace(cookieName: string): string {
  return DEFAULT_NAMES.has(cookieName) ? '' : cookieName
}

const SEPARATOR = '\0'

/**
 * The name under which a user index keeps a user. In the empty namespace it is the user id itself, so that sessions which are
 * already stored are still found. No user id, whoever chose it, leads into another namespace.
 */
export function indexName(namespace: string, userId: string): string {
  // The empty namespace escapes only those ids that would look like another namespace.
  if (namespace === '' && !userId.startsWith(SEPARATOR)) return userId
  return `${SEPARATOR}${namespace.replaceAll(SEPARATOR, '')}${SEPARATOR}${userId}`
}
