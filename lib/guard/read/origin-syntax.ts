const LONGEST = 1024

/** A scheme that some app has for its own pages, as WebViews and extensions do. */
const APP_ORIGIN = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?<host>[^\s/?#@*\\"'<>]*)$/

/** Schemes of Safari, which sends the id of an extension in upper case. */
const KEEPS_CASE = /^safari(-web)?-extension$/

/** Origins that pages of everybody can have. A reason is required for each. */
export const SHARED_ORIGINS: readonly string[] = ['null', 'file://']

/** Schemes whose pages have no origin, or that name no page at all. */
const NO_APPS = new Set([
  'http',
  'https',
  'ws',
  'wss',
  'ftp',
  'file',
  'data',
  'blob',
  'about',
  'javascript',
  'filesystem',
])

/** Judges whether a text is an origin as browsers and the shells of apps send it: compared whole, letter by letter. */
export function isOrigin(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > LONGEST) return false
  // URLs may hold a wildcard, but origins are compared whole: it would match nothing.
  if (/^https?:/.test(value)) return !value.includes('*') && URL.canParse(value) && new URL(value).origin === value
  const { scheme = 'http', host = '' } = APP_ORIGIN.exec(value)?.groups ?? {}
  if (NO_APPS.has(scheme)) return false
  if (scheme.endsWith('-extension') && host === '') return false
  return KEEPS_CASE.test(scheme) || !/[A-Z]/.test(host)
}

/**
 * Returns the origin that was meant; `undefined` where that cannot be told. A path, a name and a password, upper case
 * and the default port are left out, and a bare host is taken for https.
 */
export function suggestedOrigin(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > LONGEST || value.includes('*')) return undefined
  if (SHARED_ORIGINS.includes(value)) return value
  const url = /^[\w-]+(\.[\w-]+)+(:\d+)?\/?$/.test(value) ? `https://${value}` : value
  const { scheme = '', host = '' } = /^(?<scheme>[\w+.-]+):\/\/(?:[^/?#@]*@)?(?<host>[^/?#]*)/.exec(url)?.groups ?? {}
  const isWeb = /^https?$/i.test(scheme) && URL.canParse(url)
  const origin = isWeb ? new URL(url).origin : appOrigin(scheme, host)
  return isOrigin(origin) ? origin : undefined
}

function appOrigin(scheme: string, host: string): string {
  const small = scheme.toLowerCase()
  return `${small}://${KEEPS_CASE.test(small) ? host : host.toLowerCase()}`
}
