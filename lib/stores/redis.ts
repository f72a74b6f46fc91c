import { randomBytes } from 'node:crypto'
import type {
  AbsenceReports,
  Announcing,
  Clocked,
  Cutoff,
  Enumerating,
  IndexEntry,
  ReadingMany,
  RecordPage,
  SessionRecord,
  SessionStore,
  UserIndex,
} from '../../types/index.ts'
import { answerAtOnce } from '../storage/immediate.ts'
import type { Moving } from './codec.ts'
import { encodeRecord, keyOf } from './codec.ts'
import { DecodedRecords } from './decoded-records.ts'
import type { Listener, Unsubscribe } from './listeners.ts'
import { SharedSubscription } from './listeners.ts'
import { subscribeTo } from './redis-announcements.ts'
import type { Redis, RedisClient } from './redis-client.ts'
import { isClient, redisOf } from './redis-client.ts'
import type { RedisConnection } from './redis-connections.ts'
import { connectionsOf } from './redis-connections.ts'
import { listIndex } from './redis-index-listing.ts'
import { RedisListing } from './redis-listing.ts'
import { nodesOf } from './redis-nodes.ts'
import type { Script } from './redis-scripts.ts'
import { CHANNEL, SCRIPTS } from './redis-scripts.ts'
import { cutoffOf, decodeValue, isDone, lifeUntil, textOf } from './redis-value.ts'
import { refuseUnfit } from './refuse-driver.ts'
import { refuseUnread } from './refuse-options.ts'

export type { IoRedisClient, NodeRedisClient, RedisClient } from './redis-client.ts'
export type { RedisConnection } from './redis-connections.ts'

/** Options of `redisStore`. */
export interface RedisStoreOptions {
  /** A client of node-redis or ioredis, single, Sentinel or Cluster. The app connects and closes it. */
  client: RedisClient
  /**
   * The beginning of all keys: records are `<prefix>s:<handle>`, a user's index is `<prefix>u:<user id>`. Default
   * `session:`.
   */
  prefix?: string
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  clock?: () => number
}

/** The store in Redis. */
export interface RedisStore extends SessionStore, UserIndex, ReadingMany, Enumerating, Cutoff, Announcing, Clocked {
  /** The address that the client connects to, when its options say so. The guard reads this. */
  readonly connections: readonly RedisConnection[]
}

/**
 * Sessions in Redis or Valkey, 6.2 or later. A read is one `GET`. A write is one script on one key. So each of them is
 * atomic, on a Cluster too. The server itself removes expired records.
 *
 * - Let the client fail fast: `disableOfflineQueue: true` (node-redis) or `enableOfflineQueue: false` with
 *   `maxRetriesPerRequest: 1` (ioredis). A write that waits in a queue while its request is answered with 503 may still
 *   be made when the server is back.
 * - `maxmemory-policy` should be `noeviction`, or logins vanish silently; a full server then refuses new ones with 503.
 * - A server without `appendonly` forgets the last seconds when it ends; a logout among them comes back with the
 *   snapshot. Replicas lag: read from the primary (`readOnly`, `scaleReads` off), or a logout is seen late.
 * - Client-side caching (node-redis, `RESP: 3`, `clientSideCache`) saves the round trip of a read. A cached record
 *   lets requests in, and everything else asks the server. A write by another process is then seen one invalidation
 *   message later, and a lost connection empties the cache. The cache of a connection that is only silent is believed
 *   until `socketTimeout`. With a shorter `pingInterval`, a quiet connection is not taken for a silent one.
 * @throws `TypeError` when `client` is neither driver's, or an option is unknown.
 */
export function redisStore(options: RedisStoreOptions): RedisStore {
  refuseUnfit(CLIENT, options, isClient)
  refuseUnread('redisStore', options, ['client', 'prefix', 'clock'])
  const { client, prefix = 'session:', clock = Date.now } = options
  return new Store(client, prefix, clock)
}

const CLIENT = {
  factory: 'redisStore',
  name: 'client',
  wanted: 'a client of node-redis (5 or later) or ioredis (5 or later)',
} as const

/** Records that one round trip of `getMany` asks for. */
const READ_AT_ONCE = 100

/** The last part of the cutoff's key. */
const CUTOFF = 'cutoff'

class Store implements RedisStore {
  readonly connections: readonly RedisConnection[]
  readonly #redis: Redis
  readonly #decoded = new DecodedRecords()
  readonly #prefix: string
  readonly #clock: () => number
  readonly #listing: RedisListing
  readonly #subscription: SharedSubscription
  /** Names of writes begin with this process's own. */
  readonly #writer = randomBytes(6).toString('base64url')
  #writes = 0

