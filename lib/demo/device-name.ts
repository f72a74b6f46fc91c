/** The greatest length of a shown name, because the client chooses the header. */
const MAX_LENGTH = 120

/** The order matters, because Edge calls itself Chrome too, and Chrome calls itself Safari. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg\//, 'Edge'],
  [/\bFirefox\//, 'Firefox'],
  [/\b(?:Headless)?Chrome\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
  [/^curl\//, 'curl'],
]

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
]

/** Turns a `User-Agent` into words such as `Firefox on Linux`. Shortens an unknown one. */
export function deviceName(userAgent: string): string {
  const program = first(PROGRAMS, userAgent)
  const system = first(SYSTEMS, userAgent)
  if (program === undefined) return userAgent.slice(0, MAX_LENGTH) || 'A program that does not say its name'
  return system === undefined ? program : `${program} on ${system}`
}

function first(table: typeof PROGRAMS, userAgent: string): string | undefined {
  return table.find(([pattern]) => pattern.test(userAgent))?.[1]
}
