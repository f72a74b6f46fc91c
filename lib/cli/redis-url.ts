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
  on(event: 'error', listener: () => void): unknown
  destroy?(): void
  disconnect(): void
}

/**
 * Opens a Redis store with node-redis or ioredis, whichever the project has. Gives up instead of trying again.
 * @throws `UsageError` for a URL that the drivers read in different ways
 */
export async function openRedis(url: string, prefix: string | undefined, cwd: string): Promise<OpenedStore> {
  refuseOddities(new URL(url))
  const client = clientFor(loadDriver(cwd, ['redis', 'ioredis']), url)
  // The promise of the call that failed says the same.
  client.on('error', () => undefined)
  const close = async (): Promise<void> => (client.destroy === undefined ? client.disconnect() : client.destroy())
  try {
    await inTime(client.connect(), SILENCE + (url.startsWith('rediss:') ? HINT : ''))
  } catch (error) {
    await close().catch(() => undefined)
    throw error
  }
  return { store: redisStore({ client, ...(prefix === undefined ? {} : { prefix }) }), close }
}

function clientFor(driver: DriverModule, url: string): Client {
  if (typeof driver['createClient'] === 'function' && typeof driver !== 'function') {
    const createClient = driver['createClient'] as (options: object) => Client
    return createClient({ url, socket: { connectTimeout: CONNECT_TIMEOUT, reconnectStrategy: false } })
  }
  const Redis = driver as unknown as new (url: string, options: object) => Client
  return new Redis(url, { lazyConnect: true, connectTimeout: CONNECT_TIMEOUT, retryStrategy: () => null })
}

function refuseOddities({ pathname, username, password }: URL): void {
  if (!/^(\/\d*)?$/.test(pathname)) {
    throw new UsageError('--store: after the host of a Redis URL goes the number of a database, as in redis://host/1.')
  }
  try {
    decodeURIComponent(username + password)
  } catch {
    throw new UsageError('--store: a % in a name or password goes as %25.')
  }
}

const SILENCE = 'it accepts connections, but does not answer'
const HINT = ': it may not speak TLS'

/** A server may accept a connection and then say nothing. */
async function inTime(connected: Promise<unknown>, complaint: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(complaint)), CONNECT_TIMEOUT)
  })
  try {
    await Promise.race([connected, late])
  } finally {
    clearTimeout(timer)
  }
}
