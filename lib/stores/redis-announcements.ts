import { announcementOf } from './announcement-text.ts'
import { complain, inTime } from '../storage/in-time.ts'
import type { Listener, Unsubscribe } from './listeners.ts'
import type { RedisClient } from './redis-client.ts'

/** The time that a server may take to accept a subscription, in milliseconds. */
const PATIENCE = 5000

/** node-redis: one server, a Sentinel or a Cluster. The latter two have a connection for subscriptions already. */
interface NodeRedisSubscriber {
  duplicate(options: object): NodeRedisSubscriber
  connect(): Promise<unknown>
  destroy(): void
  on(event: 'error', listener: () => void): unknown
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  unsubscribe(channel: string, listener: (message: string) => void): Promise<unknown>
}

interface NodeRedisPool {
  execute<Result>(work: (client: NodeRedisSubscriber) => Promise<Result>): Promise<Result>
}

/** ioredis: one server or a Sentinel, or a Cluster, whose `duplicate` takes nodes first. */
interface IoRedisSubscriber {
  duplicate(...options: object[]): IoRedisSubscriber
  disconnect(): void
  on(event: 'error' | 'message', listener: (channel: unknown, message: unknown) => void): unknown
  subscribe(channel: string): Promise<unknown>
}

/**
 * Subscribes to a channel on a connection of its own, which connects again by itself.
 * @throws when the server does not accept the subscription in time, or refuses it
 */
export async function subscribeTo(client: RedisClient, channel: string, tell: Listener): Promise<Unsubscribe> {
  const hear = (message: unknown): void => {
    const what = announcementOf(String(message))
    if (what !== undefined) tell(what)
  }
  // The type of a client names only what every store needs. Its members tell the driver, which has the rest.
  if (!('evalSha' in client)) return onIoRedis(client as unknown as IoRedisSubscriber, channel, hear)
  const isShared = 'nodeClient' in client || 'getSentinelNode' in client
  if (isShared) return onSharedConnection(client as unknown as NodeRedisSubscriber, channel, hear)
  return onNodeRedis(await duplicateOf(client as unknown as NodeRedisSubscriber | NodeRedisPool), channel, hear)
}

async function duplicateOf(client: NodeRedisSubscriber | NodeRedisPool): Promise<NodeRedisSubscriber> {
  // A cache would take this connection's invalidation messages for its own.
  const options = { clientSideCache: undefined }
  return 'execute' in client ? client.execute(async (one) => one.duplicate(options)) : client.duplicate(options)
}

async function onNodeRedis(
  client: NodeRedisSubscriber,
  channel: string,
  hear: (message: string) => void,
): Promise<Unsubscribe> {
  client.on('error', ignore)
  const subscribed = client.connect().then(() => client.subscribe(channel, hear))
  await accepted(subscribed, () => client.destroy())
  return async () => client.destroy()
}

async function onSharedConnection(
  client: NodeRedisSubscriber,
  channel: string,
  hear: (message: string) => void,
): Promise<Unsubscribe> {
  const unsubscribe = async (): Promise<void> => {
    // A client that the app has closed has no subscription left.
    await client.unsubscribe(channel, hear).catch(ignore)
  }
  await accepted(client.subscribe(channel, hear), () => void unsubscribe())
  return unsubscribe
}

async function onIoRedis(
  client: IoRedisSubscriber,
  channel: string,
  hear: (message: unknown) => void,
): Promise<Unsubscribe> {
  const options = { enableOfflineQueue: true, maxRetriesPerRequest: null }
  const subscriber = 'nodes' in client ? client.duplicate([], options) : client.duplicate(options)
  subscriber.on('error', ignore)
  subscriber.on('message', (_channel, message) => hear(message))
  await accepted(subscriber.subscribe(channel), () => subscriber.disconnect())
  return async () => subscriber.disconnect()
}

/** Waits for a subscription. Calls `undo` when it fails or takes too long. */
async function accepted(subscribing: Promise<unknown>, undo: () => void): Promise<void> {
  try {
    await inTime(subscribing, PATIENCE, complain(`no subscription in ${PATIENCE} ms`))
  } catch (error) {
    undo()
    throw error
  }
}

function ignore(): void {}
