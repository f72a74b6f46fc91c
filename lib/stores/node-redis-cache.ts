/** The answers that node-redis keeps in memory, when the app gave the client a `clientSideCache`. */
export interface ReadCache {
  /** Returns the last value of a key that the server sent; `undefined` when no value is cached. */
  find(key: string): string | Uint8Array | undefined
  /**
   * Removes a key from the cache, so that the next read asks the server. Call it after a write, whether the write
   * succeeded or failed. If it ran before the write, a read beside the write would bring the old value back. The
   * message of the server about the new value may come late on another connection of a pool.
   */
  forget(key: string): void
}

/** The parts of the driver's cache. A question still under way has an entry without a value. */
interface ClientSideCache {
  get(question: string): { readonly value?: unknown } | undefined
  recordHits(count: number): void
  invalidate(key: string): void
}

/** A client, a pool, a Sentinel or a Cluster; `_keyPrefix` is the option `keyPrefix` of each. */
interface CachingClient {
  readonly clientSideCache?: Partial<ClientSideCache>
  readonly _keyPrefix?: string | Buffer
}

/**
 * Returns the cache of a client, which is then read directly. The driver would answer from its cache with promises and
 * a structured clone. They cost more than the rest of such a read. If a version of the driver names its questions
 * differently, no value is found.
 */
export function readCacheOf(client: object): ReadCache | undefined {
  const { clientSideCache: cache, _keyPrefix } = client as CachingClient
  if (!isComplete(cache)) return undefined
  const prefix = String(_keyPrefix ?? '')
  return {
    find(key) {
      const value = cache.get(questionFor(`${prefix}${key}`))?.value
      if (typeof value !== 'string' && !(value instanceof Uint8Array)) return undefined
      cache.recordHits(1)
      return value
    },
    forget: (key) => cache.invalidate(`${prefix}${key}`),
  }
}

/** An app may have made a cache of its own, and only the driver knows how to ask it. */
function isComplete(cache: Partial<ClientSideCache> | undefined): cache is ClientSideCache {
  return (['get', 'recordHits', 'invalidate'] as const).every((name) => typeof cache?.[name] === 'function')
}

/** Returns the key under which the driver caches a `GET`: the length of each word, then the words. */
function questionFor(key: string): string {
  return `3_${key.length}_GET_${key}`
}
