import type { DriverModule } from './drivers.ts'
import { loadDriver } from './drivers.ts'
import { UsageError } from './io.ts'
import { redisStore } from '../stores/redis.ts'
import { CONNECT_TIMEOUT } from './opened-store.ts'
import type { OpenedStore } from './opened-store.ts'

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
 * Opens a Redis store with node-redis or ioredis, whichever the project has; behind the URL of one node of a Cluster, all of it.
 * Gives up instead of trying again.
 * @throws `UsageError` for a URL that the drivers read in different ways
 */
export async function openRedis(url: string, prefix: string | undefined, cwd: string): Promise<OpenedStore> {
  const database = databaseOf(new URL(url))
  const driver = loadDriver(cwd, ['redis', 'ioredis'])
  const single = await connected(clientFor(driver, url), url)
  const isCluster = await single.info('cluster').then(
    (info) => info.includes('cluster_enabled:1'),
    // Not everybody may ask; whoever may not is served as before.
    () => false,
  )
  if (isCluster) await closed(single)
  if (isCluster && database > 0) throw new UsageError('--store: a Cluster has no databases but 0.')
  const client = isCluster ? await connected(clusterFor(driver, url), url) : await inDatabase(single, database)
  const named = prefix === undefined ? {} : { prefix }
  return { store: redisStore({ client, ...named }), close: () => closed(client) }
}

async function connected<Any extends Client>(client: Any, url: string): Promise<Any> {
  let reason: Error | undefined
  client.on('error', (error) => (reason = error))
  try {
    await inTime(client.connect(), SILENCE + (url.startsWith('rediss:') ? HINT : ''))
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

/** Whether a driver is node-redis; ioredis exports a class. */
function isNodeRedis(driver: DriverModule): boolean {
  return typeof driver['createClient'] === 'function' && typeof driver !== 'function'
}

function clientFor(driver: DriverModule, url: string): SingleClient {
  if (isNodeRedis(driver)) {
    const createClient = driver['createClient'] as (options: object) => SingleClient
    return createClient({ url, socket: { ...SOCKET } })
  }
  // The module of ioredis is its class.
  const Redis = driver as unknown as new (url: string, options: object) => SingleClient
  return new Redis(url, { lazyConnect: true, connectTimeout: CONNECT_TIMEOUT, retryStrategy: () => null })
}

/** Nodes that the first one names know nothing of the URL, and have the same users. */
function clusterFor(driver: DriverModule, url: string): Client {
  const { username, password, protocol } = new URL(url)
  const user = {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  }
  if (isNodeRedis(driver)) {
    const createCluster = driver['createCluster'] as (options: object) => Client
    return createCluster({ rootNodes: [{ url }], defaults: { ...user, socket: { ...SOCKET, tls: protocol in TLS } } })
  }
  const Cluster = driver['Cluster'] as new (nodes: string[], options: object) => Client
  const redisOptions = { ...user, connectTimeout: CONNECT_TIMEOUT, tls: TLS[protocol] }
  return new Cluster([url], { redisOptions, lazyConnect: true })
}

const TLS: Record<string, object> = { 'rediss:': {} }

/** node-redis writes into what it is given. */
const SOCKET = { connectTimeout: CONNECT_TIMEOUT, reconnectStrategy: false }

/** The number of the database that the URL names. */
function databaseOf({ pathname, search, hash, username, password }: URL): number {
  if (!/^(\/\d{0,9})?$/.test(pathname) || search !== '' || hash !== '') {
    throw new UsageError(
      '--store: after the host of a Redis URL goes the number of a database and nothing else, as in redis://host/1.',
    )
  }
  try {
    decodeURIComponent(username + password)
  } catch {
    throw new UsageError('--store: a % in a name or password goes as %25.')
  }
  return Number(pathname.slice(1))
}

const CLOSED = 'Connection is closed.'
const SILENCE = 'it accepts connections, but does not answer'
const HINT = ': it may not speak TLS'

/** A server may accept a connection and then say nothing. */
async function inTime(connecting: Promise<unknown>, complaint: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(complaint)), CONNECT_TIMEOUT)
  })
  try {
    await Promise.race([connecting, late])
  } finally {
    clearTimeout(timer)
  }
}
