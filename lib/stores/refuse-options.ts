/**
 * Throws for an option that a factory does not read: a misspelt `prefix` would mix the sessions of two apps.
 * @param known names of the options
 * @throws `TypeError` that names the options that there are
 */
export function refuseUnread(factory: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${factory}: the options are an object with ${known.join(', ')}`)
  }
  const unread = Object.keys(options).find((name) => !known.includes(name))
  if (unread === undefined) return
  throw new TypeError(`${factory} has no option "${unread.slice(0, MAX_SHOWN)}"; known are: ${known.join(', ')}`)
}

/**
 * The most characters of a name that a message shows. No option has a longer name, and a longer text may be a secret in
 * the wrong place.
 */
const MAX_SHOWN = 40
