import { join } from 'node:path'
import type { Test } from 'tap'
import { startPostgres } from '../support/servers/postgres.ts'
import type { RedisCluster } from '../support/servers/redis.ts'
import { startRedis, startRedisCluster } from '../support/servers/redis.ts'
import { startRedisSentinel } from '../support/servers/sentinel.ts'
import { betterSqlite, temporaryFolder } from '../support/sqlite.ts'
import { Relay } from './proxy.ts'

/** A real store that two servers share, and the faults that it can have. */
export interface SharedStore {
  readonly name: string
  /** Returns the URL for a server, by its number. */
  urlFor(server: number): string
  /** The beginning of the keys of a Redis store. */
  readonly prefix?: string
  /** Ways to keep the store from answering until the function that comes back is called. */
  readonly outages: Readonly<Record<string, () => () => void>>
  /** Ways to break what is under way. Afterwards the store works. `tick` returns the next instant. */
  readonly breaks: Readonly<Record<string, (tick: () => number) => Promise<void> | void>>
  /** The times whose writes the store may have lost, by its own documentation. */
  readonly losses?: readonly Loss[]
}

/** A time of which a store may lose what it acknowledged, in instants. */
export interface Loss {
  readonly from: number
  readonly until: number
}

/** A server of a store: a process that can be stopped, killed and started. */
interface StoreServer {
  readonly port: number
  readonly url: string
  pause(): void
  resume(): void
  kill(): Promise<void>
  start(): Promise<void>
}

async function behindRelays(t: Test, name: string, server: StoreServer): Promise<SharedStore> {
  const relays = await Promise.all([0, 1].map(async () => Relay.start(server.port)))
  t.teardown(() => {
    for (const relay of relays) relay.close()
  })
  const [first, second] = relays as [Relay, Relay]
  const held = (relay: Relay) => () => {
    relay.hold()
    return () => relay.release()
  }
  return {
    name,
    urlFor: (number) => server.url.replace(`:${server.port}`, `:${(relays[number] as Relay).port}`),
    outages: {
      'the store stands still': () => {
        server.pause()
        return () => server.resume()
      },
      'the first server is cut off': held(first),
      'the second server is cut off': held(second),
    },
    breaks: {
      'connections of the first server break': () => first.cut(),
      'connections of the second server break': () => second.cut(),
      'the store is killed': async () => {
        await server.kill()
        await server.start()
      },
    },
  }
}

/** The braces put all keys into one slot: the one that moves. */
const PREFIX = '{histories}:'

/** Moves the slot of all sessions to the next node, key by key, while servers use it. */
async function moveSlot({ nodes }: RedisCluster): Promise<void> {
  const slot = nodes[0]?.cli('cluster', 'keyslot', PREFIX) ?? ''
  const from = nodes.find((node) => isOwner(node, slot))
  if (from === undefined) throw new Error('no node has the slot')
  const to = nodes[(nodes.indexOf(from) + 1) % nodes.length] as typeof from
  const [fromId, toId] = [from.cli('cluster', 'myid'), to.cli('cluster', 'myid')]
  to.cli('cluster', 'setslot', slot, 'importing', fromId)
  from.cli('cluster', 'setslot', slot, 'migrating', toId)
  for (let keys = keysIn(from, slot); keys.length > 0; keys = keysIn(from, slot)) {
    from.cli('migrate', '127.0.0.1', to.port, '', 0, 5000, 'keys', ...keys)
    // Servers get their turn between two steps.
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (const node of [to, ...nodes.filter((one) => one !== to)]) node.cli('cluster', 'setslot', slot, 'node', toId)
}

function isOwner(node: RedisCluster['nodes'][number], slot: string): boolean {
  // Slots that are on their way have an arrow in their brackets.
  const ranges = node
    .cli('cluster', 'nodes')
    .split('\n')
    .find((line) => line.includes('myself'))
    ?.split(' ')
    .slice(8)
  return (ranges ?? []).some((range) => {
    const [first = '', last = first] = range.split('-')
    return Number(first) <= Number(slot) && Number(slot) <= Number(last)
  })
}

function keysIn(node: RedisCluster['nodes'][number], slot: string): string[] {
  return node.cli('cluster', 'getkeysinslot', slot, 20).split('\n').filter(Boolean)
}

/** The stores, by name. */
export const STORES: Readonly<Record<string, (t: Test) => Promise<SharedStore>>> = {
  // Writes that a killed server acknowledged are on disk.
  redis: async (t) => behindRelays(t, 'redis', await startRedis(t)),
  'redis cluster': async (t) => {
    const cluster = await startRedisCluster(t, { appendonly: 'yes', appendfsync: 'always' })
    const [first] = cluster.nodes
    return {
      name: 'redis cluster',
      prefix: PREFIX,
      urlFor: () => first?.url ?? '',
      outages: {},
      breaks: { 'the slot of all sessions moves': async () => moveSlot(cluster) },
    }
  },
  'redis sentinel': async (t) => {
    // A failover that nobody provoked would lose writes that the judge knows nothing of.
    const sentinel = await startRedisSentinel(t, { downAfter: 60_000 })
    const losses: Loss[] = []
    return {
      name: 'redis sentinel',
      urlFor: () => `sentinel://127.0.0.1:${sentinel.port}/${sentinel.name}`,
      outages: {},
      breaks: {
        'the primary is killed and its replica takes over': async (tick) => {
          await sentinel.replicated()
          // Writes that were answered before the last look had reached the replica.
          const from = tick()
          await sentinel.fail()
          losses.push({ from, until: tick() })
        },
      },
      losses,
    }
  },
  postgres: async (t) => behindRelays(t, 'postgres', await startPostgres(t, { fsync: 'on', max_connections: 60 })),
  sqlite: async (t) => {
    const file = join(temporaryFolder(t), 'sessions.db')
    const lock = betterSqlite.open(file)
    t.teardown(() => void lock.close())
    return {
      name: 'sqlite',
      urlFor: () => `sqlite:${file}`,
      outages: {
        'another process writes': () => {
          lock.exec('BEGIN IMMEDIATE')
          return () => lock.exec('COMMIT')
        },
      },
      breaks: {},
    }
  },
}
