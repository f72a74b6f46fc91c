import { causeOf } from '../storage/cause.ts'
import { readCacheOf } from './node-redis-cache.ts'
import type { Script } from './redis-scripts.ts'

/** The part of node-redis 5 and 6 that the store uses: a client, a pool, a Sentinel or a Cluster. */
export interface NodeRedisClient {
  get(key: string): Promise<unknown>
  eval(lua: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** The part of ioredis 5 and 6 that the store uses: a client or a Cluster. */
export interface IoRedisClient {
  get(key: string): Promise<unknown>
  eval(lua: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  evalsha(sha: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
}

/** Either driver's client, connected by the app, or about to be. */
export type RedisClient = NodeRedisClient | IoRedisClient

/**
 * A value, or `null` for none. The value is bytes where the app told its client so; node-redis takes them out of its
 * cache as plain bytes.
 */
export type RedisValue = string | Uint8Array | null

/** The questions that the store asks. A question fails with a cause that carries no command, and so no record. */
export interface Redis {
  /** A prefix that the driver itself puts before every key. */
  readonly keyPrefix: string
  /** Reads a value from the server, and ignores the cache of the driver. Empty for a key that holds no text. */
  get(key: string): Promise<RedisValue>
  /** Reads many values from the server, in one question where one server has all of them. */
  getMany(keys: readonly string[]): Promise<readonly RedisValue[]>
  /** Returns a value from the cache of the driver; `undefined` without a cache, or without this value. */
  recall(key: string): string | Uint8Array | undefined
  run(script: Script, key: string, ...values: (string | number)[]): Promise<unknown>
}

/** Returns one way to call both drivers. */
export function redisOf(client: RedisClient): Redis {
  const call = callerOf(client)
  const cache = readCacheOf(client)
  const get = async (key: string): Promise<RedisValue> => {
    cache?.forget(key)
    try {
      return (await client.get(key)) as RedisValue
    } catch (error) {
      return emptyIfNoText(error)
    }
  }
  // A driver with a cache would answer from it, and cannot be told to forget the answer to many keys.
  const readMany = cache === undefined ? manyReaderOf(client) : undefined
  listenForErrors(client)
  return {
    keyPrefix: keyPrefixOf(client),
    get,
    getMany: (keys) => (readMany === undefined ? Promise.all(keys.map(get)) : readMany(keys).catch(fail)),
    recall: (key) => cache?.find(key),
    run: (script, key, ...values) =>
      runWith(call, script, key, values.map(String))
        .catch(fail)
        .finally(() => cache?.forget(key)),
  }
}

function fail(error: unknown): never {
  throw causeOf(error)
}

function emptyIfNoText(error: unknown): string {
  // Another program wrote the key.
  if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return ''
  throw causeOf(error)
}

/** Returns what reads many keys of one server. The keys of a Cluster are on several servers. */
function manyReaderOf(client: RedisClient): Redis['getMany'] | undefined {
  const { mGet, mget } = client as Partial<Record<'mGet' | 'mget', (keys: readonly string[]) => Promise<RedisValue[]>>>
  if ('nodeClient' in client || 'nodes' in client) return undefined
  return (mGet ?? mget)?.bind(client)
}

/** node-redis has the prefix beside its options, ioredis among them. */
function keyPrefixOf(client: object): string {
  const { _keyPrefix, options } = client as { _keyPrefix?: string | Buffer; options?: { keyPrefix?: string | Buffer } }
  return String(_keyPrefix ?? options?.keyPrefix ?? '')
}

async function runWith(call: Caller, { sha, lua }: Script, key: string, values: string[]): Promise<unknown> {
  try {
    return await call.bySha(sha, key, values)
  } catch (error) {
    // A restart, a failover, SCRIPT FLUSH or another node of a cluster: the text makes it known again.
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return call.byText(lua, key, values)
  }
}

interface Caller {
  bySha(sha: string, key: string, values: string[]): Promise<unknown>
  byText(lua: string, key: string, values: string[]): Promise<unknown>
}

function callerOf(client: RedisClient): Caller {
  if (isNodeRedis(client)) {
    return {
      bySha: (sha, key, values) => client.evalSha(sha, { keys: [key], arguments: values }),
      byText: (lua, key, values) => client.eval(lua, { keys: [key], arguments: values }),
    }
  }
  return {
    bySha: (sha, key, values) => client.evalsha(sha, 1, key, ...values),
    byText: (lua, key, values) => client.eval(lua, 1, key, ...values),
  }
}

/** Tells whether a value is a client of either driver. */
export function isClient(value: object): boolean {
  return has(value, 'get') && has(value, 'eval') && (has(value, 'evalSha') || has(value, 'evalsha'))
}

function isNodeRedis(client: RedisClient): client is NodeRedisClient {
  return has(client, 'evalSha')
}

function has(client: object, method: string): boolean {
  return typeof (client as Record<string, unknown>)[method] === 'function'
}

interface Emitter {
  on(event: 'error', listener: () => void): unknown
  listenerCount(event: 'error'): number
}

/**
 * Listens for errors of a client. Without a listener a lost connection ends the whole process, or floods its output.
 * Each request that fails reports the error anyway.
 */
function listenForErrors(client: object): void {
  const emitter = client as Emitter
  if (has(client, 'on') && has(client, 'listenerCount') && emitter.listenerCount('error') === 0) {
    emitter.on('error', () => undefined)
  }
}
