const CACHE_CONTROL = /^surrogate-control$|(?:^|-)cache-control$/i

/**
 * `Cache-Control` and its like: `CDN-Cache-Control` and others go before it for the caches that they name (RFC 9213,
 * 2).
 */
export function isCacheControl(name: string): boolean {
  return CACHE_CONTROL.test(name)
}
