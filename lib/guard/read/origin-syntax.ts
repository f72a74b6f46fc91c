import { literal } from './show-value.ts'

const LONGEST = 1024

/** A scheme that some app has for its own pages, as WebViews and extensions do. */
const APP_ORIGIN = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?<host>[^\s/?#@*\\"'<>A-Z]*)$/

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
  return !NO_APPS.has(scheme) && !(scheme.endsWith('-extension') && host === '')
}

/**
 * Returns the origin that was meant, as source text; `undefined` where that cannot be told. A path, a name and a
 * password, upper case and the default port are left out, and a bare host is taken for https.
 */
export function suggestedOrigin(value: unknown): string | undefined {
  if (value === 'null') return "{ origin: 'null', reason: '…' }"
  if (typeof value !== 'string' || value.length > LONGEST || value.includes('*')) return undefined
  const url = /^[\w-]+(\.[\w-]+)+(:\d+)?\/?$/.test(value) ? `https://${value}` : value
  const { scheme = '', host = '' } = /^(?<scheme>[\w+.-]+):\/\/(?:[^/?#@]*@)?(?<host>[^/?#]*)/.exec(url)?.groups ?? {}
  const isWeb = /^https?$/i.test(scheme) && URL.canParse(url)
  const origin = isWeb ? new URL(url).origin : `${scheme}://${host}`.toLowerCase()
  return isOrigin(origin) ? literal(origin) : undefined
}
