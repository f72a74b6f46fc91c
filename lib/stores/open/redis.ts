import { complain, inTime } from '../../storage/in-time.ts'
import { redisStore } from '../redis.ts'
import type { DriverModule } from './drivers.ts'
import { loadDriver } from './drivers.ts'
import type { OpenedStore, OpenSettings } from './opened.ts'
import { CONNECT_TIMEOUT, StoreUrlError } from './opened.ts'

type StoreClient = Parameters<typeof redisStore>[0]['client']

/** A client of node-redis or ioredis, before it is known which. */
type Client = StoreClient & {
  connect(): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
  destroy?(): void
  disconnect(): void
}

type SingleClient = Client & {
  info(section: string): Promise<string>
  select(database: number): Promise<unknown>
}

/**
 * Tells whether a client may connect again: not before it was connected once, so that a server that is away is
 * reported.
 */
interface Reconnecting {
  isAllowed: boolean
}

/**
 * Opens a Redis store with node-redis or ioredis, whichever the project has; behind the URL of one node of a Cluster,
 * all of it.
 * @throws `StoreUrlError` for a URL that the drivers read in different ways
 */
export async function openRedis(url: string, { from, isApp, prefix }: OpenSettings): Promise<OpenedStore> {
  const database = databaseOf(new URL(url))
  const driver = loadDriver(from, ['redis', 'ioredis'])
  const reconnecting: Reconnecting = { isAllowed: false }
  const single = await connected(clientFor(driver, url, reconnecting), url)
  const isCluster = await single.info('cluster').then(
    (info) => info.includes('cluster_enabled:1'),
    // A user who may not ask is served as if there were no Cluster.
    () => false,
  )
  if (isCluster) await closed(single)
  if (isCluster && database > 0) throw new StoreUrlError('a Cluster has no databases but 0.')
  const client = isCluster
    ? await connected(clusterFor(driver, url, reconnecting), url)
    : await inDatabase(single, database)
  reconnecting.isAllowed = isApp
  const named = prefix === undefined ? {} : { prefix }
  return { store: redisStore({ client, ...named }), close: () => closed(client) }
}

async function connected<Any extends Client>(client: Any, url: string): Promise<Any> {
  let reason: Error | undefined
  client.on('error', (error) => (reason = error))
  try {
    // A server may accept a connection and then say nothing.
    const complaint = SILENCE + (url.startsWith('rediss:') ? HINT : '')
    await inTime(client.connect(), CONNECT_TIMEOUT, complain(complaint))
    return client
  } catch (error) {
    await closed(client).catch(() => undefined)
    // Why it is closed, ioredis tells in an event only.
    throw ((error as Error).message === CLOSED ? reason : undefined) ?? error
  }
}

/** ioredis goes on in database 0 when the server refuses the one of the URL. */
async function inDatabase(client: SingleClient, database: number): Promise<SingleClient> {
  try {
    await client.select(database)
    return client
  } catch (error) {
    await closed(client).catch(() => undefined)
    throw error
  }
}

async function closed(client: Client): Promise<void> {
  if (client.destroy === undefined) client.disconnect()
  else client.destroy()
}

/** Tells whether a driver is node-redis; ioredis exports a class. */
function isNodeRedis(driver: DriverModule): boolean {
  return typeof driver['createClient'] === 'function' && typeof driver !== 'function'
}

function clientFor(driver: DriverModule, url: string, reconnecting: Reconnecting): SingleClient {
  if (isNodeRedis(driver)) {
    const createClient = driver['createClient'] as (options: object) => SingleClient
    return createClient({
      url,
      disableOfflineQueue: true,
      pingInterval: PING_INTERVAL,
      socket: socketFor(reconnecting),
    })
  }
  // The module of ioredis is its class.
  const Redis = driver as unknown as new (url: string, options: object) => SingleClient
  const retryStrategy = (attempt: number): number | null => (reconnecting.isAllowed ? pauseBefore(attempt) : null)
  return new Redis(url, { ...IO_REDIS, lazyConnect: true, enableOfflineQueue: false, retryStrategy })
}

/** Nodes that the first one names know nothing of the URL, and have the same users. */
function clusterFor(driver: DriverModule, url: string, reconnecting: Reconnecting): Client {
  const { username, password, protocol } = new URL(url)
  const user = {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  }
  if (isNodeRedis(driver)) {
    const createCluster = driver['createCluster'] as (options: object) => Client
    const socket = { ...socketFor(reconnecting), tls: protocol in TLS }
    return createCluster({ rootNodes: [{ url }], defaults: { ...user, disableOfflineQueue: true, socket } })
  }
  const Cluster = driver['Cluster'] as new (nodes: string[], options: object) => Client
  return new Cluster([url], { redisOptions: { ...user, ...IO_REDIS, tls: TLS[protocol] }, lazyConnect: true })
}

/** A command that waits in a queue while its request is answered with 503 may still be carried out. */
const IO_REDIS = { connectTimeout: CONNECT_TIMEOUT, maxRetriesPerRequest: 1 }

/** Milliseconds between two questions that keep a quiet connection open. */
const PING_INTERVAL = 10_000

function socketFor(reconnecting: Reconnecting): object {
  return {
    connectTimeout: CONNECT_TIMEOUT,
    reconnectStrategy: (attempt: number) => (reconnecting.isAllowed ? pauseBefore(attempt) : false),
  }
}

/** Milliseconds before the next attempt to connect, from 50 to 2,000. */
function pauseBefore(attempt: number): number {
  return Math.min(50 * (attempt + 1), 2_000)
}

const TLS: Record<string, object> = { 'rediss:': {} }

/** The number of the database that the URL names. */
function databaseOf({ pathname, search, hash, username, password }: URL): number {
  if (!/^(\/\d{0,9})?$/.test(pathname) || search !== '' || hash !== '') {
    throw new StoreUrlError(
      'after the host of a Redis URL goes the number of a database and nothing else, as in redis://host/1.',
    )
  }
  try {
    decodeURIComponent(username + password)
  } catch {
    throw new StoreUrlError('a % in a name or password goes as %25.')
  }
  return Number(pathname.slice(1))
}

const CLOSED = 'Connection is closed.'
const SILENCE = 'it accepts connections, but does not answer'
const HINT = ': it may not speak TLS'
