import { once } from 'node:events'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5'
import { createClient, createCluster, createSentinel } from 'redis'
import {
  createClient as createClient5,
  createCluster as createCluster5,
  createSentinel as createSentinel5,
} from 'redis-5'
import type { RedisClient } from '../../lib/stores/redis.ts'

/** One driver, in one of the versions that apps use. */
export interface RedisDriver {
  readonly name: string
  connect(port: number): Promise<Connected>
  connectCluster(ports: readonly number[]): Promise<Connected>
  /** Connects to the primary that a sentinel on this port knows by that name. */
  connectSentinel(port: number, primary: string): Promise<Connected>
}

/** A connected client, with the listener for errors that an app would have. */
interface Connected {
  readonly client: RedisClient
  readonly close: () => Promise<void>
}

const HOST = '127.0.0.1'

/** Reads are kept until the server says that they have changed. */
const CACHING = { RESP: 3, clientSideCache: { ttl: 0, maxEntries: 0 } } as const

/** Drivers of node-redis. They fail fast, as the store's documentation asks for. */
const nodeRedis = (
  name: string,
  create: typeof createClient,
  createMany: typeof createCluster,
  createWatched: typeof createSentinel,
  caching?: typeof CACHING,
): RedisDriver => ({
  name,
  connect: async (port) => {
    const socket = { host: HOST, port, reconnectStrategy: 50 }
    const client = create({ socket, disableOfflineQueue: true, ...caching }).on('error', () => undefined)
    await client.connect()
    return { client, close: async () => client.destroy() }
  },
  connectCluster: async (ports) => {
    const rootNodes = ports.map((port) => ({ url: `redis://${HOST}:${port}` }))
    const defaults = { disableOfflineQueue: true }
    const client = createMany({ rootNodes, defaults, ...caching }).on('error', () => undefined)
    await client.connect()
    return { client, close: async () => client.destroy() }
  },
  connectSentinel: async (port, primary) => {
    const nodeClientOptions = { disableOfflineQueue: true }
    const sentinelRootNodes = [{ host: HOST, port }]
    const client = createWatched({ name: primary, sentinelRootNodes, nodeClientOptions, ...caching })
    client.on('error', () => undefined)
    await client.connect()
    return { client, close: async () => client.destroy() }
  },
})

const ioRedis = (name: string, One: typeof Redis, Many: typeof Cluster): RedisDriver => ({
  name,
  connect: async (port) => {
    const options = { enableOfflineQueue: false, maxRetriesPerRequest: 1, retryStrategy: () => 50 }
    const client = new One(port, HOST, options).on('error', () => undefined)
    await once(client, 'ready')
    return { client, close: async () => client.disconnect() }
  },
  connectCluster: async (ports) => {
    const nodes = ports.map((port) => ({ host: HOST, port }))
    const client = new Many(nodes, { redisOptions: { maxRetriesPerRequest: 1 } }).on('error', () => undefined)
    await once(client, 'ready')
    return { client, close: async () => client.disconnect() }
  },
  connectSentinel: async (port, primary) => {
    const options = { enableOfflineQueue: false, maxRetriesPerRequest: 1, sentinelRetryStrategy: () => 50 }
    const client = new One({ sentinels: [{ host: HOST, port }], name: primary, ...options }).on(
      'error',
      () => undefined,
    )
    await once(client, 'ready')
    return { client, close: async () => client.disconnect() }
  },
})

export const nodeRedis6: RedisDriver = nodeRedis('node-redis 6', createClient, createCluster, createSentinel)
export const ioRedis6: RedisDriver = ioRedis('ioredis 6', Redis, Cluster)

/** The driver with a cache in the client. */
export const nodeRedisCached: RedisDriver = nodeRedis(
  'node-redis 6 with client-side caching',
  createClient,
  createCluster,
  createSentinel,
  CACHING,
)

/** Both drivers in both versions. The older versions' types differ where the store does not look. */
export const redisDrivers: readonly RedisDriver[] = [
  nodeRedis6,
  nodeRedisCached,
  nodeRedis('node-redis 5', createClient5 as never, createCluster5 as never, createSentinel5 as never),
  ioRedis6,
  ioRedis('ioredis 5', Redis5 as never, Cluster5 as never),
]