  constructor(client: RedisClient, prefix: string, clock: () => number) {
    this.#redis = redisOf(client)
    this.connections = connectionsOf(client)
    this.#prefix = prefix
    this.#clock = clock
    const onServer = `${this.#redis.keyPrefix}${prefix}`
    this.#listing = new RedisListing(() => nodesOf(client), `${onServer}s:`)
    this.#subscription = new SharedSubscription((tell) => subscribeTo(client, `${onServer}${CHANNEL}`, tell))
    answerAtOnce(this, { recall: (handle) => this.#recall(handle) })
  }

  async get(handle: string, reports?: AbsenceReports): Promise<SessionRecord | undefined> {
    const value = await this.#redis.get(this.#recordKey(handle))
    if (value === null) return undefined
    const record = this.#decode(handle, value)
    if (record !== undefined) return record.idleDeadline > this.#clock() ? record : undefined
    reports?.onDamaged?.(handle)
    return undefined
  }

  create(record: SessionRecord): Promise<boolean> {
    return this.#write(SCRIPTS.create, record)
  }

  update(record: SessionRecord, version: number): Promise<boolean> {
    return this.#write(SCRIPTS.update, record, version, keyOf(record.handle))
  }

  async touch(handle: string, version: number, { lastSeenAt, idleDeadline }: Moving): Promise<boolean> {
    const key = this.#recordKey(handle)
    return isDone(await this.#redis.run(SCRIPTS.touch, key, this.#clock(), version, lastSeenAt, idleDeadline))
  }

  /**
   * The policy by which the server drops keys before they expire; `null` when it has no limit, or refuses writes
   * instead.
   */
  async evictionPolicy(): Promise<string | null> {
    const policy = await this.#redis.run(SCRIPTS.eviction, this.#recordKey('eviction'))
    return typeof policy === 'string' && policy !== 'noeviction' ? policy : null
  }

  async delete(handle: string, version?: number): Promise<boolean> {
    const name = keyOf(handle)
    return isDone(await this.#redis.run(SCRIPTS.delete, this.#recordKey(handle), this.#clock(), version ?? '', name))
  }

  async addToIndex(userId: string, handle: string, expiresAt: number, limit = Infinity): Promise<boolean> {
    const most = limit === Infinity ? '' : limit
    const now = this.#clock()
    const key = this.#userKey(userId)
    return isDone(await this.#redis.run(SCRIPTS.add, key, now, handle, expiresAt, lifeUntil(expiresAt, now), most))
  }

  async keepInIndex(userId: string, handle: string, expiresAt: number): Promise<boolean> {
    const now = this.#clock()
    const key = this.#userKey(userId)
    return isDone(await this.#redis.run(SCRIPTS.keep, key, now, handle, expiresAt, lifeUntil(expiresAt, now)))
  }

  async removeFromIndex(userId: string, handle: string): Promise<void> {
    await this.#redis.run(SCRIPTS.remove, this.#userKey(userId), this.#clock(), handle)
  }

  listIndex(userId: string): Promise<readonly IndexEntry[]> {
    return listIndex(this.#redis, this.#userKey(userId))
  }

  getMany(handles: readonly string[]): Promise<readonly SessionRecord[]> {
    const names = handles.map((handle) => keyOf(handle))
    // A read of many records pushes no other records out of the memory.
    return this.#readNamed(names, (text, name) => this.#decoded.known(name, text) ?? decodeValue(text))
  }

  async listAll(options: Parameters<Enumerating['listAll']>[0]): Promise<RecordPage> {
    const { names, ...place } = await this.#listing.page(options)
    return { records: await this.#readNamed(names), ...place }
  }

  count(): Promise<number> {
    return this.#listing.count()
  }

  async raiseCutoff(instant: number): Promise<number> {
    return cutoffOf(await this.#redis.run(SCRIPTS.raise, this.#cutoffKey, instant, CUTOFF.length))
  }

  async readCutoff(): Promise<number> {
    return cutoffOf((await this.#redis.get(this.#cutoffKey)) ?? 0)
  }

  async now(): Promise<number> {
    return Number(await this.#redis.run(SCRIPTS.time, this.#cutoffKey))
  }

  subscribe(listener: Listener): Promise<Unsubscribe> {
    return this.#subscription.subscribe(listener)
  }

  /** Returns the live records under the last parts of their keys. */
  async #readNamed(
    names: readonly string[],
    decode: (text: string, name: string) => SessionRecord | undefined = decodeValue,
  ): Promise<SessionRecord[]> {
    const records: SessionRecord[] = []
    for (let start = 0; start < names.length; start += READ_AT_ONCE) {
      const batch = names.slice(start, start + READ_AT_ONCE)
      const values = await this.#redis.getMany(batch.map((name) => `${this.#prefix}s:${name}`))
      for (const [index, name] of batch.entries()) {
        const value = values[index]
        const record = value ? decode(textOf(value), name) : undefined
        const isLive = record !== undefined && record.idleDeadline > this.#clock()
        if (isLive && keyOf(record.handle) === name) records.push(record)
      }
    }
    return records
  }

  #recall(handle: string): SessionRecord | undefined {
    const value = this.#redis.recall(this.#recordKey(handle))
    return value === undefined ? undefined : this.#decode(handle, value)
  }

  #decode(handle: string, value: string | Uint8Array): SessionRecord | undefined {
    const record = this.#decoded.find(handle, textOf(value), decodeValue)
    return record?.handle === handle ? record : undefined
  }

  async #write(script: Script, record: SessionRecord, ...more: (string | number)[]): Promise<boolean> {
    const { handle, version, epoch, lastSeenAt, idleDeadline } = record
    const now = this.#clock()
    this.#writes += 1
    const write = `${epoch}.${this.#writer}${this.#writes}`
    const value = `${version} ${lastSeenAt} ${idleDeadline} ${write}\n${encodeRecord(record)}`
    const life = lifeUntil(idleDeadline, now)
    return isDone(await this.#redis.run(script, this.#recordKey(handle), now, write, value, life, ...more))
  }

  get #cutoffKey(): string {
    return `${this.#prefix}${CUTOFF}`
  }

  #recordKey(handle: string): string {
    return `${this.#prefix}s:${keyOf(handle)}`
  }

  #userKey(userId: string): string {
    return `${this.#prefix}u:${keyOf(userId)}`
  }
}
