import { isIP } from 'node:net'
import type { Settings } from '../options.ts'

/** The attributes by which browsers keep cookies of one name apart. */
export interface CookieVariant {
  readonly domain: string | undefined
  readonly path: string
  /**
   * Tells whether the cookie has `Partitioned`. Such a cookie lies in a jar of its own, and a browser sends the cookies
   * of both jars.
   */
  readonly partitioned: boolean
}

/**
 * The most variants that one response clears. Hosts and paths have a few parts; a longer list comes from somebody else.
 */
const MAX_VARIANTS = 16

/** Prefixes of a path that are looked at. */
const MAX_PATHS = 4

/**
 * Lists the variants of the session cookie that a request can carry and this configuration does not set. They are the
 * host-only cookie and a cookie for the host and for each parent domain. Each of them exists for `/` and for each
 * folder of the request's path. Where the cookie is `Partitioned`, and under a `__Host-` name, there is a twin in the
 * other jar.
 *
 * @param host The host of the request, with or without a port.
 * @param url The path of the request, and whatever follows it.
 */
export function foreignVariants(cookie: Settings['cookie'], host: string, url: string): CookieVariant[] {
  const own = { domain: domainOf(cookie.domain), path: cookie.path, partitioned: cookie.partitioned }
  const otherJar = { ...own, partitioned: !own.partitioned }
  // A browser takes a __Host- cookie for this host and for `/` only. So two of them lie in two jars.
  if (/^__host-/i.test(cookie.name)) return [otherJar]
  const domains = [undefined, ...parentDomains(host)]
  const others = foldersOf(url)
    .flatMap((path) => domains.map((domain) => ({ ...own, domain, path })))
    .filter(({ domain, path }) => domain !== own.domain || path !== own.path)
  // A browser that does not know `Partitioned` would clear the good cookie in place of its twin in the other jar.
  if (!own.partitioned) return others.slice(0, MAX_VARIANTS)
  const unpartitioned = others.map((variant) => ({ ...variant, partitioned: false }))
  return [otherJar, ...others, ...unpartitioned].slice(0, MAX_VARIANTS)
}

/** Browsers drop a leading dot. */
function domainOf(domain: string | undefined): string | undefined {
  return domain?.replace(/^\./, '').toLowerCase()
}

/**
 * Lists a host and its parents that have a dot. A host of a single label, and an address, stands for itself. If such a
 * host were the `Domain`, browsers would treat the cookie as the host-only cookie.
 */
function parentDomains(host: string): string[] {
  const bare = host.replace(/:\d+$/, '').toLowerCase()
  if (bare.startsWith('[') || isIP(bare) !== 0) return []
  const labels = bare.split('.')
  return labels.map((_, index) => labels.slice(index).join('.')).filter((name) => /^[^.].*\.[^.]/.test(name))
}

function foldersOf(url: string): string[] {
  const [path = ''] = url.split(/[?#;]/, 1)
  const steps = path.split('/').filter((step) => /^[\w.~%-]+$/.test(step))
  const folders = steps.map((_, index) => `/${steps.slice(0, index + 1).join('/')}`)
  return ['/', ...folders].slice(0, MAX_PATHS)
}
