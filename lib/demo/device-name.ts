/** More says nothing, and the header is the client's to choose. */
const MAX_LENGTH = 120

/** In this order: Edge calls itself Chrome too, and Chrome calls itself Safari. */
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

/** A `User-Agent` for people: `Firefox on Linux`. What is not known is shown as it came, shortened. */
export function deviceName(userAgent: string): string {
  const program = first(PROGRAMS, userAgent)
  const system = first(SYSTEMS, userAgent)
  if (program === undefined) return userAgent.slice(0, MAX_LENGTH) || 'A program that does not say its name'
  return system === undefined ? program : `${program} on ${system}`
}

function first(table: typeof PROGRAMS, userAgent: string): string | undefined {
  return table.find(([pattern]) => pattern.test(userAgent))?.[1]
}
