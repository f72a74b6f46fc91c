import { randomBytes } from 'node:crypto'
import type { IndexEntry, SessionRecord, SessionStore, UserIndex } from '../../types/index.ts'
import { answerAtOnce } from '../storage/immediate.ts'
import type { Moving } from './codec.ts'
import { decodeRecord, encodeRecord, keyOf } from './codec.ts'
import { DecodedRecords } from './decoded-records.ts'
import type { Redis, RedisClient, RedisValue } from './redis-client.ts'
import { redisOf } from './redis-client.ts'
import type { RedisConnection } from './redis-connections.ts'
import { connectionsOf } from './redis-connections.ts'
import type { Script } from './redis-scripts.ts'
import { SCRIPTS } from './redis-scripts.ts'

export type { IoRedisClient, NodeRedisClient, RedisClient } from './redis-client.ts'
export type { RedisConnection } from './redis-connections.ts'

/** Options of `redisStore`. */
export interface RedisStoreOptions {
  /** A client of node-redis or ioredis, single, Sentinel or Cluster. The app connects and closes it. */
  client: RedisClient
  /** What all keys begin with: records are `<prefix>s:<handle>`, a user's index is `<prefix>u:<user id>`. Default `session:`. */
  prefix?: string
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  clock?: () => number
}

/** The store in Redis. */
export interface RedisStore extends SessionStore, UserIndex {
  /** Where the client connects to, where its options say; what the guard looks at. */
  readonly connections: readonly RedisConnection[]
}

/**
 * Sessions in Redis or Valkey, 6.2 or later. A read is one `GET`, a write one script on one key, so that each is atomic on a
 * Cluster too; the server itself removes what has expired.
 *
 * - Let the client fail fast: `disableOfflineQueue: true` (node-redis) or `enableOfflineQueue: false` with
 *   `maxRetriesPerRequest: 1` (ioredis). A write that waits in a queue while its request is answered with 503 may still be made
 *   when the server is back.
 * - `maxmemory-policy` should be `noeviction`, or logins vanish silently; a full server then refuses new ones with 503.
 * - A server without `appendonly` forgets the last seconds when it ends; a logout among them comes back with the snapshot.
 *   Replicas lag: read from the primary (`readOnly`, `scaleReads` off), or a logout is seen late.
 * - Client-side caching (node-redis, `RESP: 3`, `clientSideCache`) saves the round trip of a read: what is cached lets requests
 *   in, and all else asks the server. A write by another process is then seen one invalidation message later, and a lost
 *   connection empties the cache. One that is only silent is believed until `socketTimeout`; with a `pingInterval` below it, a
 *   quiet one is not taken for silent.
 * @throws `TypeError` when `client` is neither driver's.
 */
export function redisStore(options: RedisStoreOptions): RedisStore {
  const { client, prefix = 'session:', clock = Date.now } = options
  return new Store(redisOf(client), connectionsOf(client), prefix, clock)
}

/** `<version> <lastSeenAt> <idleDeadline> <write>`, then JSON. */
const VALUE = /^(\d+) (\S+) (\S+) \S+\n/

class Store implements RedisStore {
  onDamaged: SessionStore['onDamaged']
  readonly connections: readonly RedisConnection[]
  readonly #redis: Redis
  readonly #decoded = new DecodedRecords()
  readonly #prefix: string
  readonly #clock: () => number
  /** Names of writes begin with this process's own. */
  readonly #writer = randomBytes(6).toString('base64url')
  #writes = 0

  constructor(redis: Redis, connections: readonly RedisConnection[], prefix: string, clock: () => number) {
    this.#redis = redis
    this.connections = connections
    this.#prefix = prefix
    this.#clock = clock
    answerAtOnce(this, { recall: (handle) => this.#recall(handle) })
  }

  async get(handle: string): Promise<SessionRecord | undefined> {
    const value = await this.#read(this.#recordKey(handle))
    if (value === null) return undefined
    const record = this.#decode(handle, value)
    if (record !== undefined) return record.idleDeadline > this.#clock() ? record : undefined
    this.onDamaged?.(handle)
    return undefined
  }

  create(record: SessionRecord): Promise<boolean> {
    return this.#write(SCRIPTS.create, record)
  }

  update(record: SessionRecord, version: number): Promise<boolean> {
    return this.#write(SCRIPTS.update, record, version)
  }

  async touch(handle: string, version: number, { lastSeenAt, idleDeadline }: Moving): Promise<boolean> {
    const key = this.#recordKey(handle)
    return isDone(await this.#redis.run(SCRIPTS.touch, key, this.#clock(), version, lastSeenAt, idleDeadline))
  }

  /** The policy by which the server drops keys before they expire; `null` when it has no limit, or refuses writes instead. */
  async evictionPolicy(): Promise<string | null> {
    const policy = await this.#redis.run(SCRIPTS.eviction, this.#recordKey('eviction'))
    return typeof policy === 'string' && policy !== 'noeviction' ? policy : null
  }

  async delete(handle: string, version?: number): Promise<boolean> {
    return isDone(await this.#redis.run(SCRIPTS.delete, this.#recordKey(handle), this.#clock(), version ?? ''))
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

  async listIndex(userId: string): Promise<readonly IndexEntry[]> {
    const answer = await this.#redis.run(SCRIPTS.list, this.#userKey(userId), this.#clock())
    const flat = (answer as unknown[]).map(String)
    return flat.flatMap((handle, at) => (at % 2 === 0 ? [{ handle, expiresAt: Number(flat[at + 1]) }] : []))
  }

  async #read(key: string): Promise<RedisValue> {
    try {
      return await this.#redis.get(key)
    } catch (error) {
      // Not a string at all: somebody else's key, or a record somebody worked on.
      if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return ''
      throw error
    }
  }

  #recall(handle: string): SessionRecord | undefined {
    const value = this.#redis.recall(this.#recordKey(handle))
    return value === undefined ? undefined : this.#decode(handle, value)
  }

  #decode(handle: string, value: string | Uint8Array): SessionRecord | undefined {
    const text = typeof value === 'string' ? value : Buffer.from(value).toString()
    const record = this.#decoded.find(handle, text, decodeValue)
    return record?.handle === handle ? record : undefined
  }

  async #write(script: Script, record: SessionRecord, ...expected: number[]): Promise<boolean> {
    const { handle, version, lastSeenAt, idleDeadline } = record
    const now = this.#clock()
    const write = `${this.#writer}${(this.#writes += 1)}`
    const value = `${version} ${lastSeenAt} ${idleDeadline} ${write}\n${encodeRecord(record)}`
    const life = lifeUntil(idleDeadline, now)
    return isDone(await this.#redis.run(script, this.#recordKey(handle), now, write, value, life, ...expected))
  }

  #recordKey(handle: string): string {
    return `${this.#prefix}s:${keyOf(handle)}`
  }

  #userKey(userId: string): string {
    return `${this.#prefix}u:${keyOf(userId)}`
  }
}

function decodeValue(value: string): SessionRecord | undefined {
  const head = VALUE.exec(value)
  if (head === null) return undefined
  const [line, version, lastSeenAt, idleDeadline] = head
  const moved = { lastSeenAt: Number(lastSeenAt), idleDeadline: Number(idleDeadline) }
  const record = decodeRecord(value.slice(line.length), moved)
  return record?.version === Number(version) ? record : undefined
}

/** In whole milliseconds by this process's clock, which need not agree with the server's. */
function lifeUntil(deadline: number, now: number): number {
  return Math.max(1, Math.ceil(deadline - now))
}

function isDone(answer: unknown): boolean {
  return Number(answer) === 1
}
